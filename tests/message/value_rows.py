"""The types that a field can have, each with values that arrive and values that are refused."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, MutableSequence, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, make_dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, Literal, NamedTuple, NewType
from uuid import UUID
from zoneinfo import ZoneInfo

from orbitalis import (
    AvroMessageMixin,
    DateTimeMicro,
    DecimalDigits,
    Fixed,
    Float32,
    Int32,
    LocalDateTime,
    LocalDateTimeMicro,
    TimeMicro,
)

__all__ = [
    "CONTEXTS",
    "DICT",
    "LIST",
    "ROWS",
    "TUPLE",
    "Context",
    "Row",
    "is_raising",
    "is_same",
    "message_of",
    "rounded",
]


class Mode(Enum):
    DAY = "day"
    NIGHT = "night"
    DARK = "night"


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Other(IntEnum):
    LOW = 1


@dataclass(frozen=True)
class Lamp:
    name: str


@dataclass
class Blind:
    closed: bool
    marks: list[int] = field(default_factory=list)


class SpecialLamp(Lamp):
    pass


class Text(str):
    __slots__ = ()


class Number(int):
    pass


class Real(float):
    pass


class Data(bytes):
    pass


class Items(list[Any]):
    pass


class Entries(dict[str, Any]):
    pass


class Pair(NamedTuple):
    one: int
    two: int


class Moment(datetime):
    pass


class Nowhere(tzinfo):
    """A zone that does not say its offset."""

    def utcoffset(self, _: datetime | None) -> None:
        return None

    def dst(self, _: datetime | None) -> None:
        return None

    def tzname(self, _: datetime | None) -> str:
        return "nowhere"


class Raising(Nowhere):
    def utcoffset(self, _: datetime | None) -> None:
        raise ZeroDivisionError


@dataclass(frozen=True)
class Row:
    """A type with some of its values."""

    name: str
    annotation: Any
    values: tuple[Any, ...]
    refused: tuple[Any, ...]


UserId = NewType("UserId", int)
ROME = ZoneInfo("Europe/Rome")
SECOND = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EAST, WEST = timezone(timedelta(hours=14)), timezone(timedelta(hours=-14))
HUGE = 10**5000
"""An integer of more digits than Python shows."""

_MOMENTS = (
    SECOND,
    SECOND.replace(microsecond=999_000),
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 1_000, tzinfo=UTC),
    datetime(2026, 7, 1, 12, tzinfo=ROME),
    datetime(2026, 1, 1, tzinfo=EAST),
    datetime(2026, 1, 1, tzinfo=timezone(timedelta(minutes=-1))),
    # Each of the two that the clock shows in autumn, and the one in spring that it leaves out.
    datetime(2026, 10, 25, 1, 59, tzinfo=ROME),
)
_NO_MOMENTS = (
    SECOND.replace(tzinfo=None),
    datetime(2026, 10, 25, 2, 30, tzinfo=ROME),
    datetime(2026, 10, 25, 2, 30, tzinfo=ROME, fold=1),
    datetime(2026, 3, 29, 2, 30, tzinfo=ROME),
    datetime(1, 1, 1, tzinfo=EAST),
    datetime(9999, 12, 31, 23, tzinfo=WEST),
    datetime(2026, 1, 1, tzinfo=Nowhere()),
    datetime(2026, 1, 1, tzinfo=Raising()),
    Moment(2026, 1, 1, tzinfo=UTC),
    date(2026, 1, 2),
    5,
    "2026-01-02",
    None,
)
_LOCALS = (
    datetime(2026, 1, 2, 3, 4, 5),
    datetime(2026, 10, 25, 2, 30, fold=1),
    datetime(1, 1, 1),
    datetime(9999, 12, 31, 23, 59, 59, 999_000),
)
_NO_LOCALS = (SECOND, Moment(2026, 1, 1), date(2026, 1, 2), 5)
_TIMES = (time(23, 59, 59, 999_000), time(0), time(2, 30, fold=1), time(0, 0, 0, 1_000))
_NO_TIMES = (time(1, tzinfo=UTC), datetime(2026, 1, 1), timedelta(0), "23:59")
_DECIMALS = tuple(
    map(
        Decimal,
        ["1.25", "-1.25", "0", "-0", "0E+9", "1E+7", "99999999.99", "-99999999.99", "1.2500000000000000", "1E-2"],
    )
)
_NO_DECIMALS = (
    *map(Decimal, ["1.255", "1E+8", "1E+999999", "1E-999999", "NaN", "sNaN", "Infinity", "100000000", "9" * 5000]),
    1.25,
    1,
    "1.25",
)

ROWS: list[Row] = [
    Row("bool", bool, (True, False), (1, 0, None, "true")),
    Row(
        "int",
        int,
        (0, -1, 63, 64, 1023, 1024, 2**31, -(2**31), 2**63 - 1, -(2**63)),
        (2**63, -(2**63) - 1, HUGE, True, 1.0, Level.LOW, Number(5), "1", None),
    ),
    Row("Int32", Int32, (0, 2**31 - 1, -(2**31)), (2**31, -(2**31) - 1, 2**63, True, Number(5), 1.0)),
    Row(
        "float",
        float,
        (0.0, -0.0, 1.5, math.nan, math.inf, -math.inf, 5e-324, 1.7976931348623157e308),
        (2**53 + 1, True, Real(1.5), Number(1), Decimal(1), HUGE, "1.5", None),
    ),
    Row(
        "Float32",
        Float32,
        (0.0, -0.0, 1.5, 0.1, 1e-50, math.nan, -math.inf, 3.4e38),
        (1e300, -3.5e38, 10**40, Real(1.5)),
    ),
    Row(
        "str",
        str,
        ("", "text", "é", "\0", "😀" * 500, "a" * 64),
        (b"x", "\ud800", "a\udfffb", Text("x"), Colour.RED, 5),
    ),
    Row("bytes", bytes, (b"", b"\xff" * 100), ("x", bytearray(b"x"), memoryview(b"x"), Data(b"x"), None)),
    Row("None", type(None), (None,), (0, False, "")),
    Row("date", date, (date.min, date.max, date(1970, 1, 1)), (SECOND, Moment(2026, 1, 1), 5, "2026-01-02")),
    Row("time", time, _TIMES, (*_NO_TIMES, time(0, 0, 0, 1))),
    Row("TimeMicro", TimeMicro, (*_TIMES, time.max), _NO_TIMES),
    Row("datetime", datetime, _MOMENTS, (*_NO_MOMENTS, SECOND.replace(microsecond=1))),
    Row("DateTimeMicro", DateTimeMicro, (*_MOMENTS, datetime.max.replace(tzinfo=UTC)), _NO_MOMENTS),
    Row("LocalDateTime", LocalDateTime, _LOCALS, (*_NO_LOCALS, datetime.max)),
    Row("LocalDateTimeMicro", LocalDateTimeMicro, (*_LOCALS, datetime.max), _NO_LOCALS),
    Row(
        "timedelta",
        timedelta,
        (timedelta(0), timedelta(microseconds=-1), timedelta(hours=1), timedelta.min, timedelta(days=999_999_999)),
        (timedelta.max, timedelta(days=99_999_999, microseconds=1), 3600, 1.5),
    ),
    Row("UUID", UUID, (UUID(int=0), UUID(int=2**128 - 1)), (5, str(UUID(int=5)), b"\0" * 16)),
    Row("Decimal", Annotated[Decimal, DecimalDigits(10, 2)], _DECIMALS, _NO_DECIMALS),
    Row(
        "Decimal of many digits",
        Annotated[Decimal, DecimalDigits(6000, 1000)],
        (Decimal("9" * 5000), Decimal("-1E-1000"), Decimal("1E+4999"), Decimal("1." + "0" * 9000)),
        (Decimal("1E+5000"), Decimal("1E-1001"), Decimal("1." + "0" * 9000 + "1")),
    ),
    Row("Fixed", Annotated[bytes, Fixed(3)], (b"abc", b"\0\0\0"), (b"ab", b"abcd", "abc", Data(b"abc"))),
    Row("Enum", Mode, (Mode.DAY, Mode.NIGHT, Mode.DARK), ("day", 0, Colour.RED, None)),
    Row("StrEnum", Colour, (Colour.RED, Colour.BLUE), ("red", Mode.DAY)),
    Row("IntEnum", Level, (Level.LOW, Level.HIGH), (1, Other.LOW, True)),
    Row("Literal of texts", Literal["a", "b"], ("a", "b"), ("c", "", Text("a"), None, ["a"])),
    Row("Literal of numbers", Literal[1, 2], (1, 2), (True, 1.0, 3, Level.LOW)),
    Row("Literal of True", Literal[True], (True,), (False, 1)),
    Row("Literal of several types", Literal["a", True, 2], ("a", True, 2), (1, False, "b", 2.0)),
    Row("Literal of members", Literal[Mode.DAY], (Mode.DAY,), (Mode.NIGHT, "day")),
    Row("Literal of bytes", Literal[b"x"], (b"x",), (b"y", "x")),
    Row("Literal of text and member", Literal["blue", Colour.RED], ("blue", Colour.RED), (Colour.BLUE, "red")),
    Row("record", Lamp, (Lamp("x"),), ("x", SpecialLamp("x"), None, Lamp)),
    Row("record that changes", Blind, (Blind(True), Blind(False, [1, 2])), (Lamp("x"), {"closed": True})),
    Row("list", list[int], ([], [1, 2], [0] * 2000), ((1,), Items([1]), "x", {1}, None)),
    Row("Sequence", Sequence[str], ([], ["x"]), (("x",), "x")),
    Row("MutableSequence", MutableSequence[float], ([], [1.5]), ((1.5,),)),
    Row("tuple", tuple[int, ...], ((), (1, 2)), ([1], Pair(1, 2))),
    Row(
        "dict",
        dict[str, int],
        ({}, {"a": 1, "": 2, "é": 3}),
        (Entries(a=1), [("a", 1)], {1: 1}, {Text("a"): 1}, {"\ud800": 1}),
    ),
    Row("Mapping", Mapping[str, bytes], ({}, {"a": b"x"}), (Entries(a=b"x"),)),
    Row("bytes | str", bytes | str, (b"x", "x", b"", ""), (5, bytearray(b"x"), Text("x"), "\ud800")),
    Row("float | int", float | int, (1.0, 1, -0.0, 2**40), (True, Number(1), 2**63, Real(1.0), "1")),
    Row("int | bool", int | bool, (1, True, 0, False), (1.0, Level.LOW)),
    Row(
        "date | datetime",
        date | datetime,
        (date(2026, 1, 2), SECOND),
        (SECOND.replace(tzinfo=None), Moment(2026, 1, 1), 5),
    ),
    Row("datetime | int", datetime | int, (SECOND, 5), (True, date(2026, 1, 2), 5.0)),
    Row("timedelta | float", timedelta | float, (timedelta(seconds=1), 1.0), (2**53 + 1, timedelta.max)),
    Row("str | Enum", str | Mode, ("day", Mode.DAY), (5, Colour.RED)),
    Row("str | StrEnum", str | Colour, ("red", Colour.RED), (Mode.DAY, Text("red"))),
    Row("UUID | str", UUID | str, (UUID(int=5), str(UUID(int=5))), (5, Text("x"))),
    Row("int | IntEnum", int | Level, (1, Level.LOW), (True, Other.LOW)),
    Row(
        "Decimal | float",
        Annotated[Decimal, DecimalDigits(10, 2)] | float,
        (Decimal("1.5"), 1.5),
        (2**53 + 1, Decimal("1E+9")),
    ),
    Row("records", Lamp | Blind, (Lamp("x"), Blind(True, [5])), (SpecialLamp("x"), "x", Blind("x"))),  # type: ignore[arg-type]
    Row("str | list | dict", str | list[int] | dict[str, int], ("x", [1], {"a": 1}), ((1,), Items([1]), 5)),
    Row("list of records", list[Lamp | Blind], ([Lamp("x"), Blind(True)],), ([Lamp("x"), "y"], [None])),
    Row("dict of unions", dict[str, Lamp | int | None], ({"a": Lamp("x"), "b": 5, "c": None},), ({"a": "x"},)),
    Row("NewType", UserId, (UserId(5),), (True, "x")),
]


@dataclass(frozen=True)
class Context:
    """A place for a value in a type."""

    name: str
    around: Any
    """Makes the annotation, given that of the value."""
    holding: Any
    """Makes the value of the field, given the value."""
    path: str
    """From the message to the value."""


# To be given items that only the run knows.
LIST: Any = list
TUPLE: Any = tuple
DICT: Any = dict
CONTEXTS = [
    Context("bare", lambda inner: inner, lambda value: value, "value"),
    Context("list", lambda inner: LIST[inner], lambda value: [value], "value[0]"),
    Context("tuple", lambda inner: TUPLE[inner, ...], lambda value: (value,), "value[0]"),
    Context("dict", lambda inner: DICT[str, inner], lambda value: {"k": value}, 'value["k"]'),
    Context("optional", lambda inner: inner | None, lambda value: value, "value"),
    Context("list of optional", lambda inner: LIST[inner | None], lambda value: [None, value], "value[1]"),
    Context("dict of lists", lambda inner: DICT[str, LIST[inner]], lambda value: {"k": [value]}, 'value["k"][0]'),
]


def message_of(annotation: Any, *, frozen: bool = False, name: str = "Telegram") -> Any:
    """Return a message class with one field `value`."""
    return make_dataclass(name, [("value", annotation)], bases=(AvroMessageMixin,), frozen=frozen)


def is_raising(value: Any) -> bool:
    """Return whether a value raises when it is looked at."""
    return isinstance(value, datetime) and isinstance(value.tzinfo, Raising)


def rounded(row: Row, value: Any) -> Any:
    """Return what has to arrive."""
    return struct.unpack("<f", struct.pack("<f", value))[0] if row.name == "Float32" else value


def is_same(one: Any, other: Any) -> bool:
    """Return whether two values, and all in them, are equal and of the same type."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return math.isnan(one) == math.isnan(other) and struct.pack("<d", one) == struct.pack("<d", other)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(is_same(one[key], other[key]) for key in one)
    if is_dataclass(one):
        return all(is_same(getattr(one, each.name), getattr(other, each.name)) for each in fields(one))
    return bool(one == other)
