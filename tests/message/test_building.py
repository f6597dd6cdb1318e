"""Messages made of the values that were read: the same as dacite makes, without it where there can be many."""

from __future__ import annotations

import datetime
import decimal
import enum
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Optional

import pytest
from dataclasses_avroschema import AvroModel, types

from orbitalis.message import AvroMessageMixin
from orbitalis_avro.errors import DecodeError


class Colour(enum.Enum):
    RED = "RED"
    BLUE = "BLUE"


@dataclass(frozen=True)
class BuiltPoint(AvroMessageMixin):
    x: int
    label: str | None = None


@dataclass(frozen=True)
class BuiltMark(AvroMessageMixin):
    at: datetime.datetime


@dataclass
class BuiltTrack(AvroMessageMixin):
    """What can be many."""

    points: list[BuiltPoint]
    lengths: list[float]
    named: dict[str, BuiltPoint]
    rows: list[list[BuiltPoint]]
    colours: list[Colour]
    marks: list[BuiltMark]
    payloads: list[bytes]
    last: Optional[BuiltPoint] = None  # noqa: UP045 - as older programs write it
    first: BuiltPoint | None = None


@dataclass
class BuiltMixture(AvroMessageMixin):
    """What is rare."""

    thing: BuiltPoint | BuiltMark | None
    things: list[BuiltPoint | BuiltMark]
    value: int | str
    maybe: BuiltPoint | str
    pair: tuple[int, ...]
    several: Sequence[BuiltPoint]
    price: types.condecimal(max_digits=10, decimal_places=3)  # type: ignore[valid-type]
    small: types.Int32
    key: uuid.UUID
    day: datetime.date
    hour: datetime.time
    delta: datetime.timedelta
    mode: Literal["a", "b"] = "a"


@dataclass
class BuiltCounted(AvroMessageMixin):
    points: list[BuiltPoint]
    count: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.count = len(self.points)


@dataclass
class BuiltChecked(AvroMessageMixin):
    value: str

    class Meta:
        dacite_config = {"type_hooks": {str: str.upper}}  # noqa: RUF012 - as dataclasses-avroschema documents it


POINTS = [BuiltPoint(1), BuiltPoint(2, "two")]
MARK = BuiltMark(datetime.datetime(2026, 11, 23, 21, 26, tzinfo=datetime.UTC))
TRACK = BuiltTrack(
    points=POINTS,
    lengths=[0.5],
    named={"a": POINTS[0]},
    rows=[POINTS, []],
    colours=[Colour.BLUE],
    marks=[MARK],
    payloads=[b"x"],
    first=POINTS[1],
)
MIXTURE = BuiltMixture(
    thing=MARK,
    things=[POINTS[0], MARK],
    value="text",
    maybe=POINTS[1],
    pair=(1, 2),
    several=POINTS,
    price=decimal.Decimal("3.142"),
    small=7,
    key=uuid.UUID(int=7),
    day=datetime.date(2026, 11, 23),
    hour=datetime.time(21, 26),
    delta=datetime.timedelta(seconds=3),
    mode="b",
)


@pytest.mark.parametrize("message", [TRACK, MIXTURE, BuiltCounted(POINTS)], ids=lambda message: type(message).__name__)
def test_messages_come_back_as_they_were(message: AvroMessageMixin) -> None:
    assert type(message).decode(message.encode()) == message


@dataclass
class BuiltHeir(BuiltMixture):
    """Has its fields from another class."""

    extra: BuiltPoint | None = None


@pytest.mark.parametrize(
    "message",
    [TRACK, MIXTURE, BuiltHeir(**vars(MIXTURE), extra=POINTS[1]), BuiltCounted(POINTS)],
    ids=lambda message: type(message).__name__,
)
def test_values_are_those_that_dataclasses_avroschema_writes(message: AvroMessageMixin) -> None:
    assert message.asdict() == AvroModel.asdict(message)


def test_a_configuration_for_dacite_is_heeded() -> None:
    assert BuiltChecked.decode(BuiltChecked("text").encode()) == BuiltChecked("TEXT")


def test_what_can_be_many_is_not_left_to_dacite(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any, **options: Any) -> Any:
        raise AssertionError("dacite is asked")

    data, mixture = TRACK.encode(), MIXTURE.encode()
    monkeypatch.setattr("dacite.core._build_value", refuse)
    assert BuiltTrack.decode(data) == TRACK
    with pytest.raises(DecodeError, match="dacite is asked"):
        BuiltMixture.decode(mixture)
