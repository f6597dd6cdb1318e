"""Points in time at which something is due, earliest first."""

from __future__ import annotations

import heapq
from typing import Generic, Protocol, TypeVar

__all__ = ["Deadlines", "HasDeadline"]


class HasDeadline(Protocol):
    """Something that can be due."""

    due_at: float | None
    """When it is due, on the clock of the machine's caller; `None` while it is not. :class:`Deadlines` sets it."""


_Item = TypeVar("_Item", bound=HasDeadline)


class Deadlines(Generic[_Item]):
    """A heap of items by the time at which they are due; an item has at most one deadline.

    An item says itself when it is due. So taking a deadline back is an assignment, and what the heap still has of it is
    skipped later.
    """

    __slots__ = ("_heap", "_live", "_sequence", "has_moved")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, _Item]] = []
        self._live = 0
        self._sequence = 0
        self.has_moved = False
        """Whether something is due earlier than anything was before; a caller that has looked resets it."""

    def __len__(self) -> int:
        """Return how many items have a deadline."""
        return self._live

    def set(self, item: _Item, at: float) -> None:
        """Let `item` be due at `at` instead of when it was before."""
        if item.due_at is None:
            self._live += 1
        elif item.due_at == at:
            return
        item.due_at = at
        self._sequence += 1
        heapq.heappush(self._heap, (at, self._sequence, item))
        if self._heap[0][2] is item:
            self.has_moved = True
        if len(self._heap) > 64 + 4 * self._live:
            self._heap = list({entry[2]: entry for entry in self._heap if entry[2].due_at == entry[0]}.values())
            heapq.heapify(self._heap)

    def discard(self, item: _Item) -> None:
        """Let `item` be due no more."""
        if item.due_at is not None:
            item.due_at = None
            self._live -= 1

    def clear(self) -> None:
        """Let nothing be due."""
        for _, _, item in self._heap:
            item.due_at = None
        self._heap.clear()
        self._live = 0

    def next(self) -> float | None:
        """Return when the first item is due, or `None` if none is."""
        heap = self._heap
        while heap:
            at, _, item = heap[0]
            if item.due_at == at:
                return at
            heapq.heappop(heap)
        return None

    def pop_due(self, now: float) -> list[_Item]:
        """Remove and return all items that are due at `now`, in the order of their deadlines."""
        due: list[_Item] = []
        heap = self._heap
        while heap and heap[0][0] <= now:
            at, _, item = heapq.heappop(heap)
            if item.due_at == at:
                item.due_at = None
                self._live -= 1
                due.append(item)
        return due
