"""Documents that say a contract: what stands in them, and that the official parser accepts them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from orbitalis_avro.canonical_form import canonical_form_of
from orbitalis_codegen.contract.document import document_of
from orbitalis_codegen.contract.model import Contract, ContractOperation
from tests.codegen.contract.random_contracts import random_contract
from tests.support.repository import ROOT, run

VALIDATOR = ROOT / "tools" / "validate-specification.mjs"
SEEDS = range(25)


def tree_of(contract: Contract) -> Any:
    return yaml.safe_load(document_of(contract))


def followed(tree: Any, reference: Any) -> Any:
    """Return what a reference leads to, through others."""
    while "$ref" in reference:
        found = tree
        for key in reference["$ref"].split("/")[1:]:
            found = found[key]
        reference = found
    return reference


def test_official_parser_accepts_what_is_written(tmp_path: Path) -> None:
    documents = [tmp_path / f"contract{seed}.yaml" for seed in SEEDS]
    for seed, path in zip(SEEDS, documents, strict=True):
        path.write_text(document_of(random_contract(seed)), encoding="utf-8")

    output = run(["node", VALIDATOR, *documents])

    assert output.count(": valid, ") == len(documents), output


@pytest.mark.parametrize("seed", SEEDS)
def test_every_operation_has_its_messages(seed: int) -> None:
    contract = random_contract(seed)
    tree = tree_of(contract)

    assert list(tree["operations"]) == list(contract.operations)
    for key, operation in contract.operations.items():
        written = tree["operations"][key]
        assert written["action"] == ("receive" if operation.has_input else "send")
        assert (written.get("summary", ""), written.get("description", "")) == (
            operation.summary,
            operation.description,
        )
        assert followed(tree, written["channel"])["address"] is None
        outputs = [(one, False) for one in operation.outputs] + [(one, True) for one in operation.errors]
        if operation.has_input:
            check_messages(tree, written, [(one, False) for one in operation.inputs])
            assert written.get("x-input") == (None if operation.inputs else "empty")
            check_messages(tree, written.get("reply", {}), outputs)
        else:
            check_messages(tree, written, outputs)


def check_messages(tree: Any, side: Any, expected: list[tuple[Any, bool]]) -> None:
    """Hold the messages of an operation, or of its reply, against those of the contract."""
    written = [followed(tree, reference) for reference in side.get("messages", ())]
    assert len(written) == len(expected)
    for found, (message, is_error) in zip(written, expected, strict=True):
        schema = followed(tree, found["payload"])
        assert "avro" in schema["schemaFormat"]
        assert canonical_form_of(schema["schema"]) == message.canonical_form
        assert ("headers" in found) == (message.headers is not None)
        assert found.get("x-error", False) is is_error
        for text in ("title", "summary", "description"):
            assert found.get(text, "") == getattr(message, text)


def test_the_same_contract_gives_the_same_text() -> None:
    assert document_of(random_contract(3)) == document_of(random_contract(3))


def one_operation(operation: ContractOperation) -> Contract:
    return replace(random_contract(1), operations={operation.key: operation})


def test_a_message_that_is_used_twice_stands_once() -> None:
    contract = random_contract(1)
    (message,) = next(one for one in contract.operations.values() if len(one.inputs) == 1).inputs
    operation = ContractOperation(
        key="echo",
        summary="",
        description="",
        has_input=True,
        inputs=(message,),
        outputs=(message,),
        errors=(),
        position=message.position,
    )

    tree = tree_of(one_operation(operation))

    assert list(tree["components"]["messages"]) == [message.key]


def test_an_error_and_a_result_of_the_same_key_stand_apart() -> None:
    contract = random_contract(1)
    message = next(one for one in contract.operations.values() if one.errors).errors[0]
    operation = ContractOperation(
        key="try/it out",
        summary="",
        description="",
        has_input=True,
        inputs=(),
        outputs=(message,),
        errors=(message,),
        position=message.position,
    )

    tree = tree_of(one_operation(operation))

    messages = tree["components"]["messages"]
    assert [one.get("x-error") for one in messages.values()] == [None, True]
    assert list(tree["channels"]) == ["try_it_out", "try_it_out_reply"]
    assert list(tree["operations"]) == ["try/it out"]


def test_a_reply_takes_no_name_of_an_operation() -> None:
    contract = random_contract(1)
    asked = next(one for one in contract.operations.values() if one.has_input and one.outputs)

    tree = tree_of(
        replace(contract, operations={"ask": replace(asked, key="ask"), "ask_reply": replace(asked, key="ask_reply")})
    )

    assert list(tree["channels"]) == ["ask", "ask_reply_2", "ask_reply", "ask_reply_reply"]
    assert tree["operations"]["ask_reply"]["channel"] == {"$ref": "#/channels/ask_reply"}
    assert tree["operations"]["ask"]["reply"]["channel"] == {"$ref": "#/channels/ask_reply_2"}


def test_names_of_types_have_no_dots() -> None:
    schema = {
        "type": "record",
        "name": "lamps.Level",
        "aliases": ["lamps.Degree", "Grade"],
        "fields": [
            {"name": "of", "type": {"type": "record", "name": "lamps.Where", "fields": []}, "default": {"name": "a.b"}},
            {"name": "by", "type": ["null", {"type": "enum", "name": "people.Who", "symbols": ["ME"]}]},
            {"name": "also", "type": {"type": "array", "items": "people.Who"}},
        ],
        "doc": "How bright.",
    }
    contract = random_contract(1)
    operation = next(one for one in contract.operations.values() if one.inputs)
    message = replace(operation.inputs[0], plain=None, payload="lamps.Level", schema=json.dumps(schema), headers=None)

    tree = tree_of(one_operation(replace(operation, inputs=(message,), outputs=(), errors=())))

    assert tree["components"]["schemas"] == {
        "Level": {
            "schemaFormat": "application/vnd.apache.avro;version=1.9.0",
            "schema": {
                "type": "record",
                "name": "Level",
                "namespace": "lamps",
                "aliases": ["Degree", "Grade"],
                "doc": "How bright.",
                "fields": [
                    {
                        "name": "of",
                        "type": {"type": "record", "name": "Where", "fields": []},
                        "default": {"name": "a.b"},
                    },
                    {
                        "name": "by",
                        "type": ["null", {"type": "enum", "name": "Who", "namespace": "people", "symbols": ["ME"]}],
                    },
                    {"name": "also", "type": {"type": "array", "items": "people.Who"}},
                ],
            },
        }
    }
    assert list(tree["components"]["schemas"]["Level"]["schema"])[-1] == "fields"
