"""What arrives on connections: inputs at a plugin, outputs at a core."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from orbitalis.bus.event_handler import EventHandler
from orbitalis.message.event import Event
from orbitalis.message.payload import kind_of
from orbitalis.orbiter.whereabouts import Whereabouts
from orbitalis.protocol.orbiter import OrbiterProtocol
from orbitalis.protocol.slot import Slot
from orbitalis_wire.messages import OperationErrorMessage

if TYPE_CHECKING:
    from orbitalis.orbiter.orbiter import Orbiter

__all__ = ["ConnectionData"]

# pyright: reportPrivateUsage=false
# The orbiter's hooks are private to users, who override but do not call them. This module does.


class ConnectionData(EventHandler):
    """Takes the inputs or outputs of an orbiter's connections, and hands each to the user once.

    A plugin may send outputs as soon as it has a connection; another topic brings its confirm. What comes before the
    confirm waits for that, with all that follows it on the same topic, for as long as the request is kept. How much
    may wait is bounded by the bounds of the bus client's queues.
    """

    def __init__(
        self, orbiter: Orbiter, protocol: OrbiterProtocol, whereabouts: Whereabouts, complain: Callable[..., None]
    ) -> None:
        """Take data for an orbiter; `complain` logs what is not taken, given a text, its arguments and fields."""
        self._orbiter = orbiter
        self._protocol = protocol
        self._whereabouts = whereabouts
        self._complain = complain
        self._undecided: dict[Slot, asyncio.Event] = {}
        """By request for which data has come: set once it is a connection, or nothing."""

    def slots_of(self, topic: str, event: Event[Any]) -> list[Slot]:
        """Return the connections, under way or open, that an input or output from the bus may belong to."""
        identifier = event.envelope.connection_identifier
        return [
            slot
            for slot in self._protocol.slots.of_topic(topic)
            if slot.data_topic == topic
            and identifier in (None, slot.connection_identifier)
            and event.origin == self._whereabouts.bus_of(slot.remote_identifier)
        ]

    def is_busy(self, slot: Slot) -> bool:
        """Return whether an input or output of a connection is being handled or waits for it."""
        return slot.data_topic is not None and self._orbiter.eventbus_client.is_busy(slot.data_topic)

    async def handled(self, slot: Slot) -> None:
        """Wait until no input or output of a connection is being handled or waits for it."""
        if slot.data_topic is not None:
            await self._orbiter.eventbus_client.drained(slot.data_topic)

    def decided(self, slot: Slot) -> None:
        """Take the report that a request has become a connection, or come to nothing."""
        undecided = self._undecided.pop(slot, None)
        if undecided is not None:
            undecided.set()

    def takes(self, topic: str, message_class: type[object]) -> bool:
        """Return whether a connection carries messages of a class; an error is an answer of any operation."""
        return message_class is OperationErrorMessage or any(
            slot.data_topic == topic and self._orbiter._data_of(slot).accepts_class(message_class)
            for slot in self._protocol.slots.of_topic(topic)
        )

    def take_at_once(self, topic: str, event: Event[Any]) -> bool:
        """Take what must not wait for its turn; return whether it was that."""
        return self._orbiter._on_data_arrival(topic, event)

    async def handle(self, topic: str, event: Event[Any]) -> None:
        """Take an input or output from the bus, and hand it to the user once."""
        for slot in self.slots_of(topic, event):
            if not self._orbiter._data_of(slot).accepts_payload(event.payload):
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
                continue
            if self._protocol.is_ahead_of_confirm(slot, event.envelope):
                await self._undecided.setdefault(slot, asyncio.Event()).wait()
            now = asyncio.get_running_loop().time
            if self._protocol.data_received(slot, event.envelope, now()):
                try:
                    await self._orbiter._on_data(slot, topic, event)
                finally:
                    self._protocol.touch(slot, now())
                return

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._orbiter.identifier!r})"
