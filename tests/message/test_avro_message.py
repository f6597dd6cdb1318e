"""Messages that users define."""

from __future__ import annotations

import dataclasses
import enum
import io
import json
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbitalis.message import AvroMessageMixin, registry
from orbitalis_avro.canonical_form import canonical_form_of, fingerprint_of
from orbitalis_avro.errors import DecodeError, EncodeError


class Mode(enum.Enum):
    DAY = "DAY"
    NIGHT = "NIGHT"


@dataclass(frozen=True)
class Lamp(AvroMessageMixin):
    name: str
    brightness: int


@dataclass(frozen=True)
class Blind(AvroMessageMixin):
    closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Room(AvroMessageMixin):
    """What is in a room."""

    name: str
    mode: Mode
    size: float = 1.5
    photo: bytes = b""
    seen: datetime | None = None
    note: str | None = None
    lamps: list[Lamp] = field(default_factory=list)
    levels: dict[str, int] = field(default_factory=dict)
    thing: Lamp | Blind | None = None
    things: list[Lamp | Blind] = field(default_factory=list)


@dataclass
class Renamed(AvroMessageMixin):
    value: int

    class Meta:
        schema_name = "WireName"


@dataclass
class Node(AvroMessageMixin):
    value: int
    below: Node | None = None


@dataclass
class Nothing(AvroMessageMixin):
    pass


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAMPS = st.builds(Lamp, name=st.text(), brightness=st.integers(-(2**63), 2**63 - 1))
THINGS = LAMPS | st.builds(Blind, closed=st.booleans())
ROOMS = st.builds(
    Room,
    name=st.text(),
    mode=st.sampled_from(Mode),
    size=st.floats(allow_nan=False),
    photo=st.binary(),
    seen=st.none() | st.integers(0, 2**40).map(lambda millis: EPOCH + timedelta(milliseconds=millis)),
    note=st.none() | st.text(),
    lamps=st.lists(LAMPS, max_size=3),
    levels=st.dictionaries(st.text(), st.integers(0, 9), max_size=3),
    thing=st.none() | THINGS,
    things=st.lists(THINGS, max_size=3),
)


@given(ROOMS)
def test_comes_back_as_it_was(room: Room) -> None:
    assert Room.decode(room.encode()) == room
    assert room.as_received() == room


def test_is_written_as_fastavro_writes_its_schema() -> None:
    room = Room(name="hall", mode=Mode.NIGHT, lamps=[Lamp("desk", 7)])
    stream = io.BytesIO()
    plain = {"name": "hall", "mode": "NIGHT", "photo": b"", "lamps": [{"name": "desk", "brightness": 7}]}
    fastavro.schemaless_writer(stream, json.loads(Room.avro_schema()), plain)
    assert room.encode() == stream.getvalue()


def test_schema_is_that_of_the_annotations() -> None:
    schema = json.loads(Lamp.avro_schema())
    assert schema == {
        "type": "record",
        "name": "Lamp",
        "fields": [{"name": "name", "type": "string"}, {"name": "brightness", "type": "long"}],
    }
    assert json.loads(Room.avro_schema())["doc"] == "What is in a room."
    assert Lamp.avro_schema() is Lamp.avro_schema()


def test_fingerprint_is_that_of_the_canonical_form() -> None:
    canonical = fastavro.schema.to_parsing_canonical_form(json.loads(Lamp.avro_schema()))
    assert Lamp.schema_fingerprint() == fastavro.schema.fingerprint(canonical, "CRC-64-AVRO")
    assert len(Room.schema_fingerprint()) == 16
    # It has a logical type, which counts here.
    assert Room.schema_fingerprint() == fingerprint_of(canonical_form_of(json.loads(Room.avro_schema())))


def test_record_name_is_that_of_the_class_or_of_meta() -> None:
    assert (Lamp.message_type(), Renamed.message_type()) == ("Lamp", "WireName")
    assert json.loads(Renamed.avro_schema())["name"] == "WireName"


@pytest.mark.parametrize(
    ("message", "path", "reason"),
    [
        (Lamp("x", 1.7), "brightness", "expected an int, got float 1.7"),  # type: ignore[arg-type]
        (Lamp("x", 2**63), "brightness", "expected an integer of 64 bits, got one of 65 bits, the sign included"),
        (Lamp("x", -(2**63) - 1), "brightness", "got one of 65 bits, the sign included"),
        (Lamp(None, 1), "name", "expected a str, got None"),  # type: ignore[arg-type]
        (Room(name="x", mode=Mode.DAY, lamps=[Lamp("x", "y")]), "lamps[0].brightness", "got str 'y'"),  # type: ignore[arg-type]
        (
            Room(name="x", mode=Mode.DAY, seen=datetime(2026, 1, 2, microsecond=5, tzinfo=UTC)),
            "seen",
            r"got 2026-01-02 00:00:00.000005\+00:00: leave out the rest, as \.replace\(microsecond=0\) does",
        ),
        (Lamp("\ud800", 1), "name", "lone surrogate U\\+D800"),
    ],
)
def test_refuses_values_that_the_schema_does_not_admit(message: AvroMessageMixin, path: str, reason: str) -> None:
    with pytest.raises(EncodeError, match=reason) as failure:
        message.encode()
    assert failure.value.path == path
    assert type(message).__name__ in str(failure.value)


