"""The templates of what is written in Python."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from jinja2 import Environment

from orbitalis_codegen.emit import templates
from orbitalis_codegen.emit.python import text

__all__ = ["render"]


def render(template: str, **values: object) -> str:
    """Fill a template of a folder `templates/`; a value that it names and does not get is an error."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    functions: dict[str, Callable[..., object]] = {
        "fit": text.fit,
        "fit_if_possible": text.fit_if_possible,
        "fit_nested": text.fit_nested,
        "fit_string": text.fit_string,
        "import_from": text.import_from,
        "unbroken": text.unbroken,
    }
    return templates.environment(
        ("python", "contract_python"),
        functions,
        {"literal": text.literal, "codec": "_{}_CODEC".format},
    )
