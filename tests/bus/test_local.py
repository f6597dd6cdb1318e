"""The bus within a process: which clients share one, and that messages are handed over."""

from __future__ import annotations

import asyncio
import gc
import threading

from orbitalis.bus import LocalEventBus, LocalEventBusClient, QueueBounds, build_new_local_client
from orbitalis_wire.messages import StringMessage
from tests.support.events import Collector


async def test_messages_are_handed_over_as_they_are() -> None:
    client = LocalEventBusClient(LocalEventBus())
    await client.connect()
    collector = Collector()
    await client.subscribe("topic", collector)
    message = StringMessage(value="x")
    await client.publish("topic", message)
    await collector.wait_for(1)
    assert collector.received[0][1].payload is message
    assert collector.received[0][1].envelope.serialized_payload is None
    await client.disconnect()


async def test_clients_share_the_default_bus() -> None:
    publisher, subscriber = build_new_local_client(), build_new_local_client()
    assert publisher.identifier != subscriber.identifier
    await publisher.connect()
    await subscriber.connect()
    collector = Collector()
    await subscriber.subscribe("topic", collector)
    await publisher.publish("topic", "shared")
    await collector.wait_for(1)
    await publisher.disconnect()
    await subscriber.disconnect()


def test_buses_go_by_name_as_long_as_somebody_holds_them() -> None:
    bus = LocalEventBus.named("kitchen")
    assert LocalEventBus.named("kitchen") is bus
    assert LocalEventBus.named("cellar") is not bus
    assert LocalEventBus.named() is not bus
    address = id(bus)
    other = LocalEventBusClient(bus)
    del bus
    gc.collect()
    assert id(LocalEventBus.named("kitchen")) == address
    del other
    gc.collect()
    assert "kitchen" not in LocalEventBus._named


async def test_named_buses_are_apart() -> None:
    clients = [LocalEventBusClient(LocalEventBus.named(name)) for name in ("kitchen", "cellar", "kitchen")]
    collectors = [Collector() for _ in clients]
    for client, collector in zip(clients, collectors, strict=True):
        await client.connect()
        await client.subscribe("topic", collector)
    await clients[0].publish("topic", "soup")
    await collectors[2].wait_for(1)
    await collectors[0].wait_for(1)
    assert collectors[1].values == []
    for client in clients:
        await client.disconnect()


async def test_whoever_publishes_in_a_loop_lets_handlers_have_their_turn() -> None:
    client = LocalEventBusClient(LocalEventBus(), queue_bounds=QueueBounds(events=10))
    await client.connect()
    collector = Collector()
    await client.subscribe("topic", collector)
    for number in range(1_000):
        await client.publish("topic", number)
    await collector.wait_for(1_000)
    assert client.statistics.dropped == 0
    await client.disconnect()


async def test_handlers_run_in_the_event_loop_of_their_client() -> None:
    bus = LocalEventBus()
    publisher, subscriber = LocalEventBusClient(bus), LocalEventBusClient(bus)
    await publisher.connect()
    await subscriber.connect()
    collector = Collector()
    threads: set[int] = set()
    await subscriber.subscribe("topic", lambda topic, event: threads.add(threading.get_ident()))
    await subscriber.subscribe("#", collector)

    async def publish() -> None:
        for number in range(100):
            await publisher.publish("topic", number)

    await asyncio.to_thread(asyncio.run, publish())
    await collector.wait_for(100)
    assert collector.values == list(range(100))
    assert threads == {threading.get_ident()}
    await subscriber.disconnect()
    await publisher.disconnect()


def test_clients_whose_event_loop_ended_do_not_matter() -> None:
    bus = LocalEventBus()
    collector = Collector()

    async def subscribe_and_forget() -> LocalEventBusClient:
        client = LocalEventBusClient(bus)
        await client.connect()
        await client.subscribe("topic", Collector())
        return client

    async def publish() -> None:
        client = LocalEventBusClient(bus)
        await client.connect()
        await client.subscribe("topic", collector)
        await client.publish("topic", 1)
        await client.publish("topic", 2)
        await collector.wait_for(2)
        await client.disconnect()

    forgotten = asyncio.run(subscribe_and_forget())
    asyncio.run(publish())
    assert forgotten.statistics.received == 0
