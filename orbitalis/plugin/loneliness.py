"""Warns once in the log of a plugin that has heard of no core, if its bus is the reason."""

from __future__ import annotations

import logging

from orbitalis.bus.client import EventBusClient
from orbitalis.log import FieldLogger
from orbitalis.orbiter.left_alone import PATIENCE, why_alone
from orbitalis.protocol.machine import PluginMachine

__all__ = ["Loneliness"]

_logger = FieldLogger(logging.getLogger(__name__))


class Loneliness:
    """Watches one plugin. Times are seconds on the clock of the caller."""

    __slots__ = ("_identifier", "_is_over", "_since")

    def __init__(self, identifier: str) -> None:
        """Watch the plugin of this identifier."""
        self._identifier = identifier
        self.begin()

    def begin(self) -> None:
        """Watch from now on: the plugin starts."""
        self._since: float | None = None
        self._is_over = False

    def look(self, machine: PluginMachine, client: EventBusClient, now: float) -> None:
        """Log a warning, once, if the plugin has been alone on the bus of its process for a while."""
        if self._is_over:
            return
        if self._since is None:
            self._since = now
        if machine.peers or now - self._since >= PATIENCE:
            self._is_over = True
            why = why_alone(machine, client, "cores")
            if why is not None:
                _logger.warning(
                    "%s has heard of no core for %d seconds: %s",
                    self._identifier,
                    now - self._since,
                    why,
                    extra={"orbiter": self._identifier},
                )
