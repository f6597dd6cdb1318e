"""What a schema says, with all names resolved: the types of Avro."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = [
    "Array",
    "AvroType",
    "Enumeration",
    "Field",
    "Fixed",
    "LogicalType",
    "Map",
    "NamedType",
    "Primitive",
    "PrimitiveName",
    "Record",
    "Reference",
    "Union",
]

PrimitiveName: TypeAlias = Literal["null", "boolean", "int", "long", "float", "double", "bytes", "string"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Primitive:
    """A primitive type of Avro."""

    name: PrimitiveName


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicalType:
    """A primitive or a fixed with a meaning, such as `timestamp-millis` on a long."""

    name: str
    underlying: Primitive | Reference
    precision: int = 0
    """Digits of a decimal; 0 for every other type."""
    scale: int = 0
    """Digits of a decimal behind the point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Array:
    """A sequence of items of one type."""

    items: AvroType


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """A mapping from strings to values of one type."""

    values: AvroType


@dataclass(frozen=True, slots=True, kw_only=True)
class Union:
    """One of several types, in the order of their indexes on the wire."""

    branches: tuple[AvroType, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A named type, by its full Avro name; see :attr:`Model.types`."""

    name: str


AvroType: TypeAlias = Primitive | LogicalType | Array | Map | Union | Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a record."""

    name: str
    type: AvroType
    description: str
    has_default: bool
    default: object
    """The default as JSON gives it; meaningless unless `has_default`."""
    aliases: tuple[str, ...] = ()
    """Other names under which a reader with this field finds it."""
    since: str | None = None
    """The version that it came with, such as `1.1`; `None` if it was there from the beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An Avro record."""

    name: str
    """Full Avro name, as on the wire."""
    class_name: str
    """What code calls it: the key of the message that carries it, else the last part of `name`."""
    description: str
    fields: tuple[Field, ...]
    source: str
    """File of the schema, relative to the root, with `/`."""
    aliases: tuple[str, ...] = ()
    """Other full names under which a reader with this type knows it."""

    @property
    def lengths(self) -> tuple[int, ...]:
        """How many fields each version has, the oldest first: a record grows at its end."""
        before = (None, *(field.since for field in self.fields))
        grown = [index for index, field in enumerate(self.fields) if field.since != before[index]]
        return (*grown, len(self.fields))


@dataclass(frozen=True, slots=True, kw_only=True)
class Enumeration:
    """An Avro enum."""

    name: str
    class_name: str
    description: str
    symbols: tuple[str, ...]
    default: str | None
    source: str
    aliases: tuple[str, ...] = ()
    """Other full names under which a reader with this type knows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """An Avro fixed."""

    name: str
    class_name: str
    description: str
    size: int
    """Bytes."""
    source: str
    aliases: tuple[str, ...] = ()
    """Other full names under which a reader with this type knows it."""
    logical_type: LogicalType | None = None
    """What its bytes mean, wherever it is referred to; `None` if they mean nothing else."""


NamedType: TypeAlias = Record | Enumeration | Fixed
