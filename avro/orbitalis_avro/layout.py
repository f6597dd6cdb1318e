"""How Python sees the values of a codec plan: which class each has, and how much is forgiven.

A layout pairs a step of a plan with what Python makes of it. Names in it are those of classes and constants that stand
beside the functions in the source that is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from orbitalis_avro.plan import ArrayStep, EnumStep, MapStep, RecordPlan, RecordStep, ScalarStep, UnionStep

__all__ = [
    "ArrayLayout",
    "EnumLayout",
    "FieldLayout",
    "Layout",
    "MapLayout",
    "RecordLayout",
    "RecordReference",
    "ScalarLayout",
    "UnionLayout",
    "is_shareable",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalarLayout:
    """A value without parts."""

    step: ScalarStep
    annotation: str
    """The type of the values, for type checkers."""
    is_strict: bool
    """Whether a value of a subclass is refused, and an integer where a float belongs."""
    allowed: str | None = None
    """Name of a constant that contains the values which are allowed; `None` if all are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnumLayout:
    """A symbol of an enumeration."""

    step: EnumStep
    annotation: str
    class_name: str
    """Of the class that the values have."""
    expected: str
    """What a value has to be, for errors."""
    written: str
    """Name of a constant: the bytes of each value."""
    members: str
    """Name of a constant: the value of each index."""
    is_narrowed: bool = False
    """Whether some of `members` are not allowed, although the schema has them: those are not in `written`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayLayout:
    """A sequence."""

    step: ArrayStep
    annotation: str
    items: Layout
    sequence: Literal["list", "tuple", "any"]
    """Class of the sequence; `any` takes every sequence, and gives a tuple."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapLayout:
    """A mapping from texts."""

    step: MapStep
    annotation: str
    values: Layout
    is_strict: bool
    """Whether only a `dict` is taken, of which the keys are no texts of a subclass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnionLayout:
    """One of several types."""

    step: UnionStep
    annotation: str
    expected: str
    """What a value has to be, for errors."""
    branches: tuple[Layout, ...]
    tests: tuple[tuple[int, str], ...]
    """The index of a branch, and an expression that says whether the value `{}` is of it. The first counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordReference:
    """A record, which has functions of its own."""

    step: RecordStep
    annotation: str
    suffix: str
    """What its functions are called after `_write_`, `_read_` and `_copy_`."""
    is_shareable: bool
    """Whether nothing in a value can change, and a codec changes nothing in it."""


Layout: TypeAlias = ScalarLayout | EnumLayout | ArrayLayout | MapLayout | UnionLayout | RecordReference


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldLayout:
    """A field of a record."""

    name: str
    """On the wire."""
    attribute: str
    """In Python."""
    layout: Layout
    is_argument: bool = True
    """Whether the class takes it as an argument; else it is set afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLayout:
    """The class of a record."""

    plan: RecordPlan
    class_name: str
    expected: str
    """What a value has to be, for errors."""
    suffix: str
    fields: tuple[FieldLayout, ...]
    is_strict: bool
    """Whether a value of a subclass is refused."""
    may_refuse: bool = False
    """Whether making a value can raise an error of the class's own."""
    is_filled: bool = False
    """Whether an object is made by filling its `__dict__`, which gives the same as calling the class, and is faster."""
    is_shareable: bool = False
    is_split: bool = False
    """Whether the work on many fields is split into several functions: type checkers give up on one that is long."""

    @property
    def parts(self) -> tuple[tuple[FieldLayout, ...], ...]:
        """The fields that one function handles, for each function."""
        weights = [_weight(field.layout) for field in self.fields]
        is_split = self.is_split and sum(weights) > _HEAVIEST_PART
        parts: list[list[FieldLayout]] = []
        weight = 0
        for index, field in enumerate(self.fields):
            weight += weights[index]
            # What an older version has ends with a part, so that no function has to stop in its middle.
            if not parts or (is_split and (weight > _HEAVIEST_PART or index in self.plan.lengths)):
                parts.append([])
                weight = weights[index]
            parts[-1].append(field)
        return tuple(map(tuple, parts))


_HEAVIEST_PART = 60


def _weight(layout: Layout) -> int:
    """How much work a value takes: one for each thing that is looked at, and more for what is done again and again."""
    match layout:
        case ArrayLayout(items=inner) | MapLayout(values=inner):
            return 4 + 2 * _weight(inner)
        case UnionLayout(branches=branches):
            return sum(map(_weight, branches))
        case ScalarLayout(step=step):
            return {"null": 0, "string": 3, "bytes": 3}.get(step.underlying, 1)
        case _:
            return 1


_CHANGED = frozenset(
    {
        "float",
        "time-millis",
        "time-micros",
        "timestamp-millis",
        "timestamp-micros",
        "local-timestamp-millis",
        "local-timestamp-micros",
        "decimal",
    }
)
"""Values that come back equal, but rounded, in UTC, without a fold or with zeros behind."""


def is_shareable(layout: Layout) -> bool:
    """Return whether a value that passes the checks of a codec may be handed over instead of a copy."""
    match layout:
        case ScalarLayout(step=step, is_strict=is_strict):
            return is_strict and step.name not in _CHANGED
        case EnumLayout():
            return True
        case ArrayLayout(items=items, sequence=sequence):
            return sequence == "tuple" and is_shareable(items)
        case MapLayout():
            return False
        case UnionLayout(branches=branches):
            return all(is_shareable(branch) for branch in branches)
        case RecordReference():
            return layout.is_shareable
