"""The errors that generated code raises."""

from __future__ import annotations

from orbitalis_codegen.emit.python import environment

__all__ = ["emit_errors"]


def emit_errors() -> str:
    """Emit the tree of errors."""
    return environment.render("errors.py.jinja2")
