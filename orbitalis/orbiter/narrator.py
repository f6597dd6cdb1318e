"""The log lines of an orbiter: connections that open and close, obstacles, and limits that were reached."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from orbitalis.log import FieldLogger
from orbitalis.operations.connection import fields_of
from orbitalis.protocol.effects import CloseReason, ObstacleMet, SuspicionChanged
from orbitalis.protocol.namesakes import Namesakes
from orbitalis.protocol.obstacles import ObstacleKind, Obstacles
from orbitalis.protocol.orbiter_statistics import OrbiterStatistics
from orbitalis.protocol.slots import Slot
from orbitalis.protocol.transitions import Role

__all__ = ["Narrator", "tells"]

_plain = logging.getLogger(__name__)
_logger = FieldLogger(_plain)

tells: Final = _plain.isEnabledFor
"""Return whether lines of a level are logged; asked before :class:`Narrator` is, since most programs want no INFO."""
_PREPARING: Final = {Role.CORE: "_get_setup_data", Role.PLUGIN: "_setup_operation"}
"""The hooks that prepare a connection."""
_PERIOD: Final = 10.0
"""Seconds between two lines about limits, at least."""
_NONE: Final[Mapping[str, int]] = MappingProxyType({})
_WHAT: Final = {
    "too_fast": "messages of remotes that send too many",
    "too_fast_strangers": "messages of strangers, who send too many",
    "unread_schemas": "operations with schemas that are too large, or too many new ones at a time",
    "turned_away": "handshakes for which there is no room",
    "crowded_out": "unanswered handshakes that made room for others",
}
"""The counters of which is told, and what to say of each."""


@dataclass(slots=True, eq=False)
class Narrator:
    """Logs what happens to one orbiter's connections and remotes, and sometimes a line about limits."""

    _identifier: str
    _obstacles: Obstacles
    _statistics: OrbiterStatistics
    _complain: Callable[..., None]
    """Logs a warning that strangers can cause."""
    overruns: int = field(init=False, default=0)
    """How often limits had been reached when that was told last."""
    _told: Mapping[str, int] = field(init=False, default_factory=lambda: _NONE)
    """The counters at that time."""
    _next: float = field(init=False, default=0.0)
    """When it may be told again."""

    def opened(self, slot: Slot) -> None:
        """Tell of a connection that is open."""
        _logger.info(
            "%s: connection with %s for %s is open",
            self._identifier,
            slot.remote_identifier,
            slot.operation_name,
            extra=self._fields(slot),
        )

    def closed(self, slot: Slot, reason: CloseReason) -> None:
        """Tell of a connection that has ended."""
        _logger.info(
            "%s: connection with %s for %s has ended: %s",
            self._identifier,
            slot.remote_identifier,
            slot.operation_name,
            reason,
            extra=self._fields(slot),
        )

    def tell(self, effect: ObstacleMet | SuspicionChanged) -> None:
        """Log an obstacle, or a suspicion."""
        if isinstance(effect, ObstacleMet):
            self._tell_obstacle(effect)
        else:
            self._tell_suspicion(effect)

    def _tell_obstacle(self, effect: ObstacleMet) -> None:
        """Tell why an operation is not lent to a core."""
        obstacle = effect.obstacle
        if obstacle.kind is ObstacleKind.CONSTRAINT:
            # The core's user wants it so, and this side can do nothing about it.
            _logger.info(
                "%s does not lend operation %r to %r, because that core does not want it from this plugin: %s",
                self._identifier,
                obstacle.operation_name,
                obstacle.remote_identifier,
                obstacle,
                extra={
                    "orbiter": self._identifier,
                    "remote": obstacle.remote_identifier,
                    "operation": obstacle.operation_name,
                },
            )
            return
        self._complain(
            "%s does not lend operation %r to %r: %s",
            obstacle.operation_name,
            obstacle.remote_identifier,
            obstacle,  # which is put into words only if this line is logged
            remote=obstacle.remote_identifier,
            operation=obstacle.operation_name,
        )

    def _tell_suspicion(self, effect: SuspicionChanged) -> None:
        """Log that a remote is suspected to be dead, or is not suspected any more."""
        text = "%s suspects that %s is dead, since the bus says that its connection was cut, and asks it"
        if not effect.is_suspected:
            text = "%s does not suspect any more that %s is dead"
        _logger.info(
            text,
            self._identifier,
            effect.remote_identifier,
            extra={"orbiter": self._identifier, "remote": effect.remote_identifier},
        )

    def preparation_refused(self, slot: Slot, reason: str) -> None:
        """Tell once that the bus does not let a connection be prepared."""
        if not self._is_told(slot):
            self._complain(
                "%s cannot prepare operation %r for %r: %s",
                slot.operation_name,
                slot.remote_identifier,
                reason,
                **fields_of(slot),
            )

    def preparation_raised(self, slot: Slot, error: BaseException) -> str:
        """Tell once that the user's preparation of a connection has failed; return that for people."""
        hook = _PREPARING[slot.role]
        if not self._is_told(slot):
            _logger.error(
                "%s cannot prepare operation %s for %s: %s raised. If it does so again, that is only counted, for "
                "explain()",
                self._identifier,
                slot.operation_name,
                slot.remote_identifier,
                hook,
                exc_info=error,
                extra=self._fields(slot),
            )
        return f"{hook} raised {type(error).__name__}: {error}"

    def namesakes_found(self, namesakes: Namesakes) -> None:
        """Tell of orbiters with one identifier; those found again are counted in `statistics.namesakes` alone."""
        untold, namesakes.untold = namesakes.untold, []
        for identifier in untold:
            if identifier == self._identifier:
                text = (
                    "another orbiter on the bus is called '%s' as well, or somebody publishes in its name. Remotes "
                    "take the two for one that starts anew, and lose connections over it: give each orbiter an "
                    "identifier of its own"
                )
                _logger.warning(text, identifier, extra={"orbiter": identifier})
            else:
                text = (
                    "%s hears two orbiters that are called '%s', and can work with the one that started last alone: "
                    "give each an identifier of its own"
                )
                fields = {"orbiter": self._identifier, "remote": identifier}
                _logger.warning(text, self._identifier, identifier, extra=fields)

    def limits_reached(self) -> None:
        """Tell what has been counted of limits since the last line, unless that line was just now."""
        now = time.monotonic()
        counted: dict[str, int] = {name: getattr(self._statistics, name) for name in _WHAT}
        in_all = sum(counted.values())
        if in_all == self.overruns or now < self._next:
            return
        new = {name: counted[name] - self._told.get(name, 0) for name in _WHAT}
        _logger.warning(
            "%s has reached limits, and has ignored or given up since the last such line: %s",
            self._identifier,
            "; ".join(f"{new[name]} {what}" for name, what in _WHAT.items() if new[name] > 0),
            extra={"orbiter": self._identifier},
        )
        self._told, self.overruns, self._next = counted, in_all, now + _PERIOD

    def _is_told(self, slot: Slot) -> bool:
        before = self._obstacles.found.get(slot.key)
        return before is not None and ObstacleKind.PREPARATION in before.told

    def _fields(self, slot: Slot) -> dict[str, str]:
        """Return what a line of the log that is about a slot has as fields."""
        return {"orbiter": self._identifier, **fields_of(slot)}
