"""How slots come and go at either kind of orbiter, with the deadlines and effects that follow."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orbitalis.errors import RemoteProtocolError
from orbitalis.protocol.config import OrbiterConfig
from orbitalis.protocol.deadlines import Deadlines
from orbitalis.protocol.effects import (
    CloseReason,
    ConnectionClosed,
    ConnectionOpened,
    PendingRequestDiscarded,
    Prepare,
    RemoteLost,
    Unsubscribe,
)
from orbitalis.protocol.handshake.role_part import RolePart
from orbitalis.protocol.outbox import Outbox
from orbitalis.protocol.peers import Peers
from orbitalis.protocol.slots import Slot, SlotTable
from orbitalis.protocol.transitions import Role, SlotState, SlotTrigger
from orbitalis_avro.errors import TopicError
from orbitalis_wire.messages import GracelessCloseConnectionMessage
from orbitalis_wire.topics import check_level

if TYPE_CHECKING:
    from orbitalis.protocol.suspicions import Suspicions

__all__ = ["Lifecycle"]


@dataclass(slots=True, eq=False)
class Lifecycle:
    """The steps that change slots."""

    _role: Role
    _config: OrbiterConfig
    _slots: SlotTable
    _peers: Peers
    _outbox: Outbox
    role: RolePart = field(init=False)
    """What is told of each slot that opens, closes or becomes free; the machine sets it."""
    suspicions: Suspicions = field(init=False)
    """Who is told of connections while wills are listened for; the machine sets it."""
    deadlines: Deadlines[Slot] = field(init=False, default_factory=Deadlines[Slot])
    """When something is due next."""
    _due: list[Slot] = field(init=False, default_factory=list[Slot])
    """Slots whose time has come, which nothing was done about yet."""
    _names: dict[str, None] = field(init=False, default_factory=dict[str, None])
    """Names of operations that can be a level of a topic."""

    def configure(self, config: OrbiterConfig) -> None:
        """Take a new snapshot; changed durations count for all slots."""
        before, self._config = self._config, config
        if before.slot_durations != config.slot_durations:
            for slot in self._slots:
                self._schedule(slot)

    # Handshake

    def begin(self, slot: Slot, trigger: SlotTrigger) -> None:
        """Take a free slot for a handshake."""
        self._slots.add(slot, trigger)
        self._peers.engaged(slot.remote_identifier)
        expiry = self._config.pending_requests_expire_after
        if expiry is not None:
            self.deadlines.set(slot, slot.waiting_since + expiry)

    def advance(self, slot: Slot, trigger: SlotTrigger, now: float) -> None:
        """Let a handshake go one step on; its time counts from now."""
        self._slots.advance(slot, trigger)
        slot.waiting_since = now  # its deadline follows when the earlier one is reached

    def build_topics(self, slot: Slot, connection_identifier: str) -> None:
        """Give a slot the topics on which this side listens for its connection.

        Raises:
            RemoteProtocolError: A topic cannot hold the name of the operation; nothing has changed.
        """
        remote, name = slot.remote_identifier, slot.operation_name
        if name not in self._names:
            try:
                self._names[check_level("operation_name", name)] = None
            except TopicError as error:
                raise RemoteProtocolError(
                    f"there can be no connection with '{remote}' for operation '{name}': {error}"
                ) from None
        topics = self._config.topics
        slot.connection_identifier = connection_identifier
        slot.incoming_close_topic = topics.close(remote, name, connection_identifier)
        if self._role is Role.CORE:
            if slot.output.has_output:
                slot.output_topic = topics.data(remote, name, connection_identifier)
        elif slot.input.has_input:
            slot.input_topic = topics.data(remote, name, connection_identifier)

    def prepare(self, slot: Slot) -> None:
        """Have topics subscribed to, and the user prepare for a connection."""
        self._outbox.effects.append(
            Prepare(
                remote_identifier=slot.remote_identifier, slot=slot, connection_identifier=slot.connection_identifier
            )
        )

    def open(self, slot: Slot, trigger: SlotTrigger, now: float) -> None:
        """Make a handshake a connection."""
        slot.setup_data = None  # it has done its work
        self._slots.advance(slot, trigger)
        slot.opened_at = slot.last_used = now
        self._schedule(slot)
        self._peers.connected(slot.remote_identifier, now)
        if self._config.suspicion_grace is not None:
            self.suspicions.connected(slot.remote_identifier)
        self._outbox.effects.append(ConnectionOpened(remote_identifier=slot.remote_identifier, slot=slot))
        self.role.opened(slot)

    # End

    def begin_closing(self, slot: Slot, trigger: SlotTrigger, now: float) -> None:
        """Let a graceful close of either side begin."""
        self._slots.advance(slot, trigger)
        slot.closing_at = now
        self._schedule(slot)
        self.role.closing(slot)

    def release(self, slot: Slot, trigger: SlotTrigger, reason: CloseReason, data: bytes | None = None) -> None:
        """Make a slot free, and have user and bus follow. `data` is what the remote's close carried."""
        was_connection = slot.is_connection
        remote = slot.remote_identifier
        topics: tuple[str, ...] = ()
        if slot.state is not SlotState.OFFERED:
            topics = slot.local_topics
        if slot.state is SlotState.CLOSING and slot.ack_topic is not None:
            topics = (*topics, slot.ack_topic)
        self._slots.advance(slot, trigger)
        self.deadlines.discard(slot)
        if was_connection:
            self._peers.disconnected(remote)
        if not self._slots.has_remote(remote):
            self._peers.parted(remote)
        self._outbox.add(
            ConnectionClosed(remote_identifier=remote, slot=slot, reason=reason, data=data)
            if was_connection
            else PendingRequestDiscarded(remote_identifier=remote, slot=slot)
        )
        if topics:
            self._outbox.add(Unsubscribe(remote_identifier=remote, topics=topics))
        if was_connection and self._config.suspicion_grace is not None:
            self.suspicions.disconnected(remote)
        self.role.released(slot, trigger)

    def give_up(self, slot: Slot, trigger: SlotTrigger = SlotTrigger.EXPIRED) -> None:
        """Tell the remote that a handshake comes to nothing, and make its slot free."""
        self.role.give_up(slot)
        self.release(slot, trigger, CloseReason.LOCAL)

    def lose(self, remote_identifier: str, reason: CloseReason, slots: Iterable[Slot] | None = None) -> None:
        """Drop all that is shared with a remote, or some of it, on this side alone."""
        self._outbox.add(RemoteLost(remote_identifier=remote_identifier, reason=reason))
        for slot in self._slots.of_remote(remote_identifier) if slots is None else slots:
            if reason is CloseReason.REMOTE_DEAD and slot.is_connection:
                # In case that it lives after all.
                self.send_graceless_close(slot, None)
            self.release(slot, SlotTrigger.REMOTE_LOST, reason)

    def send_graceless_close(self, slot: Slot, data: bytes | None) -> None:
        """Tell the remote that a connection is no more."""
        message = GracelessCloseConnectionMessage(
            from_identifier=self._config.identifier, operation_name=slot.operation_name, data=data
        )
        self._outbox.send(
            slot.remote_identifier, slot.remote_close_topic, message, connection_identifier=slot.connection_identifier
        )

    # Deadlines

    def pop_expired(self, now: float) -> list[Slot]:
        """Return the handshakes that were not answered in time."""
        return self._pop(now, lambda slot: not slot.is_connection)

    def pop_overdue_closes(self, now: float) -> list[Slot]:
        """Return the connections whose graceful close was not acknowledged in time, by either side."""
        return self._pop(now, lambda slot: slot.is_ending)

    def pop_perhaps_unused(self, now: float) -> list[Slot]:
        """Return the open connections to look at, since they may not have been used for long enough."""
        return self._pop(now, lambda slot: slot.is_open)

    def look_at(self, slot: Slot, at: float) -> None:
        """Have an open connection looked at again at a time."""
        self.deadlines.set(slot, at)

    def next_deadline(self) -> float | None:
        """Return when the next slot is due."""
        if self._due:
            self._due = [slot for slot in self._due if slot.due_at is None and slot.state is not SlotState.FREE]
            if self._due:
                return float("-inf")
        return self.deadlines.next()

    def clear(self) -> None:
        """Let nothing be due any more."""
        self.deadlines.clear()
        self._due.clear()

    def _pop(self, now: float, is_meant: Callable[[Slot], bool]) -> list[Slot]:
        due = self.deadlines.pop_due(now)
        if self._due:
            due = [*self._due, *due]
        meant: list[Slot] = []
        self._due = []
        for slot in due:
            # Its state may have changed since, and with that its deadline.
            if slot.due_at is None and slot.state is not SlotState.FREE:
                if not slot.is_connection and self._is_early(slot, now):
                    continue
                (meant if is_meant(slot) else self._due).append(slot)
        return meant

    def _is_early(self, slot: Slot, now: float) -> bool:
        """Return whether a handshake has gone on since its deadline was set; then it gets another one."""
        expiry = self._config.pending_requests_expire_after
        if expiry is not None and slot.waiting_since + expiry <= now:
            return False
        self._schedule(slot)
        return True

    def _schedule(self, slot: Slot) -> None:
        """Set the deadline that a slot has in its state, and no other."""
        config = self._config
        since: float | None
        match slot.state:
            case SlotState.OPEN:
                since, duration = slot.last_used, config.close_connection_if_unused_after
            case SlotState.CLOSING | SlotState.DRAINING:
                since, duration = slot.closing_at, config.graceful_close_timeout
            case _:
                since, duration = slot.waiting_since, config.pending_requests_expire_after
        if since is None or duration is None:
            self.deadlines.discard(slot)
        else:
            self.deadlines.set(slot, since + duration)
