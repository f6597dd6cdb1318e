"""Contracts written by hand, and the packages that are emitted for them."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from orbitalis_avro.canonical_form import canonical_form_of, fingerprint_of
from orbitalis_avro.reading import read_schema
from orbitalis_avro.types import NamedType, Reference
from orbitalis_codegen.contract.model import Contract, ContractMessage, ContractOperation, PlainType
from orbitalis_codegen.diagnostic import Position
from orbitalis_codegen.emit.contract_python import emit_contract

__all__ = ["contract", "emitted_package", "import_from", "lamps", "message", "plain", "record"]

HERE = Position("lamps.yaml", 1, 1)

Part = tuple[ContractMessage, dict[str, NamedType]]
"""A message, and the types that it is made of."""


def record(name: str, fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Write a record; a field is a type, or a type and a default."""
    members = [
        {"name": key, "type": type_[0], "default": type_[1]}
        if isinstance(type_, tuple)
        else {"name": key, "type": type_}
        for key, type_ in fields.items()
    ]
    return {"type": "record", "name": name, "fields": members, **more}


def message(schema: dict[str, Any], summary: str = "") -> Part:
    """Make a message of the schema of a record."""
    type_, named = read_schema(schema)
    assert isinstance(type_, Reference)
    form = canonical_form_of(schema)
    made = ContractMessage(
        key=type_.name.rpartition(".")[2],
        title="",
        summary=summary,
        description="",
        payload=type_.name,
        plain=None,
        schema=json.dumps(schema),
        canonical_form=form,
        fingerprint=fingerprint_of(form),
        headers=None,
        position=HERE,
    )
    return made, named


def plain(type_: PlainType) -> Part:
    """Make a message of a bare value."""
    made = ContractMessage(
        key=type_,
        title="",
        summary="",
        description="",
        payload=None,
        plain=type_,
        schema=f'"{type_}"',
        canonical_form=f'"{type_}"',
        fingerprint=fingerprint_of(f'"{type_}"'),
        headers=None,
        position=HERE,
    )
    return made, {}


def contract(title: str, operations: dict[str, dict[str, Any]], description: str = "") -> Contract:
    """Make a contract; an operation has `inputs` (`None` for one without), `outputs` and `errors`, and words."""
    types: dict[str, NamedType] = {}
    made: dict[str, ContractOperation] = {}

    def taken(parts: Sequence[Part]) -> tuple[ContractMessage, ...]:
        for _, named in parts:
            for name, one in reversed(named.items()):
                types.setdefault(name, one)
        return tuple(one for one, _ in parts)

    for key, one in operations.items():
        inputs = one.get("inputs", ())
        made[key] = ContractOperation(
            key=key,
            summary=one.get("summary", ""),
            description=one.get("description", ""),
            has_input=inputs is not None,
            inputs=taken(inputs or ()),
            outputs=taken(one.get("outputs", ())),
            errors=taken(one.get("errors", ())),
            position=HERE,
        )
    return Contract(
        title=title,
        version="1.0.0",
        description=description,
        operations=made,
        types=types,
        document="lamps.yaml",
        notes=(),
        inputs={},
    )


def lamps() -> Contract:
    """Make a contract with one operation of each kind."""
    colour = {"type": "enum", "name": "Colour", "namespace": "home", "symbols": ["WARM", "COLD"]}
    turn_on = message(
        record("TurnOn", {"level": "double", "colour": (colour, "WARM")}, namespace="home", doc="Turn a lamp on."),
    )
    status = message(record("Status", {"on": "boolean", "names": ({"type": "array", "items": "string"}, [])}))
    broken = message(record("BulbBroken", {"hours": "long"}), "The bulb is broken.")
    blink = message(record("Blink", {"times": "int"}))
    return contract(
        "Lamps",
        {
            "turnOn": {
                "inputs": [turn_on],
                "outputs": [status],
                "errors": [broken],
                "summary": "Turn the lamp on.",
            },
            "state": {"outputs": [status]},
            "blink": {"inputs": [blink, plain("long")]},
            "check": {"errors": [broken]},
            "rename": {"inputs": [plain("string")], "outputs": [plain("string"), status]},
            "temperature": {"inputs": None, "outputs": [plain("double")], "summary": "How warm it is."},
        },
        "Lamps that can be turned on.",
    )


def emitted_package(made: Contract, folder: Path, name: str) -> ModuleType:
    """Write the package of a contract into a folder, and import it."""
    for path, data in emit_contract(made, name).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return import_from(folder, name)


def import_from(folder: Path, name: str) -> ModuleType:
    """Import a module that stands in a folder."""
    sys.path.insert(0, str(folder))
    try:
        importlib.invalidate_caches()
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))
