"""Logical types of Avro 1.12: every one has its class in Python, or is the number that it is on the wire."""

from __future__ import annotations

import dataclasses
import json
import random
from contextlib import suppress
from datetime import UTC, datetime, time
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import fastavro
import pytest

from orbitalis_avro import errors
from orbitalis_avro.rare import Duration
from orbitalis_codegen import SpecificationError, read_specification
from orbitalis_codegen.specification import load
from tests.codegen.broken.cases import edited
from tests.codegen.zoo import emitted_package, write_zoo
from tests.support.avro import fastavro_bytes

TOKEN = UUID("12345678-1234-5678-1234-567812345678")
VALUES: dict[str, Any] = {
    "local_millis": datetime(2026, 1, 1, 1, 2, 3, 4000),
    "local_micros": datetime(2026, 1, 1, 1, 2, 3, 4),
    "nanos": 1_767_225_600_000_000_001,
    "local_nanos": -1,
    "time_millis": time(23, 59, 59, 999_000),
    "time_micros": time(0, 0, 0, 1),
    "price": Decimal("-12.30"),
    "cents": Decimal("0.01"),
    "more_cents": Decimal("9999999.99"),
    "big": Decimal("1.500"),
    "token": TOKEN,
    "span": Duration(1, 2, 3),
    "spans": (None, Duration(0, 0, 2**32 - 1)),
    "either": time(12),
    "unknown": b"png",
}


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    root = tmp_path_factory.mktemp("logical")
    return emitted_package(write_zoo(root / "zoo"), root, "logical_wire")


def codec_of(zoo: ModuleType, name: str = "Logical") -> Any:
    return zoo.codecs.CODEC_BY_MESSAGE_TYPE[name]


def make(zoo: ModuleType, **values: Any) -> Any:
    return zoo.messages.Logical(**VALUES | values)


@pytest.mark.parametrize("either", [None, time(12), TOKEN, Duration(0, 1, 0), Decimal("2.5")])
def test_a_value_of_every_logical_type_comes_back(zoo: ModuleType, either: object) -> None:
    codec, value = codec_of(zoo), make(zoo, either=either)

    read = codec.decode(codec.encode(value))

    assert read == value
    assert str(read.big) == "1.500"


def test_bytes_are_those_of_fastavro_and_of_the_specification(zoo: ModuleType) -> None:
    codec = codec_of(zoo)
    # What fastavro knows is given as its value, anything else as what it is on the wire.
    datum = VALUES | {
        "big": b"\x04\x05\xdc\x06",
        "token": TOKEN.bytes,
        "span": b"\x01\0\0\0\x02\0\0\0\x03\0\0\0",
        "spans": [None, ("Span", b"\0\0\0\0\0\0\0\0\xff\xff\xff\xff")],
        "either": None,
    }
    schema = json.loads(codec.schema)
    for field in schema["fields"]:
        if field["name"] in ("token", "local_nanos", "nanos"):
            field["type"].pop("logicalType")

    assert codec.encode(make(zoo, either=None)) == fastavro_bytes(schema, datum)


