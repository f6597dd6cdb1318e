"""The operations that a core is missing, told once in its log when that has lasted a while."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Final

from orbitalis.log import FieldLogger
from orbitalis.operations.requirements import OperationRequirement
from orbitalis.protocol.machine import CoreMachine

__all__ = ["MissingOperations"]

_logger = FieldLogger(logging.getLogger(__name__))

_PATIENCE: Final = 10.0
"""Seconds for which a core may lack something before that is said: time for a few discovers."""
_TOLD = 10
"""Operations of which a line of the log tells."""


class MissingOperations:
    """Watches one core. Times are seconds on the clock of the caller."""

    def __init__(self, identifier: str) -> None:
        self._identifier = identifier
        self._since: float | None = None
        self._is_told = False

    def look(self, machine: CoreMachine, requirements: Mapping[str, OperationRequirement], now: float) -> None:
        """Log a warning if the core has not been compliant for a while, and that was not said yet."""
        if machine.requester.compliant:
            self._since = None
            self._is_told = False
            return
        if self._since is None:
            self._since = now
        if not self._is_told and now - self._since >= _PATIENCE:
            self._is_told = True
            lacking = [name for name in requirements if not machine.requester.is_compliant_for(name)]
            lacks = "; ".join(_lack(machine, name, requirements[name]) for name in lacking[:_TOLD])
            if len(lacking) > _TOLD:
                lacks += f"; and {len(lacking) - _TOLD} more operations are lacking"
            _logger.warning(
                "%s has not been compliant for %d seconds: %s",
                self._identifier,
                now - self._since,
                lacks,
                extra={"orbiter": self._identifier},
            )


def _lack(machine: CoreMachine, name: str, requirement: OperationRequirement) -> str:
    return f"operation '{name}' {', '.join(_reasons(machine, name, requirement))}"


def _reasons(machine: CoreMachine, name: str, requirement: OperationRequirement) -> Iterator[str]:
    constraint = requirement.constraint
    connected = {slot.remote_identifier for slot in machine.slots.open_of_operation(name)}
    others = connected.difference(constraint.mandatory)
    if len(others) < constraint.minimum:
        yield f"has {len(others)} of at least {constraint.minimum} plugins"
    missing = [identifier for identifier in dict.fromkeys(constraint.mandatory) if identifier not in connected]
    if missing:
        yield f"is without mandatory {' and '.join(repr(identifier) for identifier in missing)}"
    refusal = machine.requester.last_refusals.get(name)
    if refusal is None:
        yield "and no offer was refused"
    else:
        yield f"and the last offer that was refused is of {refusal.plugin_identifier!r}: {refusal.reason}"
