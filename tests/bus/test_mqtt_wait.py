"""Waiting for a broker that is not there yet."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest

from orbitalis import Plugin
from orbitalis.bus import MqttEventBusClient, connect
from orbitalis.errors import BusRefusedError, BusUnavailableError
from tests.bus.conftest import NewMqttClient
from tests.bus.scripted_broker import ScriptedBroker
from tests.support.broker import Broker, unused_port
from tests.support.events import Collector, until

NewBroker = Callable[..., Broker]


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged of waiting."""
    return [record.message for record in caplog.records if "waits up to" in record.message]


async def test_a_broker_that_comes_later_is_waited_for_and_that_is_told_once(
    new_broker: NewBroker, new_mqtt_client: NewMqttClient, caplog: pytest.LogCaptureFixture
) -> None:
    broker = new_broker()
    broker.stop()
    client = new_mqtt_client(broker, wait=60.0)
    attempts = 0
    open_once = client._open

    async def count_attempts() -> object:
        nonlocal attempts
        attempts += 1
        return await open_once()

    client._open = count_attempts  # type: ignore[method-assign,assignment]  # to see that there were some
    connecting = asyncio.create_task(client.connect())
    await until(lambda: attempts >= 3)
    assert not connecting.done()
    await asyncio.to_thread(broker.start)
    await connecting
    (line,) = told(caplog)
    assert "waits up to 60 s for the broker: cannot connect to mqtt://127.0.0.1" in line
    collector = Collector()
    await client.subscribe("topic", collector)
    await client.publish("topic", "there")
    await collector.wait_for(1)


async def test_waiting_ends_with_an_error_that_says_how_long_it_was() -> None:
    client = MqttEventBusClient("127.0.0.1", unused_port(), wait=0.3)
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(BusUnavailableError, match=r"refused.*; it was waited for, up to 0\.3 s"):
        await client.connect()
    assert loop.time() - began >= 0.3
    assert not client.is_connected


@pytest.mark.parametrize("wait", [None, 0, 0.0])
async def test_without_a_wait_there_is_one_attempt(wait: float | None, caplog: pytest.LogCaptureFixture) -> None:
    client = MqttEventBusClient("127.0.0.1", unused_port(), wait=wait)
    with pytest.raises(BusUnavailableError) as failure:
        await client.connect()
    assert "waited" not in str(failure.value)
    assert told(caplog) == []


async def test_a_broker_that_refuses_is_not_waited_for() -> None:
    async with ScriptedBroker(connect_reason=0x86) as broker:
        client = MqttEventBusClient(broker.host, broker.port, wait=60.0)
        with pytest.raises(BusRefusedError):
            await client.connect()
        assert broker.count(1) == 1


async def test_waiting_can_be_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    before = asyncio.all_tasks()
    client = MqttEventBusClient("127.0.0.1", unused_port(), wait=600.0)
    connecting = asyncio.create_task(client.connect())
    await until(lambda: told(caplog) != [])
    connecting.cancel()
    async with asyncio.timeout(5):
        with pytest.raises(asyncio.CancelledError):
            await connecting
    await client.disconnect()
    assert asyncio.all_tasks() == before


async def test_an_orbiter_starts_when_its_broker_comes(new_broker: NewBroker, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "orbitalis")
    broker = new_broker()
    broker.stop()
    plugin = Plugin(identifier="early", eventbus_client=connect(broker.url, wait=60))
    starting = asyncio.create_task(plugin.start())
    await until(lambda: told(caplog) != [])
    assert not plugin.is_running
    await asyncio.to_thread(broker.start)
    await starting
    assert plugin.is_running
    await plugin.stop()
