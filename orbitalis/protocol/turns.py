"""Whose turn it is, of those who wait for the same."""

from __future__ import annotations

from bisect import bisect_left, insort

__all__ = ["Turns"]


class Turns:
    """The order in which cores are looked at: the longest wait first, those that were put off behind all others.

    Finding the next takes no longer for how many there are. Who is set aside keeps the place, and has no turn.
    """

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._last_place = 0
        self._put_off: set[str] = set()
        self._order: list[tuple[bool, int, str]] = []
        """Of those that have a turn: whether put off, the place, and the identifier."""

    def first(self) -> str | None:
        """Return whose turn it is."""
        return self._order[0][2] if self._order else None

    def join(self, identifier: str) -> None:
        """Let somebody have a turn, who is put off no more: at the place from before, or else the last one."""
        if identifier in self._places:
            self.set_aside(identifier)
            self._put_off.discard(identifier)
        else:
            self._last_place += 1
            self._places[identifier] = self._last_place
        insort(self._order, self._turn(identifier))

    def join_all(self) -> None:
        """Let all have a turn who have a place."""
        self._order = sorted(map(self._turn, self._places))

    def put_off(self, identifier: str) -> bool:
        """Let somebody come behind all others; return whether that is new."""
        if identifier in self._put_off:
            return False
        self.set_aside(identifier)
        self._put_off.add(identifier)
        insort(self._order, self._turn(identifier))
        return True

    def set_aside(self, identifier: str) -> None:
        """Let somebody have no turn."""
        turn = self._turn(identifier)
        index = bisect_left(self._order, turn)
        if index < len(self._order) and self._order[index] == turn:
            del self._order[index]

    def leave(self, identifier: str) -> None:
        """Let somebody have neither turn nor place."""
        self.set_aside(identifier)
        self._put_off.discard(identifier)
        del self._places[identifier]

    def _turn(self, identifier: str) -> tuple[bool, int, str]:
        return identifier in self._put_off, self._places[identifier], identifier
