"""What is emitted for a specification with everything in it runs, and is code that the tools find no fault with."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orbitalis_avro import errors
from tests.codegen.broken.cases import LAMPS
from tests.codegen.zoo import (
    ANY_STRING,
    DESCRIPTIONS,
    FIELD_NAMES,
    SCHEMAS,
    TYPE_NAMES,
    emitted_package,
    write_zoo,
)
from tests.support.avro import fastavro_bytes, fastavro_value, long, pairs, text, untagged
from tests.support.repository import ROOT, run

NAMES = [schema["name"] for schema in SCHEMAS if not schema["name"].startswith("Logical")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the project's settings, in which the emitted packages stand where they stand in it."""
    root = tmp_path_factory.mktemp("emitted")
    shutil.copy(ROOT / "pyproject.toml", root)
    (root / "generated").mkdir()
    return root


@pytest.fixture(scope="module")
def zoo(folder: Path) -> Iterator[ModuleType]:
    name = "zoo_wire"
    yield emitted_package(write_zoo(folder / "zoo"), folder / "generated", name)
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[module]


def codec_of(zoo: ModuleType, name: str) -> Any:
    return zoo.codecs.CODEC_BY_MESSAGE_TYPE[name]


def make(zoo: ModuleType, name: str, **values: Any) -> Any:
    return getattr(zoo.messages, name)(**values)


def class_of(zoo: ModuleType, name: str) -> type:
    """Return the class of a record or enumeration by its Avro name."""
    found: type = getattr(zoo.messages, name if name in zoo.messages.__all__ else f"{name}_")
    return found


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_writes_what_fastavro_writes_and_reads_it_back(zoo: ModuleType, name: str, data: st.DataObject) -> None:
    codec = codec_of(zoo, name)
    schema = json.loads(codec.schema)
    pair = data.draw(pairs(schema, lambda name: class_of(zoo, name)))

    written = codec.encode(pair.value)

    assert written == fastavro_bytes(schema, pair.datum)
    assert codec.decode(written) == pair.value
    assert fastavro_value(schema, written) == untagged(pair.datum)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=1000)
@given(data=st.data(), noise=st.binary(max_size=60))
def test_whatever_comes_is_read_or_malformed(zoo: ModuleType, name: str, data: st.DataObject, noise: bytes) -> None:
    codec = codec_of(zoo, name)
    good = codec.encode(data.draw(pairs(json.loads(codec.schema), lambda name: class_of(zoo, name))).value)
    at = data.draw(st.integers(0, len(good)))
    for bad in (good[:at] + noise, good[:at] + noise + good[at + 1 :]):
        with suppress(errors.DecodeError):
            codec.encode(codec.decode(bad))
    for end in range(0, len(good), len(good) // 20 + 1):
        with pytest.raises(errors.DecodeError):
            codec.decode(good[:end])


def test_defaults_of_every_kind(zoo: ModuleType) -> None:
    later = class_of(zoo, "Later")
    value = make(zoo, "Defaults", required=1)
    long_one = later(x=1, y="a name that is long enough that it cannot be in one line", z=())

    assert dataclasses.asdict(value) | {"record": value.record, "records": value.records} == {
        "null": None,
        "boolean": True,
        "int_": -5,
        "long": 2**63 - 1,
        "float_": 1.0,
        "double": -1.5e300,
        "bytes_": b"\xff\x00'\"",
        "string": ANY_STRING,
        "suit": "class",
        "four": b"\x00\x01\xfe\xff",
        "empty_array": (),
        "array": ("a", '"'),
        "single": (1,),
        "suits": ("spades", "HEARTS"),
        "empty_map": {},
        "map": {"a": (1,), 'b"': ()},
        "record": later(x=1, y="y", z=()),
        "records": (long_one,) * 3,
        "millis": datetime(1970, 1, 1, 0, 0, 1, 500_000, UTC),
        "micros": datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC),
        "date_": date(2022, 1, 8),
        "first_date": date.min,
        "last_date": date.max,
        "first_millis": datetime.min.replace(tzinfo=UTC),
        "last_micros": datetime.max.replace(tzinfo=UTC),
        "uuid": UUID("12345678-1234-5678-1234-567812345678"),
        "optional": "text",
        "absent": None,
        "required": 1,
    }
    assert type(value.suit) is class_of(zoo, "Suit")
    codec = codec_of(zoo, "Defaults")
    assert codec.decode(codec.encode(value)) == value
    with pytest.raises(TypeError, match="required"):
        make(zoo, "Defaults")
    other = make(zoo, "Defaults", required=1)
    assert value == other
    assert value.map is not other.map


