"""The plan of a reader for a pair of schemas: for each type that is written, which type is read, and how it gets there.

It is made of the steps of two codec plans. Those of the writer say what stands on the wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from orbitalis_avro.plan import FieldPlan, Plan, ScalarStep
from orbitalis_avro.resolution.refusal import Refusal

__all__ = [
    "ArrayMatch",
    "BranchMatch",
    "EnumMatch",
    "FieldMatch",
    "MapMatch",
    "Match",
    "RecordMatch",
    "RecordPair",
    "Resolution",
    "ScalarMatch",
    "UnionMatch",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalarMatch:
    """A value without parts, of the same type or of one to which it is promoted."""

    writer: ScalarStep
    reader: ScalarStep


@dataclass(frozen=True, slots=True, kw_only=True)
class EnumMatch:
    """A symbol."""

    symbols: tuple[str, ...]
    """Of the writer."""
    indexes: tuple[int | None, ...]
    """By the writer's index, the reader's; `None` for a symbol that the reader has not, and no default for."""
    expected: str
    """The reader's symbols, for errors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayMatch:
    """An array."""

    minimum: int
    """Bytes that an item takes at least, as it is written."""
    items: Match


@dataclass(frozen=True, slots=True, kw_only=True)
class MapMatch:
    """A map."""

    minimum: int
    """Bytes that a key and its value take at least, as they are written."""
    values: Match


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchMatch:
    """A value that is read as a branch of a union, and is written without its index."""

    index: int
    """Of the branch, in the reader's union."""
    inner: Match


@dataclass(frozen=True, slots=True, kw_only=True)
class UnionMatch:
    """A value that is written as a branch of a union: each is read in its own way."""

    branches: tuple[Match | Refusal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMatch:
    """A record, which has a plan of its own: :attr:`Resolution.records` has it under this pair of names."""

    writer: str
    reader: str


Match: TypeAlias = ScalarMatch | EnumMatch | ArrayMatch | MapMatch | BranchMatch | UnionMatch | RecordMatch


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldMatch:
    """A field that is written."""

    writer: FieldPlan
    reader: str | None
    """Name of the reader's field; `None` for one that is passed over."""
    match: Match | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPair:
    """How a record is read as another one."""

    fields: tuple[FieldMatch, ...]
    """In the order of the wire."""
    defaults: Mapping[str, bytes]
    """By name of a reader's field that is not written: its default, as it would be written for the reader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """How values of a writer's schema are read by a reader's."""

    root: Match
    records: Mapping[tuple[str, str], RecordPair]
    """By the full names of the writer's record and the reader's."""
    writer: Plan
    """The codec plan of what is written."""
    pairs: int
    """Pairs of nodes that were looked at."""
