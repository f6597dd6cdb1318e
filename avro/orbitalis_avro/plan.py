"""The codec plan: what a codec of some records has to do, in the order of the wire, for any language.

A plan is worked out from the types of Avro once. It says in which order fields come, which branches a union has, how
many bytes a value takes at least, which records contain themselves, and where a count or a depth needs a guard. How it
is spelled in a language is the matter of that language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

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

__all__ = [
    "ArrayStep",
    "EnumStep",
    "FieldPlan",
    "MapStep",
    "Plan",
    "RecordPlan",
    "RecordStep",
    "ScalarStep",
    "Step",
    "UnionStep",
    "references",
]

LOGICAL_TYPES: Mapping[str, str] = {
    "date": "int",
    "time-millis": "int",
    "time-micros": "long",
    "timestamp-millis": "long",
    "timestamp-micros": "long",
    "local-timestamp-millis": "long",
    "local-timestamp-micros": "long",
    "uuid": "string",
    "decimal": "bytes",
    "big-decimal": "bytes",
    "dataclasses-avroschema-timedelta": "double",
}
"""The logical types that codecs know, by name, and the primitive that each stands on."""
LOGICAL_FIXED: Mapping[str, str] = {"decimal": "decimal", "duration": "duration", "uuid": "fixed-uuid"}
"""The logical types that codecs know on a fixed, by name, and the name of the step."""

_MINIMUM_SIZES = {"null": 0, "float": 4, "double": 8}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalarStep:
    """A value without parts: of a primitive type, a logical type or a fixed."""

    name: str
    """Of the logical type if there is one (`fixed-uuid` on a fixed), else of the primitive, else `fixed`."""
    underlying: str
    """Of the primitive that is written, or `fixed`."""
    size: int = 0
    """Bytes of a fixed; 0 for every other type."""
    precision: int = 0
    scale: int = 0
    full_name: str = ""
    """Of a fixed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnumStep:
    """A symbol of an enumeration, written as its index."""

    name: str
    """Full Avro name."""
    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayStep:
    """Blocks of items, and an empty one at the end."""

    items: Step
    minimum: int
    """Bytes that an item takes at least."""
    is_guarded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MapStep:
    """Blocks of keys and values, and an empty one at the end."""

    values: Step
    minimum: int
    """Bytes that a key and its value take at least."""
    is_guarded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UnionStep:
    """The index of a branch, and a value of that branch."""

    branches: tuple[Step, ...]
    is_guarded: bool

    @property
    def null_index(self) -> int | None:
        """The index of null in a union of null and one other type; `None` for every other union."""
        if len(self.branches) != 2:
            return None
        return next((at for at, one in enumerate(self.branches) if one == _NULL), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordStep:
    """A record, which has a plan of its own."""

    name: str
    """Full Avro name: a key of :attr:`Plan.records`."""
    is_guarded: bool


Step: TypeAlias = ScalarStep | EnumStep | ArrayStep | MapStep | UnionStep | RecordStep

_NULL = ScalarStep(name="null", underlying="null")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldPlan:
    """A field of a record."""

    name: str
    step: Step


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPlan:
    """The fields of a record, in the order of the wire."""

    name: str
    """Full Avro name."""
    fields: tuple[FieldPlan, ...]
    lengths: tuple[int, ...]
    """How many fields each version has, the oldest first; those that an older one lacks have their defaults."""
    minimum: int
    """Bytes that a value takes at least."""
    is_recursive: bool
    """Whether a value can contain another one of the same record."""
    is_guarded: bool
    """Whether something in it has a size or a depth that no length in the data bounds."""


class Plan:
    """The codec plan of some named types.

    Every record has to be finite: a value of it can be written without another one of the same record.
    """

    def __init__(self, named: Mapping[str, NamedType]) -> None:
        self.named = named
        self._guarded: dict[AvroType, bool] = {}
        self._recursive: dict[str, bool] = {}

    @cached_property
    def records(self) -> Mapping[str, RecordPlan]:
        """The plans of all records, by full Avro name."""
        return {name: self._record(one) for name, one in self.named.items() if isinstance(one, Record)}

    def step(self, type_: AvroType) -> Step:
        """Return what has to be done for a value of a type."""
        match type_:
            case Primitive(name=name):
                return ScalarStep(name=name, underlying=name)
            case LogicalType():
                return self._logical(type_)
            case Array(items=items):
                return ArrayStep(
                    items=self.step(items), minimum=self.minimum_size(items), is_guarded=self.is_guarded(type_)
                )
            case Map(values=values):
                return MapStep(
                    values=self.step(values), minimum=1 + self.minimum_size(values), is_guarded=self.is_guarded(type_)
                )
            case Union(branches=branches):
                steps = tuple(self.step(branch) for branch in branches)
                return UnionStep(branches=steps, is_guarded=self.is_guarded(type_))
            case Reference(name=name):
                named = self.named[name]
                match named:
                    case Fixed(logical_type=LogicalType() as logical):
                        return self._logical(logical)
                    case Fixed(size=size):
                        return ScalarStep(name="fixed", underlying="fixed", size=size, full_name=name)
                    case Enumeration(symbols=symbols):
                        return EnumStep(name=name, symbols=symbols)
                    case Record():
                        return RecordStep(name=name, is_guarded=self.is_guarded(type_))

    def minimum_size(self, type_: AvroType) -> int:
        """Count the bytes that every value of a type takes at least.

        Raises:
            ValueError: A value would contain another one without end.
        """
        size = self._minimum_size(type_, self._minimum_sizes)
        if size is None:
            raise ValueError(f"a value of {type_} would contain another one without end")
        return size

    def is_guarded(self, type_: AvroType) -> bool:
        """Whether a type holds something whose size or depth no length in the data bounds."""
        if type_ not in self._guarded:
            self._guarded[type_] = self._is_guarded(type_)
        return self._guarded[type_]

    def is_recursive(self, name: str) -> bool:
        """Whether values of a named type can contain values of the same type."""
        if name not in self._endless:
            return False
        if name not in self._recursive:
            reached: set[str] = set()
            waiting = [name]
            while waiting:
                named = self.named[waiting.pop()]
                if isinstance(named, Record):
                    new = {name for field in named.fields for name in references(field.type)} - reached
                    reached |= new
                    waiting += new
            self._recursive[name] = name in reached
        return self._recursive[name]

    @cached_property
    def _endless(self) -> frozenset[str]:
        """The named types from which names lead on without end: those that refer to themselves, and what leads there.

        Most schemas have none, and a stranger's may have thousands of types.
        """
        leads: dict[str, set[str]] = {name: set() for name in self.named}
        left: dict[str, int] = {}
        for name, one in self.named.items():
            fields = one.fields if isinstance(one, Record) else ()
            inner = {to for field in fields for to in references(field.type)}
            left[name] = len(inner)
            for to in inner:
                leads[to].add(name)
        ended = [name for name, count in left.items() if count == 0]
        for name in ended:
            for outer in leads[name]:
                left[outer] -= 1
                if left[outer] == 0:
                    ended.append(outer)
        return frozenset(self.named) - frozenset(ended)

    def _record(self, record: Record) -> RecordPlan:
        type_ = Reference(name=record.name)
        return RecordPlan(
            name=record.name,
            fields=tuple(FieldPlan(name=field.name, step=self.step(field.type)) for field in record.fields),
            lengths=record.lengths,
            minimum=self.minimum_size(type_),
            is_recursive=self.is_recursive(record.name),
            is_guarded=self.is_guarded(type_),
        )

    def _logical(self, type_: LogicalType) -> Step:
        match type_.underlying:
            case Primitive(name=primitive):
                known = LOGICAL_TYPES.get(type_.name) == primitive
                return ScalarStep(
                    name=type_.name if known else primitive,
                    underlying=primitive,
                    precision=type_.precision,
                    scale=type_.scale,
                )
            case Reference(name=name) as reference:
                fixed = self.named[name]
                if not isinstance(fixed, Fixed):
                    return self.step(reference)
                return ScalarStep(
                    name=LOGICAL_FIXED.get(type_.name, "fixed"),
                    underlying="fixed",
                    size=fixed.size,
                    precision=type_.precision,
                    scale=type_.scale,
                    full_name=name,
                )

    def _is_guarded(self, type_: AvroType) -> bool:
        match type_:
            case Array(items=items):
                return self.minimum_size(items) == 0 or self.is_guarded(items)
            case Map(values=values):
                return self.is_guarded(values)
            case Union(branches=branches):
                return any(self.is_guarded(branch) for branch in branches)
            case Reference(name=name) if isinstance(record := self.named[name], Record):
                # Records that contain themselves go no further, so that this ends.
                return self.is_recursive(name) or any(self.is_guarded(field.type) for field in record.fields)
            case _:
                return False

    @cached_property
    def _minimum_sizes(self) -> dict[str, int]:
        """The least size of every record: those of the records in it first, and again where they lead back to it."""
        sizes: dict[str, int] = {}
        changed = True
        while changed:
            changed = False
            for record in self.named.values():
                if not isinstance(record, Record):
                    continue
                known = [self._minimum_size(field.type, sizes) for field in record.fields]
                size = sum(inner for inner in known if inner is not None)
                if None not in known and size < sizes.get(record.name, size + 1):
                    sizes[record.name] = size
                    changed = True
        return sizes

    def _minimum_size(self, type_: AvroType, sizes: Mapping[str, int]) -> int | None:
        """The least size of a type, given that of records; `None` if it takes a record that is not among them."""
        match type_:
            case Primitive(name=name) | LogicalType(underlying=Primitive(name=name)):
                return _MINIMUM_SIZES.get(name, 1)
            case Union(branches=branches):
                known = [self._minimum_size(branch, sizes) for branch in branches]
                return min((1 + size for size in known if size is not None), default=None)
            case Reference(name=name) | LogicalType(underlying=Reference(name=name)):
                named = self.named[name]
                if isinstance(named, Fixed):
                    return named.size
                return 1 if isinstance(named, Enumeration) else sizes.get(name)
            case Array() | Map():
                return 1
            case _:
                return None


def references(type_: AvroType) -> frozenset[str]:
    """Return the named types that a type refers to without going through another named type."""
    match type_:
        case Array(items=inner) | Map(values=inner):
            return references(inner)
        case Union(branches=branches):
            return frozenset(name for branch in branches for name in references(branch))
        case Reference(name=name) | LogicalType(underlying=Reference(name=name)):
            return frozenset({name})
        case _:
            return frozenset()
