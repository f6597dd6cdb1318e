"""Schemas for those who read them by themselves: types written out, and fields that say what readers lose."""

from __future__ import annotations

import json
from typing import Final, cast

from orbitalis_avro.types import Array, AvroType, Field, LogicalType, Map, Primitive, Reference, Union
from orbitalis_codegen.model import Model
from orbitalis_codegen.read.node import JsonValue

__all__ = ["FORMAT", "Schemas"]

FORMAT: Final = "application/vnd.apache.avro+json;version=1.9.0"
"""The newest one that the official parser knows by its name; what is written is the same in all of them."""
_NAMED: Final = ("record", "enum", "fixed")


class Schemas:
    """The schema of each named type of a model, with all types that it contains."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._definitions: dict[str, dict[str, JsonValue]] = {}
        """By full name each type, in which others are named and not written out."""
        for message in (*model.messages.values(), model.envelope):
            if message.schema is not None:
                self._collect(json.loads(message.schema))

    def schema(self, name: str) -> JsonValue:
        """The type of that name, each one that it contains written out where it is first used."""
        return self._written_out(name, "", set())

    def _collect(self, type_: JsonValue) -> JsonValue:
        """Keep every definition in a type, and return the type with names in their places."""
        match type_:
            case list():
                return [self._collect(one) for one in type_]
            case dict() if type_.get("type") in _NAMED:
                name = str(type_["name"])
                definition = {key: member for key, member in type_.items() if key != "namespace"}
                fields = definition.get("fields")
                if isinstance(fields, list):
                    definition["fields"] = [self._inner(one, "type") for one in fields]
                self._definitions.setdefault(name, definition)
                return name
            case {"type": "array" | "map" as kind}:
                return self._inner(type_, "items" if kind == "array" else "values")
            case {"type": dict() | list()}:
                return self._inner(type_, "type")
            case _:
                return type_

    def _inner(self, type_: JsonValue, key: str) -> JsonValue:
        members = cast("dict[str, JsonValue]", type_)
        return {name: self._collect(member) if name == key else member for name, member in members.items()}

    def _written_out(self, type_: JsonValue, around: str, written: set[str]) -> JsonValue:
        match type_:
            case str(name) if name in self._definitions and name not in written:
                written.add(name)
                namespace = name.rpartition(".")[0]
                definition = dict(self._definitions[name])
                if around and not namespace:
                    definition["namespace"] = ""
                fields = definition.get("fields")
                if isinstance(fields, list):
                    members = cast("list[dict[str, JsonValue]]", fields)
                    known = {one.name: one for one in getattr(self._model.types[name], "fields", ())}
                    definition["fields"] = [
                        self._field(known[str(one["name"])], one, namespace, written) for one in members
                    ]
                return definition
            case list():
                return [self._written_out(one, around, written) for one in type_]
            case dict():
                return {
                    key: self._written_out(member, around, written) if key in ("type", "items", "values") else member
                    for key, member in type_.items()
                }
            case _:
                return type_

    def _field(self, known: Field, field: dict[str, JsonValue], around: str, written: set[str]) -> JsonValue:
        remarks = [_spelled(known.type)] if _says_more(known.type) else []
        if known.since is not None:
            remarks.append(f"since {known.since}")
        documented = {key: member for key, member in field.items() if key != "doc"}
        doc = "\n\n".join(part for part in (known.description, ", ".join(remarks)) if part)
        documented["type"] = self._written_out(field["type"], around, written)
        return {**documented, **({"doc": doc} if doc else {})}


def _says_more(type_: AvroType) -> bool:
    """Whether a type says more than the JSON Schema that tools make of it."""
    match type_:
        case Primitive(name=name):
            return name == "bytes"
        case Array(items=items):
            return _says_more(items)
        case Union(branches=branches):
            return any(map(_says_more, branches))
        case _:
            return True


def _spelled(type_: AvroType) -> str:
    """A type in words, as code."""
    return f"`{_words(type_)}`"


def _words(type_: AvroType) -> str:
    match type_:
        case Primitive(name=name) | Reference(name=name):
            return name
        case LogicalType(name="decimal", underlying=underlying, precision=precision, scale=scale):
            return f"decimal({precision}, {scale}) on {_words(underlying)}"
        case LogicalType(name=name, underlying=underlying):
            return f"{name} on {_words(underlying)}"
        case Array(items=items):
            return f"array<{_words(items)}>"
        case Map(values=values):
            return f"map<{_words(values)}>"
        case Union(branches=branches):
            return f"union<{', '.join(map(_words, branches))}>"
