"""JSON, type by type: what the `json` encoding of the envelope is made of.

Bytes and times are objects that say what they are in `__type__`. Readers trust nothing; what does not fit is a `Fault`.
"""

from __future__ import annotations

import math
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import cast

from orbitalis_avro.binary import Fault, located, shown, unexpected
from orbitalis_avro.checks import mapping_of, sequence_of

__all__ = [
    "parse_object",
    "read_boolean",
    "read_bytes",
    "read_double",
    "read_int",
    "read_long",
    "read_string",
    "read_strings",
    "read_timestamp",
    "write_boolean",
    "write_bytes",
    "write_double",
    "write_int",
    "write_long",
    "write_object",
    "write_string",
    "write_strings",
    "write_timestamp",
]

_TYPE = "__type__"
_VALUE = "value"
_NO_BRACKETS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[^][{}"]++', re.DOTALL)
"""What is between brackets, texts included. A text without end goes on to the end, where the parser refuses it."""


def parse_object(data: bytes, deepest: int) -> Mapping[str, object]:
    """Read one JSON object, in which brackets nest no deeper than `deepest`."""
    # Importing it takes long, and in one process nothing is written.
    import json

    _check_depth(data, deepest)
    try:
        content = cast("object", json.loads(data.decode()))
    except UnicodeDecodeError as error:
        raise Fault(f"expected UTF-8, got byte 0x{error.object[error.start]:02x} at {error.start}") from None
    except (ValueError, RecursionError) as error:
        raise Fault(f"expected JSON, but {error}") from None
    return cast("Mapping[str, object]", mapping_of(content))


def _check_depth(data: bytes, deepest: int) -> None:
    """Refuse what nests too deep for the parser."""
    if data.count(b"{") + data.count(b"[") <= deepest:
        return
    depth = 0
    for byte in _NO_BRACKETS.sub(b"", data):
        if byte in b"{[":
            depth += 1
            if depth > deepest:
                raise Fault(f"nested more than {deepest} levels deep")
        else:
            depth -= 1


def write_object(content: Mapping[str, object]) -> bytes:
    """Write one JSON object."""
    import json

    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def write_boolean(value: object) -> bool:
    """Return what JSON has for a boolean."""
    if not isinstance(value, bool):
        raise unexpected("a bool", value)
    return value


def read_boolean(value: object) -> bool:
    """Return what was written for a boolean."""
    return write_boolean(value)


def _integer(value: object, bits: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise unexpected("an int", value)
    if not -(1 << bits - 1) <= value < 1 << bits - 1:
        raise Fault(f"expected an integer of {bits} bits, got one of {value.bit_length() + 1} bits, the sign included")
    return value


def write_int(value: object) -> int:
    """Return what JSON has for an integer of 32 bits."""
    return _integer(value, 32)


def read_int(value: object) -> int:
    """Return what was written for an integer of 32 bits."""
    return _integer(value, 32)


def write_long(value: object) -> int:
    """Return what JSON has for an integer of 64 bits."""
    return _integer(value, 64)


def read_long(value: object) -> int:
    """Return what was written for an integer of 64 bits."""
    return _integer(value, 64)


def write_double(value: object) -> float:
    """Return what JSON has for a number of double precision."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise unexpected("a float", value)
    try:
        number = float(value)
    except OverflowError:
        raise Fault(f"expected a float, got an integer of {int(value).bit_length()} bits") from None
    if not math.isfinite(number):
        raise Fault(f"expected a finite number, got {number}")
    return number


def read_double(value: object) -> float:
    """Return what was written for a number of double precision."""
    return write_double(value)


def write_string(value: object) -> str:
    """Return what JSON has for a text."""
    if not isinstance(value, str):
        raise unexpected("a str", value)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise located(error, "", {}) from None
    return value


def read_string(value: object) -> str:
    """Return what was written for a text."""
    # Released peers put a time where a text belongs.
    if isinstance(value, Mapping):
        return write_string(_tagged(cast("object", value), "datetime"))
    return write_string(value)


def write_bytes(value: object) -> dict[str, str]:
    """Return what JSON has for bytes."""
    if not isinstance(value, bytes):
        raise unexpected("bytes", value)
    return {_TYPE: "bytes", _VALUE: b64encode(value).decode()}


def read_bytes(value: object) -> bytes:
    """Return what was written for bytes."""
    text = _tagged(value, "bytes")
    # Python forgives padding that is too long.
    if len(text) % 4:
        raise Fault("expected base64")
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise Fault("expected base64") from None


def write_timestamp(value: object) -> dict[str, str]:
    """Return what JSON has for a time."""
    if not isinstance(value, datetime):
        raise unexpected("a datetime", value)
    if value.tzinfo is None:
        raise Fault("expected a datetime with a time zone, got one without")
    return {_TYPE: "datetime", _VALUE: value.isoformat()}


def read_timestamp(value: object) -> datetime:
    """Return what was written for a time."""
    text = _tagged(value, "datetime")
    try:
        # Without a zone it is local time, as `astimezone` takes it.
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise Fault(f"expected a time as in ISO 8601, got {shown(text)}") from None


def write_strings(value: object) -> list[str]:
    """Return what JSON has for a list of texts."""
    return _each(value)


def read_strings(value: object) -> tuple[str, ...]:
    """Return what was written for a list of texts."""
    return tuple(_each(value))


def _each(value: object) -> list[str]:
    texts: list[str] = []
    items: Sequence[object] = sequence_of(value)
    for item in items:
        try:
            texts.append(write_string(item))
        except Fault as fault:
            raise fault.inside(f"[{len(texts)}]") from None
    return texts


def _tagged(value: object, expected: str) -> str:
    """Take the text out of an object that says what it is."""
    content = mapping_of(value)
    found = content.get(_TYPE)
    if found != expected:
        came = shown(found) if isinstance(found, str) else type(found).__name__
        raise Fault(f'expected "{expected}", got {came}').inside(f".{_TYPE}")
    text = content.get(_VALUE)
    if not isinstance(text, str):
        raise unexpected("a str", text).inside(f".{_VALUE}")
    return text
