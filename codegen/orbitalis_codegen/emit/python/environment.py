"""The templates of what is written in Python."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from orbitalis_codegen.emit.python import text

__all__ = ["render"]

_TEMPLATES = tuple(Path(__file__).parents[1] / target / "templates" for target in ("python", "contract_python"))


def render(template: str, **values: object) -> str:
    """Fill a template of a folder `templates/`; a value that it names and does not get is an error."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    # What is rendered is Python, not HTML: `text` escapes it.
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # Jinja declares neither as what it is: a checker would take them for tables of its own functions alone.
    functions: dict[str, Any] = environment.globals
    filters: dict[str, Any] = environment.filters
    functions.update(
        fit=text.fit,
        fit_if_possible=text.fit_if_possible,
        fit_nested=text.fit_nested,
        fit_string=text.fit_string,
        import_from=text.import_from,
        unbroken=text.unbroken,
    )
    filters.update(literal=text.literal, codec="_{}_CODEC".format)
    return environment
