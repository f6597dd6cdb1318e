"""Short contracts for tests: a document is put together from its parts, and read where it was written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from orbitalis_codegen.contract.model import Contract
from orbitalis_codegen.contract.read import load_contract

__all__ = ["AVRO", "avro", "document", "read", "record"]

AVRO = "application/vnd.apache.avro;version=1.12.0"


def avro(schema: Any, schema_format: str = AVRO) -> dict[str, Any]:
    """Return a payload of an Avro schema."""
    return {"schemaFormat": schema_format, "schema": schema}


def record(name: str, *types: Any, **attributes: Any) -> dict[str, Any]:
    """Return a record with the fields `f0`, `f1` and so on of some types."""
    fields = [{"name": f"f{number}", "type": type_} for number, type_ in enumerate(types)]
    return {"type": "record", "name": name, "fields": fields, **attributes}


def document(messages: dict[str, Any], operation: dict[str, Any] | None = None, **parts: Any) -> dict[str, Any]:
    """Return a document with one channel and one operation, which takes its messages unless it says otherwise."""
    channel = {"$ref": "#/channels/channel"}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Lamps", "version": "1.0.0"},
        "channels": {"channel": {"messages": messages}},
        "operations": {"operation": {"action": "receive", "channel": channel, **(operation or {})}},
        **parts,
    }


def read(root: Path, content: dict[str, Any], path: str = "asyncapi.json", **files: Any) -> Contract:
    """Write a document and other files, whose paths have `__` for `/` and `_avsc` at their end, and read it."""
    (root / "pyproject.toml").touch()
    for name, value in {path: content, **{name.replace("__", "/"): value for name, value in files.items()}}.items():
        file = root / (f"{name.removesuffix('_avsc')}.avsc" if name.endswith("_avsc") else name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(value))
    return load_contract(root, path)
