"""Mutants of incarnations: changes of what is believed of orbiters that start anew, or are said to have.

Those with a number are faults that the peers have, under their number in :mod:`tests.test_known_faults`.
"""

from __future__ import annotations

from tests.mutation.mutant import Mutant

__all__ = ["INCARNATION_MUTANTS"]

_INCARNATIONS = "orbitalis/protocol/incarnations.py"
_LIVENESS = "orbitalis/protocol/liveness.py"
_NAMESAKES = "orbitalis/protocol/namesakes.py"
_OUTBOX = "orbitalis/protocol/outbox.py"
_PEERS = "orbitalis/protocol/peers.py"
_PROVIDER = "orbitalis/protocol/handshake/provider.py"
_REQUESTER = "orbitalis/protocol/handshake/requester.py"

INCARNATION_MUTANTS = [
    Mutant(
        name="restart-not-noticed",
        file=_INCARNATIONS,
        old="        if lost:\n",
        new="        if False:\n",
        known_fault=4,
    ),
    Mutant(
        name="claim-believed-at-once",
        file=_INCARNATIONS,
        old=" and self._is_proof(peer, kind, headers, now)",
        new="",
    ),
    Mutant(
        name="any-correlation-proves",
        file=_INCARNATIONS,
        old="and answers in (None, identifier)",
        new="and True",
    ),
    Mutant(
        name="any-answer-proves",
        file=_INCARNATIONS,
        old="if challenge in answered and sent_at",
        new="if answered and sent_at",
    ),
    Mutant(
        name="no-answer-proves",
        file=_INCARNATIONS,
        old=" or (answers is None and names_it):",
        new=":",
    ),
    Mutant(
        name="older-ones-forge-what-others-prove",
        file=_INCARNATIONS,
        old="if headers.incarnation is None or (",
        new="if (",
    ),
    Mutant(
        name="earlier-versions-forge-what-later-ones-prove",
        file=_INCARNATIONS,
        old="names_it = peer.is_of_version_1_1 or is_of_version_1_1(headers)",
        new="names_it = is_of_version_1_1(headers)",
    ),
    Mutant(
        name="challenge-never-expires",
        file=_INCARNATIONS,
        old="since = max(peer.incarnation_since, now - timings.CHALLENGE_ANSWERED_WITHIN)",
        new="since = peer.incarnation_since",
    ),
    Mutant(
        name="challenge-of-before-proves",
        file=_INCARNATIONS,
        old="since = max(peer.incarnation_since, now - timings.CHALLENGE_ANSWERED_WITHIN)",
        new="since = now - timings.CHALLENGE_ANSWERED_WITHIN",
    ),
    Mutant(
        name="proven-where-anybody-may-publish",
        file=_INCARNATIONS,
        old="            not is_open and (is_bound",
        new="            (is_bound",
    ),
    Mutant(
        name="claims-not-asked",
        file=_INCARNATIONS,
        old="        self._liveness.challenge_claim(peer, now)\n",
        new="",
    ),
    Mutant(
        name="requests-of-unknown-incarnations-unanswered",
        file=_INCARNATIONS,
        old="        return kind is KeepaliveRequestMessage",
        new="        return False",
    ),
    Mutant(
        name="past-incarnations-forgotten",
        file=_INCARNATIONS,
        old="[-limits.PAST_INCARNATIONS :]",
        new="[:0]",
    ),
    Mutant(
        name="past-incarnation-is-heard",
        file=_PEERS,
        old="IncarnationStatus.PAST if incarnation in self.past_incarnations else",
        new="IncarnationStatus.CURRENT if incarnation in self.past_incarnations else",
    ),
    Mutant(
        name="incarnation-that-lives-after-all-is-past",
        file=_PEERS,
        old="            if peer.past_incarnations:\n",
        new="            if False:\n",
    ),
    Mutant(
        name="claim-never-forgotten",
        file=_PEERS,
        old="elif claim.heard_at + timings.CHALLENGE_ANSWERED_WITHIN <= now:",
        new="elif False:",
    ),
    Mutant(
        name="claims-asked-again-and-again",
        file=_LIVENESS,
        old="if peer.challenged_at is None or peer.challenged_at + timings.RECONCILIATION_DELAY <= now:",
        new="if True:",
    ),
    Mutant(
        name="belief-of-a-stranger-unanswered",
        file=_LIVENESS,
        old="        elif peer is None and headers.open_connections and not",
        new="        elif False and not",
    ),
    Mutant(
        name="keepalive-names-no-request",
        file=_LIVENESS,
        old="self.publish_keepalive(remote, answer_topic, correlation_identifier=headers.identifier)",
        new="self.publish_keepalive(remote, answer_topic)",
    ),
    Mutant(
        name="incarnations-change-at-any-rate",
        file=_NAMESAKES,
        old="        if len(recent) >= _CHANGES and peer",
        new="        if False and peer",
    ),
    Mutant(
        name="crash-loops-wait",
        file=_NAMESAKES,
        old=" and peer.past_proven_at is not None and now < peer.past_proven_at + _SETTLING:",
        new=":",
    ),
    Mutant(
        name="one-that-was-replaced-not-asked",
        file=_NAMESAKES,
        old="        if len(peer.changed_at) >= _CHANGES:\n",
        new="        if False:\n",
    ),
    Mutant(
        name="each-restart-asked-about",
        file=_NAMESAKES,
        old="        if len(peer.changed_at) >= _CHANGES:\n",
        new="        if True:\n",
    ),
    Mutant(
        name="changes-kept-without-end",
        file=_NAMESAKES,
        old="(*recent[1 - _CHANGES :], now)",
        new="(*recent, now)",
    ),
    Mutant(
        name="offers-taken-up-while-a-change-waits-stay",
        file=_INCARNATIONS,
        old="                peer.claim.offers = ()",
        new="                pass",
    ),
    Mutant(
        name="what-a-claim-asks-for-is-forgotten",
        file=_PROVIDER,
        old="            elif is_claim or not slot.is_open:\n",
        new="            elif not slot.is_open:\n",
    ),
    Mutant(
        name="late-answer-of-the-past-is-life",
        file=_INCARNATIONS,
        old="            if is_proof:\n                peer.past",
        new="            if not is_open:\n                peer.past",
    ),
    Mutant(
        name="change-that-waits-is-forgotten",
        file=_INCARNATIONS,
        old="            self._peers.reconcile_later(peer, until)\n",
        new="",
    ),
    Mutant(
        name="challenges-can-be-guessed",
        file=_OUTBOX,
        old="        identifier = self._new_challenge()\n        if peer is not None:\n",
        new="        identifier = self.new_identifier()\n        if peer is not None:\n",
    ),
    Mutant(
        name="offer-names-no-discover",
        file=_PROVIDER,
        old="asking.offer_topic, offered, now, correlation_identifier=headers.identifier)",
        new="asking.offer_topic, offered, now)",
    ),
    Mutant(
        name="claim-without-an-offer-not-asked",
        file=_PROVIDER,
        old="        if is_claim and peer is not None:\n",
        new="        if False:\n",
    ),
    Mutant(
        name="slots-lost-with-the-claim-that-got-them",
        file=_PROVIDER,
        old="                held.offer_identifiers = slot.offer_identifiers\n",
        new="",
    ),
    Mutant(
        name="restarts-beyond-the-limit-unnoticed",
        file=_REQUESTER,
        old="            if without is not None and peer is not None:\n",
        new="            if False:\n",
    ),
]
