"""What an orbiter logs of limits that were reached: one line in a while, however often that was."""

from __future__ import annotations

import time
from typing import Final

from orbitalis.log import FieldLogger
from orbitalis.protocol.statistics import OrbiterStatistics

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
        self._told = dict.fromkeys(_WHAT, 0)
        self._next = 0.0

    def report(self) -> None:
        """Log what has been counted since the last line, if anything was, and that line was not just now."""
        counted = {name: getattr(self._statistics, name) for name in _WHAT}
        if counted == self._told or (now := time.monotonic()) < self._next:
            return
        new = [
            f"{counted[name] - self._told[name]} {what}"
            for name, what in _WHAT.items()
            if counted[name] > self._told[name]
        ]
        self._logger.warning(
            "%s has reached limits, and has ignored or given up since it last told: %s", self._orbiter, "; ".join(new)
        )
        self._told = counted
        self._next = now + _PERIOD
