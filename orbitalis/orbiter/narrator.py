"""What an orbiter logs of its connections and remotes: what opens and closes, and why there is no connection."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from orbitalis.log import FieldLogger
from orbitalis.protocol.effects import CloseReason, ObstacleMet, SuspicionChanged
from orbitalis.protocol.namesakes import Namesakes
from orbitalis.protocol.obstacles import ObstacleKind, Obstacles
from orbitalis.protocol.slots import Slot
from orbitalis.protocol.transitions import Role

__all__ = ["Narrator", "tells"]

_plain = logging.getLogger(__name__)
_logger = FieldLogger(_plain)

tells: Final = _plain.isEnabledFor
"""Return whether lines of a level are logged; asked before :class:`Narrator` is, since most programs want no INFO."""
_PREPARING: Final = {Role.CORE: "_get_setup_data", Role.PLUGIN: "_setup_operation"}
"""The hooks that prepare a connection."""


class Narrator:
    """Tells the log of one orbiter's connections and remotes."""

    def __init__(self, identifier: str, obstacles: Obstacles, complain: Callable[..., None]) -> None:
        """Tell of the orbiter with this identifier; `complain` logs a warning that strangers can cause."""
        self._identifier = identifier
        self._obstacles = obstacles
        self._complain = complain

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
        """Tell of a connection that is no more."""
        _logger.info(
            "%s: connection with %s for %s is no more: %s",
            self._identifier,
            slot.remote_identifier,
            slot.operation_name,
            reason,
            extra=self._fields(slot),
        )

    def tell(self, effect: ObstacleMet | SuspicionChanged) -> None:
        """Tell of an obstacle, or of who is suspected."""
        if isinstance(effect, ObstacleMet):
            self._tell_obstacle(effect)
        else:
            self._tell_suspicion(effect)

    def _tell_obstacle(self, effect: ObstacleMet) -> None:
        """Tell why an operation is not lent to a core."""
        obstacle = effect.obstacle
        self._complain(
            "%s does not lend operation %r to %r: %s",
            obstacle.operation_name,
            obstacle.remote_identifier,
            obstacle,  # which is put into words only if this line is logged
            remote=obstacle.remote_identifier,
            operation=obstacle.operation_name,
        )

    def _tell_suspicion(self, effect: SuspicionChanged) -> None:
        """Tell that a remote is suspected to be dead, or is so no more."""
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
                remote=slot.remote_identifier,
                operation=slot.operation_name,
                connection=slot.connection_identifier,
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

    def _is_told(self, slot: Slot) -> bool:
        before = self._obstacles.found.get(slot.key)
        return before is not None and ObstacleKind.PREPARATION in before.told

    def _fields(self, slot: Slot) -> dict[str, str]:
        """Return what a line of the log that is about a slot has as fields."""
        return {
            "orbiter": self._identifier,
            "remote": slot.remote_identifier,
            "operation": slot.operation_name,
            "connection": slot.connection_identifier,
        }
