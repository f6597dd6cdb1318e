"""Message classes made from schemas, for tests of peers that do not have the same version of a message."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import Enum
from functools import cache
from types import new_class
from typing import Annotated, Any, Union
from uuid import UUID

from orbitalis import (
    AvroMessageMixin,
    DateTimeMicro,
    Fixed,
    Float32,
    Int32,
    LocalDateTime,
    LocalDateTimeMicro,
    TimeMicro,
)

__all__ = ["message_of", "record_of"]

_PRIMITIVES: Mapping[str, Any] = {
    "null": None,
    "boolean": bool,
    "int": Int32,
    "long": int,
    "float": Float32,
    "double": float,
    "bytes": bytes,
    "string": str,
}
_LOGICAL: Mapping[str, Any] = {
    "date": date,
    "time-millis": time,
    "time-micros": TimeMicro,
    "timestamp-millis": datetime,
    "timestamp-micros": DateTimeMicro,
    "local-timestamp-millis": LocalDateTime,
    "local-timestamp-micros": LocalDateTimeMicro,
    "uuid": UUID,
}


def record_of(name: str, *fields: Any, **more: Any) -> str:
    """Return the schema of a record; a field is its JSON, or a name and a type, perhaps with a default."""
    listed = [
        one if isinstance(one, dict) else dict(zip(("name", "type", "default"), one, strict=False)) for one in fields
    ]
    return json.dumps({"type": "record", "name": name, "fields": listed, **more})


@cache
def message_of(schema: str) -> Any:
    """Return the message class of a schema of a record, given as JSON text; the same one each time."""
    return _message(json.loads(schema), {}, "", schema=schema)


def _message(record: Any, named: dict[str, Any], around: str, **keywords: Any) -> Any:
    """Return a message class for a record that stands in the namespace `around`."""
    full, inner = _names(record, around)
    fields = {field["name"]: _annotation(field["type"], named, inner) for field in record["fields"]}
    made = new_class(
        full.rpartition(".")[2],
        (AvroMessageMixin,),
        keywords,
        lambda body: body.update({"__annotations__": fields, "__module__": __name__}),
    )
    named[full] = dataclass(made)
    return named[full]


def _names(schema: Any, around: str) -> tuple[str, str]:
    """Return the full name of a type, and the namespace of what is in it."""
    name, namespace = schema["name"], schema.get("namespace", around)
    full = name if "." in name or not namespace else f"{namespace}.{name}"
    return full, full.rpartition(".")[0]


def _annotation(type_: Any, named: dict[str, Any], around: str) -> Any:
    if isinstance(type_, list):
        return Union[tuple(_annotation(branch, named, around) for branch in type_)]  # noqa: UP007 - of a tuple
    if isinstance(type_, str):
        if type_ in _PRIMITIVES:
            return _PRIMITIVES[type_]
        return named[type_ if type_ in named else f"{around}.{type_}"]
    match type_["type"]:
        case "array":
            return list[_annotation(type_["items"], named, around)]  # type: ignore[misc]
        case "map":
            return dict[str, _annotation(type_["values"], named, around)]  # type: ignore[misc]
        case "enum":
            full, _ = _names(type_, around)
            members = [(symbol, symbol) for symbol in type_["symbols"]]
            named[full] = Enum(full.rpartition(".")[2], members)
            return named[full]
        case "fixed":
            full, _ = _names(type_, around)
            named[full] = Annotated[bytes, Fixed(type_["size"])]
            return named[full]
        case "record":
            return _message(type_, named, around)
        case primitive:
            return _LOGICAL[type_["logicalType"]] if "logicalType" in type_ else _annotation(primitive, named, around)
