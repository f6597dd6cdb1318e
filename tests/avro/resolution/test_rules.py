"""Every rule of schema resolution, both ways: what goes together, what does not, and what is said of it."""

from __future__ import annotations

from struct import pack
from typing import Any

import pytest

from orbitalis_avro.binary import Fault
from orbitalis_avro.resolution.matches import Resolution
from orbitalis_avro.resolution.refusal import Refusal
from tests.avro.resolution.dict_reader import compared, dict_reader
from tests.support.avro import long, text

Schema = Any


def of(type_: Schema, **more: Any) -> Schema:
    """Return a record with one field."""
    return {"type": "record", "name": "M", "fields": [{"name": "v", "type": type_, **more}]}


def record(name: str, *fields: Any, **more: Any) -> Schema:
    """Return a record; a field is a name and a type, and perhaps more."""
    return {
        "type": "record",
        "name": name,
        "fields": [{"name": one[0], "type": one[1], **(one[2] if len(one) > 2 else {})} for one in fields],
        **more,
    }


def enum(*symbols: str, name: str = "E", **more: Any) -> Schema:
    return {"type": "enum", "name": name, "symbols": list(symbols), **more}


def fixed(size: int, name: str = "F", **more: Any) -> Schema:
    return {"type": "fixed", "name": name, "size": size, **more}


def array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def map_(values: Schema) -> Schema:
    return {"type": "map", "values": values}


def logical(primitive: str, name: str, **more: Any) -> Schema:
    return {"type": primitive, "logicalType": name, **more}


def decimal(precision: int, scale: int) -> Schema:
    return logical("bytes", "decimal", precision=precision, scale=scale)


PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
PROMOTED = {
    ("int", "long"),
    ("int", "float"),
    ("int", "double"),
    ("long", "float"),
    ("long", "double"),
    ("float", "double"),
    ("string", "bytes"),
    ("bytes", "string"),
}


@pytest.mark.parametrize("writer", PRIMITIVES)
@pytest.mark.parametrize("reader", PRIMITIVES)
def test_a_primitive_is_read_as_itself_and_as_what_it_is_promoted_to(writer: str, reader: str) -> None:
    found = compared(of(writer), of(reader))
    if writer == reader or (writer, reader) in PROMOTED:
        assert isinstance(found, Resolution)
    else:
        assert found == Refusal(verb="is", writer=writer, reader=reader, path="M.v")


GO_TOGETHER: list[tuple[str, Schema, Schema]] = [
    (
        "a field in another place",
        record("M", ("a", "int"), ("b", "string")),
        record("M", ("b", "string"), ("a", "int")),
    ),
    ("a field that is not read", record("M", ("a", "int"), ("b", "string")), record("M", ("b", "string"))),
    ("a default", record("M", ("a", "int")), record("M", ("a", "int"), ("b", "int", {"default": 1}))),
    ("a record of no fields", record("M"), record("M", ("b", "int", {"default": 1}))),
    ("nothing of a record", record("M", ("a", "int")), record("M")),
    ("a record's alias", record("Old", ("a", "int")), record("M", ("a", "int"), aliases=["Old"])),
    ("an alias in the namespace", record("n.Old", ("a", "int")), record("n.M", ("a", "int"), aliases=["Old"])),
    ("an alias elsewhere", record("x.Old", ("a", "int")), record("n.M", ("a", "int"), aliases=["x.Old"])),
    ("a field's alias", record("M", ("old", "int")), record("M", ("new", "int", {"aliases": ["old"]}))),
    ("symbols in another order", of(enum("A", "B")), of(enum("B", "A"))),
    ("fewer symbols", of(enum("A", "B")), of(enum("A"))),
    ("a default symbol", of(enum("A", "B")), of(enum("C", default="C"))),
    ("an enum's alias", of(enum("A", name="Old")), of(enum("A", aliases=["Old"]))),
    ("an enum's namespace", of(enum("A", name="n.E")), of(enum("A", name="m.E"))),
    ("a fixed's namespace", of(fixed(2, name="n.F")), of(fixed(2, name="m.F"))),
    ("items that are promoted", of(array("int")), of(array("long"))),
    ("values that are promoted", of(map_("float")), of(map_("double"))),
    ("one type as a branch", of("int"), of(["null", "int"])),
    ("a branch as one type", of(["null", "int"]), of("int")),
    ("some branches", of(["string", "int"]), of(["null", "int"])),
    ("branches in another order", of(["int", "null"]), of(["null", "long"])),
    ("a logical type", of(logical("long", "timestamp-millis")), of(logical("long", "timestamp-millis"))),
    ("a logical type that Avro does not know", of(logical("long", "moon-phase")), of("long")),
    (
        "the branch of the logical type",
        of(logical("long", "timestamp-millis")),
        of(["string", logical("long", "timestamp-millis")]),
    ),
    ("the branch without a logical type", of("long"), of([logical("long", "timestamp-millis"), "long"])),
    ("a decimal", of(decimal(5, 2)), of(decimal(5, 2))),
]


