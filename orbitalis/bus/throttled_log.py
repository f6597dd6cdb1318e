"""Warnings that strangers can cause, with a limit on how often they are logged."""

from __future__ import annotations

import time

from orbitalis.log import FieldLogger

__all__ = ["ThrottledLog"]


class ThrottledLog:
    """Logs so many warnings in any period, and after it how many more there were."""

    __slots__ = ("_logged", "_logger", "_maximum", "_period", "_period_ends", "_suppressed")

    def __init__(self, logger: FieldLogger, *, maximum: int = 20, period: float = 10.0) -> None:
        """Log to `logger` at most `maximum` warnings in `period` seconds."""
        self._logger = logger
        self._maximum = maximum
        self._period = period
        self._period_ends = 0.0
        self._logged = 0
        self._suppressed = 0

    def warning(self, message: str, *arguments: object, **fields: str | None) -> None:
        """Log a warning with some fields, or count it."""
        now = time.monotonic()
        if now >= self._period_ends:
            if self._suppressed:
                self._logger.warning("%d more warnings like these were not logged", self._suppressed)
            self._period_ends = now + self._period
            self._logged = self._suppressed = 0
        if self._logged < self._maximum:
            self._logged += 1
            self._logger.warning(message, *arguments, extra=fields)
        else:
            self._suppressed += 1
