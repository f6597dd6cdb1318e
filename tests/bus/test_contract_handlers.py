"""What every event bus does about handlers: how it calls them, and what their failures cost others."""

from __future__ import annotations

import asyncio
import gc
import weakref
from dataclasses import dataclass
from typing import Any

import pytest

from orbitalis.bus import CallbackEventHandler, QueueBounds
from orbitalis.message import AvroMessageMixin, Event
from tests.bus.conftest import NewClient
from tests.support.events import Collector


@dataclass(frozen=True)
class HandledMessage(AvroMessageMixin):
    number: int


async def test_handler_can_unsubscribe_its_own_topic(new_client: NewClient, topic: str) -> None:
    client = new_client()
    await client.connect()
    seen: list[Any] = []
    finished = asyncio.Event()

    async def once(where: str, event: Event[Any]) -> None:
        seen.append(event.payload.value)
        await client.unsubscribe(where)
        finished.set()

    after = Collector()
    await client.subscribe(topic, once)
    await client.subscribe(f"{topic}/after", after)
    for number in range(5):
        await client.publish(topic, number)
    await client.publish(f"{topic}/after")
    await after.wait_for(1)
    async with asyncio.timeout(10):
        await finished.wait()
    assert seen == [0]


async def test_handler_can_subscribe_and_publish(new_client: NewClient, topic: str) -> None:
    client = new_client()
    await client.connect()
    collector = Collector()

    async def relay(where: str, event: Event[Any]) -> None:
        await client.subscribe(f"{topic}/answer", collector)
        await client.publish(f"{topic}/answer", event.payload)

    await client.subscribe(topic, relay)
    await client.publish(topic, "question")
    await collector.wait_for(1)
    assert collector.values == ["question"]


async def test_takes_plain_functions_and_handler_objects(new_client: NewClient, topic: str) -> None:
    client = new_client()
    await client.connect()
    seen: list[tuple[str, Any]] = []
    end = Collector()

    def see(where: str, event: Event[Any]) -> None:
        seen.append((where, event.payload))

    await client.subscribe(f"{topic}/function", see)
    await client.subscribe(f"{topic}/object", CallbackEventHandler(see))
    await client.subscribe(f"{topic}/end", end)
    for name in ("function", "object", "end"):
        await client.publish(f"{topic}/{name}")
    await end.wait_for(1)
    assert seen == [(f"{topic}/function", None), (f"{topic}/object", None)]