def test_fields_keep_their_name_or_one_near_it(zoo: ModuleType) -> None:
    for name in ("FieldNames", "FieldNamesWithDefaults"):
        class_ = class_of(zoo, name)
        for field, wanted in zip(dataclasses.fields(class_), FIELD_NAMES, strict=True):
            assert field.name.strip("_").removeprefix("field_") == wanted.strip("_")
            source = inspect.getsource(class_)
            assert field.name == wanted or f"Called `{wanted}` on the wire." in source
    names = [field.name for field in dataclasses.fields(class_of(zoo, "FieldNames"))]
    assert names[:4] == ["from_", "class_", "None_", "Any"]
    assert "hidden_" in names


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("null", 0, "expected None, got int"),
        ("boolean", 1, "expected a bool, got int"),
        ("int_", 2**31, "expected an integer of 32 bits"),
        ("int_", True, "expected an int, got bool"),
        ("long", -(2**63) - 1, "expected an integer of 64 bits"),
        ("float_", True, "expected a float, got bool"),
        ("float_", 1e39, "expected a number of single precision"),
        ("float_", 10**400, "expected a number of double precision"),
        ("double", False, "expected a float, got bool"),
        ("bytes_", bytearray(b"x"), "expected bytes, got bytearray"),
        ("string", b"x", "expected a str, got bytes"),
    ],
)
def test_what_is_no_primitive(zoo: ModuleType, field: str, value: object, reason: str) -> None:
    plain = {"null": None, "boolean": True, "int_": 1, "long": 1, "float_": 1, "double": 1, "bytes_": b"", "string": ""}
    with pytest.raises(errors.EncodeError, match=f"Plain.{field.strip('_')}: {reason}"):
        codec_of(zoo, "Plain").encode(make(zoo, "Plain", **plain | {field: value}))
    assert codec_of(zoo, "Plain").encode(make(zoo, "Plain", **plain))


def test_names_on_the_wire_stand_in_paths(zoo: ModuleType) -> None:
    with pytest.raises(errors.DecodeError, match=r"FieldNames\.class: the data ends too early"):
        codec_of(zoo, "FieldNames").decode(text("from"))
    names = [field.name for field in dataclasses.fields(class_of(zoo, "FieldNames"))]
    values = dict.fromkeys(names, "x") | {"hidden_": 1}
    with pytest.raises(errors.EncodeError, match=r"FieldNames\._hidden: expected a str, got int"):
        codec_of(zoo, "FieldNames").encode(make(zoo, "FieldNames", **values))


def test_classes_keep_their_name_or_one_near_it(zoo: ModuleType) -> None:
    fields = dataclasses.fields(class_of(zoo, "TypeNames"))

    assert [field.type.rstrip("_") for field in fields if isinstance(field.type, str)] == TYPE_NAMES
    # A channel's constant has the name of a class.
    assert zoo.channels.COMMAND_.key == "command"


def test_descriptions_are_docstrings(zoo: ModuleType) -> None:
    def words(value: str) -> list[str]:
        return value.split()

    class_ = class_of(zoo, "Described")
    assert words(class_.__doc__ or "") == words("\n".join(DESCRIPTIONS.values()))
    source = inspect.getsource(class_)
    found = list(docstrings_of_fields(source))
    assert [words(one) for one in found] == [words(text) or ["Not", "described."] for text in DESCRIPTIONS.values()]


def docstrings_of_fields(source: str) -> Iterator[str]:
    (class_,) = ast.parse(source).body
    assert isinstance(class_, ast.ClassDef)
    for field, node in pairwise(class_.body):
        if isinstance(field, ast.AnnAssign):
            assert isinstance(node, ast.Expr)
            yield ast.literal_eval(node.value)


def test_enumerations(zoo: ModuleType) -> None:
    suit: Any = class_of(zoo, "Suit")
    codec = codec_of(zoo, "SuitSymbols")

    assert {member.name: member.value for member in suit} == {
        "SPADES": "spades",
        "HEARTS": "HEARTS",
        "CLASS": "class",
        "X": "_x",
        "MRO": "mro",
    }
    assert codec.decode(long(2)).suit is suit("class")
    for index in (-1, 5, 2**40):
        with pytest.raises(errors.DecodeError, match=rf"SuitSymbols\.suit: expected an index below 5, got {index}"):
            codec.decode(long(index))
    with pytest.raises(errors.EncodeError, match=r"SuitSymbols\.suit: expected Suit, got str"):
        codec.encode(make(zoo, "SuitSymbols", suit="spades"))


def test_recursion_is_bounded(zoo: ModuleType) -> None:
    codec = codec_of(zoo, "Tree")
    leaf = b"\x00\x00\x00\x00"

    def nested(depth: int) -> bytes:
        return b"\x02" * depth + leaf + b"\x00\x00\x00" * depth

    deepest = codec.decode(nested(63))
    assert codec.encode(deepest) == nested(63)
    for depth in (64, 5000):
        with pytest.raises(errors.DecodeError, match="nested more than 64 levels deep") as caught:
            codec.decode(nested(depth))
        assert caught.value.path == ".".join(["next"] * 64)
    with pytest.raises(errors.EncodeError, match="nested more than 64 levels deep"):
        codec.encode(make(zoo, "Tree", next=deepest, children=(), named={}, either=None))
    wide = make(zoo, "Tree", next=None, children=(codec.decode(leaf),) * 1000, named={}, either="")
    assert codec.decode(codec.encode(wide)) == wide
    data = b"\x00" + long(1) + (b"\x00\x00" + long(1) + text("a")) * 20
    with pytest.raises(errors.DecodeError) as caught:
        codec.decode(data)
    assert caught.value.path.startswith('children[0].named["a"].')


