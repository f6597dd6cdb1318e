"""Unions whose branches cannot be told apart by their values, so that one of them could never be sent."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from orbitalis_avro.types import Array, AvroType, Fixed, LogicalType, Map, NamedType, Primitive, Reference, Union
from orbitalis_codegen.avro.library import Library
from orbitalis_codegen.diagnostic import Report, shown
from orbitalis_codegen.rules import Rule

__all__ = ["check_unions"]

_BYTES: Final = "bytes"
_LOOKS: Final = {
    "int": "an integer",
    "long": "an integer",
    "float": "a number with a point",
    "double": "a number with a point",
    "time-millis": "a time of a day",
    "time-micros": "a time of a day",
    "decimal": "a decimal",
    "big-decimal": "a decimal",
    "uuid": "a UUID",
    "timestamp-nanos": "an integer",
    "local-timestamp-nanos": "an integer",
}
"""What values of a type look like, where another type has such values as well."""


_TIMES: Final = frozenset({"date", "time-millis", "time-micros"})
"""What is a number in TypeScript, and something else elsewhere."""


def check_unions(library: Library, report: Report, *, numbers: Collection[str] = ()) -> None:
    """Report every union that has two branches with the same values.

    Where TypeScript is emitted, `numbers` are the types whose values are its numbers. Of these alone, any branch would
    do, since all read the same number; but not one beside them that means a time.
    """
    for union, position in library.unions:
        found = _indistinct(union, library.types)
        if found is None and numbers:
            found = _indistinct_in_typescript(union, library.types, numbers)
        if found is not None:
            one, other, look = found
            message = f"the values of two branches, {shown(one)} and {shown(other)}, are both {look}"
            hint = "leave one of them out, or put one into a record of its own"
            report.add(Rule.AVRO_INDISTINCT_UNION, position, message, hint)


def _indistinct(union: Union, types: Mapping[str, NamedType]) -> tuple[str, str, str] | None:
    """The names of two branches with the same values, and what these look like."""
    seen: list[tuple[str, str]] = []
    for branch in union.branches:
        name, look = _look(branch, types)
        for other, other_look in seen:
            # Bytes of any number may be as many as those of a fixed.
            if look == other_look or (
                _BYTES in (look, other_look) and look.endswith(_BYTES) and other_look.endswith(_BYTES)
            ):
                return other, name, look
        seen.append((name, look))
    return None


def _indistinct_in_typescript(
    union: Union, types: Mapping[str, NamedType], numbers: Collection[str]
) -> tuple[str, str, str] | None:
    """The same as TypeScript sees it."""
    looks = [_look(branch, types) for branch in union.branches]
    names = [name for name, _ in looks]
    times = [name for name in names if name in _TIMES]
    others = [name for name in names if name in numbers]
    if times and len(times) + len(others) > 1:
        one, other, *_ = (*times, *others)
        return one, other, "a number in TypeScript"
    if "string" in names:
        for name, look in looks:
            if look == _LOOKS["uuid"]:
                return "string", name, "a text in TypeScript"
    return None


def _look(branch: AvroType, types: Mapping[str, NamedType]) -> tuple[str, str]:
    """The name of a branch, and what its values look like."""
    match branch:
        case Primitive(name="bytes"):
            return "bytes", _BYTES
        case Primitive(name=name) | LogicalType(name=name):
            return name, _LOOKS.get(name, f"of the type {name}")
        case Reference(name=name):
            named = types.get(name)
            if isinstance(named, Fixed) and named.logical_type is not None:
                return name, _look(named.logical_type, types)[1]
            return name, f"{named.size} {_BYTES}" if isinstance(named, Fixed) else f"of the type {name}"
        case Array():
            return "array", "a list"
        case Map():
            return "map", "an object"
        case Union():
            return "union", "a union"
