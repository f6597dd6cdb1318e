"""Annotations for message fields that Python has no types for: sizes, precisions, numbers of digits.

Type checkers see only the Python type: `Int32` is an `int`, `Annotated[Decimal, DecimalDigits(10, 2)]` a `Decimal`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import Annotated, TypeAlias

from orbitalis.arguments import check_number

__all__ = [
    "DateTimeMicro",
    "DecimalDigits",
    "Fixed",
    "Float32",
    "Int32",
    "LocalDateTime",
    "LocalDateTimeMicro",
    "TimeMicro",
]


@dataclass(frozen=True, slots=True)
class WireKind:
    """Chooses the Avro type of a value whose Python type has several."""

    kind: str
    """The Avro type, or the logical type, as in :attr:`ScalarField.kind`."""


@dataclass(frozen=True, slots=True)
class DecimalDigits:
    """The numbers of digits of a decimal number: `Annotated[Decimal, DecimalDigits(10, 2)]`.

    Raises:
        TypeError: A number of digits is not a whole number.
        ValueError: `precision` is below 1, or `scale` is above `precision` or negative.
    """

    precision: int
    """Number of all digits, before and after the decimal point."""
    scale: int = 0
    """Number of digits after the decimal point."""

    def __post_init__(self) -> None:
        for name, value in (("precision", self.precision), ("scale", self.scale)):
            check_number(name, value)
        if self.precision < 1 or not 0 <= self.scale <= self.precision:
            raise ValueError(
                f"expected at least 1 digit, and 0 to {self.precision} of them after the decimal point, got {self}"
            )


@dataclass(frozen=True, slots=True)
class Fixed:
    """The fixed number of bytes: `Annotated[bytes, Fixed(16)]`.

    Raises:
        TypeError: The size is not a whole number.
        ValueError: The size is below 1.
    """

    size: int
    """Number of bytes."""

    def __post_init__(self) -> None:
        check_number("size", self.size)
        if self.size < 1:
            raise ValueError(f"expected at least 1 byte, got {self}")


Int32: TypeAlias = Annotated[int, WireKind("int")]
"""An integer of 32 bits."""
Float32: TypeAlias = Annotated[float, WireKind("float")]
"""A floating-point number of 32 bits. Most floats of Python arrive rounded."""
TimeMicro: TypeAlias = Annotated[time, WireKind("time-micros")]
"""A time of day, to the microsecond."""
DateTimeMicro: TypeAlias = Annotated[datetime, WireKind("timestamp-micros")]
"""A moment, with its time zone, to the microsecond."""
LocalDateTime: TypeAlias = Annotated[datetime, WireKind("local-timestamp-millis")]
"""Date and time without a time zone, to the millisecond."""
LocalDateTimeMicro: TypeAlias = Annotated[datetime, WireKind("local-timestamp-micros")]
"""Date and time without a time zone, to the microsecond."""
