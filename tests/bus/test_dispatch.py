"""What subscriptions do with events, where the bus itself makes no difference."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

import pytest

from orbitalis.bus import CallbackEventHandler, EventHandler
from orbitalis.bus.dispatch import end_handlers
from orbitalis.message import Event
from tests.bus.subscriptions import Gated, drained, offer, subscription
from tests.support.events import Collector

# While a handler is busy


async def test_a_handler_gets_the_next_event_when_it_is_done_with_the_one_before() -> None:
    gated = Gated()
    one = subscription(gated)
    offer(one, 1, 2, 3)
    await asyncio.sleep(0)
    assert gated.begun == [1]
    gated.gate.set()
    await drained(one)
    assert gated.values == [1, 2, 3]
    assert gated.side_by_side == 1


async def test_nothing_is_kept_while_nothing_is_to_do() -> None:
    gated = Gated()
    one = subscription(gated)
    for number in (1, 4):
        offer(one, number, number + 1, number + 2)
        await asyncio.sleep(0)
        assert len(one._intake.tasks) == 1
        assert one._queue is not None
        gated.gate.set()
        await drained(one)
        kept: list[object] = [one._intake.tasks, one._queue, one._queued_bytes, one._running, one._idle]
        assert kept == [{}, None, 0, 0, None]
        gated.gate.clear()
    assert gated.values == [1, 2, 3, 4, 5, 6]


async def test_a_handler_keeps_up_with_one_event_in_each_turn_of_the_event_loop() -> None:
    """As a sender that publishes in a loop gives it."""
    collector = Collector()
    one = subscription(collector, events=2)
    for number in range(1_000):
        offer(one, number)
        await asyncio.sleep(0)
    await drained(one)
    assert collector.values == list(range(1_000))


class Counting(EventHandler):
    """Waits with the first event, and is done with the others at once, with or without a coroutine."""

    def __init__(self, *, has_coroutine: bool) -> None:
        self.handled = 0
        self.gate = asyncio.Event()
        self._has_coroutine = has_coroutine

    def begin(self, topic: str, event: Event[Any]) -> Coroutine[Any, Any, object] | None:
        if self._has_coroutine or event.payload.value == 0:
            return self.handle(topic, event)
        self.handled += 1
        return None

    async def handle(self, topic: str, event: Event[Any]) -> None:
        self.handled += 1
        if event.payload.value == 0:
            await self.gate.wait()


@pytest.mark.parametrize("has_coroutine", [True, False])
async def test_a_handler_that_never_waits_lets_others_run(has_coroutine: bool) -> None:
    most_in_a_turn = 0
    counting = Counting(has_coroutine=has_coroutine)
    one = subscription(counting)
    offer(one, *range(1_000))
    await asyncio.sleep(0)
    assert counting.handled == 1
    counting.gate.set()
    turns = 0
    while one.is_busy:
        before = counting.handled
        await asyncio.sleep(0)
        most_in_a_turn = max(most_in_a_turn, counting.handled - before)
        turns += 1
    assert counting.handled == 1_000
    assert most_in_a_turn <= 64
    assert turns > 10


async def test_what_is_offered_while_a_handler_runs_is_delivered_after_it() -> None:
    """Also by what the handler calls itself."""
    order: list[str] = []

    async def note(topic: str, received: Event[Any]) -> None:
        number = received.payload.value
        order.append(f"begin {number}")
        if number < 100:
            offer(one, number + 1)
        order.append(f"end {number}")

    one = subscription(CallbackEventHandler(note))
    offer(one, 1)
    await drained(one)
    assert order == [f"{what} {number}" for number in range(1, 101) for what in ("begin", "end")]
    assert one._queue is None


# Side by side


@pytest.mark.parametrize("concurrency", [1, 2, 5, 20])
async def test_so_many_events_are_handled_side_by_side(concurrency: int) -> None:
    gated = Gated()
    one = subscription(gated, concurrency=concurrency)
    offer(one, *range(20))
    await asyncio.sleep(0)
    assert gated.begun == list(range(concurrency))
    gated.gate.set()
    await drained(one)
    assert sorted(gated.values) == list(range(20))
    assert gated.side_by_side == concurrency
    assert one._intake.statistics.received == 20


async def test_events_begin_in_order_however_many_are_handled_side_by_side() -> None:
    begun: list[int] = []
    ended: list[int] = []

    async def take_turns(topic: str, received: Event[Any]) -> None:
        number = received.payload.value
        begun.append(number)
        # The later, the sooner it ends.
        for _ in range(50 - number):
            await asyncio.sleep(0)
        ended.append(number)

    one = subscription(CallbackEventHandler(take_turns), concurrency=3)
    offer(one, *range(50))
    await drained(one)
    assert begun == list(range(50))
    assert ended != begun
    assert sorted(ended) == begun


async def test_a_handler_that_fails_or_hangs_leaves_those_beside_it_alone() -> None:
    gate = asyncio.Event()
    done: list[int] = []

    async def handle(topic: str, received: Event[Any]) -> None:
        number = received.payload.value
        if number == 0:
            await gate.wait()
        if number % 5 == 1:
            raise LookupError(number)
        await asyncio.sleep(0)
        done.append(number)

    one = subscription(CallbackEventHandler(handle), concurrency=2)
    offer(one, *range(20))
    for _ in range(200):
        await asyncio.sleep(0)
    assert done == [number for number in range(1, 20) if number % 5 != 1]
    assert one._intake.statistics.handler_errors == 4
    assert one.is_busy
    gate.set()
    await drained(one)
    assert done[-1] == 0


async def test_the_bounds_are_those_of_what_waits_however_many_are_handled_side_by_side() -> None:
    gated = Gated()
    one = subscription(gated, concurrency=4, events=3)
    offer(one, *range(10))
    assert one._intake.statistics.dropped == 3
    gated.gate.set()
    await drained(one)
    assert sorted(gated.values) == list(range(7))


async def test_another_handler_takes_over_what_waits() -> None:
    first, second = Gated(), Gated()
    one = subscription(first)
    offer(one, *range(6))
    await asyncio.sleep(0)

    # More side by side count at once: the first event still hangs.
    one.hand_over_to(second, 3)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (first.begun, second.begun) == ([0], [1, 2])
    # Fewer count as soon as so many are done.
    one.hand_over_to(second, 1)
    first.gate.set()
    await asyncio.sleep(0)
    assert (first.values, second.begun) == ([0], [1, 2])
    second.gate.set()
    await drained(one)
    assert second.values == [1, 2, 3, 4, 5]


# Bounds


async def test_bytes_are_bounded_as_well_as_events() -> None:
    gated = Gated()
    one = subscription(gated, events=100, bytes=1_000)
    # The first is handled, three wait.
    offer(one, *range(10), length=300)
    assert one._intake.statistics.dropped == 6
    gated.gate.set()
    await drained(one)
    assert gated.values == [0, 1, 2, 3]

    gated.gate.clear()
    offer(one, *range(10, 14), length=300)
    assert one._intake.statistics.dropped == 6
    offer(one, 14, length=101)
    assert one._intake.statistics.dropped == 7
    offer(one, 15, length=100)
    assert one._intake.statistics.dropped == 7
    gated.gate.set()
    await drained(one)
    assert gated.values == [0, 1, 2, 3, 10, 11, 12, 13, 15]


async def test_an_event_that_need_not_wait_has_no_bounds() -> None:
    collector = Collector()
    one = subscription(collector, events=0, bytes=0)
    offer(one, 1, length=1_000)
    await drained(one)
    offer(one, 2, length=1_000)
    await drained(one)
    assert collector.values == [1, 2]
    assert one._intake.statistics.dropped == 0


@pytest.mark.parametrize("events", [0, 2])
async def test_every_burst_is_warned_about_once(caplog: pytest.LogCaptureFixture, events: int) -> None:
    gated = Gated()
    one = subscription(gated, events=events)
    for burst in range(1, 4):
        gated.gate.clear()
        offer(one, *range(10))
        gated.gate.set()
        await drained(one)
        assert len(caplog.records) == burst
        assert one._intake.statistics.dropped == burst * (9 - events)
    assert {record.levelno for record in caplog.records} == {logging.WARNING}
    assert f"{events} events wait for the handler of 'topic'" in caplog.text
    assert one._intake.statistics.received == 30


async def test_a_burst_goes_on_until_all_that_waits_is_handled(caplog: pytest.LogCaptureFixture) -> None:
    turns = asyncio.Semaphore(0)

    async def take_turn(topic: str, received: Event[Any]) -> None:
        await turns.acquire()

    one = subscription(CallbackEventHandler(take_turn), events=3)
    offer(one, *range(10))
    for number in range(10):
        # Each makes room for one event, and two come.
        turns.release()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        offer(one, number, number)
    assert one._intake.statistics.dropped == 6 + 10
    assert len(caplog.records) == 1
    for _ in range(4):
        turns.release()
    await drained(one)
    offer(one, *range(5))
    assert len(caplog.records) == 2
    one.close()
    await end_handlers(one._intake.tasks)
