"""What has to be written for a value: by fastavro where it is a whole, by the definition of Avro around that."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Context, Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from tests.support.avro import fastavro_bytes, long, text

__all__ = ["reference_bytes"]

_PYTHON: dict[str, type] = {
    "null": type(None),
    "boolean": bool,
    "int": int,
    "long": int,
    "float": float,
    "double": float,
    "string": str,
    "bytes": bytes,
    "fixed": bytes,
    "array": list,
    "map": dict,
    "date": date,
    "time-millis": time,
    "time-micros": time,
    "timestamp-millis": datetime,
    "timestamp-micros": datetime,
    "local-timestamp-millis": datetime,
    "local-timestamp-micros": datetime,
    "uuid": UUID,
    "decimal": Decimal,
    "dataclasses-avroschema-timedelta": timedelta,
}


def reference_bytes(schema: Any, value: Any) -> bytes:
    """Write a value of a schema."""
    named: dict[str, Any] = {}
    _collect(schema, named)
    return _bytes(schema, value, named)


def _collect(schema: Any, named: dict[str, Any]) -> None:
    """Find the types that are written out, and referred to by name elsewhere."""
    match schema:
        case list():
            for branch in schema:
                _collect(branch, named)
        case {"type": "record", "name": name, "fields": members}:
            named[name] = schema
            for member in members:
                _collect(member["type"], named)
        case {"type": "enum" | "fixed", "name": name}:
            named[name] = schema
        case {"items": inner} | {"values": inner}:
            _collect(inner, named)


def _bytes(schema: Any, value: Any, named: dict[str, Any]) -> bytes:
    if isinstance(schema, str) and schema in named:
        schema = named[schema]
    if isinstance(schema, list):
        index = next(at for at, one in enumerate(schema) if _is_of(one, value, named))
        return long(index) + _bytes(schema[index], value, named)
    kind = schema if isinstance(schema, str) else schema["type"]
    match kind:
        case "array":
            items = b"".join(_bytes(schema["items"], one, named) for one in value)
            return (long(len(value)) + items if value else b"") + b"\0"
        case "map":
            pairs = b"".join(text(key) + _bytes(schema["values"], one, named) for key, one in value.items())
            return (long(len(value)) + pairs if value else b"") + b"\0"
        case "record":
            return b"".join(_bytes(one["type"], getattr(value, one["name"]), named) for one in schema["fields"])
        case "enum":
            return fastavro_bytes(schema, _symbol(schema, value))
        case "bytes" if isinstance(value, Decimal):
            # fastavro refuses some that fit, such as 1.2500 with a scale of 2.
            number = int(value.scaleb(schema["scale"], Context(prec=20_000)))
            return fastavro_bytes("bytes", _twos_complement(number))
        case _:
            return fastavro_bytes(schema, value.total_seconds() if isinstance(value, timedelta) else value)


def _is_of(schema: Any, value: Any, named: dict[str, Any]) -> bool:
    schema = named.get(schema, schema) if isinstance(schema, str) else schema
    if isinstance(schema, list):
        return any(_is_of(one, value, named) for one in schema)
    kind = schema if isinstance(schema, str) else schema["type"]
    if kind == "record":
        return bool(type(value).__name__ == schema["name"])
    if kind == "enum":
        return isinstance(value, Enum) and type(value).__name__ == schema["name"]
    logical = kind if isinstance(schema, str) else schema.get("logicalType", kind)
    return type(value) is _PYTHON[logical] or (kind == "array" and type(value) is tuple)


def _twos_complement(number: int) -> bytes:
    size = next(size for size in range(1, 20_000) if -(1 << 8 * size - 1) <= number < 1 << 8 * size - 1)
    return number.to_bytes(size, "big", signed=True)


def _symbol(schema: Any, value: Any) -> str:
    if isinstance(value, Enum):
        return value.value if value.value in schema["symbols"] else value.name
    return str(value)
