"""Calls from the command line: checked before they are sent, and answered in JSON."""

from __future__ import annotations

import json

from orbitalis import connect
from tests.cli.command import orbitalis
from tests.cli.orbiters import Dimmer, Lamp, running
from tests.support.broker import Broker


def lamp(broker: Broker, identifier: str = "lamp") -> Lamp:
    return Lamp(identifier=identifier, eventbus_client=connect(broker.url))


async def test_the_answer_is_json(broker: Broker) -> None:
    async with running(lamp(broker)):
        state = await orbitalis("call", "light", '{"level": 0.5, "colour": "COLD"}', bus=broker.url)
        name = await orbitalis("call", "name", "--json", bus=broker.url)

    assert (state.status, state.data) == (0, {"level": 0.5, "colour": "COLD"})
    assert (name.status, name.data) == (0, {"plugin": "lamp", "answer": "lamp"})


async def test_what_does_not_fit_the_schema_is_not_sent(broker: Broker) -> None:
    plugin = lamp(broker)
    async with running(plugin):
        outcome = await orbitalis("call", "light", '{"level": "high"}', bus=broker.url)
        without = await orbitalis("call", "light", bus=broker.url)

    assert (outcome.status, without.status) == (2, 2)
    assert outcome.errors == (
        "orbitalis: the input is not what operation 'light' takes: field 'level' of Light: "
        'expected a number, got "high"\n'
        'it takes Light {level: double, colour: WARM | COLD = "WARM"}\n'
    )
    assert "needs an input: Light {level: double" in without.errors
    assert plugin.operation_statistics == {}


async def test_what_is_no_json_is_not_even_asked_about() -> None:
    outcome = await orbitalis("call", "light", "{", bus="mqtt://nowhere.invalid")

    assert (outcome.status, outcome.output) == (2, "")
    assert outcome.errors.startswith("orbitalis: the input is no JSON: ")


async def test_different_operations_of_one_name_are_ambiguous(broker: Broker) -> None:
    async with running(lamp(broker), Dimmer(identifier="dimmer", eventbus_client=connect(broker.url))):
        ambiguous = await orbitalis("call", "light", "5", bus=broker.url)
        one = await orbitalis("call", "light", "5", "--plugin", "dimmer", bus=broker.url)

    assert (ambiguous.status, ambiguous.output) == (2, "")
    assert "say which one with --plugin, or --all" in ambiguous.errors
    assert "\n  dimmer: takes integer and gives integer" in ambiguous.errors
    assert (one.status, one.data) == (0, 5)


async def test_all_that_have_it_are_called(broker: Broker) -> None:
    async with running(lamp(broker, "a"), lamp(broker, "b")):
        outcome = await orbitalis("call", "name", "--all", bus=broker.url)

    assert outcome.status == 0
    assert outcome.data == [{"plugin": "a", "answer": "a"}, {"plugin": "b", "answer": "b"}]


async def test_lines_of_standard_input_are_executed_one_after_the_other(broker: Broker) -> None:
    given = '{"level": 1}\n\n{"level": 3}\n{"lvl": 1}\n{"level": 0}\n'
    async with running(lamp(broker)):
        outcome = await orbitalis("call", "light", "-", bus=broker.url, given=given)

    first, second, third, fourth = map(json.loads, outcome.output.splitlines())
    assert outcome.status == 5
    assert first == {"line": 1, "plugin": "lamp", "answer": {"level": 1.0, "colour": "WARM"}}
    assert "no such level: 3.0" in second["error"]
    assert "field 'lvl' of Light" in third["error"]
    assert (fourth["line"], fourth["answer"]["level"]) == (5, 0.0)


async def test_what_nobody_has_or_lends(broker: Broker) -> None:
    async with running(lamp(broker)):
        unknown = await orbitalis("call", "lihgt", "5", bus=broker.url)
        of_one = await orbitalis("call", "nmae", "--plugin", "lamp", bus=broker.url)
        refused = await orbitalis("call", "secret", '"x"', "--timeout", "0.5", bus=broker.url)

    assert (unknown.status, unknown.errors) == (
        4,
        "orbitalis: no plugin has an operation 'lihgt'; did you mean 'light'?\n",
    )
    assert (of_one.status, of_one.errors) == (
        4,
        "orbitalis: plugin 'lamp' has no operation 'nmae'; did you mean 'name'?\n",
    )
    assert refused.status == 5
    assert refused.errors.startswith("orbitalis: no connection within 0.5 s")


async def test_nothing_is_left_of_a_call(broker: Broker) -> None:
    plugin = lamp(broker)
    async with running(plugin):
        await orbitalis("call", "name", bus=broker.url)
        assert plugin.retrieve_connections() == []
