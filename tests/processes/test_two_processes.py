"""A core and a plugin as processes of their own over a real broker: at work, killed, cut off, and shouted at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiomqtt
import pytest

from tests.support.broker import Broker
from tests.support.processes import OrbiterProcess

pytestmark = pytest.mark.timeout(180)

#: Seconds; short, so that the tests need not wait long, and long enough for a busy machine.
QUICK: dict[str, Any] = {
    "loop_interval": 0.1,
    "consider_others_dead_after": 3.0,
    "send_keepalive_before_timelimit": 2.0,
}
CORE = {**QUICK, "discovering_interval": 0.2}

GARBAGE = [
    b"",
    b"\x00",
    b"{",
    b"{}",
    b"[" * 100_000,
    b"\xc3\x01" + b"\xff" * 40,
    b'{"identifier": 1, "timestamp": null}',
    b'{"serialized_payload": {"__type__": "bytes", "value": "!"}}',
    b"\xff" * 2_000_000,
]


@asynccontextmanager
async def connected(bus: str) -> AsyncIterator[tuple[OrbiterProcess, OrbiterProcess]]:
    """Start a core and a plugin, and wait until they are connected."""
    async with (
        OrbiterProcess("plugin", "plugin", bus, **QUICK) as plugin,
        OrbiterProcess("core", "core", bus, **CORE) as core,
    ):
        await core.expect("not compliant")
        await core.expect("compliant")
        yield core, plugin


async def executes(core: OrbiterProcess, text: str) -> None:
    assert isinstance(await core.ask("execute", text), list)
    await core.expect("result", value=text.lower())


async def executes_in_the_end(core: OrbiterProcess, text: str) -> None:
    """Execute until there is a result: what is published while the plugin is cut off is lost, as the bus says."""
    result = {"event": "result", "value": text.lower()}
    while result not in core.reports:
        await core.ask("execute", text)
        await core.ask("connections")


async def test_they_shake_hands_and_work_together(new_broker: Callable[..., Broker]) -> None:
    async with connected(new_broker().url) as (core, plugin):
        assert await core.ask("execute", "HELLO") == ["plugin"]
        await core.expect("result", value="hello")
        assert await plugin.ask("connections") == ["core"]

        assert await core.stop() == 0
        await core.expect("stopped", tasks=0)
        await plugin.expect("closed", remote="core")
        assert await plugin.ask("connections") == []
        assert await plugin.stop() == 0
        await plugin.expect("stopped", tasks=0)


async def test_a_killed_plugin_is_noticed_and_replaced(new_broker: Callable[..., Broker]) -> None:
    bus = new_broker().url
    async with connected(bus) as (core, plugin):
        await plugin.kill()

        await core.expect("not compliant")
        assert await core.ask("connections") == []
        assert "NoConnectionError" in await core.ask("execute", "HELLO")
        async with OrbiterProcess("plugin", "other", bus, **QUICK):
            await core.expect("compliant")
            await executes(core, "AGAIN")


async def test_a_plugin_that_comes_back_at_once_is_connected_anew(new_broker: Callable[..., Broker]) -> None:
    """It comes back before anybody could notice that it was gone, and has forgotten everything."""
    bus = new_broker().url
    patient = {**CORE, "consider_others_dead_after": 600.0, "discovering_interval_when_compliant": 0.5}
    async with (
        OrbiterProcess("plugin", "plugin", bus, **QUICK) as plugin,
        OrbiterProcess("core", "core", bus, **patient) as core,
    ):
        await core.expect("not compliant")
        await core.expect("compliant")
        await plugin.kill()

        async with OrbiterProcess("plugin", "plugin", bus, **QUICK):
            await core.expect("not compliant")
            await core.expect("compliant")
            await executes(core, "AGAIN")


async def test_nobody_waits_for_the_next_discover(new_broker: Callable[..., Broker]) -> None:
    """Cores that ask everybody once an hour: a plugin comes late, its slot becomes free, and it is killed and back."""
    bus = new_broker().url
    patient: dict[str, Any] = {
        "maximum": 1,
        "consider_others_dead_after": 600.0,
        "discovering_interval": 3600.0,
        "discovering_interval_when_compliant": 3600.0,
    }
    async with (
        OrbiterProcess("core", "first", bus, **patient) as first,
        OrbiterProcess("core", "second", bus, **patient) as second,
    ):
        await first.expect("not compliant")
        await second.expect("not compliant")
        async with OrbiterProcess("plugin", "plugin", bus, **QUICK) as plugin:
            lucky, waiting = first, second
            while await lucky.ask("connections") == []:
                lucky, waiting = waiting, lucky
            await lucky.expect("compliant")
            assert await lucky.stop() == 0
            await waiting.expect("compliant")
            await executes(waiting, "MINE")
            assert await plugin.ask("connections") == [waiting.identifier]
            await plugin.kill()

            async with OrbiterProcess("plugin", "plugin", bus, **QUICK):
                await waiting.expect("dead", remote="plugin")
                await waiting.expect("compliant")
                await executes(waiting, "AGAIN")


async def test_a_killed_core_gives_its_slot_back(new_broker: Callable[..., Broker]) -> None:
    bus = new_broker().url
    async with connected(bus) as (core, plugin), OrbiterProcess("core", "waiting", bus, **CORE) as waiting:
        await core.kill()

        await plugin.expect("closed", remote="core")
        await waiting.expect("compliant")
        await executes(waiting, "MINE")
        assert await plugin.ask("connections") == ["waiting"]


async def test_requests_are_answered_fail_and_end_with_a_killed_plugin(new_broker: Callable[..., Broker]) -> None:
    async with connected(new_broker().url) as (core, plugin):
        texts = [f"TEXT {number}" for number in range(50)]
        assert await core.ask("request", *texts) == [text.lower() for text in texts]
        failed = (
            "OperationFailedError: request of operation 'lowercase' to 'plugin': failed with ValueError: told to fail"
        )
        assert await core.ask("request", "FAIL") == failed
        assert await core.ask("request", "AGAIN") == ["again"]
        assert [report for report in core.reports if report["event"] == "result"] == []

        core.tell("request", "WAIT")
        await plugin.expect("waiting")
        await plugin.kill()
        lost = (await core.expect("answer"))["value"]
        assert lost.startswith("RemoteLostError: request of operation 'lowercase' to 'plugin': no answer")
        assert lost.endswith("the remote is dead")


async def test_a_broker_that_was_away_costs_no_connection(new_broker: Callable[..., Broker]) -> None:
    broker = new_broker()
    async with connected(broker.url) as (core, plugin):
        for number in range(3):
            broker.restart()
            await executes_in_the_end(core, f"BACK {number}")

        assert await core.ask("connections") == ["plugin"]
        assert await plugin.ask("connections") == ["core"]
        assert [report for report in core.reports if report["event"] == "closed"] == []


async def test_garbage_on_every_topic_ends_nothing(new_broker: Callable[..., Broker]) -> None:
    broker = new_broker()
    async with connected(broker.url) as (core, plugin):
        async with aiomqtt.Client(broker.host, broker.port) as stranger:
            topics = {*await core.ask("topics"), *await plugin.ask("topics"), "$handshake.discover"}
            for one, other in (("core", "plugin"), ("plugin", "core")):
                topics |= {
                    f"orbitalis/{one}/{other}/{kind}"
                    for kind in ("offer", "reply", "response", "keepalive", "keepalive-request")
                }
            for topic in topics:
                for payload in GARBAGE:
                    await stranger.publish(topic, payload, qos=1)

        assert len(topics) >= 15
        await executes(core, "SECOND")
        assert await core.ask("statistics") > 0
        assert await plugin.ask("statistics") > 0
        assert await core.ask("connections") == ["plugin"]
        assert [report for report in core.reports if report["event"] == "closed"] == []


async def test_many_plugins_and_cores_find_each_other(new_broker: Callable[..., Broker]) -> None:
    """Every plugin lends to one core only, every core takes one, and there are as many of the one as of the other."""
    bus = new_broker().url
    pairs = 3
    async with asyncio.TaskGroup() as group:
        cores = [OrbiterProcess("core", f"core{n}", bus, maximum=1, **CORE) for n in range(pairs)]
        plugins = [OrbiterProcess("plugin", f"plugin{n}", bus, **QUICK) for n in range(pairs)]
        for process in (*cores, *plugins):
            group.create_task(process.__aenter__())
    try:
        await asyncio.gather(*(core.ask("connections") for core in cores))
        lent: dict[str, str] = {}
        while len(lent) < pairs:
            lent = {}
            for plugin in plugins:
                connections = await plugin.ask("connections")
                assert len(connections) <= 1
                lent |= dict.fromkeys(connections, plugin.identifier)
    finally:
        await asyncio.gather(*(process.kill() for process in (*cores, *plugins)))
