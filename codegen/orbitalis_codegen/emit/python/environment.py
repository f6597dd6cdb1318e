"""The templates of the Python target."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from orbitalis_codegen.emit.python import text

__all__ = ["TEMPLATES", "render"]

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **values: object) -> str:
    """Fill a template of the folder `templates/`; a value that it names and does not get is an error."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    # What is rendered is Python, not HTML: `text` escapes it.
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals["fit"] = text.fit
    environment.globals["fit_nested"] = text.fit_nested
    environment.globals["import_from"] = text.import_from
    environment.globals["fit_string"] = text.fit_string
    environment.filters["literal"] = text.literal
    environment.filters["private"] = "_{}".format
    environment.filters["docstring"] = text.docstring
    return environment
