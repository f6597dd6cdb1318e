"""Those who are connected, and those who come, are served while a real bus is flooded."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import aiomqtt
import pytest

from orbitalis.bus import EventBusClient, LocalEventBus, LocalEventBusClient, MqttEventBusClient
from orbitalis.message.event import Event
from orbitalis.protocol.limits import Limits
from orbitalis_wire.envelope import Encoding
from tests.security.hostile import discover
from tests.support.broker import Broker
from tests.support.orbiters import EchoPlugin, TextCore, all_connected, needs, running

EVENTS = int(os.environ.get("ORBITALIS_FLOOD_EVENTS", "8000"))
_PAUSE = 0.02


async def latencies(core: TextCore, until_done: asyncio.Task[None]) -> list[float]:
    """Measure one text after the other, there and back, until something is done."""
    measured: list[float] = []
    while not until_done.done() or len(measured) < 20:
        count, begin = len(core.texts), time.perf_counter()
        await core.execute("text", "x", any=True)
        async with asyncio.timeout(20):
            while len(core.texts) == count:  # noqa: ASYNC110 - sinks tell of nothing
                await asyncio.sleep(0.001)
        measured.append(time.perf_counter() - begin)
        await asyncio.sleep(_PAUSE)
    return sorted(measured)


async def besiege(
    client: Callable[[], EventBusClient], send: Callable[[], Awaitable[None]], caplog: pytest.LogCaptureFixture
) -> None:
    """Have a plugin flooded that has a neighbour, and gets another one meanwhile."""
    caplog.set_level(logging.WARNING)
    plugin = EchoPlugin(identifier="besieged", eventbus_client=client(), limits=Limits(stranger_events_per_second=200))
    cores = [
        TextCore(identifier=name, eventbus_client=client(), operation_requirements=needs(allowlist=["besieged"]))
        for name in ("neighbour", "newcomer")
    ]
    neighbour, newcomer = cores
    async with running(plugin, neighbour):
        await all_connected(neighbour, [plugin])
        calm = await latencies(neighbour, asyncio.create_task(asyncio.sleep(0)))
        begin = time.perf_counter()
        flood = asyncio.ensure_future(send())
        measuring = asyncio.create_task(latencies(neighbour, flood))
        await asyncio.sleep(0.2)
        async with newcomer:
            arrived = time.perf_counter()
            async with asyncio.timeout(60):
                while not newcomer.retrieve_connections():  # noqa: ASYNC110 - with or without the flood
                    await asyncio.sleep(0.01)
            served = time.perf_counter() - arrived
            await flood
            seconds = time.perf_counter() - begin
            stormy = await measuring
        assert len(plugin.retrieve_connections()) >= 1
        print(
            f"{EVENTS / seconds:.0f} events/s; there and back {calm[len(calm) // 2] * 1000:.1f} ms in calm, "
            f"{stormy[len(stormy) // 2] * 1000:.1f} ms (at most {stormy[-1] * 1000:.0f}) in the flood; newcomer "
            f"connected after {served:.2f} s; {plugin.statistics}"
        )
        counted = plugin.statistics
        dropped = plugin.eventbus_client.statistics.dropped
        assert counted.too_fast_strangers + counted.crowded_out + counted.turned_away + dropped > EVENTS // 10
        assert stormy[len(stormy) // 2] < 1.0
        assert sum("has reached limits" in one.getMessage() for one in caplog.records) <= 1 + seconds / 10 + 1
        assert len(caplog.records) < 100


async def test_a_flood_within_the_process(caplog: pytest.LogCaptureFixture) -> None:
    bus = LocalEventBus()
    hostile = LocalEventBusClient(bus)

    async def send() -> None:
        await hostile.connect()
        for number in range(EVENTS):
            packet = discover(number)
            event = Event(payload=packet.message, envelope=packet.envelope)
            await hostile.publish(packet.topic, event)
        await hostile.disconnect()

    await besiege(lambda: LocalEventBusClient(bus), send, caplog)


async def test_a_flood_through_a_broker(new_broker: Callable[..., Broker], caplog: pytest.LogCaptureFixture) -> None:
    broker = new_broker()

    async def send() -> None:
        packets = (discover(number) for number in range(EVENTS))
        async with aiomqtt.Client(broker.host, broker.port) as hostile:
            for number, packet in enumerate(packets):
                data = Event(payload=packet.message, envelope=packet.envelope).encode(Encoding.JSON)
                with suppress(aiomqtt.MqttCodeError):
                    await hostile.publish(packet.topic, data, qos=0)
                if number % 20 == 0:
                    await asyncio.sleep(0)

    await besiege(lambda: MqttEventBusClient(broker.host, broker.port), send, caplog)
