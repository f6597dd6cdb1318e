"""Queues and workers of subscriptions, where the bus itself makes no difference."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
from typing import Any

import pytest

from orbitalis.bus import CallbackEventHandler, QueueBounds, dispatch
from orbitalis.bus.dispatch import Subscription, end_workers
from orbitalis.bus.event_handler import EventHandler
from orbitalis.bus.statistics import BusStatistics
from orbitalis.message import Event
from orbitalis_wire.messages import Int64Message, StringMessage
from tests.support.events import Collector, until


def subscription(handler: EventHandler, **bounds: int) -> Subscription:
    """Return a subscription with counters of its own."""
    return Subscription(
        "topic",
        handler,
        quality_of_service=1,
        bounds=QueueBounds(**bounds),
        statistics=BusStatistics(),
    )


def event(number: int) -> Event[Any]:
    """Return an event with a number."""
    return Event.create(Int64Message(value=number), publisher_identifier="test")


async def test_a_worker_exists_only_while_there_is_something_to_do() -> None:
    collector = Collector()
    one = subscription(collector)
    assert one.worker is None
    one.offer("topic", event(1))
    one.offer("topic", event(2))
    assert one.worker is not None
    worker = one.worker
    await collector.wait_for(2)
    await asyncio.wait([worker])
    assert one.worker is None
    one.offer("topic", event(3))
    await collector.wait_for(3)


async def test_bytes_are_bounded_as_well_as_events() -> None:
    collector = Collector()
    one = subscription(collector, events=100, bytes=1_000)
    for number in range(10):
        one.offer("topic", event(number), 300)
    assert one._statistics.dropped == 7
    await collector.wait_for(3)
    await asyncio.sleep(0)
    for number in range(3):
        one.offer("topic", event(number), 300)
    await collector.wait_for(6)
    assert one._statistics.dropped == 7
    one.offer("topic", event(9), 1_001)
    assert one._statistics.dropped == 8


async def test_every_burst_is_warned_about_once(caplog: pytest.LogCaptureFixture) -> None:
    collector = Collector()
    one = subscription(collector, events=2)
    for burst in range(1, 4):
        for number in range(10):
            one.offer("topic", event(number))
        worker = one.worker
        assert worker is not None
        await asyncio.wait([worker])
        assert len(caplog.records) == burst
    assert one._statistics.dropped == 24
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


async def test_a_handler_that_never_waits_lets_others_run() -> None:
    turns = 0
    done = asyncio.Event()

    async def count_turns() -> None:
        nonlocal turns
        while not done.is_set():
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count_turns())

    def end_with_the_last(topic: str, received: Event[Any]) -> None:
        if received.payload.value == 99:
            done.set()

    one = subscription(CallbackEventHandler(end_with_the_last))
    for number in range(100):
        one.offer("topic", event(number))
    await counting
    assert turns > 50


async def test_handlers_run_in_the_context_of_whoever_subscribed() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")
    seen: list[str] = []
    variable.set("subscriber")
    one = subscription(CallbackEventHandler(lambda topic, received: seen.append(variable.get())))
    variable.set("publisher")
    one.offer("topic", event(1))
    worker = one.worker
    assert worker is not None
    await asyncio.wait([worker])
    assert seen == ["subscriber"]


async def test_a_handler_that_cancels_its_own_task_is_called_again() -> None:
    collector = Collector()

    async def cancel_first(topic: str, received: Event[Any]) -> None:
        if received.payload.value == 1:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await asyncio.sleep(0)
        await collector.handle(topic, received)

    one = subscription(CallbackEventHandler(cancel_first))
    one.offer("topic", event(1))
    worker = one.worker
    assert worker is not None
    await asyncio.wait([worker])
    one.offer("topic", event(2))
    await collector.wait_for(1)
    assert collector.values == [2]


async def test_a_handler_that_does_not_end_is_left_behind(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "_END_TIMEOUT", 0.05)
    release = asyncio.Event()

    async def ignore_cancellation(topic: str, received: Event[Any]) -> None:
        while not release.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await release.wait()

    one = subscription(CallbackEventHandler(ignore_cancellation))
    one.offer("topic", event(1))
    worker = one.worker
    assert worker is not None
    await asyncio.sleep(0)
    one.close()
    await end_workers({worker})
    assert "events of topic did not end" in caplog.text
    release.set()
    await asyncio.wait([worker])


async def test_what_is_taken_at_once_does_not_wait_in_the_queue(caplog: pytest.LogCaptureFixture) -> None:
    gate = asyncio.Event()

    class Hasty(Collector):
        def __init__(self) -> None:
            super().__init__()
            self.taken: list[int] = []

        def take_at_once(self, topic: str, event: Event[Any]) -> bool:
            if event.payload.value == 0:
                raise ValueError("zero")
            if event.payload.value > 1:
                self.taken.append(event.payload.value)
            return bool(event.payload.value > 1)

        async def handle(self, topic: str, event: Event[Any]) -> None:
            await gate.wait()
            await super().handle(topic, event)

    hasty = Hasty()
    one = subscription(hasty, events=3)
    for number in (1, 2, 0, 3, 1, 4):
        one.offer("topic", event(number))
    assert hasty.taken == [2, 3, 4]
    assert one._statistics.handler_errors == 1
    assert "ValueError: zero" in caplog.text
    gate.set()
    await hasty.wait_for(3)
    assert hasty.values == [1, 0, 1]
    assert one._statistics.dropped == 0
    one.close()
    one.offer("topic", event(5))
    assert hasty.taken == [2, 3, 4]


async def test_a_handler_that_fails_to_say_what_it_takes_takes_all(caplog: pytest.LogCaptureFixture) -> None:
    class Choosy(Collector):
        def takes(self, topic: str, message_class: type[object]) -> bool:
            if message_class is Int64Message:
                raise ValueError("numbers")
            return topic == "topic"

    one = subscription(Choosy())
    assert one.takes("topic", Int64Message)
    assert one._statistics.handler_errors == 1
    assert "ValueError: numbers" in caplog.text
    assert one.takes("topic", StringMessage)
    assert not one.takes("other", StringMessage)
    assert one._statistics.handler_errors == 1


async def test_nothing_is_delivered_once_it_is_closed() -> None:
    collector = Collector()
    one = subscription(collector)
    one.offer("topic", event(1))
    one.offer("topic", event(2))
    one.close()
    one.offer("topic", event(3))
    worker = one.worker
    assert worker is not None
    await asyncio.wait([worker])
    assert collector.values == []
    assert one._statistics.received == 2


async def test_a_worker_that_is_cancelled_before_it_has_begun_is_none() -> None:
    collector = Collector()
    one = subscription(collector)
    one.offer("topic", event(1))
    assert one.worker is not None
    one.worker.cancel()
    await asyncio.wait([one.worker])
    await until(lambda: one.worker is None)

    one.offer("topic", event(2))
    await collector.wait_for(2)
