"""What goes over the bus, shown as it passes."""

from __future__ import annotations

import asyncio
import json

from orbitalis import connect
from tests.cli.command import orbitalis
from tests.cli.orbiters import Colour, Home, Lamp, Light, running
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
