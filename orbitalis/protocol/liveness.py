"""Signs of life: keepalives sent, asked for and awaited, and what follows where they fail to come."""

from __future__ import annotations

from collections.abc import Container

from orbitalis.errors import NoConnectionError
from orbitalis.protocol.effects import CloseReason, Effect, MessageReceived
from orbitalis.protocol.remote import Remote, Standing, Told
from orbitalis.protocol.slot_keeper import SlotKeeper
from orbitalis.protocol.transitions import SlotTrigger
from orbitalis_wire import channels, timings
from orbitalis_wire.messages import EventEnvelope, KeepaliveMessage, KeepaliveRequestMessage
from orbitalis_wire.topics import KeepaliveRequestTopic, KeepaliveTopic

__all__ = ["Liveness"]


class Liveness(SlotKeeper):
    """What an orbiter does to know who lives, and to be known to live.

    Public methods return the effects of the call.
    """

    # What the user wants

    def send_keepalive(self, remote_identifier: str, now: float) -> list[Effect]:
        """Give a remote a sign of life.

        Raises:
            NoConnectionError: Where its keepalives go is not known.
        """
        remote = self.acquaintances.get(remote_identifier)
        if remote is None or remote.keepalive_topic is None:
            raise NoConnectionError(f"'{self._settings.identifier}' knows no keepalive topic of '{remote_identifier}'")
        self._send_keepalive(remote, now)
        return self._outbox.take()

    def send_keepalive_request(self, remote_identifier: str) -> list[Effect]:
        """Ask a remote for a sign of life.

        Raises:
            NoConnectionError: Where its keepalive requests go is not known.
        """
        remote = self.acquaintances.get(remote_identifier)
        if remote is None or remote.keepalive_request_topic is None:
            raise NoConnectionError(
                f"'{self._settings.identifier}' knows no keepalive request topic of '{remote_identifier}'"
            )
        self._send_keepalive_request(remote)
        return self._outbox.take()

    def update_acquaintance(
        self,
        remote_identifier: str,
        *,
        keepalive_topic: str,
        keepalive_request_topic: str,
        considers_me_dead_after: float,
    ) -> None:
        """Change what a remote has said about itself.

        Raises:
            NoConnectionError: The remote is not known.
            RemoteProtocolError: Nothing can be published to one of the topics.
        """
        remote = self.acquaintances.get(remote_identifier)
        if remote is None:
            raise NoConnectionError(f"'{self._settings.identifier}' knows no remote '{remote_identifier}'")
        told = Told(
            keepalive_topic=self._told.resolve(KeepaliveTopic, remote_identifier, keepalive_topic),
            keepalive_request_topic=self._told.resolve(
                KeepaliveRequestTopic, remote_identifier, keepalive_request_topic
            ),
            considers_me_dead_after=considers_me_dead_after,
        )
        self.acquaintances.told(remote, told)

    # What time and the bus bring

    def send_due_keepalives(self, now: float) -> list[Effect]:
        """Give each remote the sign of life that it is owed, and ask those that owe one."""
        self.acquaintances.apply_changed_durations()
        for remote in self.acquaintances.pop_keepalives_due(now):
            self._send_keepalive(remote, now)
        for remote in self.acquaintances.pop_probes_due(now):
            if self.slots.has_remote(remote.identifier):
                self._send_keepalive_request(remote)
        for identifier in self._reconciliations.pop_due(now):
            doubted = self.acquaintances.get(identifier)
            if doubted is not None and self.slots.has_remote(identifier):
                self._send_keepalive_request(doubted)
        return self._outbox.take()

    def lose_dead_remotes(self, now: float) -> list[Effect]:
        """Close all connections with remotes that have been silent for too long."""
        self.acquaintances.apply_changed_durations()
        for remote in self.acquaintances.pop_dead(now):
            if self.slots.has_remote(remote.identifier):
                self._forget_wishes(remote.identifier)
                self._lose(remote.identifier, CloseReason.REMOTE_DEAD)
        self._settle(now)
        return self._outbox.take()

    def reconnected(self, now: float) -> list[Effect]:
        """Take the report that the bus was away: messages of either side may be lost."""
        if self.running:
            for identifier in self.slots.remotes():
                remote = self.acquaintances.get(identifier)
                if remote is not None:
                    self._send_keepalive(remote, now)
                    self._send_keepalive_request(remote)
                    self._repeat_unanswered(remote)
            self._on_reconnected(now)
        return self._outbox.take()

    def _on_reconnected(self, now: float) -> None:
        """Do what a returned bus asks for."""

    def _repeat_unanswered(self, remote: Remote, connection_identifiers: Container[str] | None = None) -> None:
        """Send anew what a remote has not answered, or has and the answer was lost."""

    # What arrives

    def _on_keepalive(self, message: KeepaliveMessage, envelope: EventEnvelope, now: float) -> None:
        if not self._admit(message.from_identifier, envelope, now):
            return
        self._outbox.add(MessageReceived(remote_identifier=message.from_identifier, message=message))
        remote = self.acquaintances.get(message.from_identifier)
        if remote is not None and envelope.open_connections is not None:
            self._reconcile(remote, frozenset(envelope.open_connections), now)

    def _on_keepalive_request(self, message: KeepaliveRequestMessage, envelope: EventEnvelope, now: float) -> None:
        remote = self.acquaintances.get(message.from_identifier)
        is_known = remote is not None and not remote.is_dead and remote.standing(envelope) is Standing.CURRENT
        if not self._admit(message.from_identifier, envelope, now) or remote is None or not is_known:
            return
        topic = self._told.resolve(KeepaliveTopic, remote.identifier, message.keepalive_topic)
        self._outbox.add(MessageReceived(remote_identifier=remote.identifier, message=message))
        self._send_keepalive(remote, now, topic)

    def _reconcile(self, remote: Remote, believed: frozenset[str], now: float) -> None:
        """Hold what the remote believes to share against what this side does.

        What only this side believes in is closed once two keepalives, `reconciliation_delay` apart, have missed it: one
        alone may have crossed a handshake. What only the remote believes in it closes in the same way, when it gets
        keepalives in return.
        """
        mine: set[str] = set()
        for slot in self.slots.of_remote(remote.identifier):
            mine.add(slot.connection_identifier)
            if not slot.is_connection or slot.connection_identifier in believed:
                slot.missed_at = None
            elif slot.missed_at is None:
                slot.missed_at = now
                self._reconciliations.set(remote.identifier, now + timings.RECONCILIATION_DELAY)
            elif slot.missed_at + timings.RECONCILIATION_DELAY <= now:
                self._send_graceless_close(slot, None)
                self._release(slot, SlotTrigger.GRACELESS_CLOSE_SENT, CloseReason.REMOTE_FORGOT)
        self._repeat_unanswered(remote, believed)
        if not believed <= mine and (
            remote.reconciled_at is None or remote.reconciled_at + timings.RECONCILIATION_DELAY <= now
        ):
            remote.reconciled_at = now
            self._send_keepalive(remote, now)

    def _send_keepalive(self, remote: Remote, now: float, topic: str | None = None) -> None:
        """Send a keepalive to the topic that a request named, or to the one that the handshake told."""
        topic = topic or remote.keepalive_topic
        if topic is None:
            return
        if topic == remote.keepalive_topic:
            # One that goes elsewhere may never reach the remote.
            self.acquaintances.keepalive_sent(remote, now)
        self._publish_keepalive(remote.identifier, topic)

    def _publish_keepalive(
        self, remote_identifier: str, topic: str, *, correlation_identifier: str | None = None
    ) -> None:
        shared = (slot.connection_identifier for slot in self.slots.of_remote(remote_identifier))
        self._outbox.send(
            remote_identifier,
            topic,
            channels.KEEPALIVE,
            KeepaliveMessage(from_identifier=self._settings.identifier),
            correlation_identifier=correlation_identifier,
            open_connections=tuple(identifier for identifier in shared if identifier),
            replaces_earlier=correlation_identifier is None,
        )

    def _send_keepalive_request(self, remote: Remote) -> None:
        if remote.keepalive_request_topic is None:
            return
        message = KeepaliveRequestMessage(
            from_identifier=self._settings.identifier,
            keepalive_topic=self._settings.topics.keepalive(remote.identifier),
        )
        self._outbox.send(
            remote.identifier,
            remote.keepalive_request_topic,
            channels.KEEPALIVE_REQUEST,
            message,
            replaces_earlier=True,
        )
