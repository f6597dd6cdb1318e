"""Messages as plain JSON: the fields of their Avro records, by name."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from orbitalis_avro.records import Record
from orbitalis_conformance.errors import CaseError
from orbitalis_conformance.plain import is_list, is_mapping, is_set, is_tuple
from orbitalis_wire import messages
from orbitalis_wire.codecs import CODEC_BY_CLASS, MessageCodec

__all__ = ["class_of", "codec_of", "from_json", "to_json"]

_NUMBERS: Final = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}
"""Numbers that JSON does not have."""


def class_of(name: str) -> type[Record]:
    """Return the class of a message, given as in the specification or as the envelope carries it."""
    if name == "GracelessCloneConnectionMessage":  # the name of its record, since there were messages
        return messages.GracelessCloseConnectionMessage
    found = getattr(messages, name, None)
    if not isinstance(found, type) or not issubclass(found, Record):
        raise CaseError(f"there is no message {name!r}")
    return found


def codec_of(message_class: type[object]) -> MessageCodec[Any]:
    """Return the codec of a message."""
    return CODEC_BY_CLASS[message_class]


def to_json(value: object) -> Any:
    """Return a message, or a value in one, as plain JSON."""
    if isinstance(value, Record):
        # A class of users may derive from a record, and have more than goes over the wire.
        bases: Iterable[type[Any]] = type(value).__mro__
        own = next(one for one in bases if one.__module__ == messages.__name__)
        return {one.name: to_json(getattr(value, one.name)) for one in fields(own)}
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if is_mapping(value):
        return {str(key): to_json(one) for key, one in value.items()}
    if is_set(value):
        return sorted(to_json(one) for one in value)
    if is_list(value) or is_tuple(value):
        return [to_json(one) for one in value]
    return value


def from_json(message_class: type[Record], content: Mapping[str, Any]) -> Any:
    """Make a message of its fields as JSON.

    Raises:
        CaseError: They are not what the record has.
    """
    return _record(message_class, content, message_class.__name__)


def _record(record_class: type[Record], content: object, at: str) -> Any:
    if not is_mapping(content):
        raise CaseError(f"{at}: expected fields by name, got {content!r}")
    types = _types_of(record_class.__name__)
    if unknown := sorted(content.keys() - types.keys()):
        raise CaseError(f"{at}: there is no field {unknown[0]!r}; there are {', '.join(types)}")
    given = {name: _value(types[name], one, f"{at}.{name}") for name, one in content.items()}
    required = [field.name for field in fields(record_class) if field.name not in given]
    missing = [name for name in required if not _has_default(record_class, name)]
    if missing:
        raise CaseError(f"{at}: the field {missing[0]!r} is missing")
    return record_class(**given)


def _has_default(record_class: type[Record], name: str) -> bool:
    given: Mapping[str, object] = record_class.__init__.__kwdefaults__ or {}
    return name in given


def _value(avro: Any, value: Any, at: str) -> Any:
    """Take a value of JSON as one of an Avro type."""
    if is_list(avro):  # a union: of null and one other type
        return None if value is None else _value(next(one for one in avro if one != "null"), value, at)
    kind = avro["type"] if is_mapping(avro) and avro["type"] in ("array", "map", "record") else avro
    if kind == "array":
        if not is_list(value):
            raise CaseError(f"{at}: expected an array, got {value!r}")
        return tuple(_value(avro["items"], one, f"{at}[{index}]") for index, one in enumerate(value))
    if kind == "map":
        if not is_mapping(value):
            raise CaseError(f"{at}: expected a map, got {value!r}")
        return {key: _value(avro["values"], one, f"{at}[{key!r}]") for key, one in value.items()}
    if kind == "record" or (isinstance(avro, str) and hasattr(messages, avro)):
        return _record(class_of(str(avro["name"]) if is_mapping(avro) else str(avro)), value, at)
    if avro == "bytes":
        if not is_mapping(value) or not isinstance(value.get("hex"), str):
            raise CaseError(f'{at}: expected bytes as {{"hex": "…"}}, got {value!r}')
        return bytes.fromhex(value["hex"])
    if avro == "double":
        return _NUMBERS[value] if isinstance(value, str) else float(value)
    if is_mapping(avro) and "logicalType" in avro:
        return datetime.fromisoformat(value)
    return value


@cache
def _types_of(name: str) -> dict[str, Any]:
    """Return the Avro types of the fields of a record, by name."""
    record_class = class_of(name)
    for codec in CODEC_BY_CLASS.values():
        if found := _find(json.loads(codec.schema), record_class):
            return {field["name"]: field["type"] for field in found["fields"]}
    raise CaseError(f"{record_class.__name__} is no record of a message")


def _find(avro: Any, record_class: type[Record]) -> dict[str, Any] | None:
    if is_list(avro):
        return next((found for one in avro if (found := _find(one, record_class))), None)
    if not is_mapping(avro):
        return None
    if avro["type"] == "record":
        if class_of(avro["name"]) is record_class:
            return avro
        inner: list[Any] = [field["type"] for field in avro["fields"]]
        return _find(inner, record_class)
    return _find(avro.get("items", avro.get("values")), record_class)
