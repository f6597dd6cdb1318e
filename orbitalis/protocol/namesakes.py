"""Two orbiters with one identifier: how they find out, and how remotes that hear both of them find out.

A remote believes the one that was proven last, and ignores the messages of the other one. If both go on, they are two.
Then the remote answers an ignored message with a keepalive. Both get it, and one of them has not sent the message that
it answers. So this one knows. It sends a keepalive to its own identifier, which the other one gets.

After a restart, messages of a past incarnation may still arrive for a while. They are not counted.

If both start again whenever they are ignored, their incarnations replace each other. Then they are reported as two, and
the next change waits. An orbiter that crashes again and again is not its own namesake: an incarnation that has ended
never comes back, and each start counts at once. To tell the two cases apart, the remote is asked for a keepalive after
many changes. If there are two, both answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from orbitalis.protocol.config import OrbiterConfig
from orbitalis.protocol.effects import ProtocolMessage
from orbitalis.protocol.headers import Headers
from orbitalis.protocol.orbiter_statistics import OrbiterStatistics
from orbitalis.protocol.outbox import Outbox
from orbitalis.protocol.peers import Peer
from orbitalis_wire.messages import KeepaliveMessage

__all__ = ["Namesakes"]

_SETTLING: Final = 15.0
"""Seconds after a start in which messages of a past incarnation may arrive, because a bus was away."""
_CHANGES: Final = 5
"""How often the incarnation of a remote may change within that time."""


class Asking(Protocol):
    """Sends keepalives and keepalive requests."""

    def send_keepalive_request(self, peer: Peer, now: float) -> None:
        """Ask a peer for a keepalive, if it has said where."""

    def publish_keepalive(
        self, remote_identifier: str, topic: str, *, correlation_identifier: str | None = None
    ) -> None:
        """Send a keepalive to a remote that may not be known."""


@dataclass(slots=True, eq=False)
class Namesakes:
    """Finds orbiters with the same identifier, as one orbiter sees it. Times are seconds."""

    _config: OrbiterConfig
    _outbox: Outbox
    _asking: Asking
    _statistics: OrbiterStatistics
    _is_own: Callable[[str], bool]
    """Says whether this orbiter has sent the event with an identifier."""
    _started_at: float = field(init=False, default=0.0)
    _sent: str | None = field(init=False, default=None)
    """The event by which another orbiter of this identifier is told of this one."""
    untold: list[str] = field(init=False, default_factory=list[str])
    """Identifiers that two orbiters have, each once. The caller removes and reports them."""

    def configure(self, config: OrbiterConfig) -> None:
        """Take a new snapshot."""
        self._config = config

    def start(self, now: float) -> None:
        """Begin another incarnation."""
        self._started_at = now
        self._sent = None

    # Of remotes

    def doubt(self, peer: Peer, now: float) -> None:
        """Note an unbound message of a past incarnation, which anybody may have sent, and ask for a keepalive."""
        if now < peer.incarnation_since + _SETTLING or (
            peer.doubted_at is not None and now < peer.doubted_at + _SETTLING
        ):
            return
        peer.doubted_at = now
        self._asking.send_keepalive_request(peer, now)

    def heard_past(self, peer: Peer, headers: Headers, now: float) -> None:
        """Note a message of a past incarnation. If the current one is heard after it as well, they are two."""
        if now < peer.incarnation_since + _SETTLING:
            return
        if peer.past_heard_at is None or peer.last_seen <= peer.past_heard_at:
            peer.past_heard_at = now if peer.past_heard_at is None else peer.past_heard_at
            self.doubt(peer, now)
            return
        if self._tell(peer) and peer.keepalive_topic is not None:
            self._asking.publish_keepalive(
                peer.identifier, peer.keepalive_topic, correlation_identifier=headers.identifier
            )

    def change_waits_until(self, peer: Peer, now: float) -> float | None:
        """Note that another incarnation is proven. If two alternate, return when it may become current."""
        recent = tuple(at for at in peer.changed_at if now < at + _SETTLING)
        if len(recent) >= _CHANGES and peer.past_proven_at is not None and now < peer.past_proven_at + _SETTLING:
            self._tell(peer)
            return recent[0] + _SETTLING
        peer.changed_at = (*recent[1 - _CHANGES :], now)
        return None

    def changed(self, peer: Peer, now: float) -> None:
        """Note that another incarnation is current. After many recent changes, ask whether a past one lives as well."""
        if len(peer.changed_at) >= _CHANGES:
            self._asking.send_keepalive_request(peer, now)

    def _tell(self, peer: Peer) -> bool:
        """Count a namesake of a remote; return whether it is the first time."""
        self._statistics.namesakes += 1
        if peer.has_namesake:
            return False
        peer.has_namesake = True
        self.untold.append(peer.identifier)
        return True

    # Of this orbiter

    def answered(self, correlation_identifier: str, now: float) -> None:
        """Note a keepalive that answers an event. If this orbiter has not sent that event, a namesake has."""
        if now >= self._started_at + _SETTLING and not self._is_own(correlation_identifier):
            self._found(None)

    def heard_own(self, message: ProtocolMessage, headers: Headers, now: float) -> None:
        """Note a message in the name of this orbiter. It may be the one that it has sent to itself."""
        is_echo = headers.identifier == self._sent
        # A core sends no announcements and a plugin no discovers, so that those are not of a past incarnation. Nor
        # is a keepalive that answers what this one has sent.
        answers = headers.correlation_identifier
        is_late = (
            isinstance(message, KeepaliveMessage)
            and now < self._started_at + _SETTLING
            and (answers is None or not self._is_own(answers))
        )
        if not is_echo and not is_late:
            self._found(headers.identifier)

    def _found(self, event_identifier: str | None) -> None:
        self._statistics.namesakes += 1
        if self._sent is not None:
            return
        identifier = self._config.identifier
        self.untold.append(identifier)
        self._sent = self._outbox.new_identifier()
        self._outbox.send(
            identifier,
            self._config.topics.keepalive(identifier),
            KeepaliveMessage(from_identifier=identifier),
            event_identifier=self._sent,
            correlation_identifier=event_identifier,
        )
