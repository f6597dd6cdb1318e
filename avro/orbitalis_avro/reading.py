"""Reads a schema that is known to be one: from JSON to named types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast, get_args

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

    def type(self, schema: Any, around: str) -> AvroType:
        """Read what stands where a type belongs, inside of the namespace `around`."""
        if isinstance(schema, str):
            return _primitive(schema) if schema in _PRIMITIVES else Reference(name=_full_name(schema, around))
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
            case "record" | "error" | "enum" | "fixed":
                return _logical(schema, self._define(kind, schema, around))
            case _:
                found = self.type(kind, around)
                return _logical(schema, found) if isinstance(found, (Primitive, Reference)) else found

    def _define(self, kind: str, schema: Mapping[str, Any], around: str) -> Reference:
        namespace = schema.get("namespace")
        name = _full_name(schema["name"], around if namespace is None else namespace)
        inner = name.rpartition(".")[0]
        doc = schema.get("doc") or ""
        class_name = name.rpartition(".")[2]
        match kind:
            case "enum":
                self.named[name] = Enumeration(
                    name=name,
                    class_name=class_name,
                    description=doc,
                    symbols=tuple(schema["symbols"]),
                    default=schema.get("default"),
                    source="",
                )
            case "fixed":
                self.named[name] = Fixed(
                    name=name, class_name=class_name, description=doc, size=schema["size"], source=""
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
                    )
                    for field in schema["fields"]
                )
                self.named[name] = Record(name=name, class_name=class_name, description=doc, fields=fields, source="")
        return Reference(name=name)


def _logical(schema: Mapping[str, Any], underlying: Primitive | Reference) -> AvroType:
    name = schema.get("logicalType")
    if not isinstance(name, str):
        return underlying
    is_decimal = name == "decimal"
    return LogicalType(
        name=name,
        underlying=underlying,
        precision=schema.get("precision", 0) if is_decimal else 0,
        scale=schema.get("scale", 0) if is_decimal else 0,
    )


def _primitive(name: str) -> Primitive:
    return Primitive(name=cast("PrimitiveName", name))


def _full_name(name: str, namespace: str) -> str:
    return f"{namespace}.{name}" if namespace and "." not in name else name
