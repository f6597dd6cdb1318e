"""How much of what one schema writes another one reads: all, all but some values, or nothing.

The runtime decides by schema resolution whether two schemas go together. They may go together and some values may still
not be read, such as a number that would be rounded; here, that counts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, unique
from functools import lru_cache
from typing import Final, TypeAlias

from orbitalis_avro.canonical_form import canonical_form_of
from orbitalis_avro.reading import read_schema
from orbitalis_avro.resolution.comparison import compare
from orbitalis_avro.resolution.matches import (
    ArrayMatch,
    BranchMatch,
    EnumMatch,
    MapMatch,
    Match,
    RecordMatch,
    Resolution,
    ScalarMatch,
    UnionMatch,
)
from orbitalis_avro.resolution.refusal import Refusal
from orbitalis_avro.types import Array, AvroType, Enumeration, Map, NamedType, Record, Reference, Union
from orbitalis_codegen.avro.text import DEEPEST_TYPE

__all__ = ["Extent", "Reading", "Schema", "parsed", "reading", "reading_of_types"]

Schema: TypeAlias = "tuple[AvroType, Mapping[str, NamedType]]"
"""A type, and the named types that it refers to."""

_LOSSY: Final = frozenset({("int", "float"), ("long", "float"), ("long", "double")})
"""Promotions that not every number survives: the others are refused when they are read."""
_NUMBERS: Final[Mapping[str, str]] = {"float": "single precision", "double": "double precision"}


@unique
class Extent(Enum):
    """How much is read."""

    ALL = 0
    """Every value, as what it is."""
    DEFAULTED = 1
    """Every value, but some symbols as the default of the reader's enum."""
    SOME = 2
    """Some values; the others are refused where they arrive."""
    NOTHING = 3
    """The schemas do not go together."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What becomes of values of a writer's schema at a reader."""

    extent: Extent
    reason: str = ""
    """What keeps a value from being read, or what it is read as."""

    def worst(self, other: Reading) -> Reading:
        """Return the one of two that reads less."""
        return other if other.extent.value > self.extent.value else self


_ALL: Final = Reading(Extent.ALL)


@lru_cache(maxsize=1024)
def parsed(schema: str) -> Schema:
    """Return the type that a schema, given as JSON text, stands for, with all named types in it."""
    return read_schema(json.loads(schema))


@lru_cache(maxsize=1024)
def _canonical(schema: str) -> str:
    return canonical_form_of(json.loads(schema))


def reading(writer: str, reader: str) -> Reading:
    """Return how much of what one schema writes another one reads, both given as JSON text, as the runtime reads it.

    The same schema reads everything, also where it refers to itself.
    """
    if writer == reader or _canonical(writer) == _canonical(reader):
        return _ALL
    return reading_of_types(parsed(writer), parsed(reader))


def reading_of_types(writer: Schema, reader: Schema) -> Reading:
    """Return how much of what one type writes another one reads by schema resolution."""
    found = compare(writer, reader, deepest=DEEPEST_TYPE)
    if isinstance(found, Refusal):
        return Reading(Extent.NOTHING, _told(found))
    return _Assessment(found, reader[1]).of(found.root, reader[0])


class _Assessment:
    """Goes through a resolution and looks for values that are not read as what they are."""

    def __init__(self, resolution: Resolution, reader: Mapping[str, NamedType]) -> None:
        self._resolution = resolution
        self._reader = reader
        self._records: dict[tuple[str, str], Reading] = {}

    def of(self, match: Match, type_: AvroType) -> Reading:
        match match, type_:
            case ScalarMatch(writer=writer, reader=reader), _:
                return _promoted(writer.underlying, reader.underlying)
            case EnumMatch(), Reference(name=name):
                named = self._reader[name]
                assert isinstance(named, Enumeration)
                return _symbols(match, named)
            case ArrayMatch(items=inner), Array(items=items):
                return self.of(inner, items)
            case MapMatch(values=inner), Map(values=values):
                return self.of(inner, values)
            case BranchMatch(index=index, inner=inner), Union(branches=branches):
                return self.of(inner, branches[index])
            case UnionMatch(branches=found), _:
                return self._union(found, type_)
            case RecordMatch(writer=name, reader=other), _:
                return self._record(name, other)
            case _:
                raise AssertionError(f"{match} does not read as {type_}")

    def _union(self, branches: tuple[Match | Refusal, ...], type_: AvroType) -> Reading:
        worst = _ALL
        for branch in branches:
            if isinstance(branch, Refusal):
                worst = worst.worst(Reading(Extent.SOME, f"a value of one branch is refused: it {_told(branch)}"))
            else:
                worst = worst.worst(self.of(branch, type_))
        return worst

    def _record(self, writer: str, reader: str) -> Reading:
        key = writer, reader
        if key not in self._records:
            record = self._reader[reader]
            assert isinstance(record, Record)
            types = {field.name: field.type for field in record.fields}
            worst = _ALL
            for field in self._resolution.records[key].fields:
                if field.reader is not None and field.match is not None:
                    worst = worst.worst(self.of(field.match, types[field.reader]))
            self._records[key] = worst
        return self._records[key]


def _promoted(writer: str, reader: str) -> Reading:
    if (writer, reader) in _LOSSY:
        return Reading(Extent.SOME, f"a number that {_NUMBERS[reader]} cannot carry is refused")
    if (writer, reader) == ("bytes", "string"):
        return Reading(Extent.SOME, "bytes that are not UTF-8 are refused")
    return _ALL


def _symbols(match: EnumMatch, reader: Enumeration) -> Reading:
    worst = _ALL
    for symbol, index in zip(match.symbols, match.indexes, strict=True):
        if index is None:
            worst = worst.worst(Reading(Extent.SOME, f"the symbol {symbol} is refused"))
        elif reader.symbols[index] != symbol:
            worst = worst.worst(Reading(Extent.DEFAULTED, f"the symbol {symbol} is read as {reader.symbols[index]}"))
    return worst


def _told(refusal: Refusal) -> str:
    """Return a refusal as a sentence without its subject."""
    at = f"{refusal.path} " if refusal.path else ""
    if refusal.reader is None:
        return f"{at}{refusal.verb} {refusal.writer}".rstrip()
    if refusal.writer is None:
        return f"{at}{refusal.verb}, and has no default"
    return f"{at}{refusal.verb} {refusal.writer} where it is written, and {refusal.reader} where it is read"
