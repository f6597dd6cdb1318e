"""Generator of Orbitalis' wire code: from `asyncapi.yaml` and `schemas/` to typed code in `generated/`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orbitalis_codegen.diagnostic import Diagnostic, Position, SpecificationError
from orbitalis_codegen.model import Model

if TYPE_CHECKING:
    from orbitalis_codegen.specification import load as read_specification

__all__ = ["Diagnostic", "Model", "Position", "SpecificationError", "read_specification"]


def __getattr__(name: str) -> object:
    """Import what takes the extra `codegen` when it is first asked for."""
    if name == "read_specification":
        from orbitalis_codegen.specification import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
