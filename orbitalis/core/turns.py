"""Whose turn it is when messages are distributed."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Sequence

from orbitalis.protocol.slots import Slot

__all__ = ["Turns"]


class Turns:
    """Chooses connections at random, each time one of those that had the fewest turns of all that accept the message.

    However many there are, a choice takes the same time.
    """

    def __init__(self, groups: Sequence[Sequence[Slot]], suspected: Collection[str] = ()) -> None:
        """Choose among these connections; those of one group accept the same.

        Connections with remotes that are `suspected` have a turn only where no other one accepts the message.
        """
        self._suspected: list[_Rounds] = []
        if suspected:
            others = [[slot for slot in group if slot.remote_identifier in suspected] for group in groups]
            self._suspected = [_Rounds(group) for group in others if group]
            groups = [[slot for slot in group if slot.remote_identifier not in suspected] for group in groups]
        self._groups = [_Rounds(group) for group in groups if group]

    def next(self, message: object | None) -> Slot | None:
        """Return the next connection that accepts a message, or `None` if none does."""
        accepting = [group for group in self._groups if group.accepts(message)]
        if not accepting:
            accepting = [group for group in self._suspected if group.accepts(message)]
        if not accepting:
            return None
        if len(accepting) == 1:
            return accepting[0].next()
        fewest = min(group.finished for group in accepting)
        equal = [group for group in accepting if group.finished == fewest]
        (chosen,) = random.choices(equal, [group.left for group in equal])
        return chosen.next()


class _Rounds:
    """Goes through connections that accept the same, round after round, each time in another order."""

    def __init__(self, slots: Sequence[Slot]) -> None:
        self.accepts = slots[0].input.accepts_payload
        self.finished = 0
        """How many rounds are finished: so many turns every connection had at least."""
        self.left = len(slots)
        """How many connections have not had their turn in this round."""
        self._slots = slots
        self._round = _in_random_order(slots)

    def next(self) -> Slot:
        slot = next(self._round)
        self.left -= 1
        if not self.left:
            self.finished += 1
            self.left = len(self._slots)
            self._round = _in_random_order(self._slots)
        return slot


_random = random.random


def _in_random_order(slots: Sequence[Slot]) -> Iterator[Slot]:
    """Give each connection once, each choice taking the same time however many there are (Fisher and Yates)."""
    moved: dict[int, int] = {}
    for left in range(len(slots), 0, -1):
        index = int(_random() * left)
        yield slots[moved.get(index, index)]
        moved[index] = moved.pop(left - 1, left - 1)