async def test_raising_handler_hurts_nobody(
    new_client: NewClient, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = new_client()
    await client.connect()
    survivor, collector = Collector(), Collector()

    async def fail_first(where: str, event: Event[Any]) -> None:
        if event.payload.value == 0:
            raise RuntimeError("no such lamp")
        if event.payload.value == 1:
            await _cancelled()
        await survivor.handle(where, event)

    await client.subscribe(f"{topic}/a", fail_first)
    await client.subscribe(f"{topic}/+", collector)
    for number in range(4):
        await client.publish(f"{topic}/a", number)
    await collector.wait_for(4)
    await survivor.wait_for(2)

    assert survivor.values == [2, 3]
    assert client.statistics.handler_errors == 2
    failures = [record for record in caplog.records if record.name.startswith("orbitalis.bus") and record.exc_info]
    assert len(failures) == 2
    assert f"{topic}/a" in failures[0].getMessage()
    assert "no such lamp" in caplog.text


async def _cancelled() -> None:
    """Await something that was cancelled, by others than the one who awaits it."""
    future = asyncio.get_running_loop().create_future()
    future.cancel()
    await future


async def test_hanging_handler_keeps_only_so_much(
    new_client: NewClient, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = new_client(queue_bounds=QueueBounds(events=10))
    await client.connect()
    release, seen, others = asyncio.Event(), Collector(), Collector()

    async def hang(where: str, event: Event[Any]) -> None:
        await release.wait()
        await seen.handle(where, event)

    await client.subscribe(f"{topic}/slow", hang)
    await client.subscribe(f"{topic}/+", others)
    for number in range(30):
        await client.publish(f"{topic}/slow", number)
        await others.wait_for(number + 1)

    # One is being handled, ten wait, and the newest are dropped.
    assert client.statistics.dropped == 19
    warnings = [record for record in caplog.records if "dropped" in record.getMessage()]
    assert len(warnings) == 1
    assert f"{topic}/slow" in warnings[0].getMessage()
    release.set()
    await seen.wait_for(11)
    assert seen.values == list(range(11))

    await client.publish(f"{topic}/slow", "later")
    await seen.wait_for(12)


async def test_slow_handlers_do_not_wait_for_each_other(new_client: NewClient, topic: str) -> None:
    client = new_client()
    await client.connect()
    meeting = asyncio.Barrier(3)
    done = Collector()

    async def meet(where: str, event: Event[Any]) -> None:
        # Passes only when the handlers of all three topics are busy at the same time.
        await meeting.wait()
        await done.handle(where, event)

    for name in "abc":
        await client.subscribe(f"{topic}/{name}", meet)
    for name in "abc":
        await client.publish(f"{topic}/{name}")
    await done.wait_for(3)


async def test_keeps_nothing_that_was_handled(new_client: NewClient, topic: str) -> None:
    client = new_client()
    await client.connect()
    events: list[weakref.ref[Any]] = []
    handled = asyncio.Event()

    def remember(where: str, event: Event[Any]) -> None:
        events.append(weakref.ref(event.payload))
        if event.payload.number == 100:
            handled.set()

    await client.subscribe(topic, remember)
    for number in range(101):
        await client.publish(topic, HandledMessage(number))
    async with asyncio.timeout(10):
        await handled.wait()
    await asyncio.sleep(0)
    gc.collect()

    assert len(events) == 101
    assert [event() for event in events if event() is not None] == []


async def test_handler_that_hangs_is_ended_though_its_topic_was_unsubscribed(new_client: NewClient, topic: str) -> None:
    client = new_client()
    await client.connect()
    busy, ended = asyncio.Event(), asyncio.Event()

    async def hang(topic: str, event: Event[Any]) -> None:
        busy.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    await client.subscribe(topic, hang)
    await client.publish(topic, "x")
    await asyncio.wait_for(busy.wait(), 20)
    await client.unsubscribe(topic)
    assert not ended.is_set()
    await client.disconnect()
    assert ended.is_set()


async def test_handler_can_disconnect(new_client: NewClient, topic: str) -> None:
    client, publisher = new_client(), new_client()
    await client.connect()
    await publisher.connect()
    finished = asyncio.Event()

    async def leave(where: str, event: Event[Any]) -> None:
        await client.disconnect()
        finished.set()

    await client.subscribe(topic, leave)
    await publisher.publish(topic)
    async with asyncio.timeout(10):
        await finished.wait()
    assert not client.is_connected


async def test_handles_so_many_events_side_by_side(new_client: NewClient, topic: str) -> None:
    client = new_client()
    await client.connect()
    begun = Collector()
    gate = asyncio.Event()
    most = busy = 0

    async def wait(where: str, event: Event[Any]) -> None:
        nonlocal most, busy
        busy += 1
        most = max(most, busy)
        await begun.handle(where, event)
        await gate.wait()
        busy -= 1

    await client.subscribe(topic, wait, concurrency=3)
    for number in range(10):
        await client.publish(topic, number)
    await begun.wait_for(3)
    assert client.is_busy(topic)

    # Subscribing again says anew how many.
    await client.subscribe(topic, wait, concurrency=5)
    await begun.wait_for(5)
    gate.set()
    await begun.wait_for(10)
    await client.drained(topic)
    assert not client.is_busy(topic)
    assert begun.values == list(range(10))
    assert most == 5
    for invalid in (0, -1):
        with pytest.raises(ValueError, match="at least one event"):
            await client.subscribe(topic, wait, concurrency=invalid)
