"""The answers that a core waits for: found by the input that asked for them, and lost with its connection."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from orbitalis.errors import OrbiterStateError
from orbitalis.protocol.deadlines import Deadline, Deadlines
from orbitalis.protocol.slots import Slot
from orbitalis_wire import limits

__all__ = ["AwaitedAnswer", "AwaitedAnswers"]

W = TypeVar("W")


@dataclass(slots=True, kw_only=True, eq=False)
class AwaitedAnswer(Generic[W]):
    """The answer to one input."""

    correlation_identifier: str
    """Identifier of the event with the input."""
    slot: Slot
    """The connection on which the input was sent, and the answer is to come."""
    waiter: W
    """Whoever waits for it."""
    others_before: int
    """How many outputs that answer nothing had come before, of those that are counted."""
    timeout: float | None
    """Seconds for which it is awaited."""
    due_at: float | None = None
    """When it is awaited no more."""
    deadline: Deadline | None = None
    is_awaited: bool = True
    """Whether it was not removed yet."""


@dataclass(slots=True)
class _OfSlot(Generic[W]):
    """What is awaited on one connection."""

    awaited: dict[str, AwaitedAnswer[W]] = field(default_factory=dict[str, AwaitedAnswer[W]])
    others: int = 0
    """Outputs that answer nothing; counted while anything is awaited."""


class AwaitedAnswers(Generic[W]):
    """All that one core waits for; each is in here until it is removed, once."""

    def __init__(self, maximum: int = limits.AWAITED_ANSWERS) -> None:
        """Wait for at most `maximum` answers at a time."""
        self._maximum = maximum
        self._by_identifier: dict[str, AwaitedAnswer[W]] = {}
        self._by_slot: dict[Slot, _OfSlot[W]] = {}
        self.deadlines: Deadlines[AwaitedAnswer[W]] = Deadlines()
        """When the answers are awaited no more; the caller sets them."""

    def __len__(self) -> int:
        """Return how many are awaited."""
        return len(self._by_identifier)

    def are_on(self, slot: Slot) -> bool:
        """Return whether any is awaited on a connection."""
        return slot in self._by_slot

    def add(self, correlation_identifier: str, slot: Slot, waiter: W, timeout: float | None = None) -> AwaitedAnswer[W]:
        """Wait for the answer to an input with this identifier, which is about to be sent.

        Raises:
            OrbiterStateError: There are as many as there may be.
        """
        if len(self._by_identifier) >= self._maximum:
            raise OrbiterStateError(
                f"{len(self)} requests wait for an answer, and no more may: wait until some have ended"
            )
        of_slot = self._by_slot.get(slot)
        if of_slot is None:
            of_slot = self._by_slot[slot] = _OfSlot()
        awaited = AwaitedAnswer(
            correlation_identifier=correlation_identifier,
            slot=slot,
            waiter=waiter,
            others_before=of_slot.others,
            timeout=timeout,
        )
        self._by_identifier[correlation_identifier] = of_slot.awaited[correlation_identifier] = awaited
        return awaited

    def find(self, correlation_identifier: str, slots: Collection[Slot]) -> AwaitedAnswer[W] | None:
        """Return what an output on one of these connections answers; nobody answers what was asked on another."""
        awaited = self._by_identifier.get(correlation_identifier)
        return awaited if awaited is not None and awaited.slot in slots else None

    def remove(self, awaited: AwaitedAnswer[W]) -> None:
        """Wait for this one no more; does nothing if that was so already."""
        if self._by_identifier.pop(awaited.correlation_identifier, None) is not None:
            self.deadlines.discard(awaited)
            awaited.is_awaited = False
            of_slot = self._by_slot[awaited.slot]
            del of_slot.awaited[awaited.correlation_identifier]
            if not of_slot.awaited:
                del self._by_slot[awaited.slot]

    def remove_all(self, slot: Slot) -> list[AwaitedAnswer[W]]:
        """Wait no more for the answers on a connection; return those that were awaited."""
        removed = list(self._by_slot[slot].awaited.values()) if slot in self._by_slot else []
        for awaited in removed:
            self.remove(awaited)
        return removed

    def has_timeout(self, waiter: object) -> bool:
        """Return whether what waits for an answer will be told when that is awaited no more."""
        return any(one.waiter is waiter and one.due_at is not None for one in self._by_identifier.values())

    def note_other(self, slot: Slot) -> None:
        """Count an output that answers nothing."""
        if slot in self._by_slot:
            self._by_slot[slot].others += 1

    def others_since(self, awaited: AwaitedAnswer[W]) -> int:
        """Return how many outputs that answer nothing have come while an answer was awaited, if it still is."""
        of_slot = self._by_slot.get(awaited.slot)
        return 0 if of_slot is None else of_slot.others - awaited.others_before
