"""Defaults of fields: what a schema says in JSON, as Avro binary."""

from __future__ import annotations

from collections.abc import Mapping
from struct import pack
from typing import Final, cast

from orbitalis_avro.binary import varint
from orbitalis_avro.types import (
    Array,
    AvroType,
    Enumeration,
    Fixed,
    LogicalType,
    Map,
    NamedType,
    Primitive,
    Record,
    Reference,
    Union,
)

__all__ = ["written_default"]

_BITS: Final[Mapping[str, int]] = {"int": 32, "long": 64}


def written_default(type_: AvroType, named: Mapping[str, NamedType], default: object, deepest: int) -> bytes:
    """Return a default as a value of its type is written.

    Raises:
        ValueError: It is no value of the type, or nests deeper than `deepest`.
    """
    return _Writer(named, deepest).write(type_, default, 0)


class _Writer:
    def __init__(self, named: Mapping[str, NamedType], deepest: int) -> None:
        self._named = named
        self._deepest = deepest

    def write(self, type_: AvroType, value: object, depth: int) -> bytes:
        if depth > self._deepest:
            raise ValueError(f"is nested more than {self._deepest} levels deep")
        match type_:
            case Primitive(name=name):
                return _primitive(name, value)
            case LogicalType(underlying=underlying):
                return self.write(underlying, value, depth)
            case Array(items=items):
                if not isinstance(value, list):
                    raise _unfit("array", value)
                entries = [self.write(items, one, depth + 1) for one in cast("list[object]", value)]
                return _blocks(entries)
            case Map(values=values):
                entries = [_text(key) + self.write(values, one, depth + 1) for key, one in _object(value).items()]
                return _blocks(entries)
            case Union(branches=branches):
                return self._union(branches, value, depth)
            case Reference(name=name):
                return self._of_name(self._named[name], value, depth)

    def _union(self, branches: tuple[AvroType, ...], value: object, depth: int) -> bytes:
        for index, branch in enumerate(branches):
            try:
                return varint(index << 1) + self.write(branch, value, depth + 1)
            except ValueError:
                continue
        raise _unfit("union", value)

    def _of_name(self, named: NamedType, value: object, depth: int) -> bytes:
        match named:
            case Enumeration(symbols=symbols):
                if not isinstance(value, str) or value not in symbols:
                    raise _unfit(named.name, value)
                return varint(symbols.index(value) << 1)
            case Fixed(size=size):
                data = _bytes(value)
                if len(data) != size:
                    raise _unfit(f"fixed of {size} bytes", value)
                return data
            case Record(fields=fields):
                given = _object(value)
                parts: list[bytes] = []
                for field in fields:
                    if field.name not in given and not field.has_default:
                        raise _unfit(f"record {named.name}", value)
                    parts.append(self.write(field.type, given.get(field.name, field.default), depth + 1))
                return b"".join(parts)


def _primitive(name: str, value: object) -> bytes:
    match name, value:
        case "null", None:
            return b""
        case "boolean", bool():
            return b"\1" if value else b"\0"
        case "int" | "long", int() if not isinstance(value, bool) and _fits(value, _BITS[name]):
            return varint((value << 1) ^ (value >> 63))
        case "float" | "double", int() | float() if not isinstance(value, bool):
            try:
                return pack("<f" if name == "float" else "<d", value)
            except OverflowError:
                raise _unfit(name, value) from None
        case "string", str():
            return _text(value)
        case "bytes", str():
            data = _bytes(value)
            return varint(len(data) << 1) + data
        case _:
            raise _unfit(name, value)


def _fits(value: int, bits: int) -> bool:
    return -(1 << (bits - 1)) <= value < 1 << (bits - 1)


def _text(value: str) -> bytes:
    data = value.encode()
    return varint(len(data) << 1) + data


def _bytes(value: object) -> bytes:
    """Return the bytes of a text in which each character stands for one."""
    if not isinstance(value, str):
        raise _unfit("bytes", value)
    return value.encode("latin-1")


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _unfit("object", value)
    return cast("dict[str, object]", value)


def _blocks(entries: list[bytes]) -> bytes:
    return b"".join([varint(len(entries) << 1), *entries, b"\0"]) if entries else b"\0"


def _unfit(expected: str, value: object) -> ValueError:
    return ValueError(f"expected a default of type {expected}, got {str(value)[:60]!r}")
