"""Logical types: each value as the primitive that is written for it, and back.

What goes to the wire is checked to come back equal: what a type cannot carry is a :class:`Fault`. Functions are named
after what they return.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

from orbitalis_avro.binary import Fault, shown, shown_value, unexpected

if TYPE_CHECKING:
    from uuid import UUID

__all__ = [
    "LOGICAL",
    "Logical",
    "date_of_days",
    "datetime_of_micros",
    "datetime_of_millis",
    "days_of_date",
    "decimal_of_bytes",
    "local_datetime_of_micros",
    "local_datetime_of_millis",
    "local_micros_of_datetime",
    "local_millis_of_datetime",
    "micros_of_datetime",
    "micros_of_time",
    "millis_of_datetime",
    "millis_of_time",
    "seconds_of_timedelta",
    "text_of_uuid",
    "time_of_micros",
    "time_of_millis",
    "timedelta_of_seconds",
    "unscaled_bytes",
    "uuid_of_text",
]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LOCAL_EPOCH: Final = datetime(1970, 1, 1)
_EPOCH_ORDINAL: Final = 719163
_MICROSECOND: Final = timedelta(microseconds=1)
_IS_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch
_DAY: Final = 86_400_000_000
"""Microseconds."""


@dataclass(frozen=True, slots=True)
class Logical:
    """How the values of a logical type become a primitive and come back."""

    python: str
    """Name of the class of the values."""
    lower: str
    """Name of the function that makes the primitive."""
    lift: str
    """Name of the function that makes the value."""


LOGICAL: Final[Mapping[str, Logical]] = {
    "date": Logical("date", "days_of_date", "date_of_days"),
    "time-millis": Logical("time", "millis_of_time", "time_of_millis"),
    "time-micros": Logical("time", "micros_of_time", "time_of_micros"),
    "timestamp-millis": Logical("datetime", "millis_of_datetime", "datetime_of_millis"),
    "timestamp-micros": Logical("datetime", "micros_of_datetime", "datetime_of_micros"),
    "local-timestamp-millis": Logical("datetime", "local_millis_of_datetime", "local_datetime_of_millis"),
    "local-timestamp-micros": Logical("datetime", "local_micros_of_datetime", "local_datetime_of_micros"),
    "uuid": Logical("UUID", "text_of_uuid", "uuid_of_text"),
    "fixed-uuid": Logical("UUID", "bytes_of_uuid", "uuid_of_bytes"),
    "decimal": Logical("Decimal", "unscaled_bytes", "decimal_of_bytes"),
    "big-decimal": Logical("Decimal", "bytes_of_big_decimal", "big_decimal_of_bytes"),
    "duration": Logical("Duration", "bytes_of_duration", "duration_of_bytes"),
    "dataclasses-avroschema-timedelta": Logical("timedelta", "seconds_of_timedelta", "timedelta_of_seconds"),
}
"""By name of the step. The functions for the rare ones are those of :mod:`orbitalis_avro.rare`."""


def micros_of_datetime(value: object) -> int:
    """Return the microseconds since 1970 of a datetime with a time zone."""
    if value.__class__ is not datetime or not isinstance(value, datetime):
        raise unexpected("a datetime", value)
    if value.tzinfo is None:
        raise Fault(f"expected a datetime with a time zone, got one without: {value}")
    if value.tzinfo is UTC:
        return (value - _EPOCH) // _MICROSECOND
    try:
        since = value - _EPOCH
        # In the hour that a clock repeats, a time of another zone equals none in UTC (PEP 495).
        is_one_in_utc = _EPOCH + since == value
    except TypeError:
        raise Fault(f"expected a datetime whose time zone says its offset, got {value}") from None
    except OverflowError:
        raise Fault(f"expected a datetime between the years 1 and 9999 in UTC, got {value}") from None
    if not is_one_in_utc:
        raise Fault(f"expected a datetime that equals one in UTC, got {value}, which its zone has twice or never")
    return since // _MICROSECOND


def millis_of_datetime(value: object) -> int:
    """Return the milliseconds since 1970 of a datetime with a time zone."""
    if isinstance(value, datetime) and value.__class__ is datetime and value.tzinfo is UTC:
        since = value - _EPOCH
        millis, rest = divmod(since.microseconds, 1000)
        if not rest:
            return (since.days * 86_400 + since.seconds) * 1000 + millis
    return _millis(micros_of_datetime(value), value)


def datetime_of_micros(micros: int) -> datetime:
    """Return the datetime in UTC, microseconds after 1970 began."""
    try:
        return _EPOCH + timedelta(0, 0, micros)
    except OverflowError:
        raise Fault(f"expected a time between the years 1 and 9999, got {micros} µs since 1970") from None


def datetime_of_millis(millis: int) -> datetime:
    """Return the datetime in UTC, milliseconds after 1970 began."""
    try:
        return _EPOCH + timedelta(0, 0, 0, millis)
    except OverflowError:
        raise Fault(f"expected a time between the years 1 and 9999, got {millis} ms since 1970") from None


def local_micros_of_datetime(value: object) -> int:
    """Return the microseconds since 1970 of a datetime without a time zone."""
    if value.__class__ is not datetime or not isinstance(value, datetime):
        raise unexpected("a datetime", value)
    if value.tzinfo is not None:
        raise Fault(f"expected a datetime without a time zone, got one with: {value}")
    return (value - _LOCAL_EPOCH) // _MICROSECOND


def local_millis_of_datetime(value: object) -> int:
    """Return the milliseconds since 1970 of a datetime without a time zone."""
    return _millis(local_micros_of_datetime(value), value)


def local_datetime_of_micros(micros: int) -> datetime:
    """Return the datetime without a time zone, microseconds after 1970 began."""
    return datetime_of_micros(micros).replace(tzinfo=None)


def local_datetime_of_millis(millis: int) -> datetime:
    """Return the datetime without a time zone, milliseconds after 1970 began."""
    return datetime_of_millis(millis).replace(tzinfo=None)


def micros_of_time(value: object) -> int:
    """Return the microseconds since midnight of a time without a time zone."""
    if value.__class__ is not time or not isinstance(value, time):
        raise unexpected("a time", value)
    if value.tzinfo is not None:
        raise Fault(f"expected a time without a time zone, got one with: {value}")
    return ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond


def millis_of_time(value: object) -> int:
    """Return the milliseconds since midnight of a time without a time zone."""
    return _millis(micros_of_time(value), value)


def time_of_micros(micros: int) -> time:
    """Return the time, microseconds after midnight."""
    if not 0 <= micros < _DAY:
        raise Fault(f"expected a time of a day, got {micros} µs since midnight")
    seconds, microsecond = divmod(micros, 1_000_000)
    return time(seconds // 3600, seconds // 60 % 60, seconds % 60, microsecond)


def time_of_millis(millis: int) -> time:
    """Return the time, milliseconds after midnight."""
    return time_of_micros(millis * 1000)


def _millis(micros: int, value: object) -> int:
    if micros % 1000:
        raise Fault(
            f"expected whole milliseconds, which are all that this field carries, got {value}: leave out the rest, as "
            ".replace(microsecond=0) does, or declare the field with microseconds"
        )
    return micros // 1000


def days_of_date(value: object) -> int:
    """Return the days since 1970 of a date."""
    if value.__class__ is not date or not isinstance(value, date):
        raise unexpected("a date", value)
    return value.toordinal() - _EPOCH_ORDINAL


def date_of_days(days: int) -> date:
    """Return the date, days after 1970 began."""
    try:
        return date.fromordinal(days + _EPOCH_ORDINAL)
    except (ValueError, OverflowError):
        raise Fault(f"expected a day between the years 1 and 9999, got {days} days since 1970") from None


@cache
def _uuid_class() -> type[UUID]:
    # Importing it takes long, and few messages use it.
    from uuid import UUID

    return UUID


def text_of_uuid(value: object) -> str:
    """Return the text of a UUID, with hyphens."""
    uuid_class = _uuid_class()
    if value.__class__ is not uuid_class or not isinstance(value, uuid_class):
        raise unexpected("a UUID", value)
    digits = f"{value.int:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def uuid_of_text(text: str) -> UUID:
    """Return the UUID of a text with hyphens."""
    if _IS_UUID(text) is None:
        raise Fault(f"expected a UUID in its form with hyphens, got {shown(text)}")
    return _uuid_class()(int=int(text.replace("-", ""), 16))


def seconds_of_timedelta(value: object) -> float:
    """Return the seconds of a time span."""
    if value.__class__ is not timedelta or not isinstance(value, timedelta):
        raise unexpected("a timedelta", value)
    seconds = value.total_seconds()
    try:
        is_exact = timedelta(seconds=seconds) == value
    except OverflowError:
        is_exact = False
    if not is_exact:
        raise Fault(f"expected a timedelta that seconds in double precision can carry, got {value!r}")
    return seconds


def timedelta_of_seconds(seconds: float) -> timedelta:
    """Return the time span of some seconds."""
    try:
        return timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        raise Fault(f"expected a time span in seconds, got {seconds}") from None


def unscaled_bytes(value: object, precision: int, scale: int, size: int) -> bytes:
    """Return the digits of a decimal as a whole number, big-endian: `size` bytes, or as few as it takes if 0."""
    if value.__class__ is not Decimal or not isinstance(value, Decimal):
        raise unexpected("a Decimal", value)
    if not value.is_finite():
        raise Fault(f"expected a finite Decimal, got {shown_value(value)}")
    # Held against the precision first: 1E+999999 has few digits, and would become many. Whole numbers are made by
    # Decimal, since neither `int` nor `str` takes as many digits as a message may have.
    number = 0
    if value:
        if value.adjusted() + scale >= precision:
            raise _too_many_digits(precision, scale, value)
        digits = _digits(precision)
        exact = value.quantize(Decimal((0, (1,), -scale)), context=digits)
        if exact != value:
            raise _too_many_digits(precision, scale, value)
        number = int(exact.scaleb(scale, context=digits))
    length = (number if number >= 0 else ~number).bit_length() // 8 + 1
    if size and length > size:
        raise Fault(f"expected a Decimal that fits {size} bytes, got {shown_value(value)}")
    return number.to_bytes(size or length, "big", signed=True)


def decimal_of_bytes(data: bytes, precision: int, scale: int) -> Decimal:
    """Return the decimal whose digits are a whole number, big-endian."""
    number = int.from_bytes(data, "big", signed=True)
    # Bounded before it is turned into digits, which takes long for many.
    if number.bit_length() <= precision * 4:
        whole = Decimal(number)
        if not whole or whole.adjusted() < precision:
            return whole.scaleb(-scale, context=_digits(precision))
    raise Fault(f"expected a decimal of at most {precision} digits, got {number.bit_length()} bits")


@lru_cache(maxsize=64)
def _digits(precision: int) -> Context:
    """Return the rules by which numbers of so many digits are handled, and none of them is lost."""
    return Context(prec=precision, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[])


def _too_many_digits(precision: int, scale: int, value: Decimal) -> Fault:
    return Fault(
        f"expected a Decimal of at most {precision} digits, {scale} behind the point, got {shown_value(value)}"
    )
