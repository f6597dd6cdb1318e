"""Mutants of wills: what makes somebody dead who lives, or alive who is dead."""

from __future__ import annotations

from tests.mutation.mutant import Mutant

__all__ = ["WILL_MUTANTS"]

_SUSPICIONS = "orbitalis/protocol/suspicions.py"

WILL_MUTANTS = [
    Mutant(
        name="will-closes-at-once",
        file=_SUSPICIONS,
        old="            suspicion.asked = 1\n",
        new="            suspicion.asked = 1\n            self._liveness.lose(peer)\n            return\n",
    ),
    Mutant(
        name="will-of-a-past-incarnation-counts",
        file=_SUSPICIONS,
        old="            or headers.incarnation != peer.incarnation\n",
        new="",
    ),
    Mutant(
        name="own-loss-keeps-suspicions",
        file=_SUSPICIONS,
        old="            if self._peers.suspected.pop(remote, None) is not None:",
        new="            if False:",
    ),
    Mutant(
        name="own-loss-is-not-reported",
        file="orbitalis/orbiter/wills.py",
        old="        if suspected:\n",
        new="        if False:\n",
    ),
    Mutant(
        name="sign-of-life-settles-nothing",
        file="orbitalis/protocol/peers.py",
        old="                self.suspected.pop(identifier, None)",
        new="                pass",
    ),
    Mutant(
        name="suspected-asked-once",
        file=_SUSPICIONS,
        old="                suspicion.asked += is_in_time\n                self._ask(suspicion, now)",
        new="                suspicion.asked = 4\n                self.deadlines.set(suspicion, now + 1.5)",
    ),
    Mutant(
        name="suspected-dead-though-held-up",
        file=_SUSPICIONS,
        old="            is_in_time = now < suspicion.look_at + _HELD_UP",
        new="            is_in_time = True",
    ),
    Mutant(
        name="suspicion-has-no-end",
        file=_SUSPICIONS,
        old="            elif suspicion.asked >= _REQUESTS and is_in_time:",
        new="            elif False:",
    ),
    Mutant(
        name="forged-wills-cost-a-request-each",
        file=_SUSPICIONS,
        old="        suspicion = self.recent.get(remote)\n",
        new="        suspicion = None\n",
    ),
]