def test_items_without_bytes_are_bounded(zoo: ModuleType) -> None:
    codec = codec_of(zoo, "Nothings")
    most = make(zoo, "Nothings", nulls=(None,) * 1024, empties=(), deep=())
    empty = class_of(zoo, "Empty")

    assert codec.decode(codec.encode(most)) == most
    for nulls, empties in (((None,) * 1025, ()), ((None,) * 1000, (empty(),) * 25)):
        with pytest.raises(errors.EncodeError, match="more than 1024 items that take no bytes"):
            codec.encode(make(zoo, "Nothings", nulls=nulls, empties=empties, deep=()))
    for data, path in (
        (long(2**62), "nulls"),
        (long(1024) + long(1) + b"\x00" * 3, "nulls"),
        (b"\x00" + long(-(2**62)) + long(0) + b"\x00\x00", "empties"),
        (b"\x00\x00" + long(2) + (long(1000) + b"\x00") * 2 + b"\x00", "deep[1]"),
    ):
        with pytest.raises(errors.DecodeError, match="more than 1024 items that take no bytes") as caught:
            codec.decode(data)
        assert caught.value.path == path


@pytest.mark.parametrize(
    ("field", "data", "reason"),
    [
        ("millis", long(2**62), "a time between the years 1 and 9999"),
        ("micros", long(0) + long(-(2**60)), "a time between the years 1 and 9999"),
        ("date", long(0) * 2 + long(1) + long(-(2**31)), "a day between the years 1 and 9999"),
        ("date", long(0) * 2 + long(1) + long(2**31), "an integer of 32 bits"),
        ("uuid", long(0) * 3 + text("12345678123456781234567812345678"), "a UUID in its form with hyphens"),
        ("uuid", long(0) * 3 + text("{12345678-1234-5678-1234-567812345678}"), "a UUID in its form with hyphens"),
        ("uuid", long(0) * 3 + text("nonsense"), "a UUID in its form with hyphens"),
    ],
)
def test_malformed_logical_types(zoo: ModuleType, field: str, data: bytes, reason: str) -> None:
    with pytest.raises(errors.DecodeError, match=f"Times.{field}: expected {reason}"):
        codec_of(zoo, "Times").decode(data + b"\x00" * 8)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("millis", datetime(2026, 1, 1), "expected a datetime with a time zone, got one without"),
        ("micros", "2026-01-01", "expected a datetime, got str"),
        ("date_", datetime(2026, 1, 1, tzinfo=UTC), "expected a date, got datetime"),
        ("uuid", "12345678-1234-5678-1234-567812345678", "expected a UUID, got str"),
    ],
)
def test_what_is_no_logical_type(zoo: ModuleType, field: str, value: object, reason: str) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    values = {"millis": moment, "micros": moment, "date_": None, "uuid": UUID(int=0), "all": ()}
    with pytest.raises(errors.EncodeError, match=reason):
        codec_of(zoo, "Times").encode(make(zoo, "Times", **values | {field: value}))


@pytest.mark.parametrize(
    ("value", "index"),
    [
        (None, 0), (True, 1), (1, 2), (1.0, 3), (b"1234", 4), (b"12345", 5), ("spades", 7), ([], 8), ((), 8), ({}, 9),
    ],
)  # fmt: skip
def test_the_branch_of_a_union_is_that_of_the_value(zoo: ModuleType, value: object, index: int) -> None:
    rest: dict[str, Any] = {
        "numbers": 1, "floats": 1.5, "null_at_the_end": None, "moments": None, "one": "", "nested": {}
    }  # fmt: skip
    codec = codec_of(zoo, "Unions")
    written = codec.encode(make(zoo, "Unions", any=value, **rest))

    assert written.startswith(long(index))
    assert codec.encode(make(zoo, "Unions", any=class_of(zoo, "Suit")("mro"), **rest))[:2] == long(6) + long(4)
    for wrong in (object(), {1}, 1j, 2**31 if index == 0 else range(0)):
        with pytest.raises(errors.EncodeError, match=r"Unions\.numbers: expected int \| float, got"):
            codec.encode(make(zoo, "Unions", any=value, **rest | {"numbers": wrong}))


def test_the_tools_find_nothing(folder: Path, zoo: ModuleType) -> None:
    emitted_package(LAMPS, folder / "generated", "lamps_wire")

    programs = Path(sys.executable).parent
    run([programs / "ruff", "check", "--no-cache", "generated"], folder=folder)
    run([programs / "ruff", "format", "--no-cache", "--check", "--diff", "generated"], folder=folder)
    packages = ["-p", "zoo_wire", "-p", "lamps_wire"]
    run(
        [programs / "mypy", "--config-file=", "--strict", "--cache-dir=../cache", *packages],
        folder=folder / "generated",
    )
