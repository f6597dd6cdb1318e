"""What an orbiter knows of one operation shared with one remote, and the indexes in which it finds it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from sys import getsizeof
from types import MappingProxyType
from typing import Final, final

from orbitalis.message.matching import ForeignSchema
from orbitalis.message.schema import Input, Output
from orbitalis.protocol.deadlines import Deadline
from orbitalis.protocol.sequence import SequenceWindow
from orbitalis.protocol.transitions import Role, SlotState, SlotTrigger, next_slot_state

__all__ = ["RemoteClose", "Slot", "SlotTable", "size_of_request"]

_NONE: Final[Mapping[str, Slot]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteClose:
    """A graceful close of the remote's that is to be acknowledged."""

    event_identifier: str
    ack_topic: str
    data: bytes | None


@final
@dataclass(slots=True, kw_only=True, eq=False)
class Slot:
    """A handshake under way, then a connection. Times are seconds on the clock of the machine's caller."""

    role: Role
    remote_identifier: str
    operation_name: str
    input: Input
    """What the core may send: what the plugin accepts, with the schemas of this side."""
    output: Output
    """What the plugin may send, with the schemas of this side."""
    input_schemas: tuple[str, ...] = ()
    """Core: the schemas with which it writes inputs, if these are not those that were offered."""
    foreign: Mapping[str, ForeignSchema] | None = None
    """The schemas with which the remote writes, as far as they are none of this side, by fingerprint."""
    created_at: float
    waiting_since: float
    """When the last message of the handshake was sent or received: from then on the next one is waited for."""
    connection_identifier: str = ""
    """Chosen by the core; empty before its request."""
    state: SlotState = SlotState.FREE
    opened_at: float = 0.0
    last_used: float = 0.0
    closing_at: float | None = None
    """When this side's graceful close was sent, or the remote's was received."""
    missed_at: float | None = None
    """When a keepalive of the remote first failed to list this connection."""
    due_at: float | None = None
    """When something is due for it: its expiry, the end of a close, or a look whether it is used."""
    deadline: Deadline | None = None
    offer_identifiers: tuple[str, ...] = ()
    """Identifiers of the last events with an offer for this slot, sent (plugin) or received (core), newest last."""
    request_identifier: str | None = None
    """Identifier of the event with the request, received (plugin) or sent (core)."""
    request_publisher: str | None = None
    """Plugin: the bus client that published the request, where the core is an older one."""
    peer_topic: str = ""
    """Where the handshake's next message goes: requests and rejects (core) or confirms (plugin)."""
    input_topic: str | None = None
    output_topic: str | None = None
    incoming_close_topic: str = ""
    """Where closes from the remote arrive."""
    remote_close_topic: str = ""
    """Where closes for the remote go."""
    ack_topic: str | None = None
    """Where the acknowledgement of this side's graceful close arrives."""
    setup_data: bytes | None = None
    close_data: bytes | None = None
    """What this side's graceful close carried."""
    remote_close: RemoteClose | None = None
    """The remote's graceful close, while this side is draining."""
    size: int = 0
    """Bytes of the messages that it keeps parts of; counted by :class:`SlotTable`."""
    received: SequenceWindow | None = None
    """Which numbered inputs (plugin) or outputs (core) of the connection have come; `None` before the first."""
    view: object = None
    """What the machine's caller keeps beside it: a pending request or connection as users see it."""

    @property
    def is_open(self) -> bool:
        """Whether this is a connection that may be used."""
        return self.state is SlotState.OPEN

    @property
    def is_connection(self) -> bool:
        """Whether this is a connection, also one that is closing."""
        return self.state in _CONNECTIONS

    @property
    def is_ending(self) -> bool:
        """Whether this is a connection that a graceful close, of either side, is about to end."""
        return self.state is SlotState.CLOSING or self.state is SlotState.DRAINING

    @property
    def is_answerable(self) -> bool:
        """Whether this is a connection that may be used, or a plugin's of which the core waits for the last outputs."""
        return self.state is SlotState.OPEN or (self.state is SlotState.DRAINING and self.role is Role.PLUGIN)

    @property
    def key(self) -> tuple[str, str]:
        """Remote identifier and operation name."""
        return self.remote_identifier, self.operation_name

    @property
    def data_topic(self) -> str | None:
        """The topic on which inputs (plugin) or outputs (core) arrive here, if there are any."""
        return self.output_topic if self.role is Role.CORE else self.input_topic

    @property
    def outgoing_data_topic(self) -> str | None:
        """The topic to which inputs (core) or outputs (plugin) go from here, if there are any."""
        return self.input_topic if self.role is Role.CORE else self.output_topic

    @property
    def local_topics(self) -> tuple[str, ...]:
        """The topics that this side is subscribed to for this slot, without that of the acknowledgement."""
        data = self.output_topic if self.role is Role.CORE else self.input_topic
        return (self.incoming_close_topic,) if data is None else (data, self.incoming_close_topic)


