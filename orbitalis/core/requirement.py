"""What a core needs: :class:`OperationRequirement`."""

from __future__ import annotations

from dataclasses import dataclass

from orbitalis.bus.event_handler import EventCallback, EventHandler
from orbitalis.orbiter.handlers import as_handler
from orbitalis.protocol.constraint import Constraint

__all__ = ["OperationRequirement"]


@dataclass
class OperationRequirement:
    """One operation that a core needs."""

    constraint: Constraint
    """The rules for its connections."""
    override_sink: EventHandler | EventCallback | None = None
    """Takes the outputs, instead of the sink in `operation_sinks`."""
    default_setup_data: bytes | None = None
    """What plugins get when a connection is set up."""

    def __post_init__(self) -> None:
        if self.override_sink is not None:
            self.override_sink = as_handler(self.override_sink)
