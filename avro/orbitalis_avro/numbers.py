"""Long lists of numbers, all at once: what functions that :mod:`orbitalis_avro.source` makes call for more than a few.

One by one, each item costs several steps of Python. Lists in which something is wrong are written one by one
nevertheless, since that says which item it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import length_hint
from struct import pack, unpack_from
from typing import Any, Final

from orbitalis_avro.binary import LENGTHS, Fault

__all__ = [
    "MANY",
    "are_floats",
    "are_ints",
    "are_longs",
    "read_floats",
    "read_ints",
    "read_longs",
    "write_floats",
    "write_longs",
]

MANY: Final = 16
"""From more items than this on, all at once is faster."""

_FLOATS: Final = {float}
_INTS: Final = {int}
_OF_ONE_BYTE: Final = tuple((byte >> 1) ^ -(byte & 1) for byte in range(128))
"""The integers that take one byte, by that byte."""


def are_floats(items: Sequence[Any]) -> bool:
    """Return whether there is nothing but floats, of no subclass."""
    return set(map(type, items)) == _FLOATS


def are_longs(items: Sequence[Any]) -> bool:
    """Return whether there is nothing but integers of 64 bits, of no subclass."""
    return set(map(type, items)) == _INTS and min(items) >= -(2**63) and max(items) < 2**63


def are_ints(items: Sequence[Any]) -> bool:
    """Return whether there is nothing but integers of 32 bits, of no subclass."""
    return set(map(type, items)) == _INTS and min(items) >= -(2**31) and max(items) < 2**31


def write_floats(items: Sequence[float]) -> bytes:
    """Write numbers of double precision."""
    return pack(f"<{len(items)}d", *items)


def write_longs(items: Sequence[int]) -> bytes:
    """Write integers of at most 64 bits."""
    if min(items) >= 0 and max(items) < len(LENGTHS):
        return b"".join(map(LENGTHS.__getitem__, items))
    written = bytearray()
    add = written.append
    for item in items:
        zigzag = (item << 1) ^ (item >> 63)
        while zigzag > 0x7F:
            add(zigzag & 0x7F | 0x80)
            zigzag >>= 7
        add(zigzag)
    return bytes(written)


def read_floats(data: bytes, position: int, count: int, items: list[float]) -> int:
    """Read so many numbers of double precision into a list; return the position after them."""
    items += unpack_from(f"<{count}d", data, position)
    return position + 8 * count


def read_longs(data: bytes, position: int, count: int, items: list[int]) -> int:
    """Read so many integers of 64 bits into a list; return the position after them."""
    return _read(data, position, count, items, 64)


def read_ints(data: bytes, position: int, count: int, items: list[int]) -> int:
    """Read so many integers of 32 bits into a list; return the position after them."""
    return _read(data, position, count, items, 32)


def _read(data: bytes, position: int, count: int, items: list[int], bits: int) -> int:
    largest = (1 << bits) - 1
    following = data[position : position + count]
    if following.isascii() and len(following) == count:
        items += map(_OF_ONE_BYTE.__getitem__, following)
        return position + count
    add = items.append
    # No more than these take: each list would look at all that follows it otherwise.
    following = data[position : position + 10 * count]
    left = iter(following)
    zigzag = shift = 0
    for byte in left:
        if byte > 0x7F:
            if shift > 56:
                raise Fault("an integer of more than 10 bytes")
            zigzag |= (byte & 0x7F) << shift
            shift += 7
            continue
        if shift:
            byte = zigzag | byte << shift
            zigzag = shift = 0
            if byte > largest:
                raise Fault(f"an integer of more than {bits} bits")
        add((byte >> 1) ^ -(byte & 1))
        count -= 1
        if not count:
            return position + len(following) - length_hint(left)
    raise IndexError
