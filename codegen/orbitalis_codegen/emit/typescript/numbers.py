"""Modules of constants: the default timings and limits, and the versions."""

from __future__ import annotations

from collections.abc import Iterable

from orbitalis_codegen.emit.typescript import environment, names, text
from orbitalis_codegen.model import Model

__all__ = ["emit_limits", "emit_timings", "emit_version"]


def emit_timings(model: Model) -> str:
    """Emit the default durations."""
    timings = ((one.name, text.number_literal(one.seconds), one.description) for one in model.timings.values())
    return _emit_numbers("Default durations, in seconds.", timings)


def emit_limits(model: Model) -> str:
    """Emit the default bounds."""
    limits = ((one.name, text.number_literal(one.maximum), one.description) for one in model.limits.values())
    return _emit_numbers("Default bounds on what may come from others.", limits)


def emit_version(model: Model) -> str:
    """Emit the version of the specification."""
    title = text.comment(f"{model.title} {model.version} on the wire.")
    major = model.version.partition(".")[0]
    return environment.render("version.ts.jinja2", title=title, version=model.version, major=major)


def _emit_numbers(title: str, numbers: Iterable[tuple[str, str, str]]) -> str:
    rows = list(numbers)
    constants = names.unique_names((name, names.constant_name(name)) for name, _, _ in rows)
    views = [
        {"constant": constants[name], "value": value, "comment": text.comment(description)}
        for name, value, description in rows
    ]
    return environment.render("numbers.ts.jinja2", title=text.comment(title), numbers=views)
