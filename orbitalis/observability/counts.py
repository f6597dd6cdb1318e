"""What there is to measure of an orbiter: each count with its name, and how it is read.

Metrics are read in a thread of their own, so that nothing here changes an orbiter, or goes through what may change
meanwhile.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import Final, TypeAlias

from orbitalis.bus.bus_statistics import BusStatistics
from orbitalis.core import Core
from orbitalis.observability import names
from orbitalis.operations.operation_statistics import OperationStatistics
from orbitalis.orbiter import Orbiter
from orbitalis.protocol.orbiter_statistics import OrbiterStatistics
from orbitalis.protocol.transitions import CoreState

__all__ = ["COUNTS", "Count", "Watched", "role_of"]

Reading: TypeAlias = tuple[str | None, float]
"""An operation, or `None` where it is about the orbiter as a whole, and the value."""

_FALLING: Final = frozenset({"missing"})
"""Counters that also go down: what comes late is missing no more."""
_ATTEMPTS: Final = 10
"""How often connections are counted anew, after one was opened or closed in the middle."""
_OF_OPERATIONS: Final = {"executions": "{execution}", "answers": "{answer}", "errors": "{error}"}
"""Counters of an operation, with their units."""


@dataclass(frozen=True, slots=True)
class Count:
    """Something that is counted."""

    name: str
    unit: str
    """In the words of OpenTelemetry: `s` for seconds, or what is counted in braces."""
    description: str
    is_growing: bool
    """Whether it only grows, from the orbiter's making on."""
    read: Callable[[Orbiter], Iterable[Reading]]


class Watched:
    """The orbiters of which counts are read; it keeps none of them alive.

    Of several with one role and identifier, the one that was added last counts.
    """

    def __init__(self) -> None:
        """Watch none."""
        self._references: list[weakref.ref[Orbiter]] = []

    def add(self, orbiters: Iterable[Orbiter]) -> None:
        """Watch more orbiters."""
        alive = [reference for reference in self._references if reference() is not None]
        self._references = [*alive, *map(weakref.ref, orbiters)]

    def __iter__(self) -> Iterator[Orbiter]:
        """Give those that are still there."""
        orbiters = (reference() for reference in self._references)
        return iter({(role_of(one), one.identifier): one for one in orbiters if one is not None}.values())

    def read(self, count: Count) -> Iterator[tuple[Orbiter, str | None, float]]:
        """Give the values of one count: the orbiter, the operation if there is one, and the value."""
        for orbiter in self:
            for operation, value in count.read(orbiter):
                yield orbiter, operation, value


def role_of(orbiter: Orbiter) -> str:
    """Return the role of an orbiter, as metrics and spans have it."""
    return names.CORE if isinstance(orbiter, Core) else names.PLUGIN


def _of_operations(field: str) -> Callable[[Orbiter], Iterable[Reading]]:
    return lambda orbiter: [(name, getattr(one, field)) for name, one in orbiter.operation_statistics.items()]


def _of_orbiter(field: str) -> Callable[[Orbiter], Iterable[Reading]]:
    return lambda orbiter: [(None, getattr(orbiter.statistics, field))]


def _of_bus(field: str) -> Callable[[Orbiter], Iterable[Reading]]:
    return lambda orbiter: [(None, getattr(orbiter.eventbus_client.statistics, field))]


def _connections(orbiter: Orbiter) -> Iterable[Reading]:
    for _ in range(_ATTEMPTS):
        # The event loop may open or close one in the middle.
        with suppress(RuntimeError):
            return list(Counter(one.operation_name for one in orbiter.retrieve_connections()).items())
    return []


def _running(orbiter: Orbiter) -> Iterable[Reading]:
    return [(None, int(orbiter.is_running))]


def _compliance(orbiter: Orbiter) -> Iterable[Reading]:
    return [(None, int(orbiter.state is CoreState.COMPLIANT))] if isinstance(orbiter, Core) else []


def _dropped_answers(orbiter: Orbiter) -> Iterable[Reading]:
    return [(None, orbiter.dropped_answers)] if isinstance(orbiter, Core) else []


def _descriptions(of: type[object]) -> Mapping[str, str]:
    """Return what a class says of its fields, in the text behind each; nothing where its source is not there."""
    try:
        (body,) = ast.parse(textwrap.dedent(inspect.getsource(of))).body
    except (OSError, SyntaxError):
        return {}
    found: dict[str, str] = {}
    previous: ast.stmt | None = None
    for statement in body.body if isinstance(body, ast.ClassDef) else []:
        match previous, statement:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = " ".join(text.split())
            case _:
                pass
        previous = statement
    return found


def _counters(
    of: type[object], prefix: str, read: Callable[[str], Callable[[Orbiter], Iterable[Reading]]]
) -> list[Count]:
    said = _descriptions(of)
    return [
        Count(f"{prefix}{one.name}", "{event}", said.get(one.name, ""), one.name not in _FALLING, read(one.name))
        for one in fields(of)  # type: ignore[arg-type]  # all of them are dataclasses
    ]


def _all_counts() -> Iterator[Count]:
    said = _descriptions(OperationStatistics)
    for name, unit in _OF_OPERATIONS.items():
        yield Count(names.OPERATION_METRIC + name, unit, said.get(name, ""), True, _of_operations(name))
    seconds = "seconds_in_handler"
    yield Count(names.HANDLER_TIME_METRIC, "s", said.get(seconds, ""), True, _of_operations(seconds))
    yield from _counters(OrbiterStatistics, names.ORBITER_METRIC, _of_orbiter)
    yield from _counters(BusStatistics, names.BUS_METRIC, _of_bus)
    dropped = "Answers that a core has received for which nobody waited any more: late ones and duplicates."
    yield Count(names.DROPPED_ANSWERS_METRIC, "{answer}", dropped, True, _dropped_answers)
    yield Count(names.CONNECTIONS_METRIC, "{connection}", "Open connections.", False, _connections)
    yield Count(names.RUNNING_METRIC, "", "Whether an orbiter runs: 1, or 0.", False, _running)
    yield Count(names.COMPLIANT_METRIC, "", "Whether a core is compliant: 1, or 0.", False, _compliance)


COUNTS: Final = tuple(_all_counts())
"""All counts."""
