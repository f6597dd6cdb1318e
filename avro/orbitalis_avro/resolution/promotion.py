"""Promotions of numbers: what is written as an integer, and read as a floating-point number that equals it."""

from __future__ import annotations

from struct import Struct
from typing import Final

from orbitalis_avro.binary import Fault

__all__ = ["double_of", "single_of"]

_SINGLE: Final = Struct("<f")


def double_of(number: int) -> float:
    """Return an integer of 64 bits as a number of double precision; raises :class:`Fault` if there is none."""
    promoted = float(number)
    if promoted != number:
        raise Fault(f"expected an integer that double precision can carry, got {number}")
    return promoted


def single_of(number: int) -> float:
    """Return an integer of 64 bits as a number of single precision; raises :class:`Fault` if there is none."""
    promoted: float = _SINGLE.unpack(_SINGLE.pack(number))[0]
    if promoted != number:
        raise Fault(f"expected an integer that single precision can carry, got {number}")
    return promoted