DATA = Room(name="hall", mode=Mode.NIGHT, lamps=[Lamp("desk", 7)], thing=Blind(True), levels={"a": 1}).encode()


@pytest.mark.parametrize("length", range(len(DATA)))
def test_refuses_truncated_data(length: int) -> None:
    with pytest.raises(DecodeError, match="Room"):
        Room.decode(DATA[:length])


def test_refuses_what_follows_the_end() -> None:
    with pytest.raises(DecodeError, match="2 bytes follow its end"):
        Room.decode(DATA + b"\0\0")


@given(st.binary(max_size=300), st.integers(0, len(DATA)))
def test_any_bytes_are_read_or_refused(garbage: bytes, position: int) -> None:
    for data in (garbage, DATA[:position] + garbage + DATA[position + len(garbage) :]):
        try:
            message = Room.decode(data)
        except DecodeError:
            continue
        assert isinstance(message, Room)


def test_a_message_cannot_contain_itself() -> None:
    with pytest.raises(TypeError, match="Node contains itself"):
        Node.avro_schema()
    with pytest.raises(TypeError, match="Node contains itself"):

        @dataclass
        class Branch(AvroMessageMixin):
            leaves: list[Node]


def test_items_of_no_bytes_are_refused() -> None:
    with pytest.raises(TypeError, match="Nothings"):

        @dataclass
        class Nothings(AvroMessageMixin):
            many: list[Nothing]

    assert Nothing.decode(Nothing().encode()) == Nothing()


def test_annotations_that_cannot_be_resolved() -> None:
    @dataclass
    class Inner(AvroMessageMixin):
        value: int

    @dataclass
    class Outer(AvroMessageMixin):
        inner: Inner

    with pytest.raises(TypeError, match=r"annotations of message .*Outer cannot be resolved: .*Inner.*top level"):
        Outer.avro_schema()


def test_classes_of_one_name_are_told_apart_by_their_fingerprints() -> None:
    def define(annotation: Any) -> Any:
        return dataclasses.make_dataclass("Versioned", [("value", annotation)], bases=(AvroMessageMixin,))

    first, second, third = define(int), define(str), define(float)
    for one in (first, second, third):
        assert registry.find("Versioned", one.schema_fingerprint()) is one
    assert registry.find("Versioned", None) is third
    assert registry.find("Versioned", "0" * 16) is None
    assert registry.find("Unversioned", None) is None


def test_a_class_without_a_schema_does_not_hide_others_of_its_name(caplog: pytest.LogCaptureFixture) -> None:
    @dataclass
    class Unresolved(AvroMessageMixin):
        value: int

    resolved = Unresolved

    @dataclass
    class Missing(AvroMessageMixin):
        value: int

    def define() -> type[AvroMessageMixin]:
        @dataclass
        class Unresolved(AvroMessageMixin):
            inner: Missing

        return Unresolved

    define()
    for _ in range(2):
        assert registry.find("Unresolved", resolved.schema_fingerprint()) is resolved
        assert registry.find("Unresolved", None) is resolved
        assert registry.find_by_schema("Unresolved", "0" * 16, "{}") is None
    (told,) = [record.getMessage() for record in caplog.records]
    assert "cannot be received" in told
    assert "'Missing' is not defined; define what they name at the top level" in told


def test_the_slotted_class_is_the_one_that_is_found() -> None:
    assert registry.find("Room", None) is Room
    assert registry.find("Room", Room.schema_fingerprint()) is Room


def test_a_class_that_is_no_dataclass_is_not_found() -> None:
    class Base(AvroMessageMixin):
        pass

    @dataclass
    class Derived(Base):
        value: int

    assert registry.find("Base", None) is None
    assert registry.find("Derived", None) is Derived


def test_importing_the_bus_and_messages_imports_nothing_heavy() -> None:
    heavy = ["aiomqtt", "paho", "dataclasses_avroschema", "pydantic"]
    program = f"import sys, orbitalis.bus, orbitalis.message; print([n for n in {heavy} if n in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
