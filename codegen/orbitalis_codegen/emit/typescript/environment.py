"""The templates of the TypeScript target."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from jinja2 import Environment

from orbitalis_codegen.emit import templates
from orbitalis_codegen.emit.typescript import text

__all__ = ["render"]


def render(template: str, **values: object) -> str:
    """Fill a template of the folder `templates/`; a value that it names and does not get is an error."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    functions: dict[str, Callable[..., object]] = {
        "assigned": text.assigned,
        "bracketed": text.bracketed,
        "comment": text.comment,
    }
    return templates.environment(("typescript", "contract_typescript"), functions, {"literal": text.literal})
