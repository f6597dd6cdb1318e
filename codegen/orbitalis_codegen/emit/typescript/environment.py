"""The templates of the TypeScript target."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from orbitalis_codegen.emit.typescript import text

__all__ = ["TEMPLATES", "render"]

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **values: object) -> str:
    """Fill a template of the folder `templates/`; a value that it names and does not get is an error."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    # What is rendered is TypeScript, not HTML: `text` escapes it.
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # Jinja declares neither as what it is: a checker would take them for tables of its own functions alone.
    functions: dict[str, Any] = environment.globals
    filters: dict[str, Any] = environment.filters
    functions.update(assigned=text.assigned, bracketed=text.bracketed, comment=text.comment)
    filters.update(literal=text.literal)
    return environment