@pytest.mark.parametrize(("writer", "reader"), [row[1:] for row in GO_TOGETHER], ids=[row[0] for row in GO_TOGETHER])
def test_schemas_go_together(writer: Schema, reader: Schema) -> None:
    assert isinstance(compared(writer, reader), Resolution)


POINT = record("Point", ("x", "int"))
REFUSED: list[tuple[str, Schema, Schema, tuple[str, str | None, str | None, str]]] = [
    (
        "a field without default",
        record("M", ("a", "int")),
        record("M", ("a", "int"), ("b", "int")),
        ("is missing", None, "int", "M.b"),
    ),
    (
        "no field in common",
        record("M", ("a", "int")),
        record("M", ("b", "int", {"default": 1})),
        ("has no field in common:", "a", "b", ""),
    ),
    ("another name", record("M", ("a", "int")), record("N", ("a", "int")), ("is called", "M", "N", "")),
    ("another namespace", record("n.M", ("a", "int")), record("M", ("a", "int")), ("is called", "n.M", "M", "")),
    (
        "the writer's alias",
        record("M", ("a", "int"), aliases=["N"]),
        record("N", ("a", "int")),
        ("is called", "M", "N", ""),
    ),
    (
        "another namespace in a union",
        of(array(record("n.R", ("a", "int")))),
        of(["null", array(record("m.R", ("a", "int")))]),
        ("is called", "n.R", "m.R", "M.v[]"),
    ),
    (
        "a field twice",
        record("M", ("new", "int"), ("old", "int")),
        record("M", ("new", "int", {"aliases": ["old"]})),
        ("comes twice, as", "new and old", "new", "M.new"),
    ),
    (
        "a field in a record in a record",
        of(record("R", ("p", POINT))),
        of(record("R", ("p", record("Point", ("x", "string"))))),
        ("is", "int", "string", "M.v.p.x"),
    ),
    (
        "a field of items",
        of(array(POINT)),
        of(array(record("Point", ("x", "string")))),
        ("is", "int", "string", "M.v[].x"),
    ),
    (
        "a field of values",
        of(map_(POINT)),
        of(map_(record("Point", ("x", "string")))),
        ("is", "int", "string", "M.v{}.x"),
    ),
    ("no symbol in common", of(enum("A", "B")), of(enum("C")), ("has symbols", "A, B", "C", "M.v")),
    ("an enum of another name", of(enum("A")), of(enum("A", name="G")), ("is called", "E", "G", "M.v")),
    ("another size", of(fixed(2)), of(fixed(3)), ("has size", "2", "3", "M.v")),
    ("a fixed of another name", of(fixed(2)), of(fixed(2, name="G")), ("is called", "F", "G", "M.v")),
    ("another kind of the same name", of(fixed(2, name="E")), of(enum("A")), ("is", "fixed E", "enum E", "M.v")),
    ("items of another type", of(array("int")), of(array("string")), ("is", "int", "string", "M.v[]")),
    ("values of another type", of(map_("int")), of(map_("string")), ("is", "int", "string", "M.v{}")),
    ("an array as a map", of(array("int")), of(map_("int")), ("is", "array of int", "map of int", "M.v")),
    (
        "no branch in common",
        of(["null", "int"]),
        of(["string", "boolean"]),
        ("is", "null or int", "string or boolean", "M.v"),
    ),
    ("no branch for a type", of("int"), of(["null", "string"]), ("is", "int", "null or string", "M.v")),
    (
        "a logical type on one side",
        of("long"),
        of(logical("long", "timestamp-micros")),
        ("has logical type", "none", "timestamp-micros", "M.v"),
    ),
    (
        "a logical type on the other side",
        of(logical("long", "timestamp-micros")),
        of("long"),
        ("has logical type", "timestamp-micros", "none", "M.v"),
    ),
    (
        "another logical type",
        of(logical("long", "timestamp-micros")),
        of(logical("long", "timestamp-millis")),
        ("has logical type", "timestamp-micros", "timestamp-millis", "M.v"),
    ),
    (
        "a logical type that would be promoted",
        of(logical("int", "date")),
        of("long"),
        ("has logical type", "date", "none", "M.v"),
    ),
    (
        "a logical type among branches",
        of(logical("long", "timestamp-micros")),
        of(["null", "long"]),
        ("has logical type", "timestamp-micros", "none", "M.v"),
    ),
    (
        "a branch behind one that Avro takes",
        of("string"),
        of([logical("string", "uuid"), "bytes"]),
        ("has logical type", "none", "uuid", "M.v"),
    ),
    ("another precision", of(decimal(5, 2)), of(decimal(6, 2)), ("has precision", "5", "6", "M.v")),
    ("another scale", of(decimal(5, 2)), of(decimal(5, 3)), ("has scale", "2", "3", "M.v")),
    (
        "a decimal fixed by its name",
        record("M", ("a", fixed(4, logicalType="decimal", precision=5)), ("b", "F")),
        record("M", ("a", fixed(4, logicalType="decimal", precision=5)), ("b", fixed(4, name="n.F"))),
        ("has logical type", "decimal", "none", "M.b"),
    ),
]


