"""A real broker, and connections that are cut between a message and its acknowledgement."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from orbitalis import StringMessage
from orbitalis.bus import MqttEventBusClient
from tests.chaos.proxy import Direction, Proxy
from tests.support.broker import Broker
from tests.support.events import until
from tests.support.orbiters import EchoPlugin, TextCore, needs

pytestmark = pytest.mark.timeout(120)

_GRACE = 60.0
"""Seconds: a machine with other work takes its time to connect again, and the connections are to outlast that."""


@pytest.fixture
async def proxies(broker: Broker) -> AsyncIterator[list[Proxy]]:
    """Give two proxies before a broker: one for the core, and one for the plugin."""
    both = [Proxy(broker.port, seed, patience=20.0) for seed in range(2)]
    for one in both:
        await one.start()
    yield both
    for one in both:
        await one.stop()


async def pair(proxies: list[Proxy], number: int) -> tuple[TextCore, EchoPlugin]:
    """Return a core and a plugin that reach the broker by a proxy each."""
    clients = [MqttEventBusClient("127.0.0.1", proxy.port) for proxy in proxies]
    core = TextCore(
        identifier=f"core{number}",
        eventbus_client=clients[0],
        operation_requirements=needs(allowlist=[f"plugin{number}"]),
        suspicion_grace=_GRACE,
    )
    return core, EchoPlugin(identifier=f"plugin{number}", eventbus_client=clients[1], suspicion_grace=_GRACE)


@pytest.mark.parametrize("run", range(5))
async def test_an_input_whose_acknowledgement_is_lost_is_handled_once(proxies: list[Proxy], run: int) -> None:
    core, plugin = await pair(proxies, run)
    async with plugin, core:
        await until(lambda: core.compliant_event.is_set() and bool(plugin.retrieve_connections()))
        # The broker has the input, and the core does not get to know.
        proxies[0].swallow(Direction.TO_CLIENT)
        await core.execute("text", "once", any=True, fire_and_forget=True)
        await until(lambda: plugin.received == ["once"])
        proxies[0].cut()
        # It is published again over the next connection.
        await until(lambda: plugin.statistics.duplicates == 1)
        await core.execute("text", "then", any=True)
        await until(lambda: plugin.received == ["once", "then"])

        assert plugin.statistics.missing == 0
        assert core.eventbus_client.statistics.reconnections == 1


@pytest.mark.parametrize("run", range(2))
async def test_an_output_whose_acknowledgement_is_lost_reaches_the_sink_once(proxies: list[Proxy], run: int) -> None:
    core, plugin = await pair(proxies, 10 + run)
    async with plugin, core:
        await until(lambda: core.compliant_event.is_set() and bool(plugin.retrieve_connections()))
        await core.execute("text", "first", any=True)
        await until(lambda: core.texts == ["first"])
        proxies[1].swallow(Direction.TO_CLIENT)
        waiting = plugin._runtime.publisher
        (connection,) = plugin.retrieve_connections()
        sending = waiting.send(str(connection.output_topic), StringMessage(value="once"), connection.headers)
        await until(lambda: core.texts == ["first", "once"])
        proxies[1].cut()
        assert sending is not None
        await sending
        await until(lambda: core.statistics.duplicates == 1)

        assert core.texts == ["first", "once"]
        assert core.statistics.missing == 0


async def test_what_is_published_while_the_receiver_is_away_is_lost_and_a_gap(
    proxies: list[Proxy], caplog: pytest.LogCaptureFixture
) -> None:
    core, plugin = await pair(proxies, 20)
    async with plugin, core:
        await until(lambda: core.compliant_event.is_set() and bool(plugin.retrieve_connections()))
        await core.execute("text", "before", any=True)
        await until(lambda: plugin.received == ["before"])
        # The broker takes the plugin's connection for alive until it is cut, and forgets what that has not got.
        proxies[1].swallow(Direction.TO_CLIENT, Direction.TO_BROKER)
        for _ in range(3):
            await core.execute("text", "lost", any=True)
        proxies[1].cut()
        await until(lambda: plugin.eventbus_client.statistics.reconnections == 1)
        await core.execute("text", "after", any=True)
        await until(lambda: plugin.received == ["before", "after"])

        assert plugin.statistics.missing == 3
        assert plugin.statistics.duplicates == 0
        assert [one.missing for one in plugin.retrieve_connections()] == [3]
        assert "plugin20 has not got 3 inputs of operation 'text' from 'core20': its connection" in caplog.text
