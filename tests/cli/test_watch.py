"""What goes over the bus, shown as it passes."""

from __future__ import annotations

import asyncio
import json
import signal

from orbitalis import connect
from tests.cli.command import orbitalis
from tests.cli.orbiters import Colour, Home, Lamp, Light, running
from tests.examples.programs import Program, marked
from tests.support.broker import Broker


async def test_events_are_shown_decoded(broker: Broker) -> None:
    core = Home(identifier="home", eventbus_client=connect(broker.url)).with_requirement(Lamp.light, minimum=1)
    async with running(Lamp(identifier="lamp", eventbus_client=connect(broker.url)), core):
        await core.compliant_event.wait()
        kinds = ("--kind", "operationInput", "--kind", "operationOutput")
        watching = [
            asyncio.create_task(orbitalis("watch", "lamp", *kinds, "--count", "2", *more, bus=broker.url))
            for more in (("--json",), ("--operation", "light"))
        ]
        # Until both have seen what they wait for: nothing says when they have begun to listen.
        while not all(one.done() for one in watching):
            await core.request(Lamp.light, Light(level=0.25, colour=Colour.COLD))
            await asyncio.wait(watching, timeout=0.2)
        as_json, as_text = (one.result() for one in watching)

    assert as_json.status == as_text.status == 0
    seen = sorted(map(json.loads, as_json.output.splitlines()), key=lambda one: str(one["kind"]))
    assert [(one["kind"], one["sender"], one["recipient"]) for one in seen] == [
        ("operationInput", "home", "lamp"),
        ("operationOutput", "lamp", "home"),
    ]
    assert [one["payload"] for one in seen] == [{"level": 0.25, "colour": "COLD"}] * 2
    assert {one["message"] for one in seen} == {"Light", "State"}
    assert 'home → lamp  light  Light {"level": 0.25, "colour": "COLD"}' in as_text.output


async def test_control_c_ends_it_without_a_word(broker: Broker) -> None:
    # It hears itself ask, so there is something to wait for.
    listening = ("watch", "--kind", "introspectionOfAll", "--bus", broker.url)
    with Program("orbitalis.cli", *listening, environment=marked()) as program:
        await asyncio.to_thread(program.expect, "introspectionOfAll")
        assert program.end(signal.SIGINT) == 130

    assert [line for line in program.output if "introspectionOfAll" not in line] == []
