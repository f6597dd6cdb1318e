"""Whether a value is of the type that a codec needs, and what is forgiven made one of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, TypeGuard

from orbitalis_avro.binary import Fault, unexpected

__all__ = [
    "as_bool",
    "as_bytes",
    "as_float",
    "as_int",
    "as_str",
    "check_instance",
    "exact_float",
    "is_sequence",
    "mapping_of",
    "sequence_of",
    "write_text",
]


def check_instance(value: object, expected: type) -> None:
    """Refuse what is neither of a class nor of a subclass."""
    if not isinstance(value, expected):
        raise unexpected(expected.__name__, value)


def is_sequence(value: object) -> TypeGuard[Sequence[Any]]:
    """Return whether a value is a sequence of items; text and bytes are sequences of another kind."""
    if value.__class__ is tuple or value.__class__ is list:
        return True
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray, memoryview))


def sequence_of(value: object) -> Sequence[Any]:
    """Return a sequence as a list or a tuple; refuse everything else."""
    if not is_sequence(value):
        raise unexpected("a sequence", value)
    return value if value.__class__ is list else tuple(value)


def mapping_of(value: object) -> Mapping[Any, Any]:
    """Refuse what is no mapping."""
    if not _is_mapping(value):
        raise unexpected("a mapping", value)
    return value


def _is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def as_bool(value: object) -> NoReturn:
    """Refuse what is neither True nor False."""
    raise unexpected("a bool", value)


def as_int(value: object) -> int:
    """Return an integer of a subclass as one of `int`."""
    if not isinstance(value, int) or value is True or value is False:
        raise unexpected("an int", value)
    return int(value)


def as_float(value: object) -> float:
    """Return a number as a float."""
    if not isinstance(value, (float, int)) or value is True or value is False:
        raise unexpected("a float", value)
    try:
        return float(value)
    except OverflowError:
        raise Fault("expected a number of double precision, got a larger one") from None


def exact_float(value: object) -> float:
    """Return the float that equals an integer, which is a float for type checkers; refuse everything else."""
    if value.__class__ is not int or not isinstance(value, int):
        raise unexpected("a float", value)
    try:
        number = float(value)
    except OverflowError:
        number = None
    if number != value or number is None:
        raise unexpected("a float, or an int that equals one", value)
    return number


def as_str(value: object) -> str:
    """Return a text of a subclass as one of `str`."""
    if not isinstance(value, str):
        raise unexpected("a str", value)
    return str.__str__(value)


def as_bytes(value: object) -> bytes:
    """Return bytes of a subclass as those of `bytes`."""
    if not isinstance(value, bytes):
        raise unexpected("bytes", value)
    return bytes(value)


def write_text(value: object) -> bytes:
    """Write a text that is the whole of a payload: without its length."""
    return as_str(value).encode()
