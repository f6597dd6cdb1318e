"""What an orbiter knows of one operation shared with one remote, and the tables in which it finds it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from orbitalis.message.schema import Input, Output
from orbitalis.protocol.transitions import Role, SlotState, SlotTrigger, next_slot_state
from orbitalis.protocol.weight import weigh

__all__ = ["RemoteClose", "Slot", "SlotTable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteClose:
    """A graceful close of the remote's that is to be acknowledged."""

    event_identifier: str
    ack_topic: str
    data: bytes | None


@dataclass(slots=True, kw_only=True, eq=False)
class Slot:
    """A handshake under way, then a connection. Times are seconds on the clock of the machine's caller."""

    role: Role
    remote_identifier: str
    operation_name: str
    input: Input
    """What the plugin accepts."""
    output: Output
    """What the plugin sends."""
    created_at: float
    waiting_since: float = field(init=False)
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
    offer_identifiers: tuple[str, ...] = ()
    """Identifiers of the last events with an offer for this slot, sent (plugin) or received (core), newest last."""
    request_identifier: str | None = None
    """Identifier of the event with the request, received (plugin) or sent (core)."""
    reply_topic: str = ""
    """Core: where requests and rejects go."""
    response_topic: str = ""
    """Plugin: where confirms go."""
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
    weight: int = 0
    """Bytes that it takes; :class:`SlotTable` keeps it."""

    def __post_init__(self) -> None:
        self.waiting_since = self.created_at

    @property
    def is_open(self) -> bool:
        """Whether this is a connection that may be used."""
        return self.state is SlotState.OPEN

    @property
    def is_connection(self) -> bool:
        """Whether this is a connection, be it one that is closing."""
        return self.is_open or self.is_ending

    @property
    def is_ending(self) -> bool:
        """Whether this is a connection that a graceful close, of either side, is about to end."""
        return self.state in (SlotState.CLOSING, SlotState.DRAINING)

    @property
    def is_answerable(self) -> bool:
        """Whether this is a connection that may be used, or a plugin's of which the core waits for the last outputs."""
        return self.is_open or (self.state is SlotState.DRAINING and self.role is Role.PLUGIN)

    @property
    def key(self) -> tuple[str, str]:
        """Remote identifier and operation name."""
        return self.remote_identifier, self.operation_name

    @property
    def is_unanswered(self) -> bool:
        """Whether this is an offer or a request, and the remote's answer is to come."""
        return self.state in (SlotState.OFFERED, SlotState.REQUESTED)

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
        """The topics that this side has to be subscribed to for this slot, but for the acknowledgement's."""
        return tuple(topic for topic in (self.data_topic, self.incoming_close_topic) if topic)

    def advance(self, trigger: SlotTrigger) -> None:
        """Let `trigger` happen. Only :class:`SlotTable` calls this.

        Raises:
            LocalProtocolError: The state has no such transition.
        """
        self.state = next_slot_state(self.role, self.state, trigger)


@dataclass(slots=True)
class _OfOperation:
    """The slots of one operation."""

    by_remote: dict[str, Slot] = field(default_factory=dict[str, Slot])
    open: dict[str, Slot] = field(default_factory=dict[str, Slot])
    open_in_order: tuple[Slot, ...] | None = None
    """`open` as a tuple, until it changes."""
    draining: dict[str, Slot] = field(default_factory=dict[str, Slot])
    """Those that may be used for answers alone."""


