"""Payloads of one schema are read as messages of a class with another one: users' classes and generated ones."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Literal

import pytest

from orbitalis.message import (
    AvroMessageMixin,
    BytesMessage,
    Float32Message,
    Float64Message,
    Int32Message,
    Int64Message,
    StringMessage,
)
from orbitalis.message.matching import SchemaPair, match
from orbitalis.message.resolution import (
    resolve,
    resolving_reader,
    unfamiliar_bytes,
)
from orbitalis.message.schema import Input
from orbitalis.message.schema_difference import refusal_text
from orbitalis_avro.canonical_form import canonical_form_of
from orbitalis_avro.errors import DecodeError
from orbitalis_avro.resolution.matches import Resolution
from orbitalis_avro.resolution.refusal import Refusal
from orbitalis_wire import limits
from tests.support.avro import fastavro_bytes, long, text


class Colour(Enum):
    RED = "RED"
    GREEN = "GREEN"


@dataclass(frozen=True)
class Position(AvroMessageMixin):
    x: float
    y: float = 0.5


@dataclass
class Status(AvroMessageMixin):
    name: str
    position: Position
    at: datetime
    tags: list[str] = field(default_factory=list)
    seen: dict[str, Position] = field(default_factory=dict)
    pair: tuple[int, ...] = ()
    colour: Colour = Colour.RED
    mode: Literal["on", "off"] = "off"
    note: str | None = None


def written(*fields: Any, name: str = "Status") -> Any:
    """Return a record; each field is a name and a type."""
    return {"type": "record", "name": name, "fields": [{"name": key, "type": type_} for key, type_ in fields]}


AT = {"type": "long", "logicalType": "timestamp-millis"}
OLD_POSITION = written(("x", "int"), ("z", "float"), name="Position")
OLD = written(("at", AT), ("gone", {"type": "array", "items": "string"}), ("position", OLD_POSITION), ("name", "bytes"))
DATUM = {
    "at": datetime(2026, 1, 2, tzinfo=UTC),
    "gone": ["a", "b"],
    "position": {"x": 3, "z": 1.0},
    "name": b"lamp",
}


def test_an_older_message_is_read_as_the_class_of_a_user() -> None:
    message = resolving_reader(json.dumps(OLD), Status)(fastavro_bytes(OLD, DATUM))
    assert message == Status("lamp", Position(3.0), datetime(2026, 1, 2, tzinfo=UTC))
    assert type(message) is Status
    assert type(message.position.x) is float


def test_a_newer_message_is_read_as_the_class_of_a_user() -> None:
    own = json.loads(Status.avro_schema())
    new = {
        **own,
        "fields": [{"name": "first", "type": "string"}, *own["fields"], {"name": "last", "type": ["null", "int"]}],
    }
    sent = Status(
        "lamp",
        Position(1.0, 2.0),
        datetime(2026, 1, 2, tzinfo=UTC),
        ["t"],
        {"k": Position(3.0)},
        (1, 2),
        Colour.GREEN,
        "on",
        "note",
    )
    data = text("front") + sent.encode() + long(1) + long(5)
    assert resolving_reader(json.dumps(new), Status)(data) == sent


def test_defaults_are_not_shared_between_messages() -> None:
    read = resolving_reader(json.dumps(OLD), Status)
    first, second = (read(fastavro_bytes(OLD, DATUM)) for _ in range(2))
    assert isinstance(first, Status)
    first.tags.append("mine")
    assert isinstance(second, Status)
    assert second.tags == []


@pytest.mark.parametrize(
    ("message_class", "type_", "data", "expected"),
    [
        (StringMessage, "bytes", text("a"), "a"),
        (BytesMessage, "string", text("a"), b"a"),
        (Int32Message, "int", long(5), 5),
        (Int64Message, "int", long(-5), -5),
        (Float32Message, "long", long(5), 5.0),
        (Float64Message, "int", long(5), 5.0),
    ],
)
def test_a_generated_message_is_read_from_another_schema(
    message_class: Any, type_: str, data: bytes, expected: object
) -> None:
    schema = written(("unit", "string"), ("value", type_), name=message_class.__name__)
    message: Any = resolving_reader(json.dumps(schema), message_class)(text("mm") + data)
    assert message == message_class(value=expected)
    assert type(message.value) is type(expected)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (
            {"position": {"x": 2**53 + 1}},
            "cannot decode Wide.position.x: expected an integer that double precision can",
        ),
        ({"colour": "BLUE"}, "cannot decode Wide.colour: expected one of RED, GREEN, got str 'BLUE'"),
        ({"mode": "dim"}, "cannot decode Wide.mode: expected one of ('on', 'off'), got str 'dim'"),
        ({"note": 3}, "cannot decode Wide.note: the branch is int, expected string or null"),
    ],
)
def test_a_value_that_is_not_read_raises_with_message_field_and_reason(data: Any, error: str) -> None:
    @dataclass(frozen=True)
    class Wide(AvroMessageMixin):
        position: Position
        colour: Colour
        mode: Literal["on", "off"]
        note: str | None

    schema = written(
        ("position", written(("x", "long"), name="Position")),
        ("colour", {"type": "enum", "name": "Colour", "symbols": ["BLUE", "RED"]}),
        ("mode", "string"),
        ("note", ["int", "null", "string"]),
        name="Wide",
    )
    datum = {"position": {"x": 1}, "colour": "RED", "mode": "on", "note": "n", **data}
    with pytest.raises(DecodeError) as caught:
        resolving_reader(json.dumps(schema), Wide)(fastavro_bytes(schema, datum))
    assert str(caught.value).startswith(error)


def test_what_follows_the_message_raises() -> None:
    with pytest.raises(DecodeError, match="cannot decode Status: 1 bytes follow its end"):
        resolving_reader(json.dumps(OLD), Status)(fastavro_bytes(OLD, DATUM) + b"\0")


def test_a_class_that_refuses_the_values_raises() -> None:
    @dataclass
    class Positive(AvroMessageMixin):
        value: float

        def __post_init__(self) -> None:
            if self.value < 0:
                raise ValueError("below zero")

    read = resolving_reader(json.dumps(written(("value", "int"), name="Positive")), Positive)
    assert read(long(1)) == Positive(1.0)
    with pytest.raises(DecodeError, match="its class refuses it: ValueError: below zero"):
        read(long(-1))


def test_a_schema_that_is_the_same_is_read_by_the_class_itself() -> None:
    assert resolving_reader(Position.avro_schema(), Position) == Position.decode
    message = StringMessage(value="a")
    assert resolving_reader(StringMessage.avro_schema(), StringMessage)(text("a")) == message


def test_a_reader_is_made_once_for_a_schema_in_any_words() -> None:
    spelled = json.dumps({**OLD, "doc": "other words"}, indent=2)
    assert resolving_reader(spelled, Status) is resolving_reader(json.dumps(OLD), Status)


def test_a_schema_that_is_not_read_by_the_class_is_refused_with_the_place() -> None:
    schema = written(("name", "string"), ("position", written(("x", "string"), name="Position")), ("at", AT))
    with pytest.raises(ValueError, match=r"field 'Status\.position\.x' is 'double' here and 'string' there"):
        resolving_reader(json.dumps(schema), Status)


def test_what_is_no_message_class_has_no_reader() -> None:
    with pytest.raises(TypeError, match="is no message class"):
        resolving_reader(json.dumps(OLD), dict)


REFUSALS: list[tuple[Any, str, str]] = [
    (
        written(("x", "boolean"), name="Position"),
        "field 'Position.x' is 'double' here and 'boolean' there",
        "field 'Position.x' is 'boolean' here and 'double' there",
    ),
    (
        written(("y", "double"), name="Position"),
        "field 'Position.x' is missing there, and has no default here",
        "field 'Position.x' is missing here, and has no default there",
    ),
    (
        written(("x", "double"), name="Place"),
        "the schema is called 'Position' here and 'Place' there",
        "the schema is called 'Place' here and 'Position' there",
    ),
    (
        written(("x", ["null", "Position"]), name="Position"),
        "the schema ('record Position') refers to itself, which needs the same schema on both sides, there",
        "the schema ('record Position') refers to itself, which needs the same schema on both sides, here",
    ),
    (["null"], "the schema is 'record' here and 'union' there", "the schema is 'union' here and 'record' there"),
]


@pytest.mark.parametrize(("writer", "read_here", "written_here"), REFUSALS)
def test_a_refusal_is_told_from_either_side(writer: Any, read_here: str, written_here: str) -> None:
    found = resolve(json.dumps(writer), Position.avro_schema())
    assert isinstance(found, Refusal)
    assert refusal_text(found) == read_here
    assert refusal_text(found, writes=True) == written_here


@pytest.mark.parametrize(
    "text_", ["{", "12", '{"type":"record"}', "[" * 100 + "]" * 100, " " * limits.SCHEMA_BYTES + '"int"']
)
def test_a_text_that_is_no_schema_is_refused(text_: str) -> None:
    assert isinstance(resolve(text_, Position.avro_schema()), Refusal)
    assert isinstance(resolve(Position.avro_schema(), text_), Refusal)


OTHER = json.dumps(written(("x", "int"), name="Position"))
NEWER = json.dumps(written(("x", "int"), ("z", "int"), name="Position"))


def test_a_schema_is_paired_with_the_same_one_before_one_that_resolves() -> None:
    read = Input(schemas=(OTHER, Position.avro_schema()))
    assert match(Input(schemas=(OTHER, NEWER)), read, ()) == (
        SchemaPair(OTHER, OTHER, is_exact=True),
        SchemaPair(NEWER, OTHER, is_exact=False),
    )


def test_a_set_with_a_schema_that_nothing_reads_does_not_match() -> None:
    unread = json.dumps(written(("x", "boolean"), name="Position"))
    read = Input(schemas=(StringMessage.avro_schema(), Position.avro_schema()))
    assert match(Input(schemas=(OTHER,)), read, ()) == (SchemaPair(OTHER, Position.avro_schema(), is_exact=False),)
    assert match(Input(schemas=(OTHER, unread)), read, ()) is None


def test_a_comparison_is_charged_until_it_was_made() -> None:
    writer = json.dumps(written(("x", "int"), ("unheard_of", "int"), name="Position"))
    readers = [Position.avro_schema(), StringMessage.avro_schema()]
    form = canonical_form_of(json.loads(writer))
    for reader in readers:
        assert unfamiliar_bytes(writer, reader) == len(form)
        resolve(writer, reader)
        assert unfamiliar_bytes(writer, reader) == 0


def test_comparisons_are_forgotten_when_there_were_many_others() -> None:
    writer = json.dumps(written(("x", "int"), ("soon_forgotten", "int"), name="Position"))
    resolve(writer, Position.avro_schema())
    for number in range(300):
        resolve(json.dumps(written(("x", "int"), (f"other{number}", "int"), name="Position")), Position.avro_schema())
    assert unfamiliar_bytes(writer, Position.avro_schema()) > 0
    assert isinstance(resolve(writer, Position.avro_schema()), Resolution)
