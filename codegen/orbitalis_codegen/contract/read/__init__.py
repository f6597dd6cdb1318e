"""Reading contracts: from AsyncAPI 3 documents of users to a :class:`~orbitalis_codegen.contract.model.Contract`."""

from __future__ import annotations

from orbitalis_codegen.contract.read.load import load_contract

__all__ = ["load_contract"]
