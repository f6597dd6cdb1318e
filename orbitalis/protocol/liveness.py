"""Signs of life: sends, requests and awaits keepalives, and decides when a remote is dead."""

from __future__ import annotations

from dataclasses import dataclass, field

from orbitalis.protocol.config import OrbiterConfig
from orbitalis.protocol.effects import CloseReason, MessageReceived
from orbitalis.protocol.handshake.role_part import RolePart
from orbitalis.protocol.headers import Headers, SenderHeaders
from orbitalis.protocol.lifecycle import Lifecycle
from orbitalis.protocol.namesakes import Namesakes
from orbitalis.protocol.older_peers import OlderPeers
from orbitalis.protocol.outbox import Outbox
from orbitalis.protocol.peers import Claim, IncarnationStatus, Peer, Peers, PeerTopics
from orbitalis.protocol.slots import SlotTable
from orbitalis.protocol.topic_resolver import TopicResolver
from orbitalis.protocol.transitions import SlotTrigger
from orbitalis_wire import timings
from orbitalis_wire.messages import KeepaliveMessage, KeepaliveRequestMessage
from orbitalis_wire.topics import KeepaliveRequestTopic, KeepaliveTopic

__all__ = ["Liveness"]


@dataclass(slots=True, eq=False)
class Liveness:
    """Knows which remotes live, and tells remotes that this orbiter lives."""

    _config: OrbiterConfig
    _peers: Peers
    _slots: SlotTable
    _lifecycle: Lifecycle
    _resolver: TopicResolver
    _outbox: Outbox
    role: RolePart = field(init=False)
    """The role's part of the machine, which sets it."""
    namesakes: Namesakes = field(init=False)
    """The part that is told about answers. The machine sets it."""
    older_peers: OlderPeers = field(init=False)
    """The part for older peers."""

    def __post_init__(self) -> None:
        self.older_peers = OlderPeers(self._config, self._peers, self._slots, self._outbox)

    def configure(self, config: OrbiterConfig) -> None:
        """Take a new snapshot."""
        self._config = config
        self.older_peers.configure(config)

    # Who is heard

    def hear(self, remote_identifier: str, headers: Headers, now: float) -> None:
        """Note a sign of life of a known remote in its current incarnation.

        Raises:
            RemoteProtocolError: The sender's identifier cannot be a level of a topic.
        """
        if self._peers.get(remote_identifier) is None:
            self._resolver.check_identifier(remote_identifier)
        else:
            self._peers.meet(remote_identifier, headers, now)
        self.role.heard(remote_identifier)

    def claimed(self, peer: Peer, headers: SenderHeaders, topics: PeerTopics | None, now: float) -> None:
        """Note that a peer was heard in an unknown incarnation, and the topics that it has told there."""
        incarnation, before = headers.incarnation, peer.claim
        if before is None or before.incarnation != incarnation:
            offers = () if before is None else before.offers
            peer.claim = Claim(incarnation=incarnation, heard_at=now, topics=topics, offers=offers)
        else:
            before.heard_at = now
            before.topics = topics or before.topics

    def challenge_claim(self, peer: Peer, now: float) -> None:
        """Ask a peer for a keepalive that proves its unknown incarnation."""
        if peer.challenged_at is None or peer.challenged_at + timings.RECONCILIATION_DELAY <= now:
            peer.challenged_at = now
            told = None if peer.claim is None else peer.claim.topics
            topic = None if told is None else told.keepalive_request_topic
            own = KeepaliveRequestTopic.join(peer.identifier, self._config.identifier)
            self.send_keepalive_request(peer, now, topic or own)

    # What time and the bus bring

    def send_due_keepalives(self, now: float) -> None:
        """Send the keepalives that are due, and ask for those that are overdue."""
        for peer in self._peers.pop_keepalives_due(now):
            self.send_keepalive(peer, now)
        for peer in self._peers.pop_probes_due(now):
            if self._slots.has_remote(peer.identifier):
                self.send_keepalive_request(peer, now)

    def lose_dead_remotes(self, now: float) -> None:
        """Close all connections with remotes that have been silent for too long."""
        for peer in self._peers.pop_dead(now):
            self.lose(peer)

    def lose(self, peer: Peer) -> None:
        """Treat a remote as dead, and close all connections with it."""
        peer.is_dead = True
        if self._slots.has_remote(peer.identifier):
            self.role.remote_died(peer.identifier)
            self._lifecycle.lose(peer.identifier, CloseReason.REMOTE_DEAD)

    def reconnected(self, now: float) -> None:
        """Compare connections with all remotes, because messages may have been lost while the bus was away."""
        for identifier in self._slots.remotes():
            peer = self._peers.get(identifier)
            if peer is not None:
                self.send_keepalive(peer, now)
                self.send_keepalive_request(peer, now)
                self.role.repeat_unanswered(peer)

    # What arrives

    def on_keepalive(self, topic: str, message: KeepaliveMessage, headers: Headers, now: float) -> None:
        """Handle a keepalive: a sign of life, and the connections in which its sender believes."""
        self.hear(message.from_identifier, headers, now)
        if headers.correlation_identifier is not None:
            self.namesakes.answered(headers.correlation_identifier, now)
        self._outbox.add(MessageReceived(remote_identifier=message.from_identifier, message=message))
        if headers.incarnation is None:
            self.older_peers.close_unshared(message.from_identifier, now)
        peer = self._peers.get(message.from_identifier)
        if peer is not None and headers.open_connections is not None:
            self._reconcile(peer, frozenset(headers.open_connections), now)
        elif peer is None and headers.open_connections and not self._slots.has_remote(message.from_identifier):
            # It takes this one for a past incarnation, and nobody has told it that this has ended.
            self.publish_keepalive(message.from_identifier, self._own_topic_at(message.from_identifier))

    def on_keepalive_request(self, topic: str, message: KeepaliveRequestMessage, headers: Headers, now: float) -> None:
        """Answer a remote. If it or its incarnation is unknown, answer only to a topic that is certainly its own.

        Such a remote may know this orbiter, and ask whether it was restarted.
        """
        remote = message.from_identifier
        peer = self._peers.get(remote)
        is_known = peer is not None and not peer.is_dead
        if peer is None or peer.status(headers) is IncarnationStatus.CURRENT:
            self.hear(remote, headers, now)
        else:
            is_known = False
        answer_topic = self._resolver.resolve(KeepaliveTopic, remote, message.keepalive_topic)
        if peer is not None and is_known:
            self._outbox.add(MessageReceived(remote_identifier=remote, message=message))
            if answer_topic == peer.keepalive_topic:
                # One that goes elsewhere may never reach the remote.
                peer.last_keepalive_sent = now
        elif answer_topic != self._own_topic_at(remote) and (peer is None or answer_topic != peer.keepalive_topic):
            return
        self.publish_keepalive(remote, answer_topic, correlation_identifier=headers.identifier)

    def _own_topic_at(self, remote_identifier: str) -> str:
        """Return the topic of a remote with our layout for keepalives of this orbiter."""
        return KeepaliveTopic.join(remote_identifier, self._config.identifier)

    def _reconcile(self, peer: Peer, believed: frozenset[str], now: float) -> None:
        """Compare the connections in which the remote believes with those of this side.

        If only this side believes in a connection, it is closed once two keepalives, `reconciliation_delay` apart, do
        not list it. A single one may have crossed a handshake. If only the remote believes in a connection, it closes
        the connection in the same way when it gets keepalives in return.
        """
        mine: set[str] = set()
        for slot in self._slots.of_remote(peer.identifier):
            mine.add(slot.connection_identifier)
            if not slot.is_connection or slot.connection_identifier in believed:
                slot.missed_at = None
            elif slot.missed_at is None:
                slot.missed_at = now
                self._peers.reconcile_later(peer, now + timings.RECONCILIATION_DELAY)
            elif slot.missed_at + timings.RECONCILIATION_DELAY <= now:
                self._lifecycle.send_graceless_close(slot, None)
                self._lifecycle.release(slot, SlotTrigger.GRACELESS_CLOSE_SENT, CloseReason.REMOTE_FORGOT)
        self.role.repeat_unanswered(peer, believed)
        if not believed <= mine and (
            peer.reconciled_at is None or peer.reconciled_at + timings.RECONCILIATION_DELAY <= now
        ):
            peer.reconciled_at = now
            self.send_keepalive(peer, now)

    # Sending

    def send_keepalive(self, peer: Peer, now: float) -> None:
        """Send a keepalive, if the peer has told a topic for it."""
        if peer.keepalive_topic is not None:
            peer.last_keepalive_sent = now
            self.publish_keepalive(peer.identifier, peer.keepalive_topic)

    def publish_keepalive(
        self, remote_identifier: str, topic: str, *, correlation_identifier: str | None = None
    ) -> None:
        """Send a keepalive to a remote that may not be known."""
        shared = (slot.connection_identifier for slot in self._slots.with_remote(remote_identifier).values())
        self._outbox.send(
            remote_identifier,
            topic,
            KeepaliveMessage(from_identifier=self._config.identifier),
            correlation_identifier=correlation_identifier,
            open_connections=tuple(identifier for identifier in shared if identifier),
            replaces_earlier=correlation_identifier is None,
        )

    def send_keepalive_request(self, peer: Peer, now: float, topic: str | None = None) -> None:
        """Ask a peer for a keepalive, on the topic that it has told, or else on `topic`."""
        topic = peer.keepalive_request_topic or topic
        if topic is not None:
            self._outbox.send(
                peer.identifier,
                topic,
                KeepaliveRequestMessage(
                    from_identifier=self._config.identifier,
                    keepalive_topic=self._config.topics.keepalive(peer.identifier),
                ),
                event_identifier=self._outbox.challenge(peer, KeepaliveRequestMessage, now),
                replaces_earlier=True,
            )
