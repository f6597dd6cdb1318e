"""Spellings: a core asks for schemas in the words of older plugins, too, which compare schemas as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orbitalis import Constraint, Core, Input, OperationRequirement, Output, Plugin, StringMessage, operation
from orbitalis.bus import LocalEventBus
from tests.support.orbiters import on

OLDER_TEXT = json.dumps({**json.loads(StringMessage.avro_schema()), "doc": "Wrap `str`"})
OTHER = Input.int64().schemas[0]


class Lower(Plugin):
    @operation
    async def lowercase(self, text: str) -> str | None:
        return text.lower()


def constraint(**rules: Any) -> Constraint:
    return Constraint(inputs=[Input.string()], outputs=[Output.string(), Output.no_output()], **rules)


def test_inputs_and_outputs_are_asked_for_in_both_spellings() -> None:
    terms = constraint(spellings=[OLDER_TEXT]).terms()
    assert terms.inputs == (Input.string(), Input.from_schema(OLDER_TEXT))
    assert terms.outputs == (Output.string(), Output.no_output(), Output.from_schema(OLDER_TEXT))
    assert constraint().terms().inputs == (Input.string(),)


def test_each_schema_of_a_set_is_spelled_and_what_else_it_accepts_stays() -> None:
    either = Input.string() | Input.int64() | Input.empty()
    terms = Constraint(inputs=[either], outputs=[Output.no_output()], spellings=[OLDER_TEXT]).terms()
    assert terms.inputs == (either, Input(schemas=(OLDER_TEXT, OTHER), support_empty_schema=True))
    assert terms.outputs == (Output.no_output(),)


@pytest.mark.parametrize("spelling", [OTHER, StringMessage.avro_schema()], ids=["of another", "the same"])
def test_a_spelling_that_says_nothing_new_has_no_effect(spelling: str) -> None:
    assert constraint(spellings=[spelling]).terms() == constraint().terms()


def test_spellings_may_be_assigned_later() -> None:
    edited = constraint()
    edited.spellings = [OLDER_TEXT]
    assert edited.terms() == constraint(spellings=[OLDER_TEXT]).terms()


async def test_a_requirement_of_an_operation_takes_them(bus: LocalEventBus) -> None:
    terms = OperationRequirement.for_operation(Lower.lowercase, spellings=[OLDER_TEXT]).constraint.terms()
    assert terms.inputs == (Input.string(), Input.from_schema(OLDER_TEXT))
    assert terms.outputs == (Output.string(), Output.from_schema(OLDER_TEXT))
    core = Core(eventbus_client=on(bus)).with_requirement(Lower.lowercase, spellings=[OLDER_TEXT])
    assert core.operation_requirements["lowercase"].constraint.terms() == terms


@pytest.mark.parametrize(
    ("given", "kind", "text"),
    [
        (OLDER_TEXT, TypeError, "spellings must be a list"),
        (None, TypeError, "spellings must not be None"),
        ([StringMessage], TypeError, "spellings must be a list of Avro schemas as JSON text"),
        (["StringMessage.avsc"], ValueError, "this is none: 'StringMessage.avsc'"),
    ],
    ids=["text", "None", "class", "path"],
)
def test_what_is_no_list_of_schemas_is_refused(given: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        constraint(spellings=given)
