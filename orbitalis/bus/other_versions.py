"""Events of senders that speak another version of the protocol: they are refused, and each sender is told of once."""

from __future__ import annotations

import logging
from typing import Any, Final

from orbitalis.bus.bus_statistics import BusStatistics
from orbitalis.bus.throttled_log import ThrottledLog
from orbitalis.log import FieldLogger
from orbitalis.message.event import Event
from orbitalis_wire import PROTOCOL_VERSION, limits

__all__ = ["OtherVersions"]

_logger = FieldLogger(logging.getLogger(__name__))

_REMEMBERED: Final = 256
"""Senders that are known to have been told of; of more, the one that was told of first is forgotten."""


class OtherVersions:
    """Counts the events that are refused for their `protocol_version`, and logs a warning for each sender of some."""

    __slots__ = ("_log", "_owner", "_statistics", "_told", "orbiter")

    def __init__(self, owner: object, statistics: BusStatistics) -> None:
        """Count for the client `owner`, which log lines name."""
        self._owner = owner
        self.orbiter: str | None = None
        """The orbiter that lines of the log name as theirs."""
        self._statistics = statistics
        self._log: ThrottledLog | None = None
        self._told: dict[str, None] = {}

    def refuse(self, topic: str, event: Event[Any]) -> None:
        """Note that an event is not delivered."""
        self._statistics.other_versions += 1
        if self._log is None:
            self._log = ThrottledLog(_logger)
        sender = event.publisher_identifier[: limits.IDENTIFIER_BYTES]
        if sender in self._told:
            return
        if len(self._told) >= _REMEMBERED:
            del self._told[next(iter(self._told))]
        self._told[sender] = None
        self._log.warning(
            "%r ignores what %s sends, first on topic %r: it speaks version %d of the protocol, this is version %d. "
            "Run both with releases of the same protocol version",
            self._owner,
            ascii(sender),
            topic,
            event.protocol_version,
            PROTOCOL_VERSION,
            topic=topic,
            orbiter=self.orbiter,
        )