class SlotTable:
    """All slots that are not free, found by remote, by operation and by topic without a search."""

    def __init__(self) -> None:
        self._by_key: dict[tuple[str, str], Slot] = {}
        self._by_remote: dict[str, dict[str, Slot]] = {}
        self._by_operation: dict[str, _OfOperation] = {}
        self._by_topic: dict[str, dict[tuple[str, str], Slot]] = {}
        self.pending_count = 0
        """How many are handshakes, not yet connections."""
        self.pending_bytes = 0
        """How much memory is taken by what their remotes have told."""
        self.connection_bytes = 0
        """The same for connections."""
        self._unanswered: dict[tuple[str, str], Slot] = {}

    def __len__(self) -> int:
        return len(self._by_key)

    def __iter__(self) -> Iterator[Slot]:
        return iter(tuple(self._by_key.values()))

    def get(self, remote_identifier: str, operation_name: str) -> Slot | None:
        """Return the slot of this remote and operation."""
        return self._by_key.get((remote_identifier, operation_name))

    def of_remote(self, remote_identifier: str) -> tuple[Slot, ...]:
        """Return all slots with one remote."""
        return tuple(self._by_remote.get(remote_identifier, {}).values())

    def of_topic(self, topic: str) -> tuple[Slot, ...]:
        """Return the slots that use `topic` for their input, output or incoming closes."""
        return tuple(self._by_topic.get(topic, {}).values())

    def count(self, operation_name: str) -> int:
        """Return how many slots of an operation are taken, in whatever state."""
        found = self._by_operation.get(operation_name)
        return len(found.by_remote) if found else 0

    def of_operation(self, operation_name: str) -> tuple[Slot, ...]:
        """Return all slots of an operation."""
        found = self._by_operation.get(operation_name)
        return tuple(found.by_remote.values()) if found else ()

    def open_of_operation(self, operation_name: str) -> tuple[Slot, ...]:
        """Return the open connections of an operation, oldest first."""
        found = self._by_operation.get(operation_name)
        if found is None:
            return ()
        if found.open_in_order is None:
            found.open_in_order = tuple(found.open.values())
        return found.open_in_order

    def answerable_of_operation(self, operation_name: str) -> tuple[Slot, ...]:
        """Return the connections of an operation that outputs may be sent on, oldest first."""
        found = self._by_operation.get(operation_name)
        opened = self.open_of_operation(operation_name)
        if found is None or not found.draining:
            return opened
        return tuple(sorted((*found.draining.values(), *opened), key=lambda slot: slot.opened_at))

    def has_open(self, operation_name: str, remote_identifier: str) -> bool:
        """Return whether an operation has an open connection with a remote."""
        found = self._by_operation.get(operation_name)
        return found is not None and remote_identifier in found.open

    def oldest_unanswered(self) -> Slot | None:
        """Return the offer or request that has been unanswered for longest, but for those that were spared."""
        return next(iter(self._unanswered.values()), None)

    def spare(self, slot: Slot) -> None:
        """Let an unanswered offer or request count as the newest."""
        self._unanswered[slot.key] = self._unanswered.pop(slot.key)

    def remote_count(self) -> int:
        """Return with how many remotes there is a slot."""
        return len(self._by_remote)

    def remotes(self) -> tuple[str, ...]:
        """Return the identifiers of all remotes with a slot."""
        return tuple(self._by_remote)

    def has_remote(self, remote_identifier: str) -> bool:
        """Return whether there is any slot with this remote."""
        return remote_identifier in self._by_remote

    def add(self, slot: Slot, trigger: SlotTrigger) -> None:
        """Take a free slot in, with what makes it no longer free.

        Raises:
            LocalProtocolError: A free slot has no such transition.
        """
        slot.advance(trigger)
        self._by_key[slot.key] = slot
        self._by_remote.setdefault(slot.remote_identifier, {})[slot.operation_name] = slot
        self._by_operation.setdefault(slot.operation_name, _OfOperation()).by_remote[slot.remote_identifier] = slot
        self.pending_count += 1
        self._weigh(slot)
        if slot.is_unanswered:
            self._unanswered[slot.key] = slot

    def index_topics(self, slot: Slot) -> None:
        """Let :meth:`of_topic` find a slot by the topics it has by now, and count what it takes with them."""
        self._discount(slot, slot.is_connection)
        self._weigh(slot)
        for topic in (slot.input_topic, slot.output_topic, slot.incoming_close_topic):
            if topic:
                self._by_topic.setdefault(topic, {})[slot.key] = slot

    def advance(self, slot: Slot, trigger: SlotTrigger) -> None:
        """Let `trigger` happen to a slot, and forget it if that makes it free.

        Raises:
            LocalProtocolError: Its state has no such transition; nothing has changed then.
        """
        was_connection = slot.is_connection
        slot.advance(trigger)
        of_operation = self._by_operation[slot.operation_name]
        if slot.is_connection and not was_connection:
            self.pending_count -= 1
            self._discount(slot, was_connection)
            self._weigh(slot)
        if slot.is_unanswered:
            self._unanswered[slot.key] = slot
        else:
            self._unanswered.pop(slot.key, None)
        if slot.is_open:
            of_operation.open[slot.remote_identifier] = slot
        else:
            of_operation.open.pop(slot.remote_identifier, None)
        of_operation.open_in_order = None
        if slot.is_answerable and not slot.is_open:
            of_operation.draining[slot.remote_identifier] = slot
        else:
            of_operation.draining.pop(slot.remote_identifier, None)
        if slot.state is SlotState.FREE:
            if not was_connection:
                self.pending_count -= 1
            self._discount(slot, was_connection)
            self._forget(slot, of_operation)

    def _weigh(self, slot: Slot) -> None:
        slot.weight = weigh(
            slot.remote_identifier,
            slot.connection_identifier,
            slot.request_identifier,
            slot.reply_topic,
            slot.response_topic,
            slot.input_topic,
            slot.output_topic,
            slot.incoming_close_topic,
            slot.remote_close_topic,
            slot.setup_data,
            *slot.offer_identifiers,
            *slot.input.schemas,
            *slot.output.schemas,
        )
        if slot.is_connection:
            self.connection_bytes += slot.weight
        else:
            self.pending_bytes += slot.weight

    def _discount(self, slot: Slot, was_connection: bool) -> None:
        if was_connection:
            self.connection_bytes -= slot.weight
        else:
            self.pending_bytes -= slot.weight

    def _forget(self, slot: Slot, of_operation: _OfOperation) -> None:
        del self._by_key[slot.key]
        of_remote = self._by_remote[slot.remote_identifier]
        del of_remote[slot.operation_name]
        if not of_remote:
            del self._by_remote[slot.remote_identifier]
        del of_operation.by_remote[slot.remote_identifier]
        if not of_operation.by_remote:
            del self._by_operation[slot.operation_name]
        for topic in (slot.input_topic, slot.output_topic, slot.incoming_close_topic):
            of_topic = self._by_topic.get(topic or "")
            if of_topic is not None:
                of_topic.pop(slot.key, None)
                if not of_topic:
                    del self._by_topic[topic or ""]
