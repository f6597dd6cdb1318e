"""Avro binary, type by type: what the functions that :mod:`orbitalis_avro.source` makes call.

Readers take the data and a position and return a value and the position after it. They trust nothing: a length or
count is held against what is left before anything is allocated. What does not fit is a :class:`Fault`, which collects
its path on the way up; running off the end is an `IndexError`, which :func:`located` turns into one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from reprlib import Repr
from struct import Struct
from struct import error as StructError
from typing import Any, Final, TypeVar

__all__ = [
    "LENGTHS",
    "READ_FAULTS",
    "WRITE_FAULTS",
    "Fault",
    "Guard",
    "bad_boolean",
    "bad_branch",
    "check_block",
    "key_part",
    "located",
    "pack_double",
    "read_back",
    "read_block",
    "read_fixed",
    "read_float",
    "read_index",
    "read_int",
    "read_key",
    "read_length",
    "read_long",
    "refused",
    "round_float",
    "shown",
    "shown_value",
    "too_long",
    "unexpected",
    "unpack_double",
    "varint",
    "write_fixed",
    "write_float",
    "write_int",
    "write_long",
    "write_number",
]

_FLOAT: Final = Struct("<f")
_DOUBLE: Final = Struct("<d")
_ITEMS_WITHOUT_BYTES: Final = 1024
"""How many items that take no bytes, such as nulls, one message may hold: no length bounds them."""
T = TypeVar("T")

_PART: Final = re.compile(r"\[(each|items|key)(\d+)\]")

pack_double: Final = _DOUBLE.pack
"""Writes a number of double precision."""
unpack_double: Final = _DOUBLE.unpack_from
"""Reads a number of double precision."""


class Fault(Exception):
    """A value or some bytes that do not fit; becomes an error of the package where the record is known."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self._path: list[str] = []

    def inside(self, part: str) -> Fault:
        """Note where it happened: `.field`, `[0]` or `["key"]`. Called from the inside out."""
        self._path.append(part)
        return self

    @property
    def path(self) -> str:
        """The path from the message to the fault."""
        return "".join(reversed(self._path)).removeprefix(".")


READ_FAULTS: Final = (Fault, IndexError, UnicodeDecodeError, StructError)
"""What readers meet when something does not fit."""
WRITE_FAULTS: Final = (Fault, ArithmeticError, AttributeError, TypeError, ValueError)
"""What writers meet when something does not fit. A value can pretend to be of a class, or have a zone that raises."""


class Guard:
    """Bounds that no length in the data gives: how deep values nest, how many items take no bytes."""

    __slots__ = ("_deepest", "_depth", "_items")

    def __init__(self, deepest: int) -> None:
        self._deepest = deepest
        self._depth = 0
        self._items = 0

    def enter(self) -> None:
        """Go one level down in a record that contains itself."""
        self._depth += 1
        if self._depth > self._deepest:
            raise Fault(f"nested more than {self._deepest} levels deep")

    def leave(self) -> None:
        """Come back up."""
        self._depth -= 1

    def count(self, items: int) -> None:
        """Account for items that take no bytes."""
        self._items += items
        if self._items > _ITEMS_WITHOUT_BYTES:
            raise Fault(f"more than {_ITEMS_WITHOUT_BYTES} items that take no bytes")


def located(error: Exception, at: str, found: Mapping[str, Any]) -> Fault:
    """Turn what a reader or writer met into a fault at a part of the message.

    `at` is the path from the record on, in which `[each1]`, `[items1]` and `[key1]` stand for what `found`, the local
    variables, says: an iterator of the list `items1`, the list of the items read so far, and a key of a map.
    """
    part = _PART.sub(lambda match: _index(match[1], match[2], found), at) if "[" in at else at
    match error:
        case Fault():
            return error.inside(part)
        case IndexError() | StructError():
            return Fault("the data ends too early").inside(part)
        case UnicodeDecodeError():
            return Fault(f"expected UTF-8, got byte 0x{error.object[error.start]:02x}").inside(part)
        case UnicodeEncodeError():
            return Fault(f"expected text, got the lone surrogate U+{ord(error.object[error.start]):04X}").inside(part)
        case AttributeError():
            return Fault("the field is missing").inside(part)
        case _:
            return Fault(f"{type(error).__name__}: {error}").inside(part)


