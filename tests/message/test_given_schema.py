"""Messages that bring their own Avro schema along, as a file or as text."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import fastavro
import pytest

from orbitalis import AvroMessageMixin, Event, Input
from orbitalis.message import registry
from orbitalis_avro.errors import DecodeError, EncodeError
from orbitalis_wire.envelope import Encoding

SCHEMA = """
{
  "type": "record", "name": "GivenReading", "namespace": "house.meters", "doc": "What a meter shows.",
  "fields": [
    {"name": "meter", "type": "string"},
    {"name": "kwh", "type": "float", "doc": "Since it was made."},
    {"name": "history", "type": {"type": "array", "items": "int"}, "default": []},
    {"name": "note", "type": ["null", "string"], "default": null}
  ]
}
"""


@dataclass(frozen=True)
class Reading(AvroMessageMixin, schema=SCHEMA):
    meter: str
    kwh: float
    history: list[int] = field(default_factory=list)
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Slotted(AvroMessageMixin, schema=SCHEMA.replace("GivenReading", "GivenSlotted")):
    meter: str
    kwh: float
    history: list[int]
    note: str | None


READING = Reading(meter="cellar", kwh=1.5, history=[1, 2], note="new")


def test_the_schema_is_the_one_that_was_given_word_for_word() -> None:
    assert Reading.avro_schema() == SCHEMA
    assert Reading.message_type() == "GivenReading"
    assert Input.from_message(Reading).is_compatible_with_schema(json.dumps(json.loads(SCHEMA)))


def test_it_is_written_by_its_schema_and_comes_back() -> None:
    stream = io.BytesIO()
    plain = {"meter": "cellar", "kwh": 1.5, "history": [1, 2], "note": "new"}
    fastavro.schemaless_writer(stream, json.loads(SCHEMA), plain)
    assert READING.encode() == stream.getvalue()
    assert Reading.decode(READING.encode()) == READING
    slotted = Slotted(meter="x", kwh=0.5, history=[], note=None)
    assert Slotted.decode(slotted.encode()) == slotted
    assert Slotted.message_type() == "GivenSlotted"


@pytest.mark.parametrize("encoding", Encoding)
def test_it_travels_like_any_other(encoding: Encoding) -> None:
    event = Event.create(READING, publisher_identifier="me")
    assert Event.decode(event.encode(encoding)).payload == READING
    assert registry.find("GivenReading", Reading.schema_fingerprint()) is Reading


def test_what_the_schema_does_not_admit_is_refused() -> None:
    with pytest.raises(EncodeError, match="history"):
        Reading(meter="x", kwh=1.0, history=[2**40]).encode()
    with pytest.raises(DecodeError):
        Reading.decode(READING.encode()[:-1])


def test_a_schema_may_be_a_file(tmp_path: Path) -> None:
    path = tmp_path / "Reading.avsc"
    path.write_text(SCHEMA.replace("GivenReading", "FromFile"))

    @dataclass
    class FromFile(AvroMessageMixin, schema=path):
        meter: str
        kwh: float
        history: list[int]
        note: str | None

    assert FromFile.message_type() == "FromFile"
    with pytest.raises(FileNotFoundError):

        class Missing(AvroMessageMixin, schema=tmp_path / "missing.avsc"):
            pass


@pytest.mark.parametrize("schema", ["{", "[]", '"string"', '{"type": "record", "name": "NoFields"}', '{"name": "x"}'])
def test_what_is_no_schema_of_a_record_is_refused_when_the_class_is_made(schema: str) -> None:
    with pytest.raises(ValueError, match=r"message .*Broken needs the Avro schema of a record, which the text is not"):

        class Broken(AvroMessageMixin, schema=schema):
            pass


def test_fields_that_differ_from_the_schema_are_named() -> None:
    @dataclass
    class Other(AvroMessageMixin, schema=SCHEMA.replace("GivenReading", "GivenOther")):
        meter: str
        kwh: float
        colour: str

    expected = r"missing \['history', 'note'\], not in the schema \['colour'\]"
    for use in (Other.avro_schema, Other("x", 1.0, "red").encode):
        with pytest.raises(TypeError, match=expected):
            use()


def test_a_schema_whose_types_are_not_those_of_the_annotations_is_refused() -> None:
    nested: dict[str, Any] = {"type": "record", "name": "GivenNode"}
    nested["fields"] = [{"name": "below", "type": ["null", "GivenNode"]}, {"name": "size", "type": "long"}]

    @dataclass
    class Node(AvroMessageMixin, schema=json.dumps(nested)):
        below: str | None
        size: int

    @dataclass
    class Size(AvroMessageMixin, schema=json.dumps({**nested, "fields": nested["fields"][1:]})):
        size: float

    with pytest.raises(TypeError, match=r"Node: field below may be GivenNode in the schema alone"):
        Node("x", 1).encode()
    with pytest.raises(TypeError, match=r"Size: field size is long in the schema, and float in the annotations"):
        Size(1.0).encode()


class Light(Enum):
    ON = "on"
    OFF = "off"


@dataclass(frozen=True)
class Spot:
    x: int
    y: str


OTHERWISE: dict[str, Any] = {
    "type": "record",
    "name": "GivenOtherwise",
    "namespace": "house",
    "fields": [
        {"name": "several", "type": ["null", "string", "long", "bytes"]},
        {"name": "light", "type": {"type": "enum", "name": "L", "symbols": ["off", "on"]}},
        {
            "name": "spots",
            "type": {
                "type": "array",
                "items": [
                    {
                        "type": "record",
                        "name": "S",
                        "fields": [{"name": "y", "type": "string"}, {"name": "x", "type": "int"}],
                    },
                    "null",
                ],
            },
        },
        {"name": "word", "type": {"type": "enum", "name": "W", "symbols": ["b", "c", "a"]}},
        {"name": "again", "type": ["null", "L"]},
    ],
}


@dataclass
class Otherwise(AvroMessageMixin, schema=json.dumps(OTHERWISE)):
    """Its fields, its branches and the fields of its record are in another order than the schema's."""

    word: Literal["a", "b"]
    spots: list[Spot | None]
    again: Light | None
    light: Light
    several: bytes | str | int | None


@pytest.mark.parametrize("several", [b"x", "x", 5, None])
def test_fields_and_branches_may_be_in_another_order_than_the_annotations(several: Any) -> None:
    message = Otherwise("a", [Spot(1, "z"), None], Light.OFF, Light.ON, several)
    plain = {
        "several": several,
        "light": "on",
        "spots": [{"y": "z", "x": 1}, None],
        "word": "a",
        "again": "off",
    }
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(OTHERWISE), plain)
    data = stream.getvalue()
    assert message.encode() == data
    assert Otherwise.decode(data) == message == message.as_received()


def test_a_symbol_of_the_schema_that_the_annotation_does_not_have_is_refused() -> None:
    data = Otherwise("a", [], None, Light.ON, None).encode()
    assert data[-2:] == b"\4\0"
    with pytest.raises(DecodeError, match=r"word: expected one of 'a', 'b', got str 'c'"):
        Otherwise.decode(data[:-2] + b"\2\0")
    with pytest.raises(EncodeError, match=r"word: expected one of 'a', 'b', got str 'c'"):
        Otherwise("c", [], None, Light.ON, None).encode()  # type: ignore[arg-type]
