"""The loop of an orbiter: iterations that follow each other, pauses, and work that cannot wait for a hook."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from orbitalis.bus.home_loop import HomeLoop
from orbitalis.orbiter.loop import LoopWork, OrbiterLoop
from orbitalis.testing import Harness
from tests.support.events import until


class Counting:
    """A loop that counts."""

    def __init__(self, iteration: Callable[[], Awaitable[object]] | None = None, *, interval: float = 0.005) -> None:
        self.begun = self.iterations = self.between = 0
        self.rung: list[float] = []
        self.due: float | None = None
        self._does = iteration
        work = LoopWork(
            interval=lambda _: interval,
            on_start=type(self)._begin,
            iteration=type(self)._iterate,
            meanwhile=type(self)._note,
            when_due=type(self)._ring,
            next_due=lambda counting: counting.due,
        )
        self.loop = OrbiterLoop(self, work, name="counting", home=HomeLoop("an orbiter"))

    async def _begin(self) -> None:
        self.begun += 1

    async def _iterate(self) -> None:
        self.iterations += 1
        assert self.loop.is_around
        if self._does is not None:
            await self._does()

    def _note(self) -> None:
        self.between += 1

    def _ring(self) -> None:
        self.rung.append(asyncio.get_running_loop().time())
        self.due = None

    async def turns(self, count: int = 2) -> None:
        """Wait for so many more iterations."""
        goal = self.iterations + count
        await until(lambda: self.iterations >= goal)


async def test_a_loop_goes_on_until_it_is_stopped() -> None:
    counting = Counting()
    assert not counting.loop.is_running
    counting.loop.start()
    counting.loop.start()
    assert counting.loop.is_running
    await counting.turns(3)
    assert counting.begun == 1
    assert counting.between == 0
    assert not counting.loop.is_around
    await counting.loop.end(5)
    assert not counting.loop.is_running
    assert asyncio.all_tasks() == {asyncio.current_task()}
    before = counting.iterations
    counting.loop.start()
    await counting.turns()
    assert counting.iterations > before
    assert counting.begun == 2
    await counting.loop.end(5)
    await counting.loop.end(5)


async def test_a_loop_that_pauses_leaves_iterations_out() -> None:
    counting = Counting()
    counting.loop.start()
    await counting.turns()
    counting.loop.pause()
    assert counting.loop.is_paused
    assert counting.loop.is_running
    await asyncio.sleep(0.02)  # an iteration under way may end
    before = counting.iterations
    await asyncio.sleep(0.05)
    assert counting.iterations == before
    counting.loop.resume()
    await counting.turns()
    counting.loop.pause()
    await counting.loop.end(5)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_what_cannot_wait_is_done_while_an_iteration_hangs() -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    counting = Counting(hang)
    counting.loop.start()
    await until(lambda: counting.between >= 3)
    assert counting.iterations == 1
    counting.loop.pause()
    await asyncio.sleep(0.02)
    before = counting.between
    await asyncio.sleep(0.05)
    assert counting.between == before
    await counting.loop.end(0.05)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_loop_that_is_started_again_before_its_last_iteration_ends_loses_nobody() -> None:
    released = asyncio.Event()
    counting = Counting(released.wait)
    counting.loop.start()
    await until(lambda: counting.iterations == 1)
    counting.loop.stop()
    counting.loop.start()
    await until(lambda: counting.iterations == 2)
    await counting.loop.end(0.05)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_loop_may_be_ended_within_an_iteration() -> None:
    ended = asyncio.Event()

    async def end() -> None:
        await counting.loop.end(5)
        ended.set()

    counting = Counting(end)
    counting.loop.start()
    async with asyncio.timeout(3):
        await ended.wait()
        await until(lambda: len(asyncio.all_tasks()) == 1)


async def test_a_loop_that_stops_itself_leaves_no_timer(harness: Harness) -> None:
    class Once(Counting):
        async def _iterate(self) -> None:
            await super()._iterate()
            self.loop.stop()
            assert not self.loop.is_running

    counting = Once(interval=10.0)
    counting.loop.start()
    await harness.advance(35)
    assert counting.iterations == 1
    assert counting.between == 0
    assert counting.loop._timer is None


async def test_a_loop_whose_work_takes_no_time_has_no_task_and_goes_on_where_that_fails(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[float] = []

    def fail(_: object) -> None:
        done.append(harness.time)
        assert asyncio.all_tasks() == {asyncio.current_task()} or asyncio.current_task() is None
        raise ZeroDivisionError

    work = LoopWork(
        interval=lambda _: 10.0,
        on_start=lambda _: None,
        iteration=fail,
        meanwhile=fail,
        when_due=fail,
        next_due=lambda _: None,
    )
    loop = OrbiterLoop(None, work, name="failing", home=HomeLoop("an orbiter"))
    loop.start()
    await harness.advance(25)
    assert done == pytest.approx([0, 10, 20])
    # The same failure is told once a minute.
    assert caplog.text.count("the loop of 'failing' failed") == 1
    await harness.advance(40)
    assert caplog.text.count("the loop of 'failing' failed") == 2
    await loop.end(5)


async def test_what_fails_when_it_is_due_or_meanwhile_ends_nothing(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    class Failing(Counting):
        def _note(self) -> None:
            super()._note()
            raise ZeroDivisionError

        def _ring(self) -> None:
            super()._ring()
            raise ZeroDivisionError

    counting = Failing(hang, interval=10.0)
    counting.due = 5.0
    counting.loop.start()
    await harness.advance(25)
    assert counting.between == 2
    counting.due = 26.0
    counting.loop.look_again()
    await harness.advance(4)
    assert counting.rung == pytest.approx([5, 26])
    assert caplog.text.count("the loop of 'counting' failed") == 1
    await counting.loop.end(5)


async def test_the_first_iteration_follows_the_hook_of_the_start_at_once(harness: Harness) -> None:
    class Slow(Counting):
        async def _begin(self) -> None:
            await super()._begin()
            await asyncio.sleep(3)

    counting = Slow(interval=10.0)
    counting.loop.start()
    await harness.advance(3.5)
    assert counting.iterations == 1
    await harness.advance(10)
    assert counting.iterations == 2
    await counting.loop.end(5)


async def test_what_is_due_before_the_next_iteration_is_done_when_it_is_due(harness: Harness) -> None:
    counting = Counting(interval=10.0)
    counting.due = harness.time + 3
    begin = harness.time
    counting.loop.start()
    await harness.advance(4)
    assert counting.rung == pytest.approx([begin + 3])
    counting.due = begin + 8
    counting.loop.look_again()
    counting.due = begin + 6
    counting.loop.look_again()
    await harness.advance(5)
    assert counting.rung == pytest.approx([begin + 3, begin + 6])
    assert counting.iterations == 1
    assert counting.between == 0
    await counting.loop.end(5)


async def test_what_is_always_due_is_done_often_and_not_always(harness: Harness) -> None:
    class Always(Counting):
        def _ring(self) -> None:
            super()._ring()
            self.due = 0.0

    counting = Always(interval=10.0)
    counting.due = 0.0
    counting.loop.start()
    await harness.advance(9)
    assert 100 < len(counting.rung) < 200
    await counting.loop.end(5)


@pytest.mark.parametrize("halt", [OrbiterLoop.pause, OrbiterLoop.stop])
async def test_nothing_is_done_when_it_is_due_while_the_loop_pauses_or_after_it_has_stopped(
    harness: Harness, halt: Callable[[OrbiterLoop], None]
) -> None:
    counting = Counting(interval=100.0)
    counting.loop.start()
    counting.due = harness.time + 3
    counting.loop.look_again()
    await harness.advance(2)
    halt(counting.loop)
    await harness.advance(10)
    counting.loop.look_again()
    await harness.advance(10)
    assert counting.rung == []
    await counting.loop.end(5)


async def test_a_short_pause_neither_hastens_an_iteration_nor_begins_another_beside_it(harness: Harness) -> None:
    async def take_long() -> None:
        await asyncio.sleep(20)

    counting = Counting(take_long, interval=10.0)
    counting.loop.start()
    for moment, iterations in ((5, 1), (20, 1), (27, 1), (31, 2)):  # it ends after 20 s, and the next begins after 30
        await harness.advance(moment - harness.time)
        counting.loop.pause()
        await harness.advance(0.5)
        counting.loop.resume()
        await harness.advance(0.25)
        assert counting.iterations == iterations
    counting.loop.pause()
    await harness.advance(40)
    assert counting.iterations == 2
    counting.loop.resume()
    await harness.advance(1)
    assert counting.iterations == 3
    await counting.loop.end(0.05)


async def test_what_is_due_when_a_pause_ends_early_is_done_in_time(harness: Harness) -> None:
    counting = Counting(interval=100.0)
    counting.due = due = harness.time + 5
    counting.loop.start()
    counting.loop.pause()
    await harness.advance(2)
    counting.loop.resume()
    await harness.advance(5)
    assert counting.rung == pytest.approx([due])
    await counting.loop.end(5)
