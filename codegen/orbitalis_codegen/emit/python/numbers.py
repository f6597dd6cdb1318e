"""Modules of constants: the default timings and limits, and the package with its version."""

from __future__ import annotations

from collections.abc import Iterable

from orbitalis_codegen.emit.python import environment, names, text
from orbitalis_codegen.model import Model

__all__ = ["emit_limits", "emit_package", "emit_timings"]


def emit_timings(model: Model) -> str:
    """Emit the default durations."""
    timings = ((one.name, text.float_literal(one.seconds), one.description) for one in model.timings.values())
    return _emit_numbers('"""Default durations, in seconds."""', timings)


def emit_limits(model: Model) -> str:
    """Emit the default bounds."""
    limits = ((one.name, repr(one.maximum), one.description) for one in model.limits.values())
    return _emit_numbers('"""Default bounds on what may come from others."""', limits)


def emit_package(model: Model) -> str:
    """Emit the package's own module."""
    docstring = text.docstring(f"{model.title} {model.version} on the wire.", indent=0)
    major = model.version.partition(".")[0]
    return environment.render("package.py.jinja2", docstring=docstring, version=model.version, major=major)


def _emit_numbers(docstring: str, numbers: Iterable[tuple[str, str, str]]) -> str:
    rows = list(numbers)
    constants = names.unique_names((name, names.constant_name(name)) for name, _, _ in rows)
    views = [
        {"constant": constants[name], "value": value, "docstring": text.docstring(description, indent=0)}
        for name, value, description in rows
    ]
    return environment.render(
        "numbers.py.jinja2", docstring=docstring, numbers=views, exported=text.sorted_names(constants.values())
    )
