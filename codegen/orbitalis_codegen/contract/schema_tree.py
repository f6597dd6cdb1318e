"""Schemas as JSON: of named types, and with names as other tools like them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

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
    Reference,
    Union,
)
from orbitalis_codegen.read.node import JsonValue

__all__ = ["schema_tree", "with_namespaces"]

_NAMED: Final = ("record", "enum", "fixed")


def schema_tree(name: str, types: Mapping[str, NamedType]) -> JsonValue:
    """The schema of a named type, given by its full name: every named type is written out where it is first used."""
    return _Writer(types).named(name, "")


def with_namespaces(schema: JsonValue, around: str = "") -> JsonValue:
    """The same schema, in which every type has a simple name, and a namespace where that is not the one `around` it.

    The definition of Avro in the official schema of AsyncAPI knows no names with dots. Names of arrays and maps, which
    mean nothing to Avro, are left out.
    """
    if isinstance(schema, list):
        return [with_namespaces(branch, around) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") in _NAMED:
        return _with_namespace(schema, around)
    # What a field is called stands first; arrays and maps have no names in Avro.
    is_unnamed = schema.get("type") in ("array", "map")
    return {
        key: with_namespaces(schema[key], around) if key in ("type", "items", "values") else schema[key]
        for key in sorted(schema, key=lambda key: key != "name")
        if not (is_unnamed and key == "name")
    }


def _with_namespace(schema: dict[str, JsonValue], around: str) -> JsonValue:
    prefix, _, name = str(schema["name"]).rpartition(".")
    namespace = prefix or str(schema.get("namespace", around))
    tree: dict[str, JsonValue] = {"type": schema["type"], "name": name}
    if namespace != around:
        tree["namespace"] = namespace
    # What is about the whole type stands before its fields.
    for key in sorted(schema, key=lambda key: key == "fields"):
        match key, schema[key]:
            case "namespace" | "name", _:
                pass
            case "aliases", list(aliases):
                tree["aliases"] = [str(alias).removeprefix(f"{namespace}.") for alias in aliases]
            case "fields", list(fields):
                tree["fields"] = [with_namespaces(field, namespace) for field in fields]
            case _, value:
                tree[key] = value
    return tree


class _Writer:
    def __init__(self, types: Mapping[str, NamedType]) -> None:
        self._types = types
        self._written: set[str] = set()

    def named(self, name: str, around: str) -> JsonValue:
        """A named type inside of the namespace `around`."""
        if name in self._written:
            return name
        self._written.add(name)
        match self._types[name]:
            case Record() as record:
                namespace = name.rpartition(".")[0]
                tree = _head("record", record, around)
                tree["fields"] = [self._field(field, namespace) for field in record.fields]
            case Enumeration() as enumeration:
                tree = _head("enum", enumeration, around)
                tree["symbols"] = list(enumeration.symbols)
                if enumeration.default is not None:
                    tree["default"] = enumeration.default
            case Fixed() as fixed:
                tree = _head("fixed", fixed, around)
                tree["size"] = fixed.size
                if fixed.logical_type is not None:
                    tree |= _logical(fixed.logical_type)
        return tree

    def _field(self, field: Field, namespace: str) -> JsonValue:
        tree: dict[str, JsonValue] = {"name": field.name}
        if field.aliases:
            tree["aliases"] = list(field.aliases)
        if field.description:
            tree["doc"] = field.description
        tree["type"] = self._type(field.type, namespace)
        if field.has_default:
            tree["default"] = cast("JsonValue", field.default)
        return tree

    def _type(self, type_: AvroType, namespace: str) -> JsonValue:
        match type_:
            case Primitive(name=name):
                return name
            case Reference(name=name):
                return self.named(name, namespace)
            case LogicalType(underlying=underlying):
                # Of a fixed, its definition says it.
                inner = self._type(underlying, namespace)
                return {"type": inner, **_logical(type_)} if isinstance(underlying, Primitive) else inner
            case Array(items=items):
                return {"type": "array", "items": self._type(items, namespace)}
            case Map(values=values):
                return {"type": "map", "values": self._type(values, namespace)}
            case Union(branches=branches):
                return [self._type(branch, namespace) for branch in branches]


def _head(kind: str, named: NamedType, around: str) -> dict[str, JsonValue]:
    tree: dict[str, JsonValue] = {"type": kind, "name": named.name}
    if around and "." not in named.name:
        tree["namespace"] = ""
    if named.aliases:
        tree["aliases"] = list(named.aliases)
    if named.description:
        tree["doc"] = named.description
    return tree


def _logical(logical_type: LogicalType) -> dict[str, JsonValue]:
    tree: dict[str, JsonValue] = {"logicalType": logical_type.name}
    if logical_type.precision:
        tree |= {"precision": logical_type.precision, "scale": logical_type.scale}
    return tree