@pytest.mark.parametrize(
    ("writer", "reader", "expected"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_schemas_are_refused_with_the_place_and_both_types(
    writer: Schema, reader: Schema, expected: tuple[str, str | None, str | None, str]
) -> None:
    verb, written, read, path = expected
    assert compared(writer, reader) == Refusal(verb=verb, writer=written, reader=read, path=path)


def test_a_default_that_is_no_value_of_its_type_is_refused() -> None:
    found = compared(record("M"), record("M", ("b", fixed(2), {"default": "abc"})))
    assert isinstance(found, Refusal)
    assert "expected a default of type fixed of 2 bytes, got 'abc'" in found.verb
    assert found.path == "M.b"


VALUES: list[tuple[str, Schema, Schema, bytes, Any]] = [
    ("int as double", of("int"), of("double"), long(-(2**31)), {"v": -(2.0**31)}),
    ("int as float", of("int"), of("float"), long(2**24), {"v": 2.0**24}),
    ("long as double", of("long"), of("double"), long(2**53), {"v": 2.0**53}),
    ("long as float", of("long"), of("float"), long(2**40), {"v": 2.0**40}),
    ("float as double", of("float"), of("double"), pack("<f", 0.5), {"v": 0.5}),
    ("string as bytes", of("string"), of("bytes"), text("\u00e9"), {"v": "\u00e9".encode()}),
    ("bytes as string", of("bytes"), of("string"), text("\u00e9"), {"v": "\u00e9"}),
    ("a symbol", of(enum("A", "B")), of(enum("B", "A")), long(1), {"v": "B"}),
    ("a default symbol", of(enum("A", "B")), of(enum("C", "A", default="C")), long(1), {"v": "C"}),
    ("the first branch that fits", of("int"), of(["string", "double", "int"]), long(7), {"v": 7.0}),
    ("an alias", record("M", ("old", "int")), record("M", ("new", "int", {"aliases": ["old"]})), long(7), {"new": 7}),
    ("many numbers", of(array("int")), of(array("double")), long(40) + long(3) * 40 + b"\0", {"v": [3.0] * 40}),
    ("a block with its size", of(array("int")), of(array("long")), long(-2) + long(2) + b"\2\4" + b"\0", {"v": [1, 2]}),
    ("keys", of(map_("int")), of(map_("long")), long(1) + text("k") + long(5) + b"\0", {"v": {"k": 5}}),
]


@pytest.mark.parametrize(
    ("writer", "reader", "data", "expected"), [row[1:] for row in VALUES], ids=[row[0] for row in VALUES]
)
def test_a_value_is_read_as_the_readers_type(writer: Schema, reader: Schema, data: bytes, expected: Any) -> None:
    assert repr(reading(writer, reader)(data)) == repr(expected)


RAISING: list[tuple[str, Schema, Schema, bytes, str, str]] = [
    (
        "long as double",
        of("long"),
        of("double"),
        long(2**53 + 1),
        "v",
        "double precision can carry, got 9007199254740993",
    ),
    ("long as float", of("long"), of("float"), long(2**24 + 1), "v", "single precision can carry, got 16777217"),
    ("int as float", of("int"), of("float"), long(-(2**24) - 1), "v", "single precision can carry, got -16777217"),
    (
        "long in items",
        of(array("long")),
        of(array("double")),
        long(2) + long(1) + long(2**53 + 1) + b"\0",
        "v[1]",
        "got 9007199254740993",
    ),
    ("bytes as string", of("bytes"), of("string"), text(b"\xff"), "v", "expected UTF-8, got byte 0xff"),
    ("bytes that are not UTF-8", of("string"), of("bytes"), text(b"\xff"), "v", "expected UTF-8, got byte 0xff"),
    ("a symbol", of(enum("A", "B")), of(enum("A")), long(1), "v", "expected one of A, got str 'B'"),
    ("a branch", of(["null", "int"]), of("int"), long(0), "v", "the branch is null, expected int"),
    (
        "a branch by its logical type",
        of(["null", logical("int", "date")]),
        of(["null", "int"]),
        long(1) + long(3),
        "v",
        "the branch has logical type date, expected none",
    ),
    ("a branch too far", of(["null", "int"]), of("int"), long(2), "v", "expected an index below 2, got 2"),
    (
        "a key twice",
        of(map_("int")),
        of(map_("long")),
        long(2) + (text("k") + long(5)) * 2 + b"\0",
        'v["k"]',
        "the key comes twice",
    ),
    (
        "the end",
        record("M", ("a", "string"), ("b", "int")),
        record("M", ("b", "int")),
        text("abc")[:2],
        "a",
        "a length of 3 bytes, but only 1 are left",
    ),
    ("more than the end", of("int"), of("long"), long(1) * 2, "", "1 bytes follow its end"),
]


@pytest.mark.parametrize(
    ("writer", "reader", "data", "path", "reason"), [row[1:] for row in RAISING], ids=[row[0] for row in RAISING]
)
def test_a_value_that_cannot_be_read_raises_with_its_place(
    writer: Schema, reader: Schema, data: bytes, path: str, reason: str
) -> None:
    with pytest.raises(Fault) as caught:
        reading(writer, reader)(data)
    assert caught.value.path == path
    assert reason in caught.value.reason


SKIPPED: list[tuple[Schema, bytes]] = [
    ("null", b""),
    ("boolean", b"\1"),
    ("int", long(2**31 - 1)),
    ("long", long(-(2**63))),
    ("float", b"abcd"),
    ("double", b"abcdefgh"),
    ("string", text("a" * 100)),
    ("bytes", text(b"\xff")),
    (fixed(3), b"abc"),
    (enum("A", "B"), long(1)),
    (array("string"), long(2) + text("a") + text("b") + long(-1) + long(2) + text("c") + b"\0"),
    (array("null"), long(1000) + b"\0"),
    (map_("int"), long(1) + text("k") + long(1) + b"\0"),
    (["null", "string", "int"], long(1) + text("abc")),
    (record("R", ("x", "int"), ("y", "string")), long(1) + text("y")),
    (decimal(5, 2), text(b"\1")),
]


@pytest.mark.parametrize(("type_", "data"), SKIPPED)
def test_a_field_that_is_not_read_is_passed_over(type_: Schema, data: bytes) -> None:
    writer = record("M", ("before", "int"), ("gone", type_), ("after", "int"))
    reader = record("M", ("after", "int"), ("before", "int"))
    assert reading(writer, reader)(long(1) + data + long(2)) == {"before": 1, "after": 2}


@pytest.mark.parametrize(("type_", "data"), [row for row in SKIPPED if row[0] != "null"])
def test_a_field_that_is_not_read_is_not_passed_over_beyond_the_end(type_: Schema, data: bytes) -> None:
    read = reading(record("M", ("a", "int"), ("gone", type_)), record("M", ("a", "int")))
    with pytest.raises(Fault) as caught:
        read(long(1) + data[:-1])
    assert caught.value.path == "gone"


DEFAULTS: list[tuple[Schema, Any, Any]] = [
    ("null", None, None),
    ("boolean", True, True),
    ("int", -5, -5),
    ("long", 2**40, 2**40),
    ("float", 0.5, 0.5),
    ("double", 1, 1.0),
    ("string", "\u00e9", "\u00e9"),
    ("bytes", "\u00e9", b"\xe9"),
    (fixed(2), "ab", b"ab"),
    (enum("A", "B"), "B", "B"),
    (array("int"), [1, 2], [1, 2]),
    (map_("string"), {"k": "v"}, {"k": "v"}),
    (["null", "int"], None, None),
    (["int", "null"], 3, 3),
    (record("R", ("x", "int"), ("y", "int", {"default": 2})), {"x": 1}, {"x": 1, "y": 2}),
]


@pytest.mark.parametrize(("type_", "default", "expected"), DEFAULTS)
def test_a_field_that_is_not_written_has_its_default(type_: Schema, default: Any, expected: Any) -> None:
    read = reading(record("M", ("a", "int")), record("M", ("a", "int"), ("v", type_, {"default": default})))
    assert repr(read(long(1))) == repr({"a": 1, "v": expected})


def test_a_default_is_made_anew_for_each_value() -> None:
    read = reading(record("M", ("a", "int")), record("M", ("a", "int"), ("v", array("int"), {"default": []})))
    read(long(1))["v"].append(1)
    assert read(long(1))["v"] == []


def reading(writer: Schema, reader: Schema) -> Any:
    """Return what reads one schema as another one."""
    found = compared(writer, reader)
    assert isinstance(found, Resolution)
    return dict_reader(found, reader)