def test_defaults_are_values_of_their_logical_type(zoo: ModuleType) -> None:
    value = zoo.messages.LogicalDefaults()

    assert {field.name: getattr(value, field.name) for field in dataclasses.fields(value)} == {
        "local_millis": datetime(1970, 1, 1, 0, 0, 1, 500_000),
        "local_micros": datetime(1969, 12, 31, 23, 59, 59, 999_999),
        "nanos": 2**62,
        "time_millis": time(23, 59, 59, 999_000),
        "time_micros": time(0, 0, 0, 1),
        "price": Decimal("-0.01"),
        "cents": Decimal("2.56"),
        "big": Decimal("1.5"),
        "token": UUID(int=1),
        "span": Duration(1, 2, 3),
    }
    codec = codec_of(zoo, "LogicalDefaults")
    assert codec.decode(codec.encode(value)) == value


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("local_millis", datetime(2026, 1, 1, tzinfo=UTC), "without a time zone"),
        ("local_micros", "now", "expected a datetime, got str"),
        ("nanos", 1.5, "expected an int"),
        ("time_millis", time(0, 0, 0, 1), "whole milliseconds"),
        ("time_micros", 5, "expected a time, got int"),
        ("price", Decimal("0.001"), "at most 9 digits, 2 behind the point"),
        ("price", 1.5, "expected a Decimal, got float"),
        ("cents", Decimal("99999999.99"), "at most 9 digits"),
        ("big", Decimal("NaN"), "expected a finite Decimal"),
        ("big", Decimal("1E+3000000000"), "scale has 32 bits"),
        ("big", Decimal(10) ** 2000 + Decimal("0.5"), None),
        ("big", Decimal("1" * 5000), "fit 1024 bytes"),
        ("token", str(TOKEN), "expected a UUID, got str"),
        ("span", (1, 2, 3), "expected a Duration, got tuple"),
        ("span", Duration(-1, 0, 0), "from 0 to 4294967295"),
        ("span", Duration(0, 2**32, 0), "from 0 to 4294967295"),
        ("either", datetime(2026, 1, 1), r"expected time \| UUID \| Duration \| Decimal \| None"),
    ],
)
def test_what_a_logical_type_cannot_carry_is_refused(
    zoo: ModuleType, field: str, value: object, reason: str | None
) -> None:
    codec = codec_of(zoo)
    if reason is None:
        assert getattr(codec.decode(codec.encode(make(zoo, **{field: value}))), field) == value
        return
    with pytest.raises(errors.EncodeError, match=reason):
        codec.encode(make(zoo, **{field: value}))


def test_whatever_comes_is_read_or_malformed(zoo: ModuleType) -> None:
    codec, chance = codec_of(zoo), random.Random(1)
    good = codec.encode(make(zoo))
    for _ in range(3000):
        at = chance.randrange(len(good))
        bad = good[:at] + chance.randbytes(chance.randrange(3)) + good[at + chance.randrange(3) :]
        with suppress(errors.DecodeError):
            codec.encode(codec.decode(bad))


@pytest.mark.parametrize("scale", [0, 2, -3, 2**31 - 1, -(2**31)])
def test_big_decimals_keep_their_scale(zoo: ModuleType, scale: int) -> None:
    codec = codec_of(zoo)
    value = Decimal((1, (1, 2, 3), -scale))

    read = codec.decode(codec.encode(make(zoo, big=value))).big

    assert read.as_tuple() == value.as_tuple()


def test_the_schema_keeps_unknown_attributes_and_logical_types(zoo: ModuleType) -> None:
    schema = codec_of(zoo).schema

    assert '"logicalType":"picture","format":"png"' in schema
    fastavro.parse_schema(json.loads(schema))


def test_what_is_ignored_is_noted(tmp_path: Path) -> None:
    fields = [{"name": "value", "type": {"type": "string", "logicalType": "colour-of-light"}, "unit": "nm"}]
    root = edited(tmp_path, ("schemas/Text.avsc", "", json.dumps({"type": "record", "name": "Text", "fields": fields})))

    notes = load(root).notes

    assert [f"{note.code} {note.message}" for note in notes] == [
        "ORB315 the unknown logical type 'colour-of-light' is ignored",
        "ORB303 field with the unknown attribute 'unit', which is ignored",
    ]


@pytest.mark.parametrize(
    ("attribute", "near"),
    [("defualt", "default"), ("Doc", "doc"), ("alias", "aliases"), ("oder", "order"), ("logical_type", "logicalType")],
)
def test_what_looks_like_an_attribute_misspelt_is_refused(attribute: str, near: str, tmp_path: Path) -> None:
    type_ = {"type": "string", attribute: "x"} if near == "logicalType" else "string"
    fields = [{"name": "value", "type": type_, **({} if near == "logicalType" else {attribute: "x"})}]
    root = edited(tmp_path, ("schemas/Text.avsc", "", json.dumps({"type": "record", "name": "Text", "fields": fields})))

    with pytest.raises(SpecificationError, match=f"did you mean '{near}'"):
        read_specification(root)


@pytest.mark.parametrize("attribute", ["sql-type", "connect.name", "java-class", "x-doc-url", "description", "format"])
def test_attributes_of_other_tools_are_ignored(attribute: str, tmp_path: Path) -> None:
    fields = [{"name": "value", "type": "string", attribute: "x"}]
    root = edited(tmp_path, ("schemas/Text.avsc", "", json.dumps({"type": "record", "name": "Text", "fields": fields})))

    assert read_specification(root).messages["Text"].record == "Text"
