"""Templates, and how they are filled, for any language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

__all__ = ["environment"]


def environment(
    targets: Iterable[str], functions: Mapping[str, Callable[..., object]], filters: Mapping[str, Callable[..., object]]
) -> Environment:
    """Give the templates of some targets the functions and filters of their language, by name.

    A value that a template names and does not get is an error.
    """
    made = Environment(
        # What is rendered is source code, not HTML: the filters escape it.
        loader=FileSystemLoader([Path(__file__).parent / target / "templates" for target in targets]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # Jinja declares neither as what it is: a checker would take them for tables of its own functions alone.
    globals_: dict[str, Any] = made.globals
    filters_: dict[str, Any] = made.filters
    globals_.update(functions)
    filters_.update(filters)
    return made
