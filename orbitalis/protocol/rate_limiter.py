"""How much may come in a second."""

from __future__ import annotations

import math
from typing import Final

from orbitalis_wire import timings

__all__ = ["RateLimiter"]

_NOTHING: Final = -math.inf


class RateLimiter:
    """Admits what comes at a rate, and what `timings.BURST` seconds of that rate allow at once.

    Times are seconds on the clock of the machine's caller.
    """

    __slots__ = ("_paid_until",)

    def __init__(self) -> None:
        self._paid_until = _NOTHING

    def admits(self, now: float, per_second: float, amount: float = 1) -> bool:
        """Return whether some amount may pass; if so, it leaves less for what comes after it."""
        begin = self._paid_until
        if begin < now:
            begin = now
        elif begin - now >= timings.BURST:
            return False
        self._paid_until = begin + amount / per_second
        return True
