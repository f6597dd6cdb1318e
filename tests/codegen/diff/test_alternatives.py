"""Operations with several inputs or outputs: what is said of them is what the runtime matches."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import fastavro
import pytest

from orbitalis import Input, Output
from orbitalis.message.matching import match
from orbitalis_codegen.contract.model import ContractOperation
from orbitalis_codegen.diff.contracts import compare_contracts
from orbitalis_codegen.diff.payloads import readings_of_set, schema_of
from orbitalis_codegen.diff.reading import Extent
from orbitalis_codegen.diff.rules import ChangeRule, Level
from tests.avro.resolution.edits import edited
from tests.avro.resolution.schemas import random_model
from tests.codegen.diff.made import contract, message, operation
from tests.support.repository import ROOT

SETS = 150


def record(name: str, *fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields)}


A = record("A", {"name": "x", "type": "int"})
B = record("B", {"name": "y", "type": "int"})


def found(old: ContractOperation, new: ContractOperation) -> list[tuple[ChangeRule, Level, list[str]]]:
    changes = compare_contracts(contract(old), contract(new))
    return [(one.rule, one.level, [str(met).partition(":")[0] for met in one.encounters]) for one in changes]


def test_random_sets_go_together_where_the_runtime_matches_them() -> None:
    outcomes: set[bool] = set()
    for seed in range(SETS):
        chance = Random(seed)
        models = [random_model(chance) for _ in range(2)]
        try:
            schemas = [edited(chance.choice(models), chance).schema() for _ in range(5)]
            for schema in schemas:
                fastavro.parse_schema(json.loads(json.dumps([schema]))[0])
        except (fastavro.schema.SchemaParseException, RecursionError):
            continue
        writers, readers = (chance.sample(schemas, chance.randint(1, 2)), chance.sample(schemas, chance.randint(1, 4)))
        writes = Output(schemas=tuple(map(json.dumps, writers)))
        reads = Output(schemas=tuple(map(json.dumps, readers)))
        read = readings_of_set(list(map(message, writers)), list(map(message, readers)))
        is_matched = match(writes, reads, ()) is not None

        assert all(one.extent is not Extent.NOTHING for one in read) is is_matched, seed
        outcomes.add(is_matched)
    assert outcomes == {True, False}


@pytest.mark.parametrize("plain", ["string", "bytes", "long", "double"])
def test_a_plain_payload_travels_in_the_message_of_the_protocol(plain: str) -> None:
    of_protocol = {
        "string": "StringMessage",
        "bytes": "BytesMessage",
        "long": "Int64Message",
        "double": "Float64Message",
    }
    schema = json.loads((ROOT / "schemas" / f"{of_protocol[plain]}.avsc").read_text())

    assert Input(schemas=(schema_of(message(plain)),)).accepts(Input(schemas=(json.dumps(schema),)))


def test_plain_payloads_are_not_promoted() -> None:
    old, new = operation(inputs=[message("string")]), operation(inputs=[message("bytes")])

    assert found(old, new) == [
        (ChangeRule.PLAIN_CHANGED, Level.WIRE, ["new plugin with old core", "old plugin with new core"])
    ]


def test_an_input_instead_of_the_empty_event_breaks_both_sides() -> None:
    assert found(operation(inputs=[]), operation(inputs=[message(A)])) == [
        (ChangeRule.INPUT_ADDED, Level.WIRE, ["new plugin with old core", "old plugin with new core"])
    ]


def test_an_output_where_there_was_none_breaks_both_sides() -> None:
    assert found(operation(), operation(outputs=[message(A)])) == [
        (ChangeRule.OUTPUT_ADDED, Level.WIRE, ["new core with old plugin", "old core with new plugin"])
    ]


def test_an_output_less_breaks_new_cores_alone() -> None:
    assert found(operation(outputs=[message(A, "A"), message(B, "B")]), operation(outputs=[message(A, "A")])) == [
        (ChangeRule.OUTPUT_REMOVED, Level.WIRE, ["new core with old plugin"])
    ]


def test_an_input_less_breaks_new_plugins_alone() -> None:
    assert found(operation(inputs=[message(A, "A"), message(B, "B")]), operation(inputs=[message(A, "A")])) == [
        (ChangeRule.INPUT_REMOVED, Level.WIRE, ["new plugin with old core"])
    ]


def test_messages_in_another_order_are_the_same() -> None:
    assert (
        found(
            operation(inputs=[message(A, "A"), message(B, "B")]), operation(inputs=[message(B, "B"), message(A, "A")])
        )
        == []
    )


def test_a_declared_error_travels_as_one_more_output() -> None:
    old, new = operation(outputs=[message(A, "A")]), operation(outputs=[message(A, "A")], errors=[message(B, "B")])

    assert found(old, new) == [(ChangeRule.ERROR_ADDED, Level.WIRE, ["old core with new plugin"])]
    assert found(new, old) == [(ChangeRule.ERROR_REMOVED, Level.WIRE, ["new core with old plugin"])]


def test_a_change_of_a_shared_record_is_one_change_of_all_operations() -> None:
    wider = record("A", {"name": "x", "type": "long"})
    old = contract(operation("ask", inputs=[message(A)]), operation("tell", inputs=None, outputs=[message(A)]))
    new = contract(operation("ask", inputs=[message(wider)]), operation("tell", inputs=None, outputs=[message(wider)]))

    (change,) = compare_contracts(old, new)

    assert change.rule is ChangeRule.TYPE_WIDENED
    assert [": ".join(str(met).split(": ")[:2]) for met in change.encounters] == [
        "old plugin with new core: input of ask",
        "old core with new plugin: output of tell",
    ]
