"""Points in time at which something is due, earliest first."""

from __future__ import annotations

import heapq
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

__all__ = ["Deadline", "Deadlines", "HasDeadline"]

Deadline: TypeAlias = list[Any]
"""An entry of a heap: a time, a number that no other entry has, and the item, or `None` if it is due no more."""


class HasDeadline(Protocol):
    """Something that can be due. :class:`Deadlines` sets what is here."""

    due_at: float | None
    """When it is due, on the clock of the machine's caller; `None` while it is not."""
    deadline: Deadline | None
    """Its entry in the heap."""


_Item = TypeVar("_Item", bound=HasDeadline)


class Deadlines(Generic[_Item]):
    """A heap of items by the time at which they are due; an item has at most one deadline.

    A deadline that is taken back stays in the heap for a while, but without its item.
    """

    __slots__ = ("_heap", "_live", "_sequence", "has_moved")

    def __init__(self) -> None:
        self._heap: list[Deadline] = []
        self._live = 0
        self._sequence = 0
        self.has_moved = False
        """Whether something is due earlier than anything was before; a caller that has looked resets it."""

    def __len__(self) -> int:
        """Return how many items have a deadline."""
        return self._live

    def set(self, item: _Item, at: float) -> None:
        """Let `item` be due at `at` instead of when it was before."""
        deadline = item.deadline
        if deadline is None:
            self._live += 1
        elif item.due_at == at:
            return
        else:
            deadline[2] = None
        self._sequence += 1
        item.due_at = at
        item.deadline = deadline = [at, self._sequence, item]
        heap = self._heap
        heapq.heappush(heap, deadline)
        if heap[0] is deadline:
            self.has_moved = True
        if len(heap) > 64 and len(heap) > 64 + 4 * self._live:
            self._heap = [deadline for deadline in heap if deadline[2] is not None]
            heapq.heapify(self._heap)

    def discard(self, item: _Item) -> None:
        """Let `item` be due no more."""
        if item.deadline is not None:
            item.deadline[2] = item.deadline = item.due_at = None
            self._live -= 1
            if not self._live:
                self._heap = []

    def clear(self) -> None:
        """Let nothing be due."""
        for _, _, item in self._heap:
            if item is not None:
                item.deadline = item.due_at = None
        self._heap.clear()
        self._live = 0

    def next(self) -> float | None:
        """Return when the first item is due, or `None` if none is."""
        heap = self._heap
        while heap and heap[0][2] is None:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def pop_due(self, now: float) -> list[_Item]:
        """Remove and return all items that are due at `now`, in the order of their deadlines."""
        due: list[_Item] = []
        heap = self._heap
        while heap and heap[0][0] <= now:
            item = heapq.heappop(heap)[2]
            if item is not None:
                item.deadline = item.due_at = None
                self._live -= 1
                due.append(item)
        return due
