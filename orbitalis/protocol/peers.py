"""The remotes that an orbiter knows: their incarnation, where they listen, and when they were last seen."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from orbitalis.protocol.config import OrbiterConfig
from orbitalis.protocol.deadlines import Deadline, Deadlines
from orbitalis.protocol.headers import SINCE_1_1, SenderHeaders
from orbitalis.protocol.orbiter_statistics import OrbiterStatistics
from orbitalis.protocol.quotas import RateLimiter
from orbitalis_wire import timings
from orbitalis_wire.envelope import Encoding

if TYPE_CHECKING:
    from orbitalis.protocol.suspicions import Suspicion

__all__ = [
    "Challenge",
    "Claim",
    "IncarnationStatus",
    "Peer",
    "PeerTopics",
    "Peers",
    "newest_encoding",
]

T = TypeVar("T")

_NEWEST_FIRST: Final = tuple(encoding for encoding in Encoding if encoding is not Encoding.JSON)
_LOOKS = 64
"""Peers that are looked at to find one to forget."""
Challenge: TypeAlias = tuple[str, type[object], float]
"""An event whose answer proves an incarnation: its identifier, the class of its message, and when it was sent."""


def newest_encoding(readable: Sequence[str] | None) -> Encoding:
    """Return what is written to a remote that has said what it reads: the newest that both know, `json` without any."""
    if readable is not None:
        for encoding in _NEWEST_FIRST:
            if encoding in readable:
                return encoding
    return Encoding.JSON


class IncarnationStatus(Enum):
    """What the incarnation of an event is to what is known of its sender."""

    CURRENT = auto()
    """It is the one that is known, or none is for sure."""
    UNKNOWN = auto()
    """It claims to be the next one, and has to prove that."""
    PAST = auto()
    """It has ended."""


# Not frozen: making one that is takes a call for each field, and each discover and each offer tells of these.
@dataclass(slots=True, kw_only=True)
class PeerTopics:
    """What a peer says of itself in a handshake. The topics are checked, and ready to publish to."""

    keepalive_topic: str
    keepalive_request_topic: str
    considers_me_dead_after: float
    """Seconds."""


@dataclass(slots=True, kw_only=True, eq=False)
class Claim:
    """An unknown incarnation in which a peer was heard, and which is not proven."""

    incarnation: str | None
    """`None` if it was heard without headers."""
    heard_at: float
    """When it was heard last."""
    topics: PeerTopics | None = None
    """What its discover has told."""
    offers: tuple[str, ...] = ()
    """The last offers that were sent since the first of these claims."""


@dataclass(slots=True, kw_only=True, eq=False)
class Peer:
    """One remote orbiter. Times are seconds on the clock of the machine's caller."""

    identifier: str
    last_seen: float
    incarnation: str | None = None
    """The current one; `None` for an older peer, which sends none."""
    past_incarnations: tuple[str, ...] = ()
    """Those before, the last one at the end."""
    challenges: tuple[Challenge, ...] = ()
    """The last events to it alone whose answer proves an incarnation."""
    changed_at: tuple[float, ...] = ()
    """When another incarnation was proven, of late."""
    past_proven_at: float | None = None
    """When a past incarnation last answered what was sent after it was replaced."""
    challenged_at: float | None = None
    """When it was last asked for a keepalive because of a claim."""
    is_incarnation_certain: bool = False
    """Whether it was heard in this incarnation on a topic that it alone may publish to."""
    claim: Claim | None = None
    """The unknown incarnation that was heard last, until it is proven or was not heard for long."""
    told_encoding: Encoding = Encoding.JSON
    """The best of what it is known to read in that incarnation."""
    keepalive_topic: str | None = None
    keepalive_request_topic: str | None = None
    considers_me_dead_after: float | None = None
    """Seconds of silence after which it gives this orbiter up."""
    connections: int = 0
    """How many connections there are with it; while there are any, it is owed keepalives."""
    is_dead: bool = False
    """Whether it has been silent for too long, and was not heard since. Nothing is agreed with it then."""
    last_keepalive_sent: float | None = None
    probed_at: float | None = None
    """When it was asked for a keepalive, if it has been silent since."""
    reconciled_at: float | None = None
    """When it was last told that it believes in a connection which this orbiter does not know."""
    reconcile_at: float | None = None
    """When it is asked for a second keepalive, since the first missed a connection."""
    incarnation_since: float = -math.inf
    """When that incarnation was first heard."""
    past_heard_at: float | None = None
    """When a past incarnation was first heard beside it."""
    doubted_at: float | None = None
    """When it was last asked for a keepalive because of that."""
    has_namesake: bool = False
    """Whether there are two of that identifier."""
    due_at: float | None = None
    """When something is due for it; :class:`Peers` keeps this."""
    deadline: Deadline | None = None
    rate: RateLimiter = field(default_factory=RateLimiter)
    """Of what comes on topics that it alone may publish to."""
    rate_in_its_name: RateLimiter | None = None
    """Of what comes on topics that everybody may publish to, such as that of discovers."""

    @property
    def sends_headers(self) -> bool:
        """Whether it puts headers on its events, as every peer does but an older one."""
        return self.incarnation is not None

    @property
    def is_of_version_1_1(self) -> bool:
        """Whether it knows version 1.1 of the protocol, or a later one: it lists that version of the envelope."""
        return self.told_encoding in SINCE_1_1

    @property
    def encoding(self) -> Encoding:
        """What to write to it: what its next incarnation reads, too, if there may be one."""
        return self.told_encoding if self.claim is None else Encoding.JSON

    def status(self, headers: SenderHeaders) -> IncarnationStatus:
        """Return what the incarnation of an event of this peer is to what is known of it."""
        if self.is_dead or not self.is_incarnation_certain:
            return IncarnationStatus.CURRENT
        incarnation = headers.incarnation
        if incarnation == self.incarnation:
            return IncarnationStatus.CURRENT
        return IncarnationStatus.PAST if incarnation in self.past_incarnations else IncarnationStatus.UNKNOWN


