"""What arrives on connections: inputs at a plugin, outputs at a core."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from orbitalis.bus.client import EventBusClient
from orbitalis.bus.event_handler import EventHandler
from orbitalis.message.event import Event
from orbitalis.message.payload import kind_of
from orbitalis.message.schema import SchemaSpec
from orbitalis.operations.connection import Connection
from orbitalis.orbiter.bus_locator import BusLocator
from orbitalis.protocol.machine import Machine
from orbitalis.protocol.slots import Slot
from orbitalis.protocol.transitions import SlotState
from orbitalis_wire.messages import OperationErrorMessage

__all__ = ["Delivery"]


class Delivery(EventHandler):
    """Takes the inputs or outputs of an orbiter's connections, and hands each to the user once.

    A plugin may send outputs as soon as it has a connection; another topic brings its confirm. What comes before the
    confirm waits for that, with all that follows it on the same topic, for as long as the request is kept. How much
    may wait is bounded by the bounds of the bus client's queues.
    """

    def __init__(
        self,
        identifier: str,
        client: EventBusClient,
        machine: Machine,
        locator: BusLocator,
        carries: Callable[[Slot], SchemaSpec],
        hand_over: Callable[[Connection, str, Event[Any]], Coroutine[Any, Any, object] | None],
        complain: Callable[..., None],
        take_at_once: Callable[[str, Event[Any]], bool] | None,
    ) -> None:
        """Take data for the orbiter with this identifier.

        `carries` says what may arrive on a connection, `hand_over` gives data to the user, and `complain` logs what is
        not taken, given a text, its arguments and fields. `take_at_once` takes data that must not wait for the handling
        of other data, and says whether it was that.
        """
        self._identifier = identifier
        self._client = client
        self._now: Callable[[], float]
        self._machine = machine
        self._locator = locator
        self._carries = carries
        self._hand_over = hand_over
        self._complain = complain
        self._take_at_once = take_at_once
        self.is_urgent = take_at_once is not None
        self._undecided: dict[Slot, asyncio.Event] = {}
        """By request for which data has come: set once it is a connection, or nothing."""

    def start(self, client: EventBusClient, now: Callable[[], float]) -> None:
        """Take data from this client from now on, at the times that `now` returns."""
        self._client, self._now = client, now

    def let_go(self) -> None:
        """Drop what waits in an event loop that is closed."""
        self._undecided.clear()

    def slots_of(self, topic: str, event: Event[Any]) -> list[Slot]:
        """Return the connections, under way or open, that an input or output from the bus may belong to."""
        identifier, origin = event.connection_identifier, event.origin
        return [
            slot
            for slot in self._machine.slots.of_topic(topic)
            if (identifier is None or identifier == slot.connection_identifier)
            and slot.data_topic == topic
            and (origin is None or origin == self._locator.bus_of(slot.remote_identifier))
        ]

    def is_busy(self, slot: Slot) -> bool:
        """Return whether an input or output of a connection is being handled or waits for it."""
        return slot.data_topic is not None and self._client.is_busy(slot.data_topic)

    async def handled(self, slot: Slot) -> None:
        """Wait until no input or output of a connection is being handled or waits for it."""
        if slot.data_topic is not None:
            await self._client.drained(slot.data_topic)

    def decided(self, slot: Slot) -> None:
        """Take the report that a request has become a connection, or come to nothing."""
        if self._undecided:
            undecided = self._undecided.pop(slot, None)
            if undecided is not None:
                undecided.set()

    def takes(self, topic: str, message_class: type[object]) -> bool:
        """Return whether a connection carries messages of a class; an error is an answer of any operation."""
        return message_class is OperationErrorMessage or any(
            slot.data_topic == topic and self._carries(slot).accepts_class(message_class)
            for slot in self._machine.slots.of_topic(topic)
        )

    def take_at_once(self, topic: str, event: Event[Any]) -> bool:
        """Take what must not wait for its turn; return whether it was that."""
        return self._take_at_once is not None and self._take_at_once(topic, event)

    def log_fields(self, topic: str) -> dict[str, str]:
        """Return of which connection a topic is, for the log; it may have ended meanwhile."""
        fields = {"orbiter": self._identifier}
        slot = next(iter(self._machine.slots.of_topic(topic)), None)
        if slot is not None:
            fields |= {
                "remote": slot.remote_identifier,
                "operation": slot.operation_name,
                "connection": slot.connection_identifier,
            }
        return fields

    def begin(self, topic: str, event: Event[Any]) -> Coroutine[Any, Any, object] | None:
        """Take an input or output from the bus, and return the user's handling of it."""
        for slot in self.slots_of(topic, event):
            if not self._carries(slot).accepts_payload(event.payload):
                self._refuse(slot, topic, event)
                continue
            if slot.state is SlotState.REQUESTED and self._machine.is_ahead_of_confirm(slot, event):
                # Made at once: the confirm may come before the task begins that waits for it.
                undecided = self._undecided.setdefault(slot, asyncio.Event())
                return self._wait_for_confirm(undecided, topic, event)
            if self._machine.data_received(slot, event, self._now()) and isinstance(slot.view, Connection):
                return self._hand_over(slot.view, topic, event)
        return None

    async def handle(self, topic: str, event: Event[Any]) -> None:
        """Take an input or output, and wait until the user has handled it."""
        work = self.begin(topic, event)
        if work is not None:
            await work

    async def _wait_for_confirm(self, undecided: asyncio.Event, topic: str, event: Event[Any]) -> None:
        await undecided.wait()
        await self.handle(topic, event)

    def _refuse(self, slot: Slot, topic: str, event: Event[Any]) -> None:
        self._complain(
            "%s ignores %s on topic %r, which is not what operation %r of %r carries",
            kind_of(event.payload),
            topic,
            slot.operation_name,
            slot.remote_identifier,
            topic=topic,
            remote=slot.remote_identifier,
            operation=slot.operation_name,
            connection=slot.connection_identifier,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._identifier!r})"
