"""Contracts made of schemas, without a document."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from orbitalis_avro.canonical_form import canonical_form_of, fingerprint_of
from orbitalis_avro.reading import read_schema
from orbitalis_avro.types import NamedType, Reference
from orbitalis_codegen.contract.model import Contract, ContractMessage, ContractOperation
from orbitalis_codegen.diagnostic import Position

__all__ = ["NOWHERE", "contract", "message", "operation"]

NOWHERE = Position("contract.yaml", 1, 1)
PLAIN = ("string", "bytes", "long", "double")


def message(schema: Any, key: str = "M") -> ContractMessage:
    """Return a message with a payload, given as JSON."""
    canonical = canonical_form_of(schema)
    type_ = read_schema(schema)[0]
    is_plain = schema in PLAIN
    return ContractMessage(
        key=key,
        title=key,
        summary="",
        description="",
        payload=None if is_plain or not isinstance(type_, Reference) else type_.name,
        plain=schema if is_plain else None,
        schema=json.dumps(schema),
        canonical_form=canonical,
        fingerprint=fingerprint_of(canonical),
        headers=None,
        position=NOWHERE,
    )


def operation(
    key: str = "act",
    *,
    inputs: Sequence[ContractMessage] | None = (),
    outputs: Sequence[ContractMessage] = (),
    errors: Sequence[ContractMessage] = (),
) -> ContractOperation:
    """Return an operation; `None` as inputs for one that is an output alone."""
    return ContractOperation(
        key=key,
        summary="",
        description="",
        has_input=inputs is not None,
        inputs=tuple(inputs or ()),
        outputs=tuple(outputs),
        errors=tuple(errors),
        position=NOWHERE,
    )


def contract(*operations: ContractOperation, types: Mapping[str, NamedType] | None = None) -> Contract:
    """Return a contract with some operations."""
    return Contract(
        title="Made",
        version="1.0.0",
        description="",
        operations={one.key: one for one in operations},
        types=dict(types or {}),
        document=NOWHERE.file,
        notes=(),
        inputs={},
    )
