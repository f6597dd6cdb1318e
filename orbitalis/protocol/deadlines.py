"""Points in time at which something is due, cheapest first."""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from typing import Generic, TypeVar

__all__ = ["Deadlines"]

_Key = TypeVar("_Key", bound=Hashable)


class Deadlines(Generic[_Key]):
    """At most one deadline a key, on a clock of the caller's in seconds."""

    def __init__(self) -> None:
        self._at: dict[_Key, float] = {}
        self._heap: list[tuple[float, int, _Key]] = []
        self._sequence = 0

    def __len__(self) -> int:
        return len(self._at)

    def __contains__(self, key: _Key) -> bool:
        return key in self._at

    def set(self, key: _Key, at: float) -> None:
        """Let `key` be due at `at`, instead of when it was before."""
        self._at[key] = at
        self._sequence += 1
        heapq.heappush(self._heap, (at, self._sequence, key))
        if len(self._heap) > 64 and len(self._heap) > 4 * len(self._at):
            self._forget_stale()

    def discard(self, key: _Key) -> None:
        """Let `key` be due no more."""
        self._at.pop(key, None)

    def clear(self) -> None:
        """Let nothing be due."""
        self._at.clear()
        self._heap.clear()

    def next(self) -> float | None:
        """Return when the first key is due, or `None` if none ever is."""
        while self._heap:
            at, _, key = self._heap[0]
            if self._at.get(key) == at:
                return at
            heapq.heappop(self._heap)
        return None

    def pop_due(self, now: float) -> list[_Key]:
        """Remove and return all keys that are due at `now`, in the order of their deadlines."""
        due: list[_Key] = []
        while (at := self.next()) is not None and at <= now:
            _, _, key = heapq.heappop(self._heap)
            del self._at[key]
            due.append(key)
        return due

    def _forget_stale(self) -> None:
        self._heap = [entry for entry in self._heap if self._at.get(entry[2]) == entry[0]]
        heapq.heapify(self._heap)
