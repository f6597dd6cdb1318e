"""The tree of a message class: what each field is in Python, and what it is in Avro.

A codec matches on the nodes, which are listed in :data:`FieldType`. Each has `avro`, the fragment of the schema at its
place. A named type (record, enum, fixed) is written out where it stands first; later its `avro` is its name, and the
rest of the node is as complete as where it stands first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from orbitalis_avro.canonical_form import Json

__all__ = [
    "DecimalField",
    "EnumField",
    "FieldType",
    "FixedField",
    "Json",
    "ListField",
    "LiteralField",
    "MapField",
    "RecordField",
    "RecordMember",
    "ScalarField",
    "ScalarKind",
    "TupleField",
    "UnionField",
]

ScalarKind: TypeAlias = Literal[
    "null",
    "boolean",
    "int",
    "long",
    "float",
    "double",
    "string",
    "bytes",
    "date",
    "time-millis",
    "time-micros",
    "timestamp-millis",
    "timestamp-micros",
    "local-timestamp-millis",
    "local-timestamp-micros",
    "dataclasses-avroschema-timedelta",
    "uuid",
]
"""An Avro type, or the logical type that gives it another meaning."""


@dataclass(frozen=True, slots=True)
class ScalarField:
    """One value that is a whole: a number, a text, bytes, a time, `None`.

    | `kind` | `python_type` | on the wire |
    | --- | --- | --- |
    | `null` | `NoneType` | nothing |
    | `boolean` | `bool` | a boolean |
    | `int`, `long` | `int` | an integer of 32 or 64 bits |
    | `float`, `double` | `float` | a number of 32 or 64 bits |
    | `string`, `bytes` | `str`, `bytes` | itself |
    | `date` | `date` | an int: days since 1970-01-01 |
    | `time-millis` | `time` | an int: milliseconds since midnight |
    | `time-micros` | `time` | a long: microseconds since midnight |
    | `timestamp-millis`, `timestamp-micros` | `datetime` with time zone | a long: milli- or microseconds since 1970-01-01, UTC |
    | `local-timestamp-millis`, `local-timestamp-micros` | `datetime` without time zone | a long: the same, of the local clock |
    | `dataclasses-avroschema-timedelta` | `timedelta` | a double: seconds |
    | `uuid` | `UUID` | a string: 36 characters |
    """  # noqa: E501 (a table)

    kind: ScalarKind
    python_type: type
    avro: Json


@dataclass(frozen=True, slots=True)
class DecimalField:
    """A `Decimal`: on the wire bytes, the number without its decimal point as big-endian two's complement."""

    precision: int
    """All digits."""
    scale: int
    """Digits after the decimal point: the number on the wire is to be divided by 10 ** scale."""
    avro: Json


@dataclass(frozen=True, slots=True)
class FixedField:
    """`bytes` of one length, which the wire does not repeat."""

    size: int
    """In bytes."""
    name: str
    """Full name, with the namespace."""
    avro: Json


@dataclass(frozen=True, slots=True)
class EnumField:
    """One of several values: on the wire an int, the position of its symbol.

    An enum travels by the values of its members where they are texts, else by the names of the members.
    """

    python_type: type
    """The `Enum` class, or `str`: that is a `Literal` in a class whose `Meta` has `convert_literal_to_enum`."""
    members: Mapping[str, Any]
    """What each symbol is in Python, in the order of the wire. Aliases of members are not among them."""
    name: str
    """Full name, with the namespace."""
    avro: Json


@dataclass(frozen=True, slots=True)
class LiteralField:
    """One of the values of a `Literal`, which travels like any other value of its type."""

    values: tuple[Any, ...]
    """Also `None`, where that is the default. Compare types, too: `True == 1`."""
    carrier: ScalarField | EnumField | UnionField
    """As what it travels; a union if the values have several types."""
    avro: Json
    """That of the carrier."""


@dataclass(frozen=True, slots=True)
class ListField:
    """A `list`, also for an annotation `Sequence` or `MutableSequence`: on the wire an array."""

    items: FieldType
    avro: Json


@dataclass(frozen=True, slots=True)
class TupleField:
    """A `tuple` of any length, all items of one type: on the wire an array."""

    items: FieldType
    avro: Json


@dataclass(frozen=True, slots=True)
class MapField:
    """A `dict` with `str` as keys, also for an annotation `Mapping` or `MutableMapping`."""

    values: FieldType
    avro: Json


@dataclass(frozen=True, slots=True)
class UnionField:
    """A value of one of several types: on the wire the position of its branch, and the value.

    Branches have different Python types, except for what a default adds in front: `x: float | None = 0` has the
    branches long, double and null, and `x: Int32 | None = 0` has long, int and null. Write a value as the first branch
    that takes a value of exactly its type. A branch may be a :class:`LiteralField` of several types, which is a union
    in a union.
    """

    branches: tuple[FieldType, ...]
    """In the order of the wire."""
    avro: Json


@dataclass(frozen=True, slots=True)
class RecordMember:
    """One field of a record."""

    name: str
    type: FieldType
    init: bool
    """Whether the constructor takes it; otherwise it is set afterwards."""


@dataclass(frozen=True, slots=True)
class RecordField:
    """An object of a dataclass: on the wire its members, one after the other."""

    record_class: type
    members: tuple[RecordMember, ...]
    """In the order of the wire, which `Meta.field_order` can change. What `Meta.exclude` names is not among them."""
    name: str
    """Full name, with the namespace."""
    avro: Json


FieldType: TypeAlias = (
    ScalarField
    | DecimalField
    | FixedField
    | EnumField
    | LiteralField
    | ListField
    | TupleField
    | MapField
    | UnionField
    | RecordField
)
