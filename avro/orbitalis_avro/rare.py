"""Logical types that few messages use, all of them bytes on the wire: big decimals, durations, and UUIDs as a fixed.

As in :mod:`orbitalis_avro.logical`, what a type cannot carry is a :class:`Fault`.
"""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from struct import Struct
from typing import Final, NamedTuple
from uuid import UUID

from orbitalis_avro.binary import Fault, read_int, read_length, shown_value, unexpected, varint, write_int

__all__ = [
    "Duration",
    "big_decimal_of_bytes",
    "bytes_of_big_decimal",
    "bytes_of_duration",
    "bytes_of_uuid",
    "duration_of_bytes",
    "uuid_of_bytes",
]

_DURATION: Final = Struct("<III")
_MOST_BYTES: Final = 1024
"""Of the digits of a big decimal: making digits of more takes long."""
_EXACT: Final = Context(prec=3 * _MOST_BYTES, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[])


class Duration(NamedTuple):
    """A time span as Avro has it: its three parts are kept apart, since neither months nor days are equally long."""

    months: int
    days: int
    milliseconds: int


def bytes_of_duration(value: object) -> bytes:
    """Return three numbers of 32 bits, little-endian."""
    if value.__class__ is not Duration or not isinstance(value, Duration):
        raise unexpected("a Duration", value)
    if not all(type(one) is int and 0 <= one < 2**32 for one in value):
        raise Fault(f"expected a Duration of integers from 0 to 4294967295, got {shown_value(value)}")
    return _DURATION.pack(*value)


def duration_of_bytes(data: bytes) -> Duration:
    """Return the time span of 12 bytes."""
    return Duration(*_DURATION.unpack(data))


def bytes_of_uuid(value: object) -> bytes:
    """Return the 16 bytes of a UUID, big-endian."""
    if value.__class__ is not UUID or not isinstance(value, UUID):
        raise unexpected("a UUID", value)
    return value.bytes


def uuid_of_bytes(data: bytes) -> UUID:
    """Return the UUID of 16 bytes."""
    return UUID(bytes=data)


def bytes_of_big_decimal(value: object) -> bytes:
    """Return the digits of a decimal as a whole number after its length, and how many of them are behind the point."""
    if value.__class__ is not Decimal or not isinstance(value, Decimal):
        raise unexpected("a Decimal", value)
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        raise Fault(f"expected a finite Decimal, got {shown_value(value)}")
    # Held against the length first: making a number of many digits takes long.
    digits = len(value.as_tuple().digits)
    number = int(value.scaleb(-exponent, context=_EXACT)) if digits < _EXACT.prec else 0
    length = number.bit_length() // 8 + 1
    if digits >= _EXACT.prec or length > _MOST_BYTES:
        raise Fault(f"expected a Decimal whose digits fit {_MOST_BYTES} bytes, got one of {digits} digits")
    if not -(2**31) <= -exponent < 2**31:
        raise Fault(f"expected a Decimal whose scale has 32 bits, got the scale {-exponent}")
    return varint(length << 1) + number.to_bytes(length, "big", signed=True) + write_int(-exponent)


def big_decimal_of_bytes(data: bytes) -> Decimal:
    """Return the decimal with these digits."""
    try:
        length, start = read_length(data, 0)
        scale, end = read_int(data, start + length)
    except IndexError:
        raise Fault(f"expected digits and a scale in the bytes of a decimal, got {len(data)} bytes") from None
    if end != len(data):
        raise Fault(f"expected the end of a decimal after its scale, got {len(data) - end} more bytes")
    if length > _MOST_BYTES:
        raise Fault(f"expected a decimal whose digits fit {_MOST_BYTES} bytes, got {length} bytes")
    number = int.from_bytes(data[start : start + length], "big", signed=True)
    return Decimal(number).scaleb(-scale, context=_EXACT)
