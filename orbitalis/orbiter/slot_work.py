"""The queues of work that is for one slot alone, and holds up nothing else with its remote."""

from __future__ import annotations

from dataclasses import dataclass

from orbitalis.operations.connection import fields_of
from orbitalis.protocol.slots import Slot

__all__ = ["DrainingWork", "PreparationWork", "SlotWork"]


@dataclass(frozen=True, slots=True)
class SlotWork:
    """The key of such a queue."""

    slot: Slot

    @property
    def log_fields(self) -> dict[str, str]:
        """What lines of the log about it have as fields."""
        return fields_of(self.slot)


@dataclass(frozen=True, slots=True)
class PreparationWork(SlotWork):
    """The queue in which the user prepares for a slot: that may take long, and must hold up nothing else."""

    def __str__(self) -> str:
        return f"the preparation of {self.slot.operation_name} for {self.slot.remote_identifier}"


@dataclass(frozen=True, slots=True)
class DrainingWork(SlotWork):
    """The queue in which graceful closes of a slot, and acknowledgements, wait until its data is handled."""

    def __str__(self) -> str:
        return f"the end of {self.slot.operation_name} with {self.slot.remote_identifier}"
