"""What the schema of a writer, who may be a stranger, may cost: it is finite, and neither deep nor large."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from orbitalis_avro.resolution.refusal import Refusal
from orbitalis_avro.types import Array, AvroType, Map, NamedType, Record, Reference, Union

__all__ = ["MOST_PAIRS", "Budget", "Exceeded", "check_writer"]

MOST_PAIRS: Final = 10_000
"""Pairs of nodes that one comparison looks at; each node of the writer's schema counts as one, too."""
_NESTED_UNIONS: Final = 4
"""How many unions may stand directly in each other: Avro has none, and classes with a Literal in a union have two."""


class Exceeded(Exception):
    """A comparison would cost too much; carries the refusal that says so."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


class Budget:
    """Counts what one comparison looks at."""

    def __init__(self) -> None:
        self.spent = 0

    def spend(self) -> None:
        """Account for one more pair; raises :class:`Exceeded` beyond the bound."""
        if self.spent >= MOST_PAIRS:
            raise Exceeded(Refusal(verb=f"takes more than {MOST_PAIRS} pairs to compare", writer="", reader=None))
        self.spent += 1


def check_writer(root: AvroType, named: Mapping[str, NamedType], deepest: int, budget: Budget) -> None:
    """Raise :class:`Exceeded` for a schema that refers to itself, nests deeper than `deepest`, or is too large."""
    _Walk(named, deepest, budget).height(root, 0, 0)


class _Walk:
    """Goes through a schema once, however often its types are referred to."""

    def __init__(self, named: Mapping[str, NamedType], deepest: int, budget: Budget) -> None:
        self._named = named
        self._deepest = deepest
        self._budget = budget
        self._heights: dict[str, int | None] = {}
        """Levels below each named type; `None` while it is being looked at."""

    def height(self, type_: AvroType, depth: int, unions: int) -> int:
        """Return how many levels there are below a type that stands at a depth."""
        self._budget.spend()
        if depth > self._deepest or unions > _NESTED_UNIONS:
            raise self._too_deep()
        match type_:
            case Array(items=inner) | Map(values=inner):
                return 1 + self.height(inner, depth + 1, 0)
            case Union(branches=branches):
                return 1 + max((self.height(one, depth + 1, unions + 1) for one in branches), default=0)
            case Reference(name=name) if isinstance(record := self._named[name], Record):
                return self._record(record, depth)
            case _:
                return 0

    def _record(self, record: Record, depth: int) -> int:
        if record.name not in self._heights:
            self._heights[record.name] = None
            inner = (self.height(field.type, depth + 1, 0) for field in record.fields)
            self._heights[record.name] = 1 + max(inner, default=0)
        height = self._heights[record.name]
        if height is None:
            raise Exceeded(
                Refusal(
                    verb="refers to itself, which needs the same schema on both sides,",
                    writer=f"record {record.name}",
                    reader=None,
                )
            )
        if depth + height > self._deepest:
            raise self._too_deep()
        return height

    def _too_deep(self) -> Exceeded:
        return Exceeded(Refusal(verb=f"is nested more than {self._deepest} levels deep", writer="", reader=None))
