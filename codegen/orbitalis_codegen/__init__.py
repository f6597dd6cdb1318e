"""Generator of Orbitalis' wire code: from `asyncapi.yaml` and `schemas/` to typed code in `generated/`."""

from __future__ import annotations

from orbitalis_codegen.diagnostic import Diagnostic, Position, SpecificationError
from orbitalis_codegen.model import Model
from orbitalis_codegen.specification import load as read_specification

__all__ = ["Diagnostic", "Model", "Position", "SpecificationError", "read_specification"]
