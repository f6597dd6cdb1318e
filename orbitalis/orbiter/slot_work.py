"""Keys of the queues in which work for one slot waits, so that it holds up nothing else with its remote."""

from __future__ import annotations

from dataclasses import dataclass

from orbitalis.operations.connection import fields_of
from orbitalis.protocol.slots import Slot

__all__ = ["DrainingWork", "PreparationWork", "SlotWork"]


@dataclass(frozen=True, slots=True)
class SlotWork:
    """The key of a queue for one slot."""

    slot: Slot

    @property
    def log_fields(self) -> dict[str, str]:
        """What lines of the log about it have as fields."""
        return fields_of(self.slot)


@dataclass(frozen=True, slots=True)
class PreparationWork(SlotWork):
    """The key of the queue in which the user prepares for a slot, which may take long."""

    def __str__(self) -> str:
        return f"the preparation of {self.slot.operation_name} for {self.slot.remote_identifier}"


@dataclass(frozen=True, slots=True)
class DrainingWork(SlotWork):
    """The key of the queue in which graceful closes of a slot, and acknowledgements, wait until its data is handled."""

    def __str__(self) -> str:
        return f"the end of {self.slot.operation_name} with {self.slot.remote_identifier}"
