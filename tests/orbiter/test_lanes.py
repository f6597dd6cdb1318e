"""Lanes: in order for each key, side by side for different ones, and ended without a trace."""

from __future__ import annotations

import asyncio
import contextvars

import pytest

from orbitalis.orbiter.lanes import Lanes, Work
from tests.support.events import until


def nobody_is_left() -> bool:
    return asyncio.all_tasks() == {asyncio.current_task()}


def noting(done: list[object], what: object) -> Work:
    async def work() -> None:
        await asyncio.sleep(0)
        done.append(what)

    return work


async def hang() -> None:
    await asyncio.Event().wait()


async def test_work_of_one_lane_is_done_in_order_and_lanes_do_not_wait_for_each_other() -> None:
    lanes = Lanes()
    done: list[object] = []
    lanes.submit("a", hang)
    for number in range(100):
        lanes.submit("b", noting(done, number))
    assert len(lanes) == 101
    assert lanes.length("b") == 100
    await lanes.reached("b")
    assert done == list(range(100))
    assert lanes.length("b") == 0
    await lanes.cancel()
    assert nobody_is_left()
    assert len(lanes) == 0


async def test_a_lane_without_work_is_reached_at_once() -> None:
    lanes = Lanes()
    assert lanes.reached("a").done()
    assert len(lanes) == lanes.length("a") == 0
    assert nobody_is_left()


async def test_work_takes_the_place_of_what_waits_and_is_of_its_kind() -> None:
    lanes = Lanes()
    done: list[object] = []
    for number in range(3):
        lanes.submit("a", noting(done, ("kind", number)), instead_of="kind")
        lanes.submit("a", noting(done, ("other kind", number)), instead_of="other kind")
        lanes.submit("a", noting(done, ("none", number)))
        lanes.submit("b", noting(done, ("other lane", number)), instead_of="kind")
    assert lanes.length("a") == 5
    assert len(lanes) == 6
    await lanes.reached("a")
    await lanes.reached("b")
    assert sorted(map(str, done)) == sorted(
        map(str, [("none", 0), ("none", 1), ("kind", 2), ("other kind", 2), ("none", 2), ("other lane", 2)])
    )

    # What is done already is not replaced.
    lanes.submit("a", noting(done, "again"), instead_of="kind")
    await lanes.reached("a")
    assert done[-1] == "again"
    assert len(lanes) == 0


@pytest.mark.parametrize("error", [ZeroDivisionError, asyncio.CancelledError])
async def test_work_that_raises_is_logged_and_the_next_is_done(
    error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        raise error

    lanes = Lanes()
    done: list[object] = []
    lanes.submit("a", fail)
    lanes.submit("a", noting(done, "next"))
    await lanes.reached("a")
    assert done == ["next"]
    assert "a piece of work failed" in caplog.text
    assert await lanes.finish(5)


async def test_work_may_submit_more_work() -> None:
    lanes = Lanes()
    done: list[object] = []

    async def more() -> None:
        assert lanes.is_around
        lanes.submit("a", noting(done, "same lane"))
        lanes.submit("b", noting(done, "other lane"))
        done.append("first")

    assert not lanes.is_around
    lanes.submit("a", more)
    assert await lanes.finish(5)
    assert done[0] == "first"
    assert set(done[1:]) == {"same lane", "other lane"}


async def test_who_waits_for_a_lane_that_is_given_up_goes_on() -> None:
    lanes = Lanes()
    lanes.submit("a", hang)
    waiting = asyncio.ensure_future(lanes.reached("a"))
    await asyncio.sleep(0)
    await lanes.cancel()
    await waiting


async def test_who_waits_may_be_cancelled() -> None:
    lanes = Lanes()
    done: list[object] = []
    lanes.submit("a", noting(done, 1))
    lanes.reached("a").cancel()
    lanes.submit("a", noting(done, 2))
    assert await lanes.finish(5)
    assert done == [1, 2]


async def test_finish_cancels_the_work_that_hangs_and_has_the_rest_done() -> None:
    lanes = Lanes()
    done: list[object] = []
    lanes.submit("a", hang)
    lanes.submit("a", noting(done, "behind it"))
    lanes.submit("b", noting(done, "beside it"))
    assert not await lanes.finish(0.05)
    assert sorted(map(str, done)) == ["behind it", "beside it"]
    assert nobody_is_left()


async def test_finish_and_cancel_within_work_leave_that_alone_and_do_the_rest_of_its_lane_first() -> None:
    lanes = Lanes()
    done: list[object] = []

    async def end() -> None:
        lanes.submit("a", noting(done, "same lane"))
        lanes.submit("b", noting(done, "other lane"))
        assert await lanes.finish(5)
        assert sorted(map(str, done)) == ["other lane", "same lane"]
        lanes.submit("a", noting(done, "given up"))
        lanes.submit("b", hang)
        await lanes.cancel()
        # What comes now belongs to another life.
        lanes.submit("a", noting(done, "later"))
        await lanes.reached("a")
        done.append("end")

    lanes.submit("a", end)
    await until(nobody_is_left)
    assert done[2:] == ["later", "end"]
    assert len(lanes) == 0


async def test_what_work_has_started_is_no_work_when_that_is_over() -> None:
    lanes = Lanes()
    context: list[contextvars.Context] = []

    async def remember() -> None:
        context.append(contextvars.copy_context())
        assert lanes.is_around

    lanes.submit("a", remember)
    await lanes.reached("a")
    lanes.submit("a", hang)
    await asyncio.sleep(0)
    assert not context[0].run(lambda: lanes.is_around)
    await lanes.cancel()


async def test_work_runs_in_the_context_of_who_began_and_not_of_who_submits() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="none")
    lanes = Lanes()
    seen: list[str] = []

    async def look() -> None:
        seen.append(variable.get())
        variable.set("changed")

    variable.set("began")
    lanes.begin()
    variable.set("submits")
    for key in ("a", "b"):
        lanes.submit(key, look)
    assert await lanes.finish(5)
    assert seen == ["began", "began"]


async def test_work_that_does_not_let_itself_be_cancelled_is_reported(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orbitalis.orbiter.lanes._END_TIMEOUT", 0.05)
    released = asyncio.Event()

    async def cling() -> None:
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue

    lanes = Lanes()
    lanes.submit("a", cling)
    await asyncio.sleep(0)
    await lanes.cancel()
    assert "what orbitalis lane a does did not end when it was cancelled" in caplog.text
    released.set()
    await until(nobody_is_left)


async def test_a_lane_whose_task_is_cancelled_before_it_has_begun_is_no_more() -> None:
    lanes = Lanes()
    done: list[object] = []
    lanes.submit("a", noting(done, "lost"))
    reached = lanes.reached("a")
    (task,) = asyncio.all_tasks() - {asyncio.current_task()}
    task.cancel()
    await reached
    assert await lanes.finish(1)
    assert len(lanes) == 0

    lanes.submit("a", noting(done, "done"))
    await lanes.reached("a")
    assert done == ["done"]
    assert nobody_is_left()
