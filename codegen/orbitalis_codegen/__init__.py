"""Generator of Orbitalis' wire code: from `asyncapi.yaml` and `schemas/` to typed code in `generated/`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orbitalis_codegen.diagnostic import Diagnostic, Position, SpecificationError
    from orbitalis_codegen.model import Model
    from orbitalis_codegen.specification import load as read_specification

__all__ = ["Diagnostic", "Model", "Position", "SpecificationError", "read_specification"]

_PLACES = {
    "Diagnostic": ("diagnostic", "Diagnostic"),
    "Model": ("model", "Model"),
    "Position": ("diagnostic", "Position"),
    "SpecificationError": ("diagnostic", "SpecificationError"),
    "read_specification": ("specification", "load"),
}


def __getattr__(name: str) -> object:
    """Import what takes long, or the extra `codegen`, when it is first asked for."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _PLACES[name]
    return getattr(import_module(f"{__name__}.{module}"), attribute)
