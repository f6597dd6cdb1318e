"""Schemas as people read them, such as `TurnOn {level: double, colour: WARM | COLD = "WARM"}`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from orbitalis.message.schema import is_schema
from orbitalis.message.schema_difference import shortened
from orbitalis_avro.reading import read_schema
from orbitalis_avro.types import (
    Array,
    AvroType,
    Enumeration,
    Field,
    Fixed,
    LogicalType,
    Map,
    NamedType,
    Primitive,
    Record,
    Union,
)
from orbitalis_wire.messages import Input, Output

__all__ = ["schema_shown", "shape_shown"]

_MOST: Final = 2000
"""Characters that are shown of one schema."""
_PLAIN: Final = {
    "StringMessage": "text",
    "BytesMessage": "bytes",
    "Int64Message": "integer",
    "Float64Message": "number",
}
"""What stands for the messages of plain values."""


def shape_shown(shape: Input | Output) -> str:
    """Return what an operation takes, or gives."""
    if shape.support_undefined_schema:
        return "anything"
    found = [schema_shown(one) for one in shape.schemas]
    return " or ".join([*found, *(["empty"] if shape.support_empty_schema else [])]) or "nothing"


def schema_shown(text: str) -> str:
    """Return a schema, given as JSON text, in one line; one that cannot be read, as it is."""
    if not is_schema(text):
        return shortened(text)
    type_, named = read_schema(json.loads(text))
    shown = _Shower(named).shown(type_)
    return _PLAIN.get(shown.partition(" ")[0], shown if len(shown) <= _MOST else f"{shown[:_MOST]}…")


class _Shower:
    """Shows types; a named one at length where it comes first, and by its name from then on."""

    def __init__(self, named: Mapping[str, NamedType]) -> None:
        self._named = named
        self._seen: set[str] = set()

    def shown(self, type_: AvroType) -> str:
        """Return a type in one line."""
        match type_:
            case Primitive(name=name) | LogicalType(name=name):
                return name
            case Array(items=items):
                return f"[{self.shown(items)}]"
            case Map(values=values):
                return f"{{text: {self.shown(values)}}}"
            case Union(branches=branches):
                return " or ".join(map(self.shown, branches))
            case _:
                return self._shown_named(self._named[type_.name])

    def _shown_named(self, type_: NamedType) -> str:
        if type_.name in self._seen:
            return type_.class_name
        self._seen.add(type_.name)
        match type_:
            case Record():
                return f"{type_.class_name} {{{self._fields(type_.fields)}}}"
            case Enumeration():
                return " | ".join(type_.symbols)
            case Fixed():
                return f"{type_.size} bytes"

    def _fields(self, fields: Sequence[Field]) -> str:
        return ", ".join(
            f"{field.name}: {self.shown(field.type)}" + (f" = {json.dumps(field.default)}" if field.has_default else "")
            for field in fields
        )
