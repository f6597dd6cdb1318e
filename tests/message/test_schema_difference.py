"""How schemas differ, as it is told."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from orbitalis.message.schema_difference import schema_differences
from orbitalis_wire import limits


def record(*fields: tuple[str, Any], name: str = "Light", **others: Any) -> str:
    listed = [{"name": field, "type": kind} for field, kind in fields]
    return json.dumps({"type": "record", "name": name, "fields": listed, **others})


def told(here: str, there: str) -> tuple[str, ...]:
    return schema_differences([here], [there])


POINT = {"type": "record", "name": "Point", "fields": [{"name": "x", "type": "int"}]}


TOLD = [
    (record(("level", "int")), record(("level", "long")), "field 'level' is 'int' here and 'long' there"),
    (record(("x", "int"), ("y", "int")), record(("x", "int")), "field 'y' is missing there"),
    (record(("x", "int")), record(("x", "int"), ("y", "int")), "field 'y' is missing here"),
    (
        record(("at", {"type": "long", "logicalType": "timestamp-millis"})),
        record(("at", {"type": "long", "logicalType": "timestamp-micros"})),
        "field 'at' has logical type 'timestamp-millis' here and 'timestamp-micros' there",
    ),
    (
        record(("at", "long")),
        record(("at", {"type": "long", "logicalType": "timestamp-micros"})),
        "field 'at' has logical type 'none' here and 'timestamp-micros' there",
    ),
    (
        record(("x", "int")),
        record(("x", "int"), name="Lamp"),
        "the schema is called 'Light' here and 'Lamp' there",
    ),
    (
        record(("x", "int"), namespace="home"),
        record(("x", "int"), namespace="office"),
        "the schema is called 'home.Light' here and 'office.Light' there",
    ),
    (record(("x", "int")), '"string"', "the schema is 'record Light' here and 'string' there"),
    (record(("x", ["null", "int"])), record(("x", "int")), "field 'x' is 'null or int' here and 'int' there"),
    (
        record(("x", ["null", "int"])),
        record(("x", ["null", "long"])),
        "field 'x' is 'null or int' here and 'null or long' there",
    ),
    (
        record(("x", {"type": "array", "items": "int"})),
        record(("x", {"type": "array", "items": "long"})),
        "field 'x[]' is 'int' here and 'long' there",
    ),
    (
        record(("x", {"type": "map", "values": "int"})),
        record(("x", {"type": "array", "items": "int"})),
        "field 'x' is 'map of int' here and 'array of int' there",
    ),
    (
        record(("a", "int"), ("b", "int")),
        record(("b", "int"), ("a", "int")),
        "the fields are in another order: 'a' here where 'b' is there",
    ),
    (
        record(("mode", {"type": "enum", "name": "Mode", "symbols": ["ON", "OFF"]})),
        record(("mode", {"type": "enum", "name": "Mode", "symbols": ["OFF"]})),
        "symbol 'ON' of 'mode' is missing there",
    ),
    (
        record(("key", {"type": "fixed", "name": "Key", "size": 8})),
        record(("key", {"type": "fixed", "name": "Key", "size": 16})),
        "field 'key' has size '8' here and '16' there",
    ),
    (
        record(("from", POINT), ("to", "Point")),
        record(("from", POINT), ("to", "int")),
        "field 'to' is 'record Point' here and 'int' there",
    ),
    (
        record(("at", POINT)),
        record(("at", {**POINT, "fields": [{"name": "x", "type": "double"}]})),
        "field 'at.x' is 'int' here and 'double' there",
    ),
]
"""Schemas here and there, and what is told of them."""


@pytest.mark.parametrize(("here", "there", "expected"), TOLD)
def test_a_difference_is_told(here: str, there: str, expected: str) -> None:
    assert expected in told(here, there)


def test_each_difference_is_told_once() -> None:
    here = record(("level", "int"), ("x", "int"), ("same", "string"))
    there = record(("level", "long"), ("same", "string"), ("y", "int"))
    assert told(here, there) == (
        "field 'x' is missing there",
        "field 'y' is missing here",
        "field 'level' is 'int' here and 'long' there",
    )


def test_schemas_that_are_the_same_in_other_words_do_not_differ() -> None:
    assert told(record(("x", "int")), record(("x", {"type": "int"}), doc="otherwise")) == ()


def test_a_type_that_contains_itself_is_compared_once() -> None:
    here = record(("next", ["null", "Light"]), ("x", "int"))
    assert told(here, record(("next", ["null", "Light"]), ("x", "long"))) == (
        "field 'x' is 'int' here and 'long' there",
    )


def test_of_several_alternatives_the_closest_by_name_are_compared() -> None:
    here = [record(("x", "int"), name="Temperature"), record(("level", "int"), name="Light"), '"string"']
    there = [record(("level", "long"), name="LightV2")]
    assert schema_differences(here, there) == (
        "the schema is called 'Light' here and 'LightV2' there",
        "field 'level' is 'int' here and 'long' there",
    )


def test_of_alternatives_those_are_compared_that_the_other_side_has_not() -> None:
    same = record(("x", "int"), name="Temperature")
    here = [same, record(("level", "int"))]
    assert schema_differences(here, [same, record(("level", "long"))]) == (
        "field 'level' is 'int' here and 'long' there",
    )
    assert schema_differences(here, [same]) == ()
    assert schema_differences([], [same]) == schema_differences(here, []) == ()


def test_the_list_is_never_long() -> None:
    many = [(f"{number}{'x' * 5_000}", "int") for number in range(10)]
    differences = told(record(), record(*many))
    assert len(differences) == 9
    assert differences[-1] == "and more"
    assert sum(map(len, differences)) < 1_000


def test_a_symbol_that_comes_twice_does_no_harm() -> None:
    once, twice = (json.dumps({"type": "enum", "name": "Mode", "symbols": symbols}) for symbols in (["A"], ["A", "A"]))
    assert told(once, twice) == told(twice, once) == ("the schemas called 'Mode' differ in what is not told here",)


NO_SCHEMAS = [
    "",
    "no JSON",
    "null",
    "7",
    "[" * 50_000,
    "[" * 500 + "]" * 500,
    '{"type": ' * 500 + '"int"' + "}" * 500,
    '{"type": "record"}',
    '{"type": "record", "name": 7, "fields": [7, {"name": []}, {}]}',
    '{"type": "enum", "symbols": 7}',
    '{"type": "enum", "symbols": ["A", "A"]}',
    '{"type": ["record"]}',
    "x" * (limits.SCHEMA_BYTES + 1),
]
"""What strangers may send where a schema belongs."""


@pytest.mark.parametrize("text", NO_SCHEMAS)
def test_what_is_no_schema_does_no_harm(text: str) -> None:
    light = record(("level", "int"))
    for differences in (told(light, text), told(text, light)):
        assert 1 <= len(differences) <= 9
        assert sum(map(len, differences)) < 2_000


def test_one_type_in_very_many_places_takes_no_time() -> None:
    def nested(kind: str) -> str:
        level: Any = {"type": "record", "name": "L0", "fields": [{"name": "x", "type": kind}]}
        for depth in range(1, 30):
            names = [{"name": f"f{number}", "type": f"L{depth - 1}"} for number in range(9)]
            level = {"type": "record", "name": f"L{depth}", "fields": [{"name": "first", "type": level}, *names]}
        return json.dumps(level)

    assert len(told(nested("int"), nested("long"))) == 1


def test_schemas_at_random_are_always_told_of() -> None:
    chance = random.Random(7)

    def kind(depth: int) -> Any:
        pick = chance.randrange(8 if depth < 4 else 4)
        simple = ["int", "string", {"type": "long", "logicalType": "timestamp-millis"}, "Light"]
        if pick < 4:
            return simple[pick]
        if pick == 4:
            return {"type": "array", "items": kind(depth + 1)}
        if pick == 5:
            return {"type": "map", "values": kind(depth + 1)}
        if pick == 6:
            return ["null", kind(depth + 1)]
        fields = [{"name": name, "type": kind(depth + 1)} for name in "abc"]
        return {"type": "record", "name": f"R{depth}", "fields": fields}

    for _ in range(300):
        one, other = (record(*((name, kind(0)) for name in "xyz")) for _ in range(2))
        differences = told(one, other)
        assert len(differences) <= 9
        assert all(differences)