class Peers:
    """All peers by identifier, and when each is owed a keepalive, asked for one, or dead.

    A keepalive is owed to a peer, not to a connection. Hearing from a peer is an assignment: its deadlines only move
    later, and are worked out anew when they are reached.

    Peers with which nothing is shared any more, dead ones included, are remembered, since they may believe otherwise.
    When there are `Limits.known_remotes`, these are forgotten, the longest parted first, unless the user has named
    them.
    """

    def __init__(self, config: OrbiterConfig, statistics: OrbiterStatistics) -> None:
        self._config = config
        self._set_durations()
        self._statistics = statistics
        self._peers: dict[str, Peer] = {}
        self._parted: dict[str, None] = {}
        self.deadlines: Deadlines[Peer] = Deadlines()
        """When something is due next."""
        self._due: list[Peer] = []
        """Peers whose time has come, which nothing was done about yet."""
        self.get = self._peers.get
        """Return what is known of a remote, given its identifier; `None` for a stranger."""
        self.suspected: dict[str, Suspicion] = {}
        """By identifier: peers whose will has come, and no message of the protocol since."""

    def __len__(self) -> int:
        return len(self._peers)

    def configure(self, config: OrbiterConfig) -> None:
        """Take a new snapshot; changed durations count for all peers."""
        before, self._config = self._config, config
        self._set_durations()
        if before.peer_durations != config.peer_durations:
            for peer in self._peers.values():
                self.deadlines.discard(peer)
                self._schedule(peer)

    def _set_durations(self) -> None:
        """Work out after which silence a peer is dead, asked for a keepalive before that, and first looked at.

        A keepalive is due `send_keepalive_before_timelimit` before death; half of that is left for an answer. The first
        look is in time for the keepalive that is owed to a peer with the same durations.
        """
        after = self._config.consider_others_dead_after
        self._dead_after = after = math.inf if after is None else after
        self._probe_after = max(after - self._config.send_keepalive_before_timelimit / 2, after / 2)
        self._first_look_after = self._keepalive_interval(after)

    def all(self) -> tuple[Peer, ...]:
        """Return every peer that is known."""
        return tuple(self._peers.values())

    def known(self, read: Callable[[Peer], T | None]) -> dict[str, T]:
        """Return by identifier what is known of each peer, without those of which it is not."""
        found = ((peer.identifier, read(peer)) for peer in self._peers.values())
        return {identifier: value for identifier, value in found if value is not None}

    def status(self, identifier: str, headers: SenderHeaders) -> IncarnationStatus:
        """Return what the incarnation of an event is to what is known of its sender."""
        peer = self._peers.get(identifier)
        return IncarnationStatus.CURRENT if peer is None else peer.status(headers)

    # Hearing

    def meet(self, identifier: str, headers: SenderHeaders, now: float, *, is_certain: bool = True) -> Peer:
        """Return the peer that sent an event, made known if it is not.

        An event is not certain if anybody may have published it in the peer's name.
        """
        peer = self._peers.get(identifier)
        if peer is None:
            if len(self._peers) >= self._config.limits.known_remotes:
                self._make_room()
            peer = self._peers[identifier] = Peer(identifier=identifier, last_seen=now)
            if self._first_look_after < math.inf:
                self.deadlines.set(peer, now + self._first_look_after)
        else:
            if self.suspected:
                # Not in `seen`: data that is handled now may have waited here since before the will came.
                self.suspected.pop(identifier, None)
            if now > peer.last_seen or peer.is_dead:
                self.seen(peer, now)
        incarnation = headers.incarnation
        if incarnation != peer.incarnation:
            peer.incarnation = incarnation
            if peer.past_incarnations:
                # One that has ended lives after all, where the one after it is dead.
                peer.past_incarnations = tuple(past for past in peer.past_incarnations if past != incarnation)
            peer.incarnation_since = now
            peer.past_heard_at = None
            peer.told_encoding = Encoding.JSON
            peer.is_incarnation_certain = False
        elif peer.is_incarnation_certain and peer.told_encoding is Encoding.AVRO and peer.claim is None:
            return peer
        if is_certain or not peer.is_incarnation_certain:
            peer.is_incarnation_certain = is_certain
            if headers.readable_encodings is not None:
                peer.told_encoding = newest_encoding(headers.readable_encodings)
        claim = peer.claim
        if claim is not None and is_certain:
            if claim.incarnation == incarnation:
                if claim.topics is not None:
                    self.told(peer, claim.topics)
                peer.claim = None
            elif claim.heard_at + timings.CHALLENGE_ANSWERED_WITHIN <= now:
                peer.claim = None
        return peer

    def seen(self, peer: Peer, now: float) -> None:
        """Note a sign of life."""
        if now > peer.last_seen:
            peer.last_seen = now
        peer.probed_at = None
        if peer.is_dead:
            peer.is_dead = False
            self._schedule(peer)

    def told(self, peer: Peer, topics: PeerTopics) -> None:
        """Take over what a peer says about itself in a handshake."""
        peer.keepalive_topic = topics.keepalive_topic
        peer.keepalive_request_topic = topics.keepalive_request_topic
        if peer.considers_me_dead_after != topics.considers_me_dead_after:
            peer.considers_me_dead_after = topics.considers_me_dead_after
            if peer.connections:
                self._schedule(peer)

    # What is shared

    def engaged(self, identifier: str) -> None:
        """Note that something is shared with a remote, also with one that is not known yet."""
        if identifier in self._parted:
            del self._parted[identifier]

    def parted(self, identifier: str) -> None:
        """Note that nothing is shared with a peer any more."""
        if identifier in self._peers:
            self._parted.pop(identifier, None)
            self._parted[identifier] = None

    def connected(self, identifier: str, now: float) -> None:
        """Count one more connection with a peer, which is owed keepalives from the first on."""
        peer = self._peers.get(identifier)
        if peer is not None:
            peer.connections += 1
            if peer.connections == 1:
                # The handshake has served as a keepalive.
                peer.last_keepalive_sent = now
                self._schedule(peer)

    def disconnected(self, identifier: str) -> None:
        """Count one connection less; after the last one the peer is owed nothing."""
        peer = self._peers.get(identifier)
        if peer is not None and peer.connections:
            peer.connections -= 1

    def forget(self, identifier: str) -> None:
        """Know a peer no more."""
        peer = self._peers.pop(identifier, None)
        if peer is not None:
            self.deadlines.discard(peer)
        self._parted.pop(identifier, None)

    def clear(self) -> None:
        """Know nobody."""
        self._peers.clear()
        self._parted.clear()
        self.suspected.clear()
        self.deadlines.clear()
        self._due.clear()

    # Deadlines

    def reconcile_later(self, peer: Peer, at: float) -> None:
        """Have a peer asked for a keepalive at a time."""
        peer.reconcile_at = at
        self._schedule(peer)

    def pop_dead(self, now: float) -> list[Peer]:
        """Return the peers that have been silent for too long, and take them for dead from now on."""
        dead: list[Peer] = []
        for peer in self._all_due(now):
            if not peer.is_dead and peer.last_seen + self._dead_after <= now:
                peer.is_dead = True
                dead.append(peer)
        return dead

    def pop_keepalives_due(self, now: float) -> list[Peer]:
        """Return the peers that are owed a keepalive; the caller is to note when each got it."""
        return [
            peer
            for peer in self._all_due(now)
            if peer.connections
            and peer.last_keepalive_sent is not None
            and peer.last_keepalive_sent + self._keepalive_interval(peer.considers_me_dead_after) <= now
        ]

    def pop_probes_due(self, now: float) -> list[Peer]:
        """Return the peers to ask for a keepalive: once in each silence, and for a reconciliation."""
        due: list[Peer] = []
        for peer in self._all_due(now):
            is_missed = not peer.is_dead and peer.probed_at is None and peer.last_seen + self._probe_after <= now
            if is_missed:
                peer.probed_at = now
            if peer.reconcile_at is not None and peer.reconcile_at <= now:
                peer.reconcile_at = None
                is_missed = True
            if is_missed:
                due.append(peer)
        return due

    def is_silent(self, peer: Peer, now: float) -> bool:
        """Return whether a peer has been silent for too long."""
        return peer.is_dead or peer.last_seen + self._dead_after <= now

    def next_deadline(self) -> float | None:
        """Return when the next of all these is due."""
        self._settle_due()
        return self.deadlines.next()

    def _all_due(self, now: float) -> list[Peer]:
        self._settle_due()
        self._due = self.deadlines.pop_due(now)
        return self._due

    def _settle_due(self) -> None:
        """Work out when those are due again whose time had come."""
        if self._due:
            due, self._due = self._due, []
            for peer in due:
                if self._peers.get(peer.identifier) is peer:
                    self._schedule(peer)

    def _schedule(self, peer: Peer) -> None:
        """Set the next deadline of a peer, if it is earlier than the one that is set."""
        at = math.inf
        if not peer.is_dead:
            at = peer.last_seen + (self._probe_after if peer.probed_at is None else self._dead_after)
        if peer.connections and peer.last_keepalive_sent is not None:
            at = min(at, peer.last_keepalive_sent + self._keepalive_interval(peer.considers_me_dead_after))
        if peer.reconcile_at is not None and peer.reconcile_at < at:
            at = peer.reconcile_at
        if at < math.inf and (peer.due_at is None or at < peer.due_at):
            self.deadlines.set(peer, at)

    def _make_room(self) -> None:
        """Forget of those with whom nothing is shared as many as have to make room for one more."""
        for _ in range(_LOOKS):
            if len(self._peers) < self._config.limits.known_remotes or not self._parted:
                return
            identifier = next(iter(self._parted))
            if identifier in self._config.named:
                self.parted(identifier)
            else:
                self.forget(identifier)
                self._statistics.forgotten += 1

    def _keepalive_interval(self, after: float | None) -> float:
        """Return how often a peer is owed a keepalive that gives this orbiter up after so much silence."""
        if after is None or not 0 < after < math.inf:
            return math.inf
        before_limit = self._config.send_keepalive_before_timelimit
        return after - before_limit if before_limit < after else after / 2
