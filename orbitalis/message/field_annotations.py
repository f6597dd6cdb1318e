"""What annotations of message fields can say that Python's own types cannot: sizes, precisions, numbers of digits.

Type checkers see the Python type alone: `Int32` is an `int`, `Annotated[Decimal, DecimalDigits(10, 2)]` a `Decimal`.
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
    """Says as what a value travels, where its Python type can travel in several ways."""

    kind: str
    """The Avro type, or the logical type, as :attr:`ScalarField.kind` has it."""


@dataclass(frozen=True, slots=True)
class DecimalDigits:
    """How many digits a decimal number has: `Annotated[Decimal, DecimalDigits(10, 2)]`.

    Raises:
        TypeError: One of them is no whole number.
        ValueError: There is no digit, or more of them are after the point than there are.
    """

    precision: int
    """All digits, before and after the decimal point."""
    scale: int = 0
    """Digits after the decimal point."""

    def __post_init__(self) -> None:
        for name, value in (("precision", self.precision), ("scale", self.scale)):
            check_number(name, value)
        if self.precision < 1 or not 0 <= self.scale <= self.precision:
            raise ValueError(
                f"expected at least 1 digit, and 0 to {self.precision} of them after the decimal point, got {self}"
            )


@dataclass(frozen=True, slots=True)
class Fixed:
    """How many bytes there are, always: `Annotated[bytes, Fixed(16)]`.

    Raises:
        TypeError: The size is no whole number.
        ValueError: There is not even one.
    """

    size: int
    """In bytes."""

    def __post_init__(self) -> None:
        check_number("size", self.size)
        if self.size < 1:
            raise ValueError(f"expected at least 1 byte, got {self}")


Int32: TypeAlias = Annotated[int, WireKind("int")]
"""An integer of 32 bits."""
Float32: TypeAlias = Annotated[float, WireKind("float")]
"""A number in 32 bits; most of those that Python can hold arrive rounded."""
TimeMicro: TypeAlias = Annotated[time, WireKind("time-micros")]
"""A time of day, to the microsecond."""
DateTimeMicro: TypeAlias = Annotated[datetime, WireKind("timestamp-micros")]
"""A moment, with its time zone, to the microsecond."""
LocalDateTime: TypeAlias = Annotated[datetime, WireKind("local-timestamp-millis")]
"""Date and time without a time zone, to the millisecond."""
LocalDateTimeMicro: TypeAlias = Annotated[datetime, WireKind("local-timestamp-micros")]
"""Date and time without a time zone, to the microsecond."""
