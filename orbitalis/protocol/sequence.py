"""Sequence numbers of the inputs or outputs of a connection, for the sender and for the receiver.

They begin and end with the connection. Each direction has its own numbers.
"""

from __future__ import annotations

from typing import Final

from orbitalis_wire import limits

__all__ = ["SentNumbers", "SequenceWindow"]

_WINDOW: Final = limits.SEQUENCE_WINDOW
_MASK: Final = (1 << _WINDOW) - 1


class SentNumbers:
    """The numbers that the sender has used."""

    __slots__ = ("last",)

    def __init__(self) -> None:
        self.last = 0
        """The last number of which an event may have left; zero before the first."""


class SequenceWindow:
    """The numbers that the receiver has got.

    It stores the greatest number, and one bit for each missing number below it. While all arrive in order, there is no
    bit. Then a caller may do the work of :meth:`admits` itself, with one comparison and one assignment:

        if number == window.greatest + 1:
            window.greatest = number
            if window.absent:
                window.shift()
        elif not window.admits(number):
            ...
    """

    __slots__ = ("absent", "greatest", "is_gap_told", "missing")

    def __init__(self) -> None:
        self.greatest = 0
        """The greatest number that has come; zero before the first."""
        self.absent = 0
        """Bit `n` is set if `greatest - n` has not come, and still may."""
        self.missing = 0
        """How many numbers below the greatest have not come, also those that may not any more."""
        self.is_gap_told = False
        """Whether the user was told of a gap."""

    def admits(self, number: int) -> bool:
        """Return whether an event with this number is to be handled; if so, note that it has come."""
        ahead = number - self.greatest
        if ahead > 0:
            # However far ahead it claims to be: shifts are as long as the window at most.
            self.absent = (self.absent << ahead | (1 << ahead) - 2) & _MASK if ahead < _WINDOW else _MASK - 1
            self.greatest = number
            self.missing += ahead - 1
            return True
        bit = 1 << -ahead if -ahead < _WINDOW else 0
        if not self.absent & bit:
            return False
        self.absent ^= bit
        self.missing -= 1
        return True

    def shift(self) -> None:
        """Follow the greatest number, which has just become one greater."""
        self.absent = self.absent << 1 & _MASK
