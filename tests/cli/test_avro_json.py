"""JSON of payloads: what is written is read by another library, and comes back."""

from __future__ import annotations

import io
import json
from typing import Any

import fastavro
import pytest

from orbitalis.cli.avro_json import JsonCodec
from orbitalis_avro.errors import DecodeError, EncodeError

EVERYTHING: dict[str, Any] = {
    "type": "record",
    "name": "Everything",
    "namespace": "a.b",
    "fields": [
        {"name": "flag", "type": "boolean"},
        {"name": "small", "type": "int"},
        {"name": "large", "type": "long", "default": -3},
        {"name": "single", "type": "float"},
        {"name": "double", "type": "double"},
        {"name": "text", "type": "string"},
        {"name": "raw", "type": "bytes", "default": "\u00ff"},
        {"name": "fixed", "type": {"type": "fixed", "name": "Two", "size": 2}},
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}},
        {"name": "items", "type": {"type": "array", "items": "Kind"}},
        {"name": "map", "type": {"type": "map", "values": "long"}},
        {"name": "maybe", "type": ["null", "string", {"type": "array", "items": "int"}], "default": None},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}},
        {"name": "next", "type": ["null", "Everything"], "default": None},
    ],
}
GIVEN: dict[str, Any] = {
    "flag": True,
    "small": -5,
    "single": 0.5,
    "double": 2.25,
    "text": "grün",
    "fixed": "AAE=",
    "kind": "B",
    "items": ["A", "B"],
    "map": {"one": 1},
    "maybe": [1, 2],
    "day": "2030-12-31",
    "at": "2030-12-31T23:59:59.500000+00:00",
    "price": "12.50",
}


def test_what_is_written_is_read() -> None:
    codec = JsonCodec(json.dumps(EVERYTHING))

    data = codec.encode({**GIVEN, "next": GIVEN})

    found = codec.decode(data)
    full = {**GIVEN, "large": -3, "raw": "/w==", "next": None}
    assert found == {**full, "next": full}
    judged: Any = fastavro.schemaless_reader(io.BytesIO(data), EVERYTHING, EVERYTHING)
    assert judged["raw"] == b"\xff"
    assert str(judged["price"]) == "12.50"
    assert judged["day"].isoformat() == "2030-12-31"
    assert judged["next"]["at"].isoformat() == GIVEN["at"]


@pytest.mark.parametrize(
    ("change", "path", "reason"),
    [
        ({"flag": 1}, "flag", "expected true or false, got 1"),
        ({"small": 2**31}, "small", "expected an integer of 32 bits"),
        ({"small": True}, "small", "expected an integer, got true"),
        ({"text": None}, "text", "expected a text, got null"),
        ({"fixed": "AAEC"}, "fixed", "expected 2 bytes, got 3"),
        ({"raw": "???"}, "raw", "expected bytes as a text of base64"),
        ({"items": ["A", "C"]}, "items[1]", 'expected one of A, B, got "C"'),
        ({"map": {"one": "x"}}, 'map["one"]', "expected an integer"),
        ({"maybe": 5}, "maybe", "expected null, got 5, and expected a text, got 5"),
        ({"maybe": [1, "x"]}, "maybe[1]", "expected an integer"),
        ({"day": "tomorrow"}, "day", "expected a date such as 2030-12-31"),
        ({"price": "12.505"}, "price", ""),
        ({"next": {}}, "next.flag", "is missing"),
        ({"colour": 1}, "colour", "there is no such field in Everything"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, object], path: str, reason: str) -> None:
    with pytest.raises(EncodeError) as caught:
        JsonCodec(json.dumps(EVERYTHING)).encode({**GIVEN, **change})

    assert caught.value.path == path
    assert reason in caught.value.reason


def test_bytes_of_strangers_are_refused() -> None:
    codec = JsonCodec('{"type": "record", "name": "L", "fields": [{"name": "next", "type": ["null", "L"]}]}')

    with pytest.raises(DecodeError, match="nested more than"):
        codec.decode(b"\2" * 10_000)
    with pytest.raises(DecodeError):
        codec.decode(b"")
    with pytest.raises(DecodeError, match="follow its end"):
        codec.decode(b"\0\0")


def coded(schema: object, value: object) -> tuple[bytes, object]:
    """Return what is written for JSON, and what is read of that."""
    codec = JsonCodec(json.dumps(schema))
    data = codec.encode(value)
    return data, codec.decode(data)


@pytest.mark.parametrize(
    ("value", "index", "read"),
    [
        (7, 1, 7),
        (2**40, 2, 2**40),
        ("AAE=", 3, "AAE="),
        ("2030-12-31T23:59:59", 4, "2030-12-31T23:59:59"),
        ("2030-12-31T23:59:59Z", 5, "2030-12-31T23:59:59+00:00"),
        ("grün", 6, "grün"),
        ({"def": 1}, 7, {"def": 1}),
        ({"class": 1}, 8, {"class": 1}),
        (None, 0, None),
    ],
)
def test_a_union_is_the_first_of_its_types_that_takes_the_value(value: object, index: int, read: object) -> None:
    union = [
        "null",
        "int",
        "long",
        "bytes",
        {"type": "long", "logicalType": "local-timestamp-millis"},
        {"type": "long", "logicalType": "timestamp-millis"},
        "string",
        {"type": "record", "name": "One", "fields": [{"name": "def", "type": "int"}]},
        {"type": "record", "name": "Other", "fields": [{"name": "class", "type": "int"}]},
    ]
    data, found = coded({"type": "record", "name": "U", "fields": [{"name": "u", "type": union}]}, {"u": value})

    assert data[0] == index << 1
    assert found == {"u": read}


def test_logical_types_of_which_nothing_is_known_are_what_they_stand_on() -> None:
    schema = {
        "type": "record",
        "name": "Unknown",
        "fields": [
            {"name": "id", "type": {"type": "string", "logicalType": "uuid"}},
            {"name": "span", "type": {"type": "fixed", "name": "Span", "size": 12, "logicalType": "duration"}},
        ],
    }
    value = {"id": "no hyphens", "span": "AAAAAAAAAAAAAAAA"}

    assert coded(schema, value)[1] == value


def test_what_is_read_is_held_against_the_schema() -> None:
    assert coded({"type": "array", "items": "null"}, [None, None]) == (b"\4\0", [None, None])
    with pytest.raises(DecodeError, match="expected a boolean, 0 or 1, got 7"):
        JsonCodec('"boolean"').decode(b"\7")
    with pytest.raises(EncodeError, match="expected a number of double precision"):
        JsonCodec('"double"').encode(10**400)
