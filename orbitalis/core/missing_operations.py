"""The operations that a core is missing. They are logged once, after some time."""

from __future__ import annotations

import logging

from orbitalis.bus.client import EventBusClient
from orbitalis.core.explanation import explain_requirement, unmet
from orbitalis.log import FieldLogger
from orbitalis.orbiter.left_alone import PATIENCE, why_alone
from orbitalis.protocol.machine import CoreMachine

__all__ = ["MissingOperations"]

_plain = logging.getLogger(__name__)
_logger = FieldLogger(_plain)

_TOLD = 10
"""Operations of which a line of the log tells."""


class MissingOperations:
    """Watches one core. Times are seconds on the clock of the caller."""

    def __init__(self, identifier: str) -> None:
        self._identifier = identifier
        self._since: float | None = None
        self._is_told = False

    def look(self, machine: CoreMachine, client: EventBusClient, now: float) -> None:
        """Log a warning if the core has not been compliant for a while, and that was not said yet."""
        if machine.requester.compliant:
            self._since = None
            self._is_told = False
            return
        if self._since is None:
            self._since = now
        if not self._is_told and now - self._since >= PATIENCE:
            self._is_told = True
            lacking = unmet(machine)
            lacks = "; ".join(explain_requirement(machine, name).line() for name in lacking[:_TOLD])
            if len(lacking) > _TOLD:
                lacks += f"; and {len(lacking) - _TOLD} more operations are lacking"
            why = why_alone(machine, client, "plugins")
            if why is not None:
                lacks += f"; {why}"
            _logger.warning(
                "%s has not been compliant for %d seconds: %s",
                self._identifier,
                now - self._since,
                lacks,
                extra={"orbiter": self._identifier},
            )

    def tell_change(self, machine: CoreMachine, compliant: bool) -> None:
        """Log that the core has become compliant, or has ceased to be, and what it is missing."""
        if not _plain.isEnabledFor(logging.INFO):
            return
        if compliant:
            _logger.info("%s is compliant", self._identifier, extra={"orbiter": self._identifier})
            return
        lacking = unmet(machine)
        lacks = [f"operation {name!r} {explain_requirement(machine, name).lack()}" for name in lacking[:_TOLD]]
        if len(lacking) > _TOLD:
            lacks.append(f"{len(lacking) - _TOLD} more operations are lacking")
        _logger.info("%s is not compliant: %s", self._identifier, "; ".join(lacks), extra={"orbiter": self._identifier})
