"""How the handling of events ends: by itself, by a failure, by a cancellation or with its subscription."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
from collections.abc import Coroutine
from typing import Any

import pytest

from orbitalis.bus import CallbackEventHandler, dispatch
from orbitalis.bus.dispatch import end_handlers
from orbitalis.bus.event_handler import EventHandler
from orbitalis.message import Event
from orbitalis_wire.messages import Int64Message, StringMessage
from tests.bus.subscriptions import Gated, drained, offer, subscription
from tests.support.events import Collector

# Waiting for the end


async def test_it_is_busy_while_an_event_is_handled_or_waits() -> None:
    gated = Gated()
    one = subscription(gated, concurrency=2)
    assert not one.is_busy
    await drained(one)
    offer(one, 1, 2, 3)
    assert one.is_busy
    waiting = [asyncio.create_task(one.drained()) for _ in range(3)]
    await asyncio.sleep(0)
    # Who gives up waiting takes nobody with it.
    waiting[0].cancel()
    await asyncio.sleep(0)
    assert [task.done() for task in waiting] == [True, False, False]
    gated.gate.set()
    async with asyncio.timeout(20):
        await asyncio.gather(*waiting[1:])
    assert len(gated.values) == 3
    assert not one.is_busy


async def test_who_waits_for_the_end_is_told_by_a_handler_that_does_not_wait_itself() -> None:
    waiting: list[asyncio.Task[object]] = []

    async def wait_for_the_end(topic: str, received: Event[Any]) -> None:
        assert one.is_busy
        waiting.append(dispatch.start_task(one.drained(), one.loop, "waiting", contextvars.copy_context()))

    one = subscription(CallbackEventHandler(wait_for_the_end))
    offer(one, 1)
    await drained(one)
    async with asyncio.timeout(20):
        await asyncio.gather(*waiting)


async def test_who_waits_for_the_end_is_told_when_a_handler_ends_that_was_unsubscribed() -> None:
    gated = Gated()
    one = subscription(gated)
    offer(one, 1, 2)
    waiting = asyncio.create_task(one.drained())
    await asyncio.sleep(0)
    one.close()
    await asyncio.sleep(0)
    assert not waiting.done()
    gated.gate.set()
    async with asyncio.timeout(20):
        await waiting
    assert gated.values == [1]


async def test_nothing_is_delivered_once_it_is_closed() -> None:
    gated = Gated()
    one = subscription(gated)
    offer(one, 1, 2)
    await asyncio.sleep(0)
    one.close()
    assert one.is_closed
    offer(one, 3)
    gated.gate.set()
    await drained(one)
    assert gated.values == [1]
    assert one._intake.statistics.received == 2


async def test_handlers_are_ended_without_the_one_that_asks_for_it() -> None:
    gated = Gated()
    one = subscription(gated, concurrency=3)
    ended: list[int] = []

    async def end(topic: str, received: Event[Any]) -> None:
        await asyncio.sleep(0)
        await end_handlers(one._intake.tasks)
        ended.append(received.payload.value)

    offer(one, 1, 2)
    one.hand_over_to(CallbackEventHandler(end), 3)
    offer(one, 3)
    await drained(one)
    assert (gated.values, gated.side_by_side, ended) == ([], 2, [3])
    assert one._intake.tasks == {}
    await end_handlers(one._intake.tasks)


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
    offer(one, 1)
    await asyncio.sleep(0)
    one.close()
    await end_handlers(one._intake.tasks)
    assert "events of topic did not end" in caplog.text
    release.set()
    await drained(one)


# Failures


@pytest.mark.parametrize("kind", ["function", "begin", "coroutine", "later"])
async def test_a_failure_is_logged_with_its_traceback_and_counted(caplog: pytest.LogCaptureFixture, kind: str) -> None:
    class Failing(EventHandler):
        def begin(self, topic: str, event: Event[Any]) -> Coroutine[Any, Any, object] | None:
            if kind == "begin":
                raise LookupError("no such lamp")
            return super().begin(topic, event)

        async def handle(self, topic: str, event: Event[Any]) -> None:
            if kind == "later":
                await asyncio.sleep(0)
            raise LookupError("no such lamp")

    def fail(topic: str, event: Event[Any]) -> None:
        raise LookupError("no such lamp")

    one = subscription(CallbackEventHandler(fail) if kind == "function" else Failing())
    offer(one, 1, 2)
    await drained(one)

    assert one._intake.statistics.handler_errors == 2
    assert [record.exc_info is not None for record in caplog.records] == [True, True]
    assert caplog.text.count('raise LookupError("no such lamp")') == 2


async def test_a_failure_of_what_the_handler_waits_for_is_its_own(caplog: pytest.LogCaptureFixture) -> None:
    collector = Collector()

    async def wait_for_the_first(topic: str, received: Event[Any]) -> None:
        if received.payload.value == 1:
            future = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(future.cancel)
            await future
        await collector.handle(topic, received)

    one = subscription(CallbackEventHandler(wait_for_the_first))
    offer(one, 1, 2)
    await drained(one)
    assert collector.values == [2]
    assert one._intake.statistics.handler_errors == 1
    assert "await future" in caplog.text


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
    offer(one, 1)
    await drained(one)
    offer(one, 2)
    await drained(one)
    assert collector.values == [2]
    assert one._intake.statistics.handler_errors == 0


async def test_after_a_handler_was_cancelled_what_waits_goes_on_with_the_next_event() -> None:
    """Before that it does not: it may be the end of the event loop that cancels all that runs in it."""
    gated = Gated()
    one = subscription(gated)
    # Where tasks do not begin at once, this one is cancelled before it has begun.
    offer(one, 1, 2)
    (task,) = one._intake.tasks
    task.cancel()
    gated.gate.set()
    await drained(one)
    assert gated.values == []
    assert one._intake.tasks == {}

    offer(one, 3)
    await drained(one)
    assert gated.values == [2, 3]
    assert one._intake.statistics.handler_errors == 0


def test_a_handler_that_ends_the_event_loop_leaves_nothing_busy() -> None:
    handled: list[int] = []

    def leave(topic: str, received: Event[Any]) -> None:
        if received.payload.value == 1:
            raise SystemExit(3)
        handled.append(received.payload.value)

    async def main() -> None:
        one = subscription(CallbackEventHandler(leave))
        try:
            offer(one, 1)
            await asyncio.sleep(10)
        finally:
            await drained(one)
            offer(one, 2)
            await drained(one)

    with pytest.raises(SystemExit, match="3"):
        asyncio.run(main())
    gc.collect()
    assert handled == [2]


# The rest


async def test_handlers_run_in_the_context_of_the_subscriber_and_keep_changes_to_themselves() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")
    seen: list[str] = []

    def change(topic: str, received: Event[Any]) -> None:
        seen.append(variable.get())
        variable.set(f"handler of {received.payload.value}")

    async def change_later(topic: str, received: Event[Any]) -> None:
        change(topic, received)
        await asyncio.sleep(0)
        assert variable.get() == f"handler of {received.payload.value}"

    for handler in (change, change_later):
        variable.set("subscriber")
        one = subscription(CallbackEventHandler(handler), concurrency=2)
        variable.set("publisher")
        offer(one, 1, 2, 3, 4)
        await drained(one)
        assert variable.get() == "publisher"
    assert seen == ["subscriber"] * 8


async def test_what_is_taken_at_once_does_not_wait_in_the_queue(caplog: pytest.LogCaptureFixture) -> None:
    class Hasty(Gated):
        is_urgent = True

        def __init__(self) -> None:
            super().__init__()
            self.taken: list[int] = []

        def take_at_once(self, topic: str, event: Event[Any]) -> bool:
            if event.payload.value == 0:
                raise ValueError("zero")
            if event.payload.value > 1:
                self.taken.append(event.payload.value)
            return bool(event.payload.value > 1)

    hasty = Hasty()
    one = subscription(hasty, events=3)
    offer(one, 1, 2, 0, 3, 1, 4)
    assert hasty.taken == [2, 3, 4]
    assert one._intake.statistics.handler_errors == 1
    assert "ValueError: zero" in caplog.text
    hasty.gate.set()
    await drained(one)
    assert hasty.values == [1, 0, 1]
    assert (one._intake.statistics.received, one._intake.statistics.dropped) == (6, 0)
    one.close()
    offer(one, 5)
    assert hasty.taken == [2, 3, 4]


@pytest.mark.parametrize("is_urgent", [True, False])
async def test_a_handler_is_told_what_is_dropped_if_it_wants_to(
    caplog: pytest.LogCaptureFixture, is_urgent: bool
) -> None:
    class Told(Gated):
        def __init__(self) -> None:
            super().__init__()
            self.is_urgent = is_urgent
            self.told: list[int] = []

        def dropped(self, topic: str, event: Event[Any]) -> None:
            self.told.append(event.payload.value)
            raise ValueError("on purpose")

    told = Told()
    one = subscription(told, events=1)
    offer(one, 1, 2, 3, 4)
    assert told.told == ([3, 4] if is_urgent else [])
    assert ("ValueError: on purpose" in caplog.text) == is_urgent
    told.gate.set()
    await drained(one)
    assert told.values == [1, 2]
    assert one._intake.statistics.dropped == 2


async def test_a_handler_that_does_its_work_at_once_needs_no_task() -> None:
    taken: list[int] = []

    class Immediate(EventHandler):
        def begin(self, topic: str, event: Event[Any]) -> None:
            taken.append(event.payload.value)

        async def handle(self, topic: str, event: Event[Any]) -> None:
            raise AssertionError("begin has done it")

    one = subscription(Immediate())
    offer(one, 1, 2)
    assert taken == [1, 2]
    assert not one.is_busy


async def test_a_handler_that_fails_to_say_what_it_takes_takes_all(caplog: pytest.LogCaptureFixture) -> None:
    class Choosy(Collector):
        def takes(self, topic: str, message_class: type[object]) -> bool:
            if message_class is Int64Message:
                raise ValueError("numbers")
            return topic == "topic"

    one = subscription(Choosy())
    assert one.takes("topic", Int64Message)
    assert one._intake.statistics.handler_errors == 1
    assert "ValueError: numbers" in caplog.text
    assert one.takes("topic", StringMessage)
    assert not one.takes("other", StringMessage)
    assert one._intake.statistics.handler_errors == 1
