"""Wills: the broker says that the connection of a remote was cut, and the remote becomes suspected.

A will does not prove a death. A broker also sends wills when it is stopped, when a client replaces its own earlier
connection, and when a link is down for a moment. So a will only makes the remote suspected. It is asked for a keepalive
several times, because a remote that is about to connect again loses requests. If it gives no sign of life, it is dead.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from orbitalis.protocol.config import OrbiterConfig
from orbitalis.protocol.deadlines import Deadline, Deadlines
from orbitalis.protocol.effects import SuspicionChanged, WatchWill
from orbitalis.protocol.headers import Headers
from orbitalis.protocol.liveness import Liveness
from orbitalis.protocol.outbox import Outbox
from orbitalis.protocol.peers import Peer, Peers
from orbitalis_wire.messages import WillMessage

__all__ = ["Suspicion", "Suspicions"]

_REQUESTS: Final = 4
"""Keepalive requests within the grace."""
_HELD_UP: Final = 0.25
"""Seconds by which a look at a suspicion may be late; one that is later says that this orbiter was held up itself, and
answers may wait that it has not read."""


@dataclass(slots=True, kw_only=True, eq=False)
class Suspicion:
    """One remote that is suspected, or was a moment ago. Times are seconds on the clock of the machine's caller."""

    peer: Peer
    asked: int = 0
    """Keepalive requests that it has had time to answer, or has still."""
    look_at: float = 0.0
    """When it is looked at next, and asked again."""
    due_at: float | None = None
    deadline: Deadline | None = None


@dataclass(slots=True, eq=False)
class Suspicions:
    """Suspects remotes after their will, and treats those that stay silent as dead."""

    _config: OrbiterConfig
    _peers: Peers
    _liveness: Liveness
    _outbox: Outbox
    deadlines: Deadlines[Suspicion] = field(init=False, default_factory=Deadlines[Suspicion])
    """When something is due next."""
    _watched: dict[str, None] = field(init=False, default_factory=dict[str, None])
    """Remotes whose will is listened for."""
    recent: dict[str, Suspicion] = field(init=False, default_factory=dict[str, Suspicion])
    """By remote: suspicions that are to be looked at again, settled ones as well until then."""

    def configure(self, config: OrbiterConfig) -> None:
        """Take a new snapshot; listen for wills from now on, or no more."""
        before, self._config = self._config, config
        if config.suspicion_grace is None:
            for remote in [*self._watched]:
                self._unwatch(remote)
        elif before.suspicion_grace is None:
            for peer in self._peers.all():
                self.connected(peer.identifier)

    def connected(self, remote_identifier: str) -> None:
        """Listen for the will of a remote with which there is a connection, if that was not done before."""
        peer = self._peers.get(remote_identifier)
        if peer is not None and peer.connections and peer.sends_headers and remote_identifier not in self._watched:
            self._watched[remote_identifier] = None
            self._outbox.add(WatchWill(remote_identifier=remote_identifier, is_wanted=True))

    def disconnected(self, remote_identifier: str) -> None:
        """Listen for the will of a remote no more if there is no connection with it."""
        peer = self._peers.get(remote_identifier)
        if remote_identifier in self._watched and (peer is None or not peer.connections):
            self._unwatch(remote_identifier)

    def on_will(self, topic: str, message: WillMessage, headers: Headers, now: float) -> None:
        """Suspect a remote, if the will is of its current incarnation; it is no sign of life.

        However many wills there are in its name, it is asked once in a part of the grace.
        """
        remote = message.from_identifier
        peer = self._peers.get(remote)
        if (
            remote not in self._watched
            or remote in self._peers.suspected
            or peer is None
            or headers.incarnation is None
            or headers.incarnation != peer.incarnation
        ):
            return
        suspicion = self.recent.get(remote)
        is_new = suspicion is None
        if suspicion is None:
            suspicion = self.recent[remote] = Suspicion(peer=peer)
        self._peers.suspected[remote] = suspicion
        self._outbox.add(SuspicionChanged(remote_identifier=remote, is_suspected=True))
        if is_new:
            suspicion.asked = 1
            self._ask(suspicion, now)
        else:
            suspicion.asked = 0

    def do_due(self, now: float) -> None:
        """Ask those again that are suspected, and take those for dead that have been silent for the grace."""
        for suspicion in self.deadlines.pop_due(now):
            remote = suspicion.peer.identifier
            is_in_time = now < suspicion.look_at + _HELD_UP
            if self._peers.suspected.get(remote) is not suspicion:
                del self.recent[remote]
                self._outbox.add(SuspicionChanged(remote_identifier=remote, is_suspected=False))
            elif suspicion.asked >= _REQUESTS and is_in_time:
                del self.recent[remote], self._peers.suspected[remote]
                self._liveness.lose(suspicion.peer)
            else:
                suspicion.asked += is_in_time
                self._ask(suspicion, now)

    def cancel(self, remote_identifiers: Iterable[str]) -> None:
        """End suspicions, because the bus of the wills was lost, and may have sent them when it ended."""
        for remote in remote_identifiers:
            suspicion = self.recent.pop(remote, None)
            if suspicion is not None:
                self.deadlines.discard(suspicion)
            if self._peers.suspected.pop(remote, None) is not None:
                self._outbox.add(SuspicionChanged(remote_identifier=remote, is_suspected=False))

    def clear(self) -> None:
        """Watch and suspect nobody."""
        self._watched.clear()
        self.recent.clear()
        self.deadlines.clear()

    def _unwatch(self, remote_identifier: str) -> None:
        del self._watched[remote_identifier]
        self._outbox.add(WatchWill(remote_identifier=remote_identifier, is_wanted=False))
        self.cancel((remote_identifier,))

    def _ask(self, suspicion: Suspicion, now: float) -> None:
        grace = self._config.suspicion_grace
        assert grace is not None  # nobody is watched then
        self._liveness.send_keepalive_request(suspicion.peer, now)
        suspicion.look_at = now + grace / _REQUESTS
        self.deadlines.set(suspicion, suspicion.look_at)
