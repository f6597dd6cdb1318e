"""How slots come and go at either kind of orbiter, with the deadlines and effects that follow."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import ClassVar

from orbitalis.errors import RemoteProtocolError
from orbitalis.message.schema import canonical_form, is_familiar
from orbitalis.protocol.acquaintances import Acquaintances
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
from orbitalis.protocol.outbox import Outbox
from orbitalis.protocol.pace import Pace
from orbitalis.protocol.remote import Standing
from orbitalis.protocol.settings import OrbiterSettings
from orbitalis.protocol.slot import Slot, SlotTable
from orbitalis.protocol.statistics import OrbiterStatistics
from orbitalis.protocol.told_topics import ToldTopics
from orbitalis.protocol.transitions import Role, SlotState, SlotTrigger
from orbitalis_wire import channels, limits, timings
from orbitalis_wire.errors import TopicError
from orbitalis_wire.messages import EventEnvelope, GracelessCloseConnectionMessage

__all__ = ["SlotKeeper"]

_LOOKS = 64
"""Handshakes that are looked at to find one to give up."""


class SlotKeeper(ABC):
    """The tables of one orbiter, and the steps that change them."""

    role: ClassVar[Role]

    def __init__(self, settings: OrbiterSettings, *, new_identifier: Callable[[], str]) -> None:
        self._settings = settings
        self._new_identifier = new_identifier
        self.running = False
        """Whether the orbiter takes part."""
        self.leaving = False
        """Whether it takes part for no longer than its connections last, and begins no new ones."""
        self.slots = SlotTable()
        """All that is shared with remotes, or about to be."""
        self.statistics = OrbiterStatistics()
        """What has been counted."""
        self.acquaintances = Acquaintances(settings, self.statistics, lambda identifier: self._is_named(identifier))
        """All remotes that are known."""
        self._told = ToldTopics(self.role, settings.identifier)
        self._outbox = Outbox(self.acquaintances, new_identifier)
        self._pending_deadlines: Deadlines[tuple[str, str]] = Deadlines()
        self._close_deadlines: Deadlines[tuple[str, str]] = Deadlines()
        self._unused_deadlines: Deadlines[tuple[str, str]] = Deadlines()
        self._reconciliations: Deadlines[str] = Deadlines()
        self._slot_durations = self._read_durations()
        self._pace_of_strangers = Pace()
        self._pace_of_named = Pace()
        self._pace_of_schemas = Pace()

    @property
    def _considered_dead_after(self) -> float:
        """What this orbiter tells others; `None`, never, is infinity on the wire."""
        after = self._settings.consider_others_dead_after
        return math.inf if after is None else after

    @abstractmethod
    def _settle(self, now: float) -> None:
        """Draw the conclusions of connections gained or lost."""

    @abstractmethod
    def _forget_wishes(self, remote_identifier: str, *, but_of: str | None = None) -> None:
        """Forget what a remote whose life is over has asked for, and keep what its next one, if it is named, has."""

    @abstractmethod
    def _give_up(self, slot: Slot) -> None:
        """Tell the remote, where that helps it, that a pending request is about to be forgotten."""

    @abstractmethod
    def _is_named(self, remote_identifier: str) -> bool:
        """Return whether the user has named a remote, as one that must or may be connected."""

    def _clear(self) -> None:
        """Know nobody any more; slots are released one by one."""
        self.acquaintances.clear()
        self._reconciliations.clear()

    def _admit(self, remote_identifier: str, envelope: EventEnvelope, now: float) -> bool:
        """Note a sign of life of a remote that is known; return whether the event is from its sender's present life.

        A sender that has started anew loses here all that was agreed with its earlier life. It stays known: should that
        life be heard again, it has to learn that it shares nothing any more.

        Raises:
            RemoteProtocolError: The sender gives this orbiter's identifier as its own, or one that no topic can hold.
        """
        self._check_sender(remote_identifier)
        standing = self.acquaintances.standing(remote_identifier, envelope)
        if standing is Standing.STALE:
            return False
        if standing is Standing.NEWER:
            self._forget_wishes(remote_identifier, but_of=envelope.incarnation)
            if self.slots.has_remote(remote_identifier):
                self._lose(remote_identifier, CloseReason.REMOTE_RESTARTED)
        if self.acquaintances.get(remote_identifier) is not None:
            self.acquaintances.meet(remote_identifier, envelope, now)
        return True

    def _check_sender(self, remote_identifier: str) -> None:
        """Raise :class:`RemoteProtocolError` for what nobody else can be called."""
        if remote_identifier == self._settings.identifier:
            raise RemoteProtocolError(f"a message claims to come from '{remote_identifier}', which is this orbiter")
        if self.acquaintances.get(remote_identifier) is None:
            self._told.check_identifier(remote_identifier)

    def _check_operations(self, remote_identifier: str, count: int) -> None:
        """Raise :class:`RemoteProtocolError` for a message that is about more operations than one may be."""
        if count > limits.OPERATIONS_OF_MESSAGE:
            raise RemoteProtocolError(
                f"remote '{remote_identifier}' sent a message about {count} operations, "
                f"{limits.OPERATIONS_OF_MESSAGE} are allowed"
            )

    def _has_room_for_pending(self) -> bool:
        settings, slots = self._settings, self.slots
        return (
            not self.leaving
            and slots.pending_count < settings.maximum_pending_requests
            and slots.pending_bytes < settings.maximum_pending_bytes
            and slots.remote_count() < settings.maximum_known_remotes
        )

    def _has_room_for_connection(self, remote_identifier: str) -> bool:
        return self.slots.connection_bytes < self._settings.maximum_connection_bytes or self._is_named(
            remote_identifier
        )

    def _make_room_for_pending(self, remote_identifier: str, now: float) -> bool:
        """Return whether there is room for a handshake with a remote; if need be, one that goes unanswered makes it.

        That is the oldest. If it is younger than `contested_after`, its answer may be on its way, and it stays unless
        the user has named this remote. Remotes that have a connection, or are named themselves, are spared.
        """
        if not self._has_room_for_connection(remote_identifier):
            self.statistics.turned_away += 1
            return False
        if self._has_room_for_pending():
            return True
        if self.leaving:
            return False
        for _ in range(_LOOKS):
            slot = self.slots.oldest_unanswered()
            if slot is None:
                break
            if self._is_spared(slot.remote_identifier):
                self.slots.spare(slot)
                continue
            if slot.waiting_since + timings.CONTESTED_AFTER > now and not self._is_named(remote_identifier):
                break
            self._give_up(slot)
            self._release(slot, SlotTrigger.EXPIRED, CloseReason.LOCAL)
            self.statistics.crowded_out += 1
            if self._has_room_for_pending():
                return True
        self.statistics.turned_away += 1
        return False

    def _is_spared(self, remote_identifier: str) -> bool:
        connected = any(slot.is_connection for slot in self.slots.of_remote(remote_identifier))
        return connected or self._is_named(remote_identifier)

    def _can_compare(self, schemas: Iterable[str], are_compared: bool, now: float) -> bool:
        """Return whether what a remote has named for one operation may be compared, or kept for that.

        Reading a schema takes long. It is done here, within bounds, and not again while the schema is familiar.
        """
        texts = list(schemas)
        unfamiliar = [text for text in texts if not is_familiar(text)] if are_compared else []
        per_second = self._settings.maximum_unfamiliar_schema_bytes_per_second
        if sum(map(len, texts)) > limits.SCHEMA_BYTES or (
            unfamiliar and not self._pace_of_schemas.admits(now, per_second, sum(map(len, unfamiliar)))
        ):
            self.statistics.unread_schemas += 1
            return False
        for text in unfamiliar:
            canonical_form(text)
        return True

    def _add_pending(self, slot: Slot, trigger: SlotTrigger) -> None:
        self.slots.add(slot, trigger)
        self.acquaintances.engaged(slot.remote_identifier)
        self._schedule(slot)

    def _begin_waiting(self, slot: Slot, now: float) -> None:
        """Count the time of a handshake from now on: it is the other side's turn, or this one's."""
        slot.waiting_since = now
        self._schedule(slot)

    def _read_durations(self) -> tuple[float | None, float | None, float | None]:
        """Return how long a handshake, a graceful close and an unused connection may last."""
        settings = self._settings
        return (
            settings.pending_requests_expire_after,
            settings.graceful_close_timeout,
            settings.close_connection_if_unused_after,
        )

    def _schedule(self, slot: Slot) -> None:
        """Set the deadline that a slot has in its state, and no other."""
        pending, close, unused = self._read_durations()
        for deadlines, since, duration in (
            (self._pending_deadlines, None if slot.is_connection else slot.waiting_since, pending),
            (self._close_deadlines, slot.closing_at if slot.is_ending else None, close),
            (self._unused_deadlines, slot.last_used if slot.is_open else None, unused),
        ):
            if since is None or duration is None:
                deadlines.discard(slot.key)
            else:
                deadlines.set(slot.key, since + duration)

    def _apply_changed_durations(self) -> None:
        """Let durations that were changed since the last call count for what is there already."""
        durations = self._read_durations()
        if durations != self._slot_durations:
            self._slot_durations = durations
            for slot in self.slots:
                self._schedule(slot)

    def _build_topics(self, slot: Slot, connection_identifier: str) -> None:
        """Give a slot the topics on which this side listens for its connection.

        Raises:
            RemoteProtocolError: A topic cannot hold what the remote calls itself or the operation; nothing has changed.
        """
        names = (slot.remote_identifier, slot.operation_name, connection_identifier)
        expects_data = slot.output.has_output if self.role is Role.CORE else slot.input.has_input
        try:
            close_topic = self._settings.topics.close(*names)
            data_topic = self._settings.topics.data(*names) if expects_data else None
        except TopicError as error:
            raise RemoteProtocolError(
                f"there can be no connection with '{slot.remote_identifier}' for operation "
                f"'{slot.operation_name}': {error}"
            ) from None
        slot.connection_identifier = connection_identifier
        slot.incoming_close_topic = close_topic
        if self.role is Role.CORE:
            slot.output_topic = data_topic
        else:
            slot.input_topic = data_topic

    def _prepare(self, slot: Slot) -> None:
        self._outbox.add(
            Prepare(
                remote_identifier=slot.remote_identifier, slot=slot, connection_identifier=slot.connection_identifier
            )
        )

    def _open(self, slot: Slot, trigger: SlotTrigger, now: float) -> None:
        slot.setup_data = None  # it has done its work
        self.slots.advance(slot, trigger)
        slot.opened_at = slot.last_used = now
        self._schedule(slot)
        self.acquaintances.connected(slot.remote_identifier, now)
        self._outbox.add(ConnectionOpened(remote_identifier=slot.remote_identifier, slot=slot))

    def _release(self, slot: Slot, trigger: SlotTrigger, reason: CloseReason, data: bytes | None = None) -> None:
        """Make a slot free, and have user and bus follow. `data` is what the remote's close carried."""
        was_connection = slot.is_connection
        topics: tuple[str, ...] = ()
        if slot.state is not SlotState.OFFERED:
            topics = slot.local_topics
        if slot.state is SlotState.CLOSING and slot.ack_topic is not None:
            topics = (*topics, slot.ack_topic)
        self.slots.advance(slot, trigger)
        for deadlines in (self._pending_deadlines, self._close_deadlines, self._unused_deadlines):
            deadlines.discard(slot.key)
        if not any(other.is_connection for other in self.slots.of_remote(slot.remote_identifier)):
            self.acquaintances.disconnected(slot.remote_identifier)
        if not self.slots.has_remote(slot.remote_identifier):
            self.acquaintances.parted(slot.remote_identifier)
        self._outbox.add(
            ConnectionClosed(remote_identifier=slot.remote_identifier, slot=slot, reason=reason, data=data)
            if was_connection
            else PendingRequestDiscarded(remote_identifier=slot.remote_identifier, slot=slot)
        )
        if topics:
            self._outbox.add(Unsubscribe(remote_identifier=slot.remote_identifier, topics=topics))

    def _lose(self, remote_identifier: str, reason: CloseReason) -> None:
        """Drop all that is shared with a remote, on this side alone."""
        self._outbox.add(RemoteLost(remote_identifier=remote_identifier, reason=reason))
        for slot in self.slots.of_remote(remote_identifier):
            if reason is CloseReason.REMOTE_DEAD and slot.is_connection:
                # In case that it lives after all.
                self._send_graceless_close(slot, None)
            self._release(slot, SlotTrigger.REMOTE_LOST, reason)

    def _send_graceless_close(self, slot: Slot, data: bytes | None) -> None:
        message = GracelessCloseConnectionMessage(
            from_identifier=self._settings.identifier, operation_name=slot.operation_name, data=data
        )
        self._outbox.send(
            slot.remote_identifier,
            slot.remote_close_topic,
            channels.CLOSE,
            message,
            connection_identifier=slot.connection_identifier,
        )
