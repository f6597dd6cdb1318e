"""Delivery of data: inputs that arrive at a plugin, and outputs that arrive at a core."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from orbitalis.bus.client import EventBusClient
from orbitalis.bus.event_handler import EventHandler
from orbitalis.message.event import Event
from orbitalis.message.matching import read_foreign, reader_of
from orbitalis.message.payload import UndecodedPayload, kind_of
from orbitalis.operations.connection import Connection, fields_of
from orbitalis.orbiter.bus_locator import BusLocator
from orbitalis.protocol.machine import Machine
from orbitalis.protocol.sequence import SequenceWindow
from orbitalis.protocol.slots import Slot
from orbitalis.protocol.transitions import Role, SlotState
from orbitalis_avro.errors import DecodeError
from orbitalis_wire.messages import CancelInputMessage, OperationErrorMessage

if TYPE_CHECKING:
    from orbitalis.orbiter.role_calls import RoleCalls

__all__ = ["Delivery"]

_ABOUT_DATA: Final = (OperationErrorMessage, CancelInputMessage)
"""Classes of messages that any connection may carry besides its data."""


@dataclass(slots=True, eq=False, repr=False)
class Delivery(EventHandler):
    """Takes the inputs or outputs of an orbiter's connections, and hands each to the user at most once.

    Sequence numbers are checked when data arrives, in order, because some data is handled before earlier data.

    A plugin may send outputs as soon as it has a connection, and its confirm comes on another topic. Outputs that
    arrive before the confirm wait for it, together with all later ones on the same topic, as long as the request is
    kept. The bounds of the bus client's queues limit how much may wait.
    """

    is_urgent = True
    tells_refusals = True

    _identifier: str
    _client: EventBusClient
    _machine: Machine
    _locator: BusLocator
    _orbiter: object
    _calls: RoleCalls
    """The functions that get the data."""
    _complain: Callable[..., None]
    """Logs refused data. It takes a text, its arguments, and fields."""
    _now: Callable[[], float] = field(init=False)
    _takes_inputs: bool = field(init=False)
    _undecided: dict[Slot, asyncio.Event] = field(init=False, default_factory=dict[Slot, asyncio.Event])
    """By request for which data has come: set once it is a connection, or nothing."""

    def __post_init__(self) -> None:
        self._takes_inputs = self._machine.role is Role.PLUGIN

    def start(self, client: EventBusClient, now: Callable[[], float]) -> None:
        """Take data from this client from now on, at the times that `now` returns."""
        self._client, self._now = client, now

    def let_go(self) -> None:
        """Drop the data that waits in a closed event loop."""
        self._undecided.clear()

    def slots_of(self, topic: str, event: Event[Any]) -> Sequence[Slot]:
        """Return the connections, under way or open, that an input or output from the bus may belong to."""
        identifier, origin = event.connection_identifier, event.origin
        return [
            slot
            for slot in self._machine.slots.of_topic(topic)
            if (identifier is None or identifier == slot.connection_identifier)
            and (slot.output_topic if slot.role is Role.CORE else slot.input_topic) == topic
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
        """Note that a request has become a connection, or has failed."""
        if self._undecided:
            undecided = self._undecided.pop(slot, None)
            if undecided is not None:
                undecided.set()

    def takes(self, topic: str, message_class: type[object]) -> bool:
        """Return whether a connection carries messages of a class, or they are about what it carries."""
        return message_class in _ABOUT_DATA or any(
            slot.data_topic == topic
            and (slot.input if self._takes_inputs else slot.output).accepts_class(message_class)
            for slot in self._machine.slots.of_topic(topic)
        )

    def reader(self, topic: str, payload: UndecodedPayload) -> Callable[[], object] | None:
        """Return what reads a payload that the other side of a connection has written with a schema of its own."""
        for slot in self._machine.slots.of_topic(topic):
            if slot.data_topic == topic and slot.foreign and reader_of(slot.foreign, payload) is not None:
                return partial(read_foreign, slot.foreign, payload)
        return None

    def take_at_once(self, topic: str, event: Event[Any]) -> bool:
        """Handle data that must not wait, or that is a duplicate, and return whether this was such data."""
        slots, number = self.slots_of(topic, event), event.sequence_number
        if number is not None and event.connection_identifier is not None:
            for slot in slots:
                window = slot.received
                # In order, as nearly always, this takes no call.
                if window is not None and number == window.greatest + 1:
                    window.greatest = number
                    if window.absent:
                        window.shift()
                elif not self._admits(slot, number):
                    return True
        if self._takes_inputs and not event.answer_requested and type(event.payload) is not CancelInputMessage:
            return False  # as nearly all inputs
        return self._calls.take_at_once(self._orbiter, topic, event, slots)

    def dropped(self, topic: str, event: Event[Any]) -> None:
        """Note that an event was dropped because too many events wait."""
        number = event.sequence_number if event.connection_identifier is not None else None
        is_seen = type(event.payload) is not UndecodedPayload
        for slot in self.slots_of(topic, event):
            if is_seen or number is None or self._admits(slot, number):
                self._calls.dropped(self._orbiter, slot, event, True)

    def log_fields(self, topic: str) -> dict[str, str]:
        """Return log fields that name the connection of a topic. It may have ended already."""
        fields = {"orbiter": self._identifier}
        slot = next(iter(self._machine.slots.of_topic(topic)), None)
        if slot is not None:
            fields |= fields_of(slot)
        return fields

    def begin(self, topic: str, event: Event[Any]) -> Coroutine[Any, Any, object] | None:
        """Take an input or output from the bus, and return the user's handling of it."""
        slots = self.slots_of(topic, event)
        for slot in slots:
            mine = event
            failure: DecodeError | None = None
            carried = slot.input if self._takes_inputs else slot.output
            if not carried.accepts_payload(event.payload):
                try:
                    read = self.read(slot, event)
                except DecodeError as error:
                    failure = error
                else:
                    if read is None:
                        self._refuse(slot, topic, event)
                        continue
                    mine = read
            if slot.state is SlotState.REQUESTED and self._machine.is_ahead_of_confirm(slot, event):
                # Made at once: the confirm may come before the task begins that waits for it.
                undecided = self._undecided.setdefault(slot, asyncio.Event())
                return self._wait_for_confirm(undecided, topic, mine)
            connection = slot.view
            if self._machine.data_received(slot, event, self._now()) and type(connection) is Connection:
                if failure is not None:
                    return self._begin_unreadable(connection, topic, event, failure)
                return self._calls.handle(self._orbiter, connection, topic, mine)
        if event.answer_requested:
            for slot in slots:
                self._calls.dropped(self._orbiter, slot, event, False)
        return None

    def read(self, slot: Slot, event: Event[Any]) -> Event[Any] | None:
        """Return an event of a connection with a message of this side, where the other side wrote it with its schema.

        Raises:
            DecodeError: It is malformed, or has a value that the message class of this side cannot have.
        """
        if isinstance(event.payload, UndecodedPayload) and event.payload.refusal is not None:
            raise event.payload.refusal
        payload = None if slot.foreign is None else read_foreign(slot.foreign, event.payload)
        return None if payload is None else event.carrying(payload)

    async def handle(self, topic: str, event: Event[Any]) -> None:
        """Take an input or output, and wait until the user has handled it."""
        work = self.begin(topic, event)
        if work is not None:
            await work

    async def _wait_for_confirm(self, undecided: asyncio.Event, topic: str, event: Event[Any]) -> None:
        await undecided.wait()
        await self.handle(topic, event)

    def _admits(self, slot: Slot, number: int) -> bool:
        """Return whether the event with a number is new on a connection; count it, and tell of the first gap."""
        window, statistics = slot.received, self._machine.statistics
        if window is None:
            window = slot.received = SequenceWindow()
        before = window.missing
        if not window.admits(number):
            statistics.duplicates += 1
            return False
        statistics.missing += window.missing - before
        if window.missing > before and not window.is_gap_told:
            window.is_gap_told = True
            self._tell_gap(slot, window.missing)
        return True

    def _tell_gap(self, slot: Slot, missing: int) -> None:
        lost = self._client.statistics.reconnections
        self._complain(
            "%s has not got %d %s of operation %r from %r: %s. Further gaps of this connection are counted alone, in "
            "statistics.missing",
            missing,
            "inputs" if slot.role is Role.PLUGIN else "outputs",
            slot.operation_name,
            slot.remote_identifier,
            f"its connection with the bus was lost {lost} times, and the bus keeps nothing meanwhile"
            if lost
            else "the remote could not publish them, or the broker has dropped them, as it does where too much waits",
            **fields_of(slot),
        )

    def _refuse(self, slot: Slot, topic: str, event: Event[Any]) -> None:
        self._complain(
            "%s ignores %s on topic %r, which is not what operation %r of %r carries",
            kind_of(event.payload),
            topic,
            slot.operation_name,
            slot.remote_identifier,
            topic=topic,
            **fields_of(slot),
        )

    def _begin_unreadable(
        self, connection: Connection, topic: str, event: Event[Any], error: DecodeError
    ) -> Coroutine[Any, Any, object] | None:
        # What could not be decoded, the client has told.
        if not isinstance(event.payload, UndecodedPayload) or event.payload.refusal is None:
            self._complain(
                "%s ignores %s on topic %r, which its schema for operation %r of %r cannot hold: %s",
                kind_of(event.payload),
                topic,
                connection.operation_name,
                connection.remote_identifier,
                error,
                topic=topic,
                **fields_of(connection.slot),
            )
        return self._calls.unreadable(self._orbiter, connection, event, error)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._identifier!r})"
