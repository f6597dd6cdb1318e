"""What the schema of a stranger may cost: pairs are counted, depth is bounded, and nothing refers to itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orbitalis_avro.binary import Fault
from orbitalis_avro.resolution.bounds import MOST_PAIRS
from orbitalis_avro.resolution.matches import Resolution
from orbitalis_avro.resolution.refusal import Refusal
from tests.avro.resolution.dict_reader import DEEPEST, compared, dict_reader
from tests.support.avro import long

Schema = Any


def record(name: str, *types: Schema) -> Schema:
    """Return a record with a field for each type."""
    return {"type": "record", "name": name, "fields": [{"name": f"f{at}", "type": one} for at, one in enumerate(types)]}


def doubling(count: int, innermost: Schema) -> Schema:
    """Return a record of records, each of which holds the one before it twice."""
    inner = [record("R0", innermost), *(record(f"R{at}", f"R{at - 1}", f"R{at - 1}") for at in range(1, count))]
    return record("M", *inner)


def nested(depth: int, innermost: Schema) -> Schema:
    """Return arrays in arrays."""
    for _ in range(depth):
        innermost = {"type": "array", "items": innermost}
    return innermost


UNIONS = record("M", *([["int", "string", "null"]] * 700))


@pytest.mark.parametrize(
    ("writer", "reader"),
    [
        pytest.param(record("M", *["int"] * 2500), record("M", "long"), id="many fields"),
        pytest.param(doubling(60, "int"), doubling(60, "long"), id="records that double"),
        pytest.param(UNIONS, record("M", *([["null", "string", "double"]] * 700)), id="unions"),
        pytest.param(record("M", *[nested(30, "int")] * 60), record("M", *[nested(30, "long")] * 60), id="arrays"),
        pytest.param(
            record("M", *[nested(40, "int")] * 60),
            record("M", *[[*[nested(40, "string")] * 9, nested(40, "int")]] * 60),
            id="unions of arrays",
        ),
        pytest.param(
            record("M", {"type": "enum", "name": "E", "symbols": [f"S{at}" for at in range(8000)]}),
            record("M", {"type": "enum", "name": "E", "symbols": ["S0"]}),
            id="symbols",
        ),
    ],
)
def test_large_schemas_are_compared_within_the_bound(writer: Schema, reader: Schema) -> None:
    found = compared(writer, reader)
    assert isinstance(found, Resolution)
    assert found.pairs <= MOST_PAIRS


def test_a_pair_is_looked_at_once_however_often_it_stands_there() -> None:
    pairs = [compared(doubling(count, "int"), doubling(count, "long")) for count in (20, 21)]
    assert all(isinstance(one, Resolution) for one in pairs)
    few, more = [one.pairs for one in pairs if isinstance(one, Resolution)]
    assert more - few <= 8


@pytest.mark.parametrize(
    ("writer", "reader"),
    [
        pytest.param(
            record("M", [record(f"R{at}") for at in range(1000)]),
            record("M", [record(f"R{at}") for at in reversed(range(1000))]),
            id="unions of many records",
        ),
        pytest.param(record("M", ["int"] * 10_000), record("M", "int"), id="a union of many branches"),
    ],
)
def test_a_comparison_of_too_many_pairs_is_refused(writer: Schema, reader: Schema) -> None:
    assert len(json.dumps(writer)) < 2 * 65536
    found = compared(writer, reader)
    assert isinstance(found, Refusal)
    assert f"more than {MOST_PAIRS} pairs" in found.verb


def test_a_union_of_which_many_branches_fit_is_refused() -> None:
    found = compared(record("M", ["int"] * 65), record("M", "long"))
    assert isinstance(found, Refusal)
    assert "more than 64 branches that fit" in found.verb
    assert isinstance(compared(record("M", ["int"] * 64), record("M", "long")), Resolution)


SELF = record("M", "int", ["null", "M"])
MUTUAL = record("M", "int", record("A", record("B", ["null", "A"])))


@pytest.mark.parametrize(
    "writer", [SELF, MUTUAL, record("M", "int", nested(1, "M"))], ids=["itself", "a round", "items"]
)
@pytest.mark.parametrize("reader", [SELF, record("M", "int")], ids=["like it", "without it"])
def test_a_schema_that_refers_to_itself_is_refused(writer: Schema, reader: Schema) -> None:
    found = compared(writer, reader)
    assert isinstance(found, Refusal)
    assert "refers to itself" in found.verb
    assert found.writer in ("record M", "record A")


def test_a_reader_may_refer_to_itself() -> None:
    reader = record("M", "int", ["null", "M"])
    reader["fields"][1]["default"] = None
    found = compared(record("M", "int"), reader)
    assert isinstance(found, Resolution)
    assert dict_reader(found, reader)(long(4)) == {"f0": 4, "f1": None}


@pytest.mark.parametrize("depth", [DEEPEST - 1, DEEPEST])
def test_a_schema_nests_no_deeper_than_it_may(depth: int) -> None:
    found = compared(record("M", "int", nested(depth, "int")), record("M", "int"))
    assert isinstance(found, Resolution) == (depth < DEEPEST)


def test_records_that_lead_deep_without_nesting_are_refused() -> None:
    chain = record("M", "int", record("R0", "int"), *(record(f"R{at}", f"R{at - 1}") for at in range(1, 200)))
    found = compared(chain, record("M", "int"))
    assert isinstance(found, Refusal)
    assert "nested more than" in found.verb


def test_unions_directly_in_unions_are_bounded() -> None:
    inner: Schema = "int"
    for _ in range(4):
        inner = [inner]
    assert isinstance(compared(record("M", inner), record("M", "int")), Resolution)
    assert isinstance(compared(record("M", [inner]), record("M", "int")), Refusal)


EMPTY = {"type": "array", "items": {"type": "record", "name": "E", "fields": []}}


@pytest.mark.parametrize("reader", [record("M", "int", EMPTY), record("M", "int")], ids=["read", "passed over"])
@pytest.mark.parametrize("count", [1024, 1025, 2**40])
def test_items_that_take_no_bytes_are_bounded(reader: Schema, count: int) -> None:
    writer = record("M", "int", EMPTY, "int")
    found = compared(writer, reader)
    assert isinstance(found, Resolution)
    read = dict_reader(found, reader)
    data = long(1) + long(count) + b"\0" + long(2)
    if count <= 1024:
        assert read(data)["f0"] == 1
    else:
        with pytest.raises(Fault, match="more than 1024 items that take no bytes"):
            read(data)


def test_what_takes_no_bytes_takes_no_time_where_it_is_passed_over() -> None:
    writer = doubling(60, "null")
    writer["fields"].append({"name": "last", "type": "int"})
    reader = {"type": "record", "name": "M", "fields": [{"name": "last", "type": "int"}]}
    found = compared(writer, reader)
    assert isinstance(found, Resolution)
    # 2 ** 60 nulls
    assert dict_reader(found, reader)(long(7)) == {"last": 7}
