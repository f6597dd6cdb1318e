"""What an orbiter logs of limits that were reached: one line in a while, however often that was."""

from __future__ import annotations

import time
from typing import Final

from orbitalis.log import FieldLogger
from orbitalis.protocol.orbiter_statistics import OrbiterStatistics

__all__ = ["Overruns"]

_PERIOD: Final = 10.0
"""Seconds between two lines, at least."""
_WHAT: Final = {
    "too_fast": "messages of remotes that send too many",
    "too_fast_strangers": "messages of strangers, who send too many",
    "unread_schemas": "operations with schemas that are too large, or too many new ones at a time",
    "turned_away": "handshakes for which there is no room",
    "crowded_out": "unanswered handshakes that made room for others",
}
"""The counters of which is told, and what to say of each."""


class Overruns:
    """Watches the counters of one orbiter."""

    def __init__(self, logger: FieldLogger, orbiter: str, statistics: OrbiterStatistics) -> None:
        """Log to `logger` what `statistics` of the orbiter with this identifier counts from now on."""
        self._logger = logger
        self._orbiter = orbiter
        self._statistics = statistics
        self._told: dict[str, int] = {}
        self.told = 0
        """How much had been counted when it was told last."""
        self._next = 0.0

    def report(self) -> None:
        """Log what has been counted since the last line, unless that line was just now."""
        now = time.monotonic()
        counted: dict[str, int] = {name: getattr(self._statistics, name) for name in _WHAT}
        in_all = sum(counted.values())
        if in_all == self.told or now < self._next:
            return
        new = [
            f"{counted[name] - self._told.get(name, 0)} {what}"
            for name, what in _WHAT.items()
            if counted[name] > self._told.get(name, 0)
        ]
        self._logger.warning(
            "%s has reached limits, and has ignored or given up since it last told: %s",
            self._orbiter,
            "; ".join(new),
            extra={"orbiter": self._orbiter},
        )
        self._told = counted
        self.told = in_all
        self._next = now + _PERIOD
