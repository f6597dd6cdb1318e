"""The machine that core and plugin share: life, keepalives and closes, without I/O, clock or logging.

Its caller hands in what happens, with the time, and carries out the effects that come back. Times are seconds on any
monotonic clock of the caller's.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Final

from orbitalis.errors import NoConnectionError, RemoteProtocolError
from orbitalis.protocol.effects import (
    CloseReason,
    Drain,
    Effect,
    MessageReceived,
    ProtocolMessage,
    Subscribe,
    sender_of,
)
from orbitalis.protocol.liveness import Liveness
from orbitalis.protocol.remote import Standing
from orbitalis.protocol.slot import RemoteClose, Slot
from orbitalis.protocol.transitions import Role, SlotState, SlotTrigger
from orbitalis_wire import channels
from orbitalis_wire.messages import (
    CloseConnectionAckMessage,
    EventEnvelope,
    GracefulCloseConnectionMessage,
    GracelessCloseConnectionMessage,
    KeepaliveMessage,
    KeepaliveRequestMessage,
)
from orbitalis_wire.topics import CloseAckTopic

__all__ = ["OrbiterProtocol"]

_LOOK_AGAIN_AFTER: Final = 1.0
"""Seconds after which a connection that is in use is looked at again, at least."""


def _never(slot: Slot) -> bool:
    return False


class OrbiterProtocol(Liveness):
    """What both kinds of orbiter do.

    Public methods return the effects of the call. A message that is late, duplicated or foreign has none; one that
    breaks the protocol raises :class:`~orbitalis.errors.RemoteProtocolError`, and the effects it had until then are
    returned by :meth:`take`, or else by the next call.
    """

    def start(self, now: float) -> list[Effect]:
        """Begin to take part."""
        self.running = True
        self.leaving = False
        self._on_start(now)
        return self._outbox.take()

    def stop(self, close_data: Mapping[Slot, bytes | None] | None = None) -> list[Effect]:
        """Close everything gracelessly, with the data that is to go along, and take part no more."""
        for slot in self.slots:
            if slot.is_connection:
                self._send_graceless_close(slot, close_data.get(slot) if close_data else None)
            else:
                self._give_up(slot)
            self._release(slot, SlotTrigger.STOPPED, CloseReason.STOPPED)
        self._on_stop()
        self.running = False
        self._clear()
        return self._outbox.take()

    def leave(self) -> list[Effect]:
        """Begin no new connections until the next start, and take back what is under way."""
        self.leaving = True
        self._on_leave()
        for slot in self.slots:
            if not slot.is_connection:
                self._give_up(slot)
                self._release(slot, SlotTrigger.STOPPED, CloseReason.STOPPED)
        return self._outbox.take()

    # What arrives

    def handle(self, topic: str, message: ProtocolMessage, envelope: EventEnvelope, now: float) -> list[Effect]:
        """Take a message of the protocol that arrived on `topic`.

        Raises:
            RemoteProtocolError: The remote broke the protocol.
        """
        if self.running:
            sender = sender_of(message)
            try:
                is_proven = self._told.check_event(topic, sender, envelope)
                if self._keeps_pace(sender, is_proven, now):
                    self._take(topic, message, envelope, now)
            except RemoteProtocolError:
                self.statistics.refused += 1
                raise
        return self._outbox.take()

    def _take(self, topic: str, message: ProtocolMessage, envelope: EventEnvelope, now: float) -> None:
        try:
            self._dispatch(topic, message, envelope, now)
        finally:
            self._settle(now)
        self.statistics.ignored += self._outbox.is_empty

    def _keeps_pace(self, sender: str, is_proven: bool, now: float) -> bool:
        """Return whether a message may be looked at, given how many there were.

        Strangers share a bound, since they can have any number of names; those that the user has named have one more,
        so that others cannot use theirs up. What anybody may publish in the name of a remote does not count for that
        which it alone may.
        """
        remote = self.acquaintances.get(sender) if self.slots.has_remote(sender) else None
        if remote is None:
            admitted = self._pace_of_strangers.admits(now, self._settings.maximum_stranger_events_per_second) or (
                self._is_named(sender)
                and self._pace_of_named.admits(now, self._settings.maximum_remote_events_per_second)
            )
            self.statistics.too_fast_strangers += not admitted
        else:
            pace = remote.pace if is_proven else remote.pace_in_its_name
            admitted = pace.admits(now, self._settings.maximum_remote_events_per_second)
            self.statistics.too_fast += not admitted
        return admitted

    def take(self) -> list[Effect]:
        """Return the effects of a call that has raised."""
        return self._outbox.take()

    def is_ahead_of_confirm(self, slot: Slot, envelope: EventEnvelope) -> bool:
        """Return whether an output belongs to a request whose confirm is to come: it shows that the plugin has it."""
        return slot.state is SlotState.REQUESTED and envelope.connection_identifier in (
            None,
            slot.connection_identifier,
        )

    def data_received(self, slot: Slot, envelope: EventEnvelope, now: float) -> bool:
        """Note an input or output on a connection; return whether it is to be handed on."""
        if not slot.is_connection or envelope.connection_identifier not in (None, slot.connection_identifier):
            return False
        remote = self.acquaintances.get(slot.remote_identifier)
        if remote is not None:
            if envelope.incarnation is not None and remote.standing(envelope) is not Standing.CURRENT:
                return False
            self.acquaintances.seen(remote, now)
        self.touch(slot, now)
        return True

    def prepared(
        self, slot: Slot, connection_identifier: str, now: float, setup_data: bytes | None = None
    ) -> list[Effect]:
        """Take the report that the preparation of a slot is done; `setup_data` is what a core's user gave."""
        if slot.state is SlotState.PREPARING and slot.connection_identifier == connection_identifier:
            if self.role is Role.CORE:
                slot.setup_data = setup_data
            self._on_prepared(slot, now)
            self._settle(now)
        return self._outbox.take()

    def preparation_failed(self, slot: Slot, connection_identifier: str, now: float) -> list[Effect]:
        """Take the report that the preparation of a slot has failed."""
        if slot.state is SlotState.PREPARING and slot.connection_identifier == connection_identifier:
            self._give_up(slot)
            self._release(slot, SlotTrigger.PREPARATION_FAILED, CloseReason.LOCAL)
            self._settle(now)
        return self._outbox.take()

    def drained(self, slot: Slot, now: float) -> list[Effect]:
        """Take the report that all data of a connection is handled that had come before its remote's close."""
        if slot.state is SlotState.DRAINING and slot.remote_close is not None:
            self._release(slot, SlotTrigger.DRAINED, CloseReason.REMOTE, slot.remote_close.data)
            self._acknowledge(slot, slot.remote_close)
            self._settle(now)
        return self._outbox.take()

    # What the user wants

    def touch(self, slot: Slot, now: float) -> None:
        """Note that a connection was used."""
        slot.last_used = max(slot.last_used, now)

    def connection(self, remote_identifier: str, operation_name: str) -> Slot:
        """Return the connection of a remote and operation, be it one that is closing.

        Raises:
            NoConnectionError: There is none.
        """
        slot = self.slots.get(remote_identifier, operation_name)
        if slot is None or not slot.is_connection:
            raise NoConnectionError(
                f"'{self._settings.identifier}' has no connection with '{remote_identifier}' "
                f"for operation '{operation_name}'"
            )
        return slot

    def close_gracelessly(
        self, remote_identifier: str, operation_name: str, data: bytes | None, now: float
    ) -> list[Effect]:
        """Close a connection at once.

        Raises:
            NoConnectionError: There is none.
        """
        slot = self.connection(remote_identifier, operation_name)
        self._send_graceless_close(slot, data)
        self._release(slot, SlotTrigger.GRACELESS_CLOSE_SENT, CloseReason.LOCAL)
        self._settle(now)
        return self._outbox.take()

    def close_gracefully(
        self, remote_identifier: str, operation_name: str, data: bytes | None, now: float
    ) -> list[Effect]:
        """Ask the remote to close a connection; it is closed here when the remote has acknowledged.

        A connection that is closing already is left alone.

        Raises:
            NoConnectionError: There is none.
        """
        slot = self.connection(remote_identifier, operation_name)
        if not slot.is_open:
            return self._outbox.take()
        slot.ack_topic = self._settings.topics.close_ack(*slot.key, slot.connection_identifier)
        slot.close_data = data
        slot.closing_at = now
        self.slots.advance(slot, SlotTrigger.GRACEFUL_CLOSE_SENT)
        self._schedule(slot)
        self._outbox.add(Subscribe(remote_identifier=remote_identifier, topic=slot.ack_topic))
        message = GracefulCloseConnectionMessage(
            from_identifier=self._settings.identifier,
            operation_name=operation_name,
            ack_topic=slot.ack_topic,
            data=data,
        )
        self._outbox.send(
            remote_identifier,
            slot.remote_close_topic,
            channels.CLOSE,
            message,
            connection_identifier=slot.connection_identifier,
        )
        self._settle(now)
        return self._outbox.take()

    def close_here(self, remote_identifier: str, operation_name: str, now: float) -> list[Effect]:
        """Close a connection on this side, and tell the remote nothing.

        Raises:
            NoConnectionError: There is none.
        """
        slot = self.connection(remote_identifier, operation_name)
        self._release(slot, SlotTrigger.CLOSED_HERE, CloseReason.LOCAL)
        self._settle(now)
        return self._outbox.take()

    # What time brings

    def discard_expired(self, now: float) -> list[Effect]:
        """Forget offers and requests that were not answered in time, and what else is kept for a time."""
        self._discard_own_expired(now)
        self._apply_changed_durations()
        for key in self._pending_deadlines.pop_due(now):
            slot = self.slots.get(*key)
            if slot is not None and not slot.is_connection:
                self._give_up(slot)
                self._release(slot, SlotTrigger.EXPIRED, CloseReason.LOCAL)
        self._settle(now)
        return self._outbox.take()

    def unused_connections(self, now: float, is_in_use: Callable[[Slot], bool] = _never) -> list[Slot]:
        """Return the open connections that nobody has used for `close_connection_if_unused_after` seconds.

        For those that are in use now, as `is_in_use` says, the time begins anew.
        """
        self._apply_changed_durations()
        due = [self.slots.get(*key) for key in self._unused_deadlines.pop_due(now)]
        return [slot for slot in due if slot is not None and self._is_unused(slot, now, is_in_use)]

    def close_unused(
        self, slot: Slot, data: bytes | None, now: float, is_in_use: Callable[[Slot], bool] = _never
    ) -> list[Effect]:
        """Close gracefully what `unused_connections` has given, unless it was used since, is in use, or has ended."""
        self._apply_changed_durations()
        if not self._is_unused(slot, now, is_in_use):
            return self._outbox.take()
        return self.close_gracefully(*slot.key, data, now)

    def _is_unused(self, slot: Slot, now: float, is_in_use: Callable[[Slot], bool]) -> bool:
        """Return whether an open connection was not used for long enough; if it was, have it looked at in time."""
        after = self._settings.close_connection_if_unused_after
        if after is None or not slot.is_open:
            return False
        if slot.last_used + after > now:
            self._unused_deadlines.set(slot.key, slot.last_used + after)
            return False
        if is_in_use(slot):
            self.touch(slot, now)
            self._unused_deadlines.set(slot.key, now + max(after, _LOOK_AGAIN_AFTER))
            return False
        return True

    def overdue_closes(self, now: float) -> list[Slot]:
        """Return the connections whose graceful close was not acknowledged in time, by either side."""
        self._apply_changed_durations()
        due = (self.slots.get(*key) for key in self._close_deadlines.pop_due(now))
        return [slot for slot in due if slot is not None and slot.is_ending]

    def next_deadline(self) -> float | None:
        """Return when the next thing is due, or `None` while nothing is."""
        deadlines = (
            self._pending_deadlines.next(),
            self._close_deadlines.next(),
            self._unused_deadlines.next(),
            self._reconciliations.next(),
            self.acquaintances.next_deadline(),
            self._next_own_deadline(),
        )
        return min((at for at in deadlines if at is not None), default=None)

    # For core and plugin

    @abstractmethod
    def _dispatch(self, topic: str, message: ProtocolMessage, envelope: EventEnvelope, now: float) -> None:
        """Handle one message."""

    @abstractmethod
    def _on_prepared(self, slot: Slot, now: float) -> None:
        """Go on with a slot in state PREPARING."""

    def _on_start(self, now: float) -> None:
        """Do what starting asks for."""

    def _on_leave(self) -> None:
        """Do what leaving asks for."""

    def _on_stop(self) -> None:
        """Do what stopping asks for."""

    def _discard_own_expired(self, now: float) -> None:
        """Forget what the role keeps for a time."""

    def _next_own_deadline(self) -> float | None:
        """Return when something of the role's own is due."""
        return None

    def _dispatch_shared(self, topic: str, message: ProtocolMessage, envelope: EventEnvelope, now: float) -> None:
        """Handle a message that both roles understand; any other is not for this role and is ignored."""
        match message:
            case KeepaliveMessage():
                self._on_keepalive(message, envelope, now)
            case KeepaliveRequestMessage():
                self._on_keepalive_request(message, envelope, now)
            case GracefulCloseConnectionMessage() | GracelessCloseConnectionMessage():
                self._on_close(topic, message, envelope, now)
            case CloseConnectionAckMessage():
                self._on_close_ack(topic, message, envelope, now)
            case _:
                pass

    # Close

    def _slot_of_close(
        self, remote_identifier: str, operation_name: str, envelope: EventEnvelope, now: float
    ) -> Slot | None:
        """Return the slot that a close or its acknowledgement is about, if it is about one."""
        if not self._admit(remote_identifier, envelope, now):
            return None
        slot = self.slots.get(remote_identifier, operation_name)
        if slot is None or envelope.connection_identifier not in (None, slot.connection_identifier):
            return None
        return slot

    def _on_close(
        self,
        topic: str,
        message: GracefulCloseConnectionMessage | GracelessCloseConnectionMessage,
        envelope: EventEnvelope,
        now: float,
    ) -> None:
        slot = self._slot_of_close(message.from_identifier, message.operation_name, envelope, now)
        if slot is None or topic != slot.incoming_close_topic:
            return
        if not slot.is_connection and slot.state is not SlotState.REQUESTED:
            return
        told = MessageReceived(remote_identifier=slot.remote_identifier, message=message)
        if isinstance(message, GracelessCloseConnectionMessage):
            self._outbox.add(told)
            self._release(slot, SlotTrigger.GRACELESS_CLOSE_RECEIVED, CloseReason.REMOTE, message.data)
        elif slot.state is not SlotState.DRAINING:
            ack_topic = self._told.resolve(CloseAckTopic, slot.remote_identifier, message.ack_topic)
            self._outbox.add(told)
            close = RemoteClose(event_identifier=envelope.identifier, ack_topic=ack_topic, data=message.data)
            if slot.is_open:
                self.slots.advance(slot, SlotTrigger.GRACEFUL_CLOSE_RECEIVED)
                slot.remote_close, slot.closing_at = close, now
                self._schedule(slot)
                self._outbox.add(Drain(remote_identifier=slot.remote_identifier, slot=slot))
            else:
                self._release(slot, SlotTrigger.GRACEFUL_CLOSE_RECEIVED, CloseReason.REMOTE, close.data)
                self._acknowledge(slot, close)

    def _acknowledge(self, slot: Slot, close: RemoteClose) -> None:
        message = CloseConnectionAckMessage(
            from_identifier=self._settings.identifier, operation_name=slot.operation_name
        )
        self._outbox.send(
            slot.remote_identifier,
            close.ack_topic,
            channels.CLOSE_ACK,
            message,
            correlation_identifier=close.event_identifier,
            connection_identifier=slot.connection_identifier,
        )

    def _on_close_ack(
        self, topic: str, message: CloseConnectionAckMessage, envelope: EventEnvelope, now: float
    ) -> None:
        slot = self._slot_of_close(message.from_identifier, message.operation_name, envelope, now)
        if slot is None or slot.state is not SlotState.CLOSING or topic != slot.ack_topic:
            return
        self._outbox.add(MessageReceived(remote_identifier=slot.remote_identifier, message=message))
        self._release(slot, SlotTrigger.CLOSE_ACK_RECEIVED, CloseReason.LOCAL)
