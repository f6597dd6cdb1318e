"""Which type a default is a value of, as JSON has it."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import cast

from orbitalis_avro.types import (
    Array,
    AvroType,
    Enumeration,
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

__all__ = ["branch_of", "fits", "is_bytes", "is_primitive"]


def branch_of(type_: AvroType, default: object, named: Mapping[str, NamedType]) -> AvroType:
    """The type that a default is a value of: of a union, the first branch that it fits, and else `type_` itself.

    The first branch of a union stands for those that fit none. Readers choose in the same way.
    """
    if not isinstance(type_, Union):
        return type_
    return next((branch for branch in type_.branches if fits(branch, default, named)), type_.branches[0])


def fits(type_: AvroType, value: object, named: Mapping[str, NamedType]) -> bool:
    """Whether a value of JSON is one of the type; what a logical type demands beyond its underlying one is left out."""
    match type_:
        case Primitive(name=name):
            return is_primitive(name, value)
        case LogicalType(underlying=underlying):
            return fits(underlying, value, named)
        case Array(items=items):
            return isinstance(value, list) and all(fits(items, one, named) for one in cast("list[object]", value))
        case Map(values=values):
            return isinstance(value, dict) and all(
                fits(values, one, named) for one in cast("dict[str, object]", value).values()
            )
        case Union(branches=branches):
            return any(fits(branch, value, named) for branch in branches)
        case Reference(name=name):
            return _fits_named(named.get(name), value, named)


def _fits_named(type_: NamedType | None, value: object, named: Mapping[str, NamedType]) -> bool:
    match type_:
        case None:
            return False
        case Enumeration(symbols=symbols):
            return isinstance(value, str) and value in symbols
        case Fixed(size=size):
            return is_bytes(value) and len(str(value)) == size
        case Record(fields=fields):
            if not isinstance(value, dict):
                return False
            given = cast("dict[str, object]", value)
            return all(
                fits(field.type, given[field.name], named) if field.name in given else field.has_default
                for field in fields
            )


def is_primitive(name: PrimitiveName, value: object) -> bool:
    """Whether a value of JSON is one of a primitive type."""
    match name, value:
        case ("null", None) | ("boolean", bool()) | ("string", str()):
            return True
        case (("int" | "long" | "float" | "double"), bool()):
            return False
        case ("int", int(integer)):
            return -(2**31) <= integer < 2**31
        case ("long", int(integer)):
            return -(2**63) <= integer < 2**63
        case ("float", (int() | float()) as number):
            return _is_single(number)
        case ("double", int() | float()):
            return True
        case ("bytes", _):
            return is_bytes(value)
        case _:
            return False


def is_bytes(value: object) -> bool:
    """Whether it is a text of the characters that stand for bytes in a default."""
    return isinstance(value, str) and max(value, default="") <= "\xff"


def _is_single(number: float) -> bool:
    """Whether a number is not too large for single precision, to which it is rounded."""
    try:
        struct.pack("<f", number)
    except OverflowError:
        return False
    return True