def _index(kind: str, number: str, found: Mapping[str, Any]) -> str:
    if kind == "key":
        return key_part(found.get(f"key{number}"))
    items = len(found[f"items{number}"])
    return f"[{items - found[f'each{number}'].__length_hint__() - 1 if kind == 'each' else items}]"


class _Shortened(Repr):
    """Shows any value, on part of a line."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 60

    def repr1(self, x: Any, level: int) -> str:
        """Show a value, or say of what class it is."""
        try:
            return super().repr1(x, level)
        except Exception:  # whatever its class raises; ValueError for an integer of more digits than Python shows
            return f"<{type(x).__name__}{f' of {x.bit_length()} bits' if isinstance(x, int) else ''}>"


_SHORTENED: Final = _Shortened()


def shown_value(value: object) -> str:
    """Show a value for an error, shortened."""
    return _SHORTENED.repr(value)


def unexpected(expected: str, value: object) -> Fault:
    """Say that another value was expected."""
    if value is None:
        return Fault(f"expected {expected}, got None")
    return Fault(f"expected {expected}, got {type(value).__name__} {shown_value(value)}")


def refused(error: Exception) -> Fault:
    """Say that a class does not take the values that were read."""
    return Fault(f"its class refuses it: {type(error).__name__}: {error}")


def varint(zigzag: int) -> bytes:
    """Write a number, which is not negative, in as many bytes as it takes."""
    encoded = bytearray()
    while zigzag > 0x7F:
        encoded.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    encoded.append(zigzag)
    return bytes(encoded)


LENGTHS: Final = tuple(varint(length << 1) for length in range(1024))
"""The lengths that occur all the time, as they are written."""


def write_long(value: int) -> bytes:
    """Write an integer of 64 bits."""
    if not -0x8000000000000000 <= value <= 0x7FFFFFFFFFFFFFFF:
        raise Fault(f"expected an integer of 64 bits, got one of {value.bit_length() + 1} bits, the sign included")
    return varint((value << 1) ^ (value >> 63))


def write_int(value: int) -> bytes:
    """Write an integer of 32 bits."""
    if not -0x80000000 <= value <= 0x7FFFFFFF:
        raise Fault(f"expected an integer of 32 bits, got one of {value.bit_length() + 1} bits, the sign included")
    return varint((value << 1) ^ (value >> 63))


def read_long(data: bytes, position: int) -> tuple[int, int]:
    """Read an integer of 64 bits."""
    byte = data[position]
    position += 1
    zigzag = byte & 0x7F
    shift = 7
    while byte > 0x7F:
        if shift > 63:
            raise Fault("an integer of more than 10 bytes")
        byte = data[position]
        position += 1
        zigzag |= (byte & 0x7F) << shift
        shift += 7
    if zigzag > 0xFFFFFFFFFFFFFFFF:
        raise Fault("an integer of more than 64 bits")
    return (zigzag >> 1) ^ -(zigzag & 1), position


def read_int(data: bytes, position: int) -> tuple[int, int]:
    """Read an integer of 32 bits."""
    value, position = read_long(data, position)
    if not -0x80000000 <= value <= 0x7FFFFFFF:
        raise Fault(f"expected an integer of 32 bits, got {value}")
    return value, position


def write_float(value: float) -> bytes:
    """Write a number in single precision, to which it is rounded."""
    try:
        return _FLOAT.pack(value)
    except OverflowError:
        raise Fault(f"expected a number of single precision, got {shown_value(value)}, which is larger") from None


def read_float(data: bytes, position: int) -> tuple[float, int]:
    """Read a number of single precision."""
    value: float = _FLOAT.unpack_from(data, position)[0]
    return value, position + 4


def round_float(value: float) -> float:
    """Return what is left of a number in single precision."""
    rounded: float = _FLOAT.unpack(write_float(value))[0]
    return rounded


def read_length(data: bytes, position: int) -> tuple[int, int]:
    """Read the length of what follows, which has to be there."""
    length, position = read_long(data, position)
    if length < 0:
        raise Fault(f"expected a length, got {length}")
    if length > len(data) - position:
        raise too_long(length, len(data) - position)
    return length, position


def bad_boolean(byte: int) -> Fault:
    """Say that a byte is no boolean."""
    return Fault(f"expected a boolean, 0 or 1, got {byte}")


def too_long(length: int, left: int) -> Fault:
    """Say that a value would go on behind the end."""
    return Fault(f"a length of {length} bytes, but only {left} are left")


def write_number(value: object, layout: Struct) -> bytes:
    """Write a number that is the whole of a payload."""
    if not isinstance(value, (float, int)) or value is True or value is False:
        raise unexpected("a number", value)
    try:
        return layout.pack(value)
    except (StructError, OverflowError):
        raise Fault(f"expected a number that fits {layout.size} bytes, got {shown_value(value)}") from None


def write_fixed(value: bytes, size: int) -> bytes:
    """Refuse bytes of another length."""
    if len(value) != size:
        raise Fault(f"expected {size} bytes, got {len(value)}")
    return value


def read_fixed(data: bytes, position: int, size: int) -> tuple[bytes, int]:
    """Read so many bytes."""
    end = position + size
    if end > len(data):
        raise IndexError
    return data[position:end], end


def bad_branch(data: bytes, position: int, choices: int) -> Fault:
    """Say that an index stands at `position` that is too large, or is written in more bytes than it takes."""
    index, _ = read_long(data, position)
    if 0 <= index < choices:
        return Fault(f"the index {index} takes one byte, got more")
    return Fault(f"expected an index below {choices}, got {index}")


def read_back(
    write: Callable[[T, Callable[[bytes], None]], None], read: Callable[[bytes, int], tuple[T, int]], value: T
) -> T:
    """Return what is read of what is written for a value."""
    parts: list[bytes] = []
    write(value, parts.append)
    return read(b"".join(parts), 0)[0]


def read_index(data: bytes, position: int, choices: int) -> tuple[int, int]:
    """Read the index of a branch of a union or of a symbol of an enumeration."""
    index, position = read_long(data, position)
    if not 0 <= index < choices:
        raise Fault(f"expected an index below {choices}, got {index}")
    return index, position


def read_block(data: bytes, position: int, minimum: int) -> tuple[int, int, int]:
    """Read the head of a block of an array or map whose items take `minimum` bytes at least.

    Returns the count of the items, the position of the first and the position after the last, -1 where the block does
    not say it.
    """
    count, position = read_long(data, position)
    end = -1
    left = len(data) - position
    if count < 0:
        count = -count
        size, position = read_length(data, position)
        left = size
        end = position + size
    elif count == 0:
        raise Fault("a count of 0 items takes one byte, got more")
    if count * minimum > left:
        raise Fault(f"a count of {count} items, but only {left} bytes are left")
    return count, position, end


def check_block(position: int, end: int) -> None:
    """Refuse a block that is not as long as its head says."""
    if end not in (-1, position):
        raise Fault(f"a block that is {position - end:+d} bytes longer than its head says")


def read_key(data: bytes, position: int, taken: Mapping[str, object]) -> tuple[str, int]:
    """Read a key of a map. A key that comes twice is refused: two readers could see different maps."""
    length, position = read_length(data, position)
    end = position + length
    key = data[position:end].decode()
    if key in taken:
        raise Fault("the key comes twice").inside(key_part(key))
    return key, end


def key_part(key: object) -> str:
    """Write a key of a map as a part of a path."""
    return f"[{shown(key)}]" if isinstance(key, str) else f"[{type(key).__name__}]"


def shown(value: object) -> str:
    """Quote a text for an error, shortened."""
    text = str(value)
    text = text if len(text) <= 100 else f"{text[:100]}…"
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in quoted) + '"'
