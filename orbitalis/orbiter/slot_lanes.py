"""Lanes of one slot: what may take long there holds up nothing else that is shared with the same remote."""

from __future__ import annotations

from dataclasses import dataclass

from orbitalis.protocol.slot import Slot

__all__ = ["DrainingLane", "PreparationLane"]


@dataclass(frozen=True, slots=True)
class PreparationLane:
    """Where the user prepares for a slot."""

    slot: Slot

    def __str__(self) -> str:
        return f"in which {self.slot.operation_name} is prepared for {self.slot.remote_identifier}"


@dataclass(frozen=True, slots=True)
class DrainingLane:
    """Where graceful closes of a slot, and their acknowledgements, wait until its data is handled."""

    slot: Slot

    def __str__(self) -> str:
        return f"in which {self.slot.operation_name} with {self.slot.remote_identifier} ends"
