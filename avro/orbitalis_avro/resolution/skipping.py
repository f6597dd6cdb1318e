"""Passes over values: what a writer has written and a reader does not read.

These are functions made of functions, and no source: a stranger's schema may have thousands of fields.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, TypeAlias

from orbitalis_avro.binary import Guard, bad_boolean, check_block, read_block, read_index, read_length, read_long
from orbitalis_avro.plan import ArrayStep, EnumStep, MapStep, Plan, RecordStep, ScalarStep, Step, UnionStep

__all__ = ["Skip", "Skipper"]

Skip: TypeAlias = Callable[[bytes, int, Guard], int]
"""Takes the data and the position of a value; returns the position after it."""


class Skipper:
    """Makes functions that pass over the values of one plan, in which no record contains itself."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._records: dict[str, Skip] = {}

    def skip(self, step: Step) -> Skip:
        """Return the function for values of a step."""
        match step:
            case ScalarStep(underlying=underlying, size=size):
                return partial(_skip_bytes, size) if underlying == "fixed" else _SCALARS[underlying]
            case EnumStep(symbols=symbols):
                return partial(_skip_enum, len(symbols))
            case ArrayStep(items=items, minimum=minimum):
                return partial(_skip_array, self.skip(items), minimum)
            case MapStep(values=values, minimum=minimum):
                return partial(_skip_map, self.skip(values), minimum)
            case UnionStep(branches=branches):
                return partial(_skip_union, tuple(map(self.skip, branches)))
            case RecordStep(name=name):
                return self._record(name)

    def _record(self, name: str) -> Skip:
        if name not in self._records:
            plan = self._plan.records[name]
            # What takes no bytes at least takes none at all, however many parts it has.
            parts = tuple(self.skip(field.step) for field in plan.fields) if plan.minimum else ()
            self._records[name] = partial(_skip_parts, parts)
        return self._records[name]


def _skip_parts(parts: tuple[Skip, ...], data: bytes, position: int, guard: Guard) -> int:
    for skip in parts:
        position = skip(data, position, guard)
    return position


def _skip_bytes(size: int, data: bytes, position: int, guard: Guard) -> int:
    if position + size > len(data):
        raise IndexError
    return position + size


def _skip_nothing(data: bytes, position: int, guard: Guard) -> int:
    return position


def _skip_boolean(data: bytes, position: int, guard: Guard) -> int:
    if data[position] > 1:
        raise bad_boolean(data[position])
    return position + 1


def _skip_integer(data: bytes, position: int, guard: Guard) -> int:
    return read_long(data, position)[1]


def _skip_length(data: bytes, position: int, guard: Guard) -> int:
    length, position = read_length(data, position)
    return position + length


def _skip_enum(symbols: int, data: bytes, position: int, guard: Guard) -> int:
    return read_index(data, position, symbols)[1]


def _skip_union(branches: tuple[Skip, ...], data: bytes, position: int, guard: Guard) -> int:
    index, position = read_index(data, position, len(branches))
    return branches[index](data, position, guard)


def _skip_array(item: Skip, minimum: int, data: bytes, position: int, guard: Guard) -> int:
    while data[position]:
        count, position, end = read_block(data, position, minimum)
        if minimum == 0:
            guard.count(count)
        else:
            for _ in range(count):
                position = item(data, position, guard)
        check_block(position, end)
    return position + 1


def _skip_map(value: Skip, minimum: int, data: bytes, position: int, guard: Guard) -> int:
    while data[position]:
        count, position, end = read_block(data, position, minimum)
        for _ in range(count):
            position = value(data, _skip_length(data, position, guard), guard)
        check_block(position, end)
    return position + 1


_SCALARS: Final[dict[str, Skip]] = {
    "null": _skip_nothing,
    "boolean": _skip_boolean,
    "int": _skip_integer,
    "long": _skip_integer,
    "float": partial(_skip_bytes, 4),
    "double": partial(_skip_bytes, 8),
    "string": _skip_length,
    "bytes": _skip_length,
}
