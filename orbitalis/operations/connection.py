"""The views of a slot for users: :class:`PendingRequest` before the confirm, :class:`Connection` after it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from orbitalis.message.schema import Input, Output
from orbitalis.protocol.sequence import SentNumbers
from orbitalis.protocol.slots import Slot
from orbitalis.protocol.transitions import SlotState
from orbitalis_wire.channels import Channel
from orbitalis_wire.envelope import Encoding

__all__ = ["Connection", "PendingRequest", "PublishHeaders", "fields_of"]


def fields_of(slot: Slot) -> dict[str, str]:
    """Return the fields of a log line about a slot, apart from the orbiter."""
    return {
        "remote": slot.remote_identifier,
        "operation": slot.operation_name,
        "connection": slot.connection_identifier,
    }


# Not frozen: making one that is takes a call for each field, and each connection has one at either side.
@dataclass(slots=True, kw_only=True)
class PublishHeaders:
    """The headers of the inputs or outputs that this side sends on a connection, and how it publishes them."""

    encoding: Encoding = Encoding.JSON
    protocol_version: int | None = None
    incarnation: str | None = None
    connection_identifier: str | None = None
    readable_encodings: tuple[str, ...] | None = None
    channel: Channel
    """The channel, which says the quality of service."""
    bus: str | None = None
    """For a client on several buses: the name of the bus on which the other side is."""
    numbers: SentNumbers | None = None
    """Sequence numbers of the data that was sent on the connection. `None` if there is no connection."""


class _SlotView:
    """The common base of pending requests and connections."""

    __slots__ = ("_clock", "_lock", "slot")

    def __init__(self, slot: Slot, clock: Callable[[], float]) -> None:
        self.slot = slot
        """The slot of the state machine."""
        self._clock = clock
        self._lock: asyncio.Lock | None = None

    @property
    def lock(self) -> asyncio.Lock:
        """A lock for users, to synchronize uses. Orbitalis does not hold it while it calls your code."""
        if self._lock is None:
            self._lock = asyncio.Lock()
        return self._lock

    @property
    def operation_name(self) -> str:
        """Name of the operation."""
        return self.slot.operation_name

    @property
    def remote_identifier(self) -> str:
        """Identifier of the other side."""
        return self.slot.remote_identifier

    @property
    def connection_identifier(self) -> str:
        """Identifier that the core has given to this connection. It is also a header of events."""
        return self.slot.connection_identifier

    @property
    def incoming_close_connection_topic(self) -> str:
        """Topic on which closes from the remote arrive."""
        return self.slot.incoming_close_topic

    @property
    def close_connection_to_remote_topic(self) -> str:
        """Topic to which closes for the remote go."""
        return self.slot.remote_close_topic

    @property
    def input(self) -> Input:
        """The inputs that the connection accepts, with the schemas of this side.

        A core may send these inputs, and a plugin gets them. The other side may have other schemas for them.
        """
        return self.slot.input

    @property
    def output(self) -> Output:
        """The outputs that the connection may carry, with the schemas of this side.

        A core gets these outputs, and a plugin may send them. The other side may have other schemas for them.
        """
        return self.slot.output

    @property
    def input_topic(self) -> str | None:
        """Topic of inputs, or `None` if the operation has no input."""
        return self.slot.input_topic

    @property
    def output_topic(self) -> str | None:
        """Topic of outputs, or `None` if the core takes no outputs."""
        return self.slot.output_topic

    @property
    def created_at(self) -> datetime:
        """When it was created, in UTC."""
        return self._moment(self.slot.created_at)

    def _moment(self, at: float) -> datetime:
        return datetime.now(UTC) - timedelta(seconds=self._clock() - at)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.remote_identifier!r}, {self.operation_name!r}, {self.slot.state.value})"


class PendingRequest(_SlotView):
    """An offer or a request that is not answered yet."""

    __slots__ = ()


class Connection(_SlotView):
    """A connection of a core and a plugin for one operation, seen from one side."""

    __slots__ = ("headers",)

    def __init__(self, slot: Slot, clock: Callable[[], float], headers: PublishHeaders) -> None:
        self.slot = slot
        self._clock = clock
        self._lock = None
        self.headers = headers
        """Headers of the inputs or outputs that this side sends. Other connections may have the same topic."""

    @property
    def has_input(self) -> bool:
        """Whether inputs can be sent."""
        return self.input_topic is not None

    @property
    def has_output(self) -> bool:
        """Whether outputs can be sent."""
        return self.output_topic is not None

    @property
    def created_at(self) -> datetime:
        """When the connection was opened, in UTC."""
        return self._moment(self.slot.opened_at)

    @property
    def last_use(self) -> datetime:
        """When the connection was last used, or opened if it was not used yet, in UTC."""
        return self._moment(self.slot.last_used)

    @property
    def soft_closed_at(self) -> datetime | None:
        """When a graceful close was sent, in UTC, or `None` if no graceful close is under way."""
        at = self.slot.closing_at
        return None if at is None or not self.is_soft_closed else self._moment(at)

    @property
    def is_soft_closed(self) -> bool:
        """Whether a graceful close is under way."""
        return self.slot.state is SlotState.CLOSING

    @property
    def is_open(self) -> bool:
        """Whether the connection can be used."""
        return self.slot.is_open

    @property
    def can_answer(self) -> bool:
        """Whether the remote still takes outputs: the connection is open, or is being closed gracefully."""
        return self.slot.is_connection

    @property
    def missing(self) -> int:
        """Number of missing inputs (at a plugin) or outputs (at a core), as sequence numbers show.

        They were published while this side or the bus was away, or were lost on the way. If one arrives late, it is not
        counted any more.
        """
        return 0 if self.slot.received is None else self.slot.received.missing

    def touch(self) -> None:
        """Mark the connection as used now."""
        self.slot.last_used = self._clock()
