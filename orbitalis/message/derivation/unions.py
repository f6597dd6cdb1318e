"""Puts unions together, and refuses types that cannot be told apart in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from types import NoneType
from typing import Any

from orbitalis.message.derivation.field_types import (
    DecimalField,
    EnumField,
    FieldType,
    FixedField,
    ListField,
    LiteralField,
    MapField,
    RecordField,
    ScalarField,
    TupleField,
    UnionField,
)
from orbitalis.message.derivation.refusals import Refusal, shown

__all__ = ["add_branch", "check_told_apart", "depth_of", "null_field", "takes_no_bytes", "takes_none", "union_field"]


def null_field() -> ScalarField:
    """Return the type of `None`."""
    return ScalarField("null", NoneType, "null")


def union_field(branches: Sequence[FieldType]) -> UnionField:
    """Return the union of some types."""
    return UnionField(tuple(branches), [one.avro for one in branches])


def add_branch(branches: list[FieldType], branch: FieldType, brought: FieldType | None) -> None:
    """Add a branch to a union, unless there is one that is the same on the wire."""
    for index, one in enumerate(branches):
        if one.avro == branch.avro:
            if one is brought:
                branches[index] = branch
            elif isinstance(one, LiteralField) and isinstance(branch, LiteralField):
                branches[index] = replace(one, values=tuple(dict.fromkeys((*one.values, *branch.values))))
            elif isinstance(one, LiteralField):
                branches[index] = branch
            return
    branches.append(branch)


def check_told_apart(declared: Sequence[tuple[Any, FieldType]]) -> None:
    """Raise unless the types of a union can be told apart by their values."""
    for index, (first_annotation, first) in enumerate(declared):
        for second_annotation, second in declared[:index]:
            if first.avro == second.avro and not {type(first), type(second)} & {ListField, TupleField}:
                continue
            if _python_types(first) & _python_types(second):
                raise Refusal(
                    f"{shown(second_annotation)} and {shown(first_annotation)} in one union cannot be told apart: "
                    "leave one of them out, or put it into a dataclass of its own"
                )


def _python_types(field_type: FieldType) -> frozenset[type]:
    """Return the types by which the values of a branch are known."""
    match field_type:
        case ScalarField(_, python_type) | EnumField(python_type):
            return frozenset({python_type})
        case DecimalField():
            return frozenset({Decimal})
        case FixedField():
            return frozenset({bytes})
        case LiteralField(values):
            return frozenset(map(type, values))
        case ListField() | TupleField():
            return frozenset({list})
        case MapField():
            return frozenset({dict})
        case UnionField(branches):
            return frozenset[type]().union(*map(_python_types, branches))
        case RecordField(record_class):
            return frozenset({record_class})


def takes_none(field_type: FieldType) -> bool:
    """Return whether the default None adds null to a type. It does for every type except enum and fixed."""
    match field_type:
        case ScalarField(kind):
            return kind != "null"
        case DecimalField() | RecordField():
            return True
        case _:
            return False


def depth_of(field_type: FieldType) -> int:
    """Return how many levels deep lists, tuples and dicts nest in a type, not counting those in records."""
    match field_type:
        case ListField(inner) | TupleField(inner) | MapField(inner):
            return 1 + depth_of(inner)
        case UnionField(branches):
            return max(map(depth_of, branches))
        case _:
            return 0


def takes_no_bytes(field_type: FieldType) -> bool:
    """Return whether no value of a type takes any bytes."""
    match field_type:
        case ScalarField(kind):
            return kind == "null"
        case LiteralField(_, carrier):
            return takes_no_bytes(carrier)
        case RecordField(_, members):
            return all(takes_no_bytes(one.type) for one in members)
        case _:
            return False
