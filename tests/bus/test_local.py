"""The bus within a process: which clients share one, and that messages are handed over."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import threading
from typing import Any

import pytest

from orbitalis.bus import EventHandler, LocalEventBus, LocalEventBusClient, QueueBounds, build_new_local_client
from orbitalis.message import Event
from orbitalis_wire import limits
from orbitalis_wire.messages import StringMessage
from tests.support.events import Collector, until


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


async def test_a_sender_that_publishes_in_a_loop_lets_handlers_have_their_turn() -> None:
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
    subscriber = LocalEventBusClient(bus)
    await subscriber.connect()
    collector = Collector()
    threads: set[int] = set()
    await subscriber.subscribe("topic", lambda topic, event: threads.add(threading.get_ident()))
    await subscriber.subscribe("#", collector)

    async def publish() -> None:
        publisher = LocalEventBusClient(bus)
        await publisher.connect()
        for number in range(100):
            await publisher.publish("topic", number)
        await publisher.disconnect()

    await asyncio.to_thread(asyncio.run, publish())
    await collector.wait_for(100)
    assert collector.values == list(range(100))
    assert threads == {threading.get_ident()}
    await subscriber.disconnect()


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


async def connected(bus: LocalEventBus) -> LocalEventBusClient:
    """Return a client of a bus that is connected to it."""
    client = LocalEventBusClient(bus)
    await client.connect()
    return client


async def test_all_subscribers_get_events_in_the_order_in_which_they_were_published() -> None:
    bus = LocalEventBus()
    clients = [await connected(bus) for _ in range(3)]
    order: list[tuple[int, str, int]] = []

    for place, client in enumerate(clients):
        for topic_filter in ("a", "b", "+"):

            def note(topic: str, event: Event[Any], place: int = place, topic_filter: str = topic_filter) -> None:
                order.append((place, topic_filter, event.payload.value))

            await client.subscribe(topic_filter, note)
    await asyncio.gather(*(clients[number % 3].publish("ab"[number % 2], number) for number in range(150)))
    await until(lambda: len(order) == 150 * 6)

    for place in range(3):
        for topic_filter, expected in (("a", range(0, 150, 2)), ("b", range(1, 150, 2)), ("+", range(150))):
            numbers = [number for *listener, number in order if listener == [place, topic_filter]]
            assert numbers == list(expected)
    # An event goes to those who subscribed to its topic, and then to those whose filter matches.
    assert order[:6] == [(place, topic_filter, 0) for topic_filter in ("a", "+") for place in range(3)]
    for client in clients:
        await client.disconnect()


async def test_handlers_that_publish_without_end_let_others_run() -> None:
    bus = LocalEventBus()
    client = await connected(bus)
    counts: list[int] = [0]

    def answer(topic: str, event: Event[Any]) -> None:
        counts[-1] += 1
        bus.publish("pong" if topic == "ping" else "ping", event)

    await client.subscribe("ping", answer)
    await client.subscribe("pong", answer)
    await client.publish("ping")
    for _ in range(100):
        counts.append(0)
        await asyncio.sleep(0)
    assert sum(counts) >= 30
    assert max(counts) <= 65
    await client.disconnect()


async def test_a_handler_runs_in_the_context_of_its_subscriber_and_not_in_that_of_the_sender() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="nobody's")
    seen: list[str] = []
    done = asyncio.Event()

    class Seeing(EventHandler):
        def begin(self, topic: str, event: Event[Any]) -> Any:
            # Not the subscriber's either; what a user wrote belongs into the coroutine.
            seen.append(variable.get())
            variable.set("handler's")
            return super().begin(topic, event)

        async def handle(self, topic: str, event: Event[Any]) -> None:
            seen.append(variable.get())
            variable.set("handler's")
            if len(seen) == 8:
                done.set()

    bus = LocalEventBus()
    client = await connected(bus)
    variable.set("subscriber's")
    await client.subscribe("topic", Seeing())
    variable.set("sender's")

    async def publish() -> None:
        sender = await connected(bus)
        for _ in range(2):
            await sender.publish("topic")

    await publish()
    await asyncio.to_thread(asyncio.run, publish())
    async with asyncio.timeout(20):
        await done.wait()
    assert seen[1::2] == ["subscriber's"] * 4
    assert "sender's" not in seen[::2]
    await client.disconnect()


async def test_event_loops_in_several_threads_share_a_bus() -> None:
    bus = LocalEventBus()
    threads, events = 4, 200
    everybody_is_there, everybody_is_done = (threading.Barrier(threads, timeout=20) for _ in range(2))

    async def take_part(place: int) -> tuple[list[tuple[str, int]], int]:
        client = await connected(bus)
        collector = Collector()
        await client.subscribe("topic/+", collector)
        await asyncio.to_thread(everybody_is_there.wait)
        for number in range(events):
            await client.publish(f"topic/{place}", number)
            # Filters come and go in all threads while others look for those that match.
            await client.subscribe(f"+/{place}/{number}/#", Collector())
            await client.subscribe(f"{'+/' * (number % 7)}{place}", Collector())
            await client.unsubscribe(f"+/{place}/{number}/#")
            await client.unsubscribe(f"{'+/' * (number % 7)}{place}")
        await collector.wait_for(threads * events)
        await asyncio.to_thread(everybody_is_done.wait)
        await client.disconnect()
        return list(zip(collector.topics, collector.values, strict=True)), client.statistics.dropped

    outcomes = await asyncio.gather(
        *(asyncio.to_thread(asyncio.run, take_part(place)) for place in range(threads)),
    )

    for received, dropped in outcomes:
        assert dropped == 0
        for place in range(threads):
            assert [number for topic, number in received if topic == f"topic/{place}"] == list(range(events))
    assert bus._subscriptions.match("topic/0") == []


def test_event_loops_that_have_ended_are_forgotten() -> None:
    bus = LocalEventBus()

    async def subscribe_and_publish() -> None:
        client = await connected(bus)
        collector = Collector()
        await client.subscribe("topic", collector)
        await client.publish("topic", 1)
        await collector.wait_for(1)
        loops.append(asyncio.get_running_loop())

    loops: list[asyncio.AbstractEventLoop] = []
    for _ in range(3):
        asyncio.run(subscribe_and_publish())
        # Nobody learns that a loop ends; the next one that uses the bus forgets it.
        assert list(bus._deliveries) == loops[-1:]
        assert [one.loop for one in bus._subscriptions.match("topic")] == loops[-1:]


def test_what_is_on_its_way_is_delivered_though_a_handler_ends_the_event_loop() -> None:
    """The event loop runs once more, and what cleans up may use the bus."""
    received: list[int] = []

    async def main() -> None:
        client = await connected(LocalEventBus())

        def leave(topic: str, event: Event[Any]) -> None:
            received.append(event.payload.value)
            if event.payload.value == 1:
                raise SystemExit(3)

        await client.subscribe("topic", leave)
        try:
            await asyncio.gather(*(client.publish("topic", number) for number in (1, 2, 3)))
            await asyncio.sleep(10)
        finally:
            await client.publish("topic", 4)
            await asyncio.sleep(0)
            await client.drained("topic")
            await client.disconnect()

    with pytest.raises(SystemExit, match="3"):
        asyncio.run(main())
    gc.collect()
    assert received == [1, 2, 3, 4]


async def test_a_sender_that_publishes_in_a_loop_to_many_does_not_get_ahead_of_them() -> None:
    bus = LocalEventBus()
    client = await connected(bus)
    received = 0

    def count(topic: str, event: Event[Any]) -> None:
        nonlocal received
        received += 1

    clients = [await connected(bus) for _ in range(200)]
    for one in clients:
        await one.subscribe("topic", count)
    for number in range(1, 101):
        await client.publish("topic")
        assert received >= 200 * (number - 2)
    await until(lambda: received == 200 * 100)
    for one in clients:
        await one.disconnect()
        assert one.statistics.dropped == 0


async def test_an_event_may_be_longer_than_one_that_is_written() -> None:
    sink, client = Collector(), LocalEventBusClient(LocalEventBus())
    await client.connect()
    await client.subscribe("long", sink)
    await client.publish("long", "x" * (limits.EVENT_BYTES + 1))
    await sink.wait_for(1)
    await client.disconnect()
    assert len(sink.values[0]) == limits.EVENT_BYTES + 1
