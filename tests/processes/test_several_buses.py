"""A core that is on a broker and on the bus of its own process, with a plugin in another process and one beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from orbitalis import connect
from tests.processes.program import TextPlugin
from tests.processes.test_two_processes import QUICK
from tests.support.broker import Broker
from tests.support.events import until
from tests.support.orbiters import TextCore, needs, running
from tests.support.processes import OrbiterProcess

pytestmark = pytest.mark.timeout(180)


async def test_plugins_in_this_process_and_in_another(new_broker: Callable[..., Broker]) -> None:
    broker = new_broker()
    core = TextCore(
        identifier="core",
        eventbus_client=connect("local://several-buses", broker.url),
        operation_requirements={"lowercase": needs(minimum=2)["text"]},
        discovering_interval=0.2,
        **QUICK,
    )
    core.operation_sinks["lowercase"] = core._keep
    near = TextPlugin(identifier="near", eventbus_client=connect("local://several-buses"), **QUICK)
    async with OrbiterProcess("plugin", "far", broker.url, **QUICK) as far, running(near, core):
        async with asyncio.timeout(20):
            await core.compliant_event.wait()
        assert sorted(await core.execute("lowercase", "HELLO", all=True)) == ["far", "near"]
        await until(lambda: core.texts == ["hello", "hello"])
        assert await far.ask("connections") == ["core"]

        # Its death is noticed, the other is still there, and another process takes the place.
        await far.kill()
        async with asyncio.timeout(20):
            await core.not_compliant_event.wait()
        assert [one.remote_identifier for one in core.retrieve_connections()] == ["near"]
        async with OrbiterProcess("plugin", "next", broker.url, **QUICK):
            async with asyncio.timeout(20):
                await core.compliant_event.wait()
            await core.execute("lowercase", "AGAIN", plugin_identifier="next")
            await until(lambda: core.texts[2:] == ["again"])
