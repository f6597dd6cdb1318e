"""What must hold of the data of connections in a simulation: S9, it is handled at most once."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from orbitalis.message.event import Event
from orbitalis.operations.connection import Connection
from orbitalis.orbiter import Orbiter

__all__ = ["check_numbers", "watch_data"]


def watch_data(orbiter: Orbiter, on_fault: Callable[[str], None]) -> None:
    """Call `on_fault` where an input or output is handed to an orbiter's user twice, or a sink gets an answer: S9."""
    handled: set[str] = set()
    delivery = orbiter._runtime.delivery
    calls = delivery._calls

    def watched(
        one: object, connection: Connection, topic: str, event: Event[Any]
    ) -> Coroutine[Any, Any, object] | None:
        if event.identifier in handled:
            on_fault(f"S9: '{orbiter.identifier}' handles event {event.identifier} twice")
        handled.add(event.identifier)
        return calls.handle(one, connection, topic, event)

    delivery._calls = replace(calls, handle=watched)


def check_numbers(numbers: dict[tuple[str, str | None, int], str], topic: str, event: Event[Any]) -> None:
    """Fail if two events that go out on a connection have one number, of which the receiver would drop one: S9."""
    if event.sequence_number is not None:
        key = topic, event.connection_identifier, event.sequence_number
        first = numbers.setdefault(key, event.identifier)
        assert first == event.identifier, f"S9: {first} and {event.identifier} on {topic} have one number"