_opened_at: Final = attrgetter("opened_at")
_CONNECTIONS: Final = frozenset((SlotState.OPEN, SlotState.CLOSING, SlotState.DRAINING))


@dataclass(slots=True)
class _OfOperation:
    """The slots of one operation, by remote."""

    slots: dict[str, Slot] = field(default_factory=dict[str, Slot])
    open_count: int = 0
    """How many of them are open connections."""
    open_in_order: tuple[Slot, ...] | None = None
    """The open connections, oldest first, until one comes or goes."""
    open_by_input: tuple[tuple[Slot, ...], ...] | None = None
    """Those of them that take inputs, until then: those that accept the same together."""


class SlotTable:
    """All slots that are not free, found by remote, by operation and by topic without a search."""

    def __init__(self) -> None:
        self._by_remote: dict[str, dict[str, Slot]] = {}
        self._by_operation: dict[str, _OfOperation] = {}
        self._by_topic: dict[str, Slot | tuple[Slot, ...]] = {}
        """One slot, or, where a layout shares topics, several."""
        self._count = 0
        self.pending_count = 0
        """How many are handshakes, not yet connections."""
        self.pending_bytes = 0
        """How much memory is taken by what their remotes have told."""
        self.connection_bytes = 0
        """The same for connections."""
        self._unanswered: dict[Slot, None] = {}

    @property
    def connection_count(self) -> int:
        """How many are connections, also those that are closing."""
        return self._count - self.pending_count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Slot]:
        return iter([slot for of_remote in self._by_remote.values() for slot in of_remote.values()])

    def get(self, remote_identifier: str, operation_name: str) -> Slot | None:
        """Return the slot of this remote and operation."""
        of_remote = self._by_remote.get(remote_identifier)
        return None if of_remote is None else of_remote.get(operation_name)

    def with_remote(self, remote_identifier: str) -> Mapping[str, Slot]:
        """Return all slots with one remote by operation, to look at; it changes with them."""
        return self._by_remote.get(remote_identifier, _NONE)

    def of_remote(self, remote_identifier: str) -> tuple[Slot, ...]:
        """Return all slots with one remote."""
        return tuple(self._by_remote.get(remote_identifier, _NONE).values())

    def of_topic(self, topic: str) -> tuple[Slot, ...]:
        """Return the slots that use `topic` for their input, output or incoming closes."""
        if topic not in self._by_topic:
            return ()
        found = self._by_topic[topic]
        return (found,) if type(found) is Slot else found

    def count(self, operation_name: str) -> int:
        """Return how many slots of an operation are taken, in any state."""
        found = self._by_operation.get(operation_name)
        return len(found.slots) if found else 0

    def of_operation(self, operation_name: str) -> tuple[Slot, ...]:
        """Return all slots of an operation."""
        found = self._by_operation.get(operation_name)
        return tuple(found.slots.values()) if found else ()

    def open_of_operation(self, operation_name: str) -> tuple[Slot, ...]:
        """Return the open connections of an operation, oldest first."""
        found = self._by_operation.get(operation_name)
        if found is None:
            return ()
        if found.open_in_order is None:
            opened = [slot for slot in found.slots.values() if slot.state is SlotState.OPEN]
            found.open_in_order = tuple(sorted(opened, key=_opened_at))
        return found.open_in_order

    def open_by_input(self, operation_name: str) -> tuple[tuple[Slot, ...], ...]:
        """Return the open connections of an operation that take inputs, those that accept the same together."""
        found = self._by_operation.get(operation_name)
        if found is None:
            return ()
        if found.open_by_input is None:
            groups: dict[Hashable, list[Slot]] = {}
            for slot in self.open_of_operation(operation_name):
                if slot.input_topic is not None:
                    accepts = slot.input
                    key = tuple(accepts.schemas), accepts.support_empty_schema, accepts.support_undefined_schema
                    groups.setdefault(key, []).append(slot)
            found.open_by_input = tuple(tuple(group) for group in groups.values())
        return found.open_by_input

    def answerable_of_operation(self, operation_name: str) -> tuple[Slot, ...]:
        """Return the connections of an operation that outputs may be sent on, oldest first."""
        found = self._by_operation.get(operation_name)
        if found is None or found.open_count == len(found.slots):
            return self.open_of_operation(operation_name)
        answerable = (slot for slot in found.slots.values() if slot.is_answerable)
        return tuple(sorted(answerable, key=_opened_at))

    def open_count(self, operation_name: str) -> int:
        """Return how many open connections an operation has."""
        found = self._by_operation.get(operation_name)
        return found.open_count if found else 0

    def oldest_unanswered(self) -> Slot | None:
        """Return the offer or request that has been unanswered for longest, without those that were spared."""
        return next(iter(self._unanswered), None)

    def spare(self, slot: Slot) -> None:
        """Let an unanswered offer or request count as the newest."""
        self._unanswered[slot] = self._unanswered.pop(slot)

    def remote_count(self) -> int:
        """Return with how many remotes there is a slot."""
        return len(self._by_remote)

    def remotes(self) -> tuple[str, ...]:
        """Return the identifiers of all remotes with a slot."""
        return tuple(self._by_remote)

    def has_remote(self, remote_identifier: str) -> bool:
        """Return whether there is any slot with this remote."""
        return remote_identifier in self._by_remote

    # Changes

    def add(self, slot: Slot, trigger: SlotTrigger) -> None:
        """Take a free slot in, with what makes it no longer free.

        Raises:
            LocalProtocolError: A free slot has no such transition.
        """
        slot.state = next_slot_state(slot.role, slot.state, trigger)
        remote, operation = slot.remote_identifier, slot.operation_name
        of_remote = self._by_remote.get(remote)
        if of_remote is None:
            self._by_remote[remote] = {operation: slot}
        else:
            of_remote[operation] = slot
        of_operation = self._by_operation.get(operation)
        if of_operation is None:
            of_operation = self._by_operation[operation] = _OfOperation()
        of_operation.slots[remote] = slot
        self._count += 1
        self.pending_count += 1
        self.pending_bytes += slot.size
        if slot.state is not SlotState.PREPARING:
            self._unanswered[slot] = None

    def grow(self, slot: Slot, size: int) -> None:
        """Count what a slot keeps of one more message."""
        slot.size += size
        if slot.state in _CONNECTIONS:
            self.connection_bytes += size
        else:
            self.pending_bytes += size

    def index_topics(self, slot: Slot) -> None:
        """Let :meth:`of_topic` find a slot by the topics that it has by now."""
        for topic in (slot.input_topic, slot.output_topic, slot.incoming_close_topic):
            if topic:
                if topic not in self._by_topic:
                    self._by_topic[topic] = slot
                elif (found := self._by_topic[topic]) is not slot:
                    others = (found,) if isinstance(found, Slot) else found
                    if slot not in others:
                        self._by_topic[topic] = (*others, slot)

    def advance(self, slot: Slot, trigger: SlotTrigger) -> None:
        """Let `trigger` happen to a slot, and forget it if that makes it free.

        Raises:
            LocalProtocolError: Its state has no such transition; nothing has changed then.
        """
        before = slot.state
        slot.state = state = next_slot_state(slot.role, before, trigger)
        was_connection = before in _CONNECTIONS
        if state is SlotState.OPEN:
            of_operation = self._by_operation[slot.operation_name]
            of_operation.open_count += 1
            of_operation.open_in_order = of_operation.open_by_input = None
        elif before is SlotState.OPEN:
            of_operation = self._by_operation[slot.operation_name]
            of_operation.open_count -= 1
            of_operation.open_in_order = of_operation.open_by_input = None
        if not was_connection:
            if state is SlotState.REQUESTED:
                self._unanswered[slot] = None
            elif slot in self._unanswered:
                del self._unanswered[slot]
                if not self._unanswered:
                    self._unanswered = {}  # gives back the room that it has had
            if state is not SlotState.PREPARING and state is not SlotState.REQUESTED:
                self.pending_count -= 1
                self.pending_bytes -= slot.size
                if state is not SlotState.FREE:
                    self.connection_bytes += slot.size
        if state is SlotState.FREE:
            if was_connection:
                self.connection_bytes -= slot.size
            self._forget(slot)

    def _forget(self, slot: Slot) -> None:
        remote, operation = slot.remote_identifier, slot.operation_name
        self._count -= 1
        of_remote = self._by_remote[remote]
        del of_remote[operation]
        if not of_remote:
            del self._by_remote[remote]
        of_operation = self._by_operation[operation]
        del of_operation.slots[remote]
        if not of_operation.slots:
            del self._by_operation[operation]
        for topic in (slot.input_topic, slot.output_topic, slot.incoming_close_topic):
            found = self._by_topic.get(topic) if topic else None
            if topic and found is slot:
                del self._by_topic[topic]
            elif topic and found is not None and not isinstance(found, Slot):
                left = tuple(other for other in found if other is not slot)
                self._by_topic[topic] = left[0] if len(left) == 1 else left


def size_of_request(slot: Slot) -> int:
    """Return how many bytes a slot takes that it has from a request: identifiers, topics and setup data."""
    told = (
        slot.connection_identifier,
        slot.request_identifier,
        slot.request_publisher,
        slot.peer_topic,
        slot.output_topic,
        slot.remote_close_topic,
        slot.input_topic,
        slot.incoming_close_topic,
        slot.setup_data,
    )
    return sum(map(getsizeof, told))
