"""Reads a schema that is known to be one: from JSON to named types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast, get_args

from orbitalis_avro.canonical_form import logical_type_of
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
    PrimitiveName,
    Record,
    Reference,
    Union,
)

__all__ = ["read_schema"]

_PRIMITIVES = frozenset(get_args(PrimitiveName))


def read_schema(schema: object) -> tuple[AvroType, dict[str, NamedType]]:
    """Return the type that a schema, given as JSON, stands for, and all named types in it by full name.

    What is no schema of Avro gives anything, or any error: have it checked before.
    """
    reader = _Reader()
    return reader.type(schema, ""), reader.named


class _Reader:
    """Collects the named types of one schema."""

    def __init__(self) -> None:
        self.named: dict[str, NamedType] = {}
        self._meant: dict[str, AvroType] = {}
        """What the name of a fixed stands for: it may have a logical type."""

    def type(self, schema: Any, around: str) -> AvroType:
        """Read what stands where a type belongs, inside of the namespace `around`."""
        if isinstance(schema, str):
            if schema in _PRIMITIVES:
                return _primitive(schema)
            name = _full_name(schema, around)
            return self._meant.get(name, Reference(name=name))
        if isinstance(schema, list):
            branches = cast("list[object]", schema)
            return Union(branches=tuple(self.type(branch, around) for branch in branches))
        kind = schema["type"]
        if not isinstance(kind, str):
            return self.type(kind, around)
        match kind:
            case "array":
                return Array(items=self.type(schema["items"], around))
            case "map":
                return Map(values=self.type(schema["values"], around))
            case "fixed":
                reference = self._define(kind, schema, around)
                self._meant[reference.name] = meant = _logical(kind, schema, reference)
                return meant
            case "record" | "error" | "enum":
                return self._define(kind, schema, around)
            case _:
                return _logical(kind, schema, _primitive(kind))

    def _define(self, kind: str, schema: Mapping[str, Any], around: str) -> Reference:
        namespace = schema.get("namespace")
        name = _full_name(schema["name"], around if namespace is None else namespace)
        inner = name.rpartition(".")[0]
        doc = schema.get("doc") or ""
        class_name = name.rpartition(".")[2]
        aliases = tuple(_full_name(alias, inner) for alias in _texts(schema.get("aliases")))
        match kind:
            case "enum":
                self.named[name] = Enumeration(
                    name=name,
                    class_name=class_name,
                    description=doc,
                    symbols=tuple(schema["symbols"]),
                    default=schema.get("default"),
                    source="",
                    aliases=aliases,
                )
            case "fixed":
                self.named[name] = Fixed(
                    name=name, class_name=class_name, description=doc, size=schema["size"], source="", aliases=aliases
                )
            case _:
                # Its place is taken before its fields are read, which may contain it.
                record = Record(name=name, class_name=class_name, description=doc, fields=(), source="")
                self.named[name] = record
                fields = tuple(
                    Field(
                        name=field["name"],
                        type=self.type(field["type"], inner),
                        description=field.get("doc") or "",
                        has_default="default" in field,
                        default=field.get("default"),
                        aliases=_texts(field.get("aliases")),
                    )
                    for field in schema.get("fields", ())
                )
                self.named[name] = Record(
                    name=name, class_name=class_name, description=doc, fields=fields, source="", aliases=aliases
                )
        return Reference(name=name)


def _logical(kind: str, schema: Mapping[str, Any], underlying: Primitive | Reference) -> AvroType:
    found = logical_type_of(kind, schema)
    if found is None:
        return underlying
    name, precision, scale = found
    return LogicalType(name=name, underlying=underlying, precision=precision, scale=scale)


def _texts(listed: object) -> tuple[str, ...]:
    """Return the texts of a list of aliases; what is none is left out."""
    listed = cast("list[object]", listed) if isinstance(listed, list) else []
    return tuple(one for one in listed if isinstance(one, str))


def _primitive(name: str) -> Primitive:
    return Primitive(name=cast("PrimitiveName", name))


def _full_name(name: str, namespace: str) -> str:
    return f"{namespace}.{name}" if namespace and "." not in name else name
