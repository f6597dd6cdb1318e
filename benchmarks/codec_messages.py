"""Messages of users for the benchmark of codecs, each with what makes a dictionary for fastavro of it, and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

from orbitalis import AvroMessageMixin

__all__ = ["COMPARED", "Compared"]


@dataclass(frozen=True)
class Status(AvroMessageMixin):
    """An ordinary message."""

    lamp_identifier: str
    status: str
    level: float
    on: bool
    tags: list[str]


@dataclass
class MutableStatus(AvroMessageMixin):
    """The same, but it can be changed."""

    lamp_identifier: str
    status: str
    level: float
    on: bool
    tags: list[str]


@dataclass(frozen=True)
class Lamp:
    """A record in others."""

    name: str
    level: float


@dataclass(frozen=True)
class Blind:
    """Another one."""

    name: str
    closed: bool


@dataclass(frozen=True)
class Room:
    """A record with records."""

    name: str
    lamps: list[Lamp]


@dataclass(frozen=True)
class House(AvroMessageMixin):
    """Records in lists in records in lists."""

    rooms: list[Room]


@dataclass(frozen=True)
class Choices(AvroMessageMixin):
    """Nothing but unions."""

    key: bytes | str
    number: int | float | None
    note: str | None
    things: list[Lamp | Blind]
    by_name: dict[str, int | str]


class Mode(Enum):
    """An enum that travels by texts."""

    DAY = "day"
    NIGHT = "night"


@dataclass(frozen=True)
class Sighting(AvroMessageMixin):
    """Values of logical types."""

    identifier: UUID
    seen: datetime
    until: datetime
    mode: Mode


@dataclass(frozen=True)
class Samples(AvroMessageMixin):
    """Many numbers."""

    values: list[float]


@dataclass(frozen=True)
class Counts(AvroMessageMixin):
    """Many whole numbers."""

    values: list[int]


@dataclass(frozen=True)
class Compared:
    """A message, and how fastavro is made to write and read it."""

    name: str
    message: AvroMessageMixin
    lower: Callable[[Any], dict[str, Any]]
    """Makes what fastavro writes; a branch of a union that is a record is a pair of its name and the value."""
    lift: Callable[[dict[str, Any]], object]
    """Makes the message of what fastavro reads."""


def _lower_house(house: House) -> dict[str, Any]:
    return {"rooms": [{"name": room.name, "lamps": [vars(lamp) for lamp in room.lamps]} for room in house.rooms]}


def _lift_house(record: dict[str, Any]) -> House:
    return House([Room(room["name"], [Lamp(**lamp) for lamp in room["lamps"]]) for room in record["rooms"]])


def _lower_choices(choices: Choices) -> dict[str, Any]:
    return {**vars(choices), "things": [(type(one).__name__, vars(one)) for one in choices.things]}


_RECORDS: dict[str, Callable[..., object]] = {"Lamp": Lamp, "Blind": Blind}


def _lift_choices(record: dict[str, Any]) -> Choices:
    return Choices(**{**record, "things": [_RECORDS[name](**one) for name, one in record["things"]]})


def _lower_sighting(sighting: Sighting) -> dict[str, Any]:
    return {**vars(sighting), "mode": sighting.mode.value}


def _lift_sighting(record: dict[str, Any]) -> Sighting:
    return Sighting(**{**record, "mode": Mode(record["mode"])})


_STATUS = ("lamp-17-in-the-kitchen", "on", 0.75, True, ["kitchen", "ground floor", "dimmable"])
_SEEN = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
COMPARED = (
    Compared("frozen message of five fields", Status(*_STATUS), vars, lambda record: Status(**record)),
    Compared("mutable message of five fields", MutableStatus(*_STATUS), vars, lambda record: MutableStatus(**record)),
    Compared(
        "records in lists",
        House([Room(f"room {at}", [Lamp(f"lamp {number}", number / 7) for number in range(4)]) for at in range(5)]),
        _lower_house,
        _lift_house,
    ),
    Compared(
        "unions",
        Choices(b"key", 1.5, None, [Lamp("desk", 0.5), Blind("south", True)] * 3, {"a": 1, "b": "two"}),
        _lower_choices,
        _lift_choices,
    ),
    Compared(
        "times, UUID and enum",
        Sighting(UUID(int=2**127 + 5), _SEEN, _SEEN + timedelta(hours=1), Mode.NIGHT),
        _lower_sighting,
        _lift_sighting,
    ),
    Compared("list of 1,000 floats", Samples([at / 7 for at in range(1000)]), vars, lambda record: Samples(**record)),
    Compared(
        "list of 1,000 ints", Counts([at * at * 7919 for at in range(1000)]), vars, lambda record: Counts(**record)
    ),
)
"""What is compared."""
