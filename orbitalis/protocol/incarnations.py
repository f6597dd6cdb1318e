"""Incarnations of remotes: which one is current, and how an unknown one is proven.

An incarnation is a random value, so only a proof shows which of two incarnations lives. An unknown incarnation is a
claim, and ends nothing. An event proves it by answering an event that this orbiter has sent a short while ago. Only a
reader of the remote's topics can know the identifier of that event. A claim that proves nothing is dropped, and the
remote is asked for a keepalive, which is a proof.

An event is a challenge only if it was sent after the current incarnation was first heard. So a delayed answer of an
earlier incarnation does not replace the one that lives.

Older peers name no incarnation. Their bus clients do not identify them either, because they may have several. Each of
their events counts, as long as the remote is not known to send headers. No event of theirs may be dropped as a claim,
because they do not repeat it: an older plugin repeats an offer only after the offer has expired.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Final

from orbitalis.protocol.config import OrbiterConfig
from orbitalis.protocol.effects import CloseReason, ProtocolMessage
from orbitalis.protocol.headers import Headers, is_of_version_1_1
from orbitalis.protocol.lifecycle import Lifecycle
from orbitalis.protocol.liveness import Liveness
from orbitalis.protocol.outbox import Outbox
from orbitalis.protocol.peers import IncarnationStatus, Peer, Peers
from orbitalis.protocol.slots import SlotTable
from orbitalis.protocol.topic_resolver import ROOTS
from orbitalis.protocol.transitions import SlotState
from orbitalis_wire import limits, timings
from orbitalis_wire.messages import (
    AnnounceMessage,
    DiscoverMessage,
    KeepaliveMessage,
    KeepaliveRequestMessage,
    OfferMessage,
    RejectOperationMessage,
    RequestOperationMessage,
    WillMessage,
)

__all__ = ["Incarnations"]

_ANSWERED: Final[Mapping[type[object], tuple[type[object], ...]]] = {
    OfferMessage: (DiscoverMessage,),
    KeepaliveMessage: (DiscoverMessage, KeepaliveRequestMessage),
    RequestOperationMessage: (OfferMessage,),
    RejectOperationMessage: (OfferMessage,),
}
"""The messages that prove an incarnation, and the messages that they have to answer."""


@dataclass(slots=True, eq=False)
class Incarnations:
    """Decides whether an event counts, given the incarnation of its sender. Times are seconds."""

    _config: OrbiterConfig
    _peers: Peers
    _slots: SlotTable
    _lifecycle: Lifecycle
    _liveness: Liveness
    _outbox: Outbox

    def configure(self, config: OrbiterConfig) -> None:
        """Take a new snapshot."""
        self._config = config

    def admits(
        self, peer: Peer, topic: str, message: ProtocolMessage, headers: Headers, now: float, *, is_bound: bool
    ) -> bool:
        """Return whether a message may go to the responsible part. A proof makes its incarnation the current one.

        `is_bound` says whether only the peer may publish to the topic. It is also true for a topic of another layout,
        for which this cannot be known.
        """
        status = peer.status(headers)
        if status is IncarnationStatus.CURRENT:
            return True
        kind = type(message)
        if kind is WillMessage:
            return True  # it is of one that may not live, and claims nothing
        is_open = kind is AnnounceMessage or topic == self._config.discover_topic
        is_proof = (
            not is_open and (is_bound or not topic.startswith(ROOTS)) and self._is_proof(peer, kind, headers, now)
        )
        if status is IncarnationStatus.PAST:
            if is_proof:
                peer.past_proven_at = now
            if not is_open:
                self._liveness.namesakes.heard_past(peer, headers, now)
            elif kind is DiscoverMessage:
                self._liveness.namesakes.doubt(peer, now)
            return False
        if is_proof:
            until = self._liveness.namesakes.change_waits_until(peer, now)
            if until is None:
                self._replace(peer, headers, now)
                return True
            self._peers.reconcile_later(peer, until)
            if peer.claim is not None:
                peer.claim.offers = ()  # what takes them up is dropped here, so they have to be sent again
            return False
        if kind is AnnounceMessage or kind is DiscoverMessage:
            return True  # the answer is a challenge
        self._liveness.claimed(peer, headers, None, now)
        self._liveness.challenge_claim(peer, now)
        # That it is answered ends nothing, and it may be all that the remote waits for.
        return kind is KeepaliveRequestMessage

    def _is_proof(self, peer: Peer, kind: type[object], headers: Headers, now: float) -> bool:
        """Return whether a message answers a recent challenge."""
        answered = _ANSWERED.get(kind, ())
        since = max(peer.incarnation_since, now - timings.CHALLENGE_ANSWERED_WITHIN)
        answers = headers.correlation_identifier
        # Peers of version 1.0, which read another envelope, name nothing. One of this version is not believed to be of
        # an earlier one from now on.
        names_it = peer.is_of_version_1_1 or is_of_version_1_1(headers)
        if headers.incarnation is None or (answers is None and names_it):
            return False
        for identifier, challenge, sent_at in chain(peer.challenges, self._outbox.challenges.values()):
            if challenge in answered and sent_at >= since and answers in (None, identifier):
                return True
        return False

    def _replace(self, peer: Peer, headers: Headers, now: float) -> None:
        """Make an incarnation the current one. The one before is past, and its agreements are void.

        Offers to the new one stay, because they were not made to the one before.
        """
        remote, claim = peer.identifier, peer.claim
        offers = frozenset(() if claim is None else claim.offers)
        slots = self._slots.of_remote(remote)
        offered = [slot for slot in slots if not offers.isdisjoint(slot.offer_identifiers)]
        lost = [slot for slot in slots if slot.state is not SlotState.OFFERED or slot not in offered]
        if lost:
            self._lifecycle.lose(remote, CloseReason.REMOTE_RESTARTED, lost)
        if peer.incarnation is not None:
            peer.past_incarnations = (*peer.past_incarnations, peer.incarnation)[-limits.PAST_INCARNATIONS :]
        peer.challenges = ()
        self._peers.meet(remote, headers, now)
        self._liveness.role.remote_restarted(peer, [slot for slot in offered if slot.state is SlotState.FREE], now)
        self._liveness.namesakes.changed(peer, now)
