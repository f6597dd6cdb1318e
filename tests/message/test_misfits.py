"""What is said where one side does not read what the other one writes."""

from __future__ import annotations

import json

from orbitalis.message.misfits import misfits
from orbitalis_wire import messages


def record(name: str, field: str = "x") -> str:
    return json.dumps({"type": "record", "name": name, "fields": [{"name": field, "type": "int"}]})


def given(*schemas: str) -> tuple[tuple[messages.Input], tuple[messages.Output]]:
    return (messages.Input(schemas=[record("Sent")]),), (messages.Output(schemas=list(schemas)),)


MORE = given(record("Status"), record("TooHot"))
FEWER = given(record("Status"))


def test_a_message_that_one_side_has_beyond_those_of_the_other_is_told_to_both() -> None:
    (at_plugin,) = misfits(MORE, FEWER, frozenset(), is_plugin=True)
    (at_core,) = misfits(FEWER, MORE, frozenset(), is_plugin=False)

    assert at_plugin == (
        "output: 'TooHot' may be sent from here (a declared error counts), and all that is taken there is 'Status': "
        "give the other side a version that takes 'TooHot' first"
    )
    assert at_core == (
        "output: 'TooHot' may be sent from there (a declared error counts), and all that is taken here is 'Status': "
        "give this side a version that takes 'TooHot' first"
    )


def test_a_message_that_both_have_in_other_versions_is_told_by_its_difference() -> None:
    other = given(record("Status"), record("TooHot", "degrees"))
    (text,) = misfits(MORE, other, frozenset(), is_plugin=True)

    assert text == "output: the schema has no field in common: 'x' here and 'degrees' there"


def test_messages_of_which_none_is_taken_are_told_by_their_difference() -> None:
    (text,) = misfits(given(record("TooHot")), FEWER, frozenset(), is_plugin=True)

    assert text == "output: the schema is called 'TooHot' here and 'Status' there"
