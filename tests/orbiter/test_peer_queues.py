"""Peer queues: in order for each key, side by side for different ones, and ended without a trace."""

from __future__ import annotations

import asyncio
import contextvars

import pytest

from orbitalis.orbiter.peer_queues import PeerQueues, Work
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


async def test_work_of_one_queue_is_done_in_order_and_queues_do_not_wait_for_each_other() -> None:
    queues = PeerQueues()
    done: list[object] = []
    queues.submit("a", hang)
    for number in range(100):
        queues.submit("b", noting(done, number))
    assert queues.waiting == 101
    assert queues.length("b") == 100
    await queues.reached("b")
    assert done == list(range(100))
    assert queues.length("b") == 0
    await queues.cancel()
    assert nobody_is_left()
    assert queues.waiting == 0


async def test_a_queue_without_work_is_reached_at_once() -> None:
    queues = PeerQueues()
    assert queues.reached("a").done()
    assert queues.waiting == queues.length("a") == 0
    assert nobody_is_left()


async def test_work_takes_the_place_of_what_waits_and_is_of_its_kind() -> None:
    queues = PeerQueues()
    done: list[object] = []
    for number in range(3):
        queues.submit("a", noting(done, ("kind", number)), instead_of="kind")
        queues.submit("a", noting(done, ("other kind", number)), instead_of="other kind")
        queues.submit("a", noting(done, ("none", number)))
        queues.submit("b", noting(done, ("other queue", number)), instead_of="kind")
    assert queues.length("a") == 5
    assert queues.waiting == 6
    await queues.reached("a")
    await queues.reached("b")
    assert sorted(map(str, done)) == sorted(
        map(str, [("none", 0), ("none", 1), ("kind", 2), ("other kind", 2), ("none", 2), ("other queue", 2)])
    )

    # What is done already is not replaced.
    queues.submit("a", noting(done, "again"), instead_of="kind")
    await queues.reached("a")
    assert done[-1] == "again"
    assert queues.waiting == 0


@pytest.mark.parametrize("error", [ZeroDivisionError, asyncio.CancelledError])
async def test_work_that_raises_is_logged_and_the_next_is_done(
    error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        raise error

    queues = PeerQueues()
    done: list[object] = []
    queues.submit("a", fail)
    queues.submit("a", noting(done, "next"))
    await queues.reached("a")
    assert done == ["next"]
    assert "a piece of work failed" in caplog.text
    assert await queues.finish(5)


async def test_work_may_submit_more_work() -> None:
    queues = PeerQueues()
    done: list[object] = []

    async def more() -> None:
        assert queues.is_around
        queues.submit("a", noting(done, "same queue"))
        queues.submit("b", noting(done, "other queue"))
        done.append("first")

    assert not queues.is_around
    queues.submit("a", more)
    assert await queues.finish(5)
    assert done[0] == "first"
    assert set(done[1:]) == {"same queue", "other queue"}


async def test_who_waits_for_a_queue_that_is_given_up_goes_on() -> None:
    queues = PeerQueues()
    queues.submit("a", hang)
    waiting = asyncio.ensure_future(queues.reached("a"))
    await asyncio.sleep(0)
    await queues.cancel()
    await waiting


async def test_who_waits_may_be_cancelled() -> None:
    queues = PeerQueues()
    done: list[object] = []
    queues.submit("a", noting(done, 1))
    queues.reached("a").cancel()
    queues.submit("a", noting(done, 2))
    assert await queues.finish(5)
    assert done == [1, 2]


async def test_finish_cancels_the_work_that_hangs_and_has_the_rest_done() -> None:
    queues = PeerQueues()
    done: list[object] = []
    queues.submit("a", hang)
    queues.submit("a", noting(done, "behind it"))
    queues.submit("b", noting(done, "beside it"))
    assert not await queues.finish(0.05)
    assert sorted(map(str, done)) == ["behind it", "beside it"]
    assert nobody_is_left()


async def test_finish_and_cancel_within_work_leave_that_alone_and_do_the_rest_of_its_queue_first() -> None:
    queues = PeerQueues()
    done: list[object] = []

    async def end() -> None:
        queues.submit("a", noting(done, "same queue"))
        queues.submit("b", noting(done, "other queue"))
        assert await queues.finish(5)
        assert sorted(map(str, done)) == ["other queue", "same queue"]
        queues.submit("a", noting(done, "given up"))
        queues.submit("b", hang)
        await queues.cancel()
        # What comes now belongs to another life.
        queues.submit("a", noting(done, "later"))
        await queues.reached("a")
        done.append("end")

    queues.submit("a", end)
    await until(nobody_is_left)
    assert done[2:] == ["later", "end"]
    assert queues.waiting == 0


async def test_what_work_has_started_is_no_work_when_that_is_over() -> None:
    queues = PeerQueues()
    context: list[contextvars.Context] = []

    async def remember() -> None:
        context.append(contextvars.copy_context())
        assert queues.is_around

    queues.submit("a", remember)
    await queues.reached("a")
    queues.submit("a", hang)
    await asyncio.sleep(0)
    assert not context[0].run(lambda: queues.is_around)
    await queues.cancel()


async def test_work_runs_in_the_context_of_who_began_and_not_of_who_submits() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="none")
    queues = PeerQueues()
    seen: list[str] = []

    async def look() -> None:
        seen.append(variable.get())
        variable.set("changed")

    variable.set("began")
    queues.begin()
    variable.set("submits")
    for key in ("a", "b"):
        queues.submit(key, look)
    assert await queues.finish(5)
    assert seen == ["began", "began"]


async def test_work_that_does_not_let_itself_be_cancelled_is_reported(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orbitalis.orbiter.peer_queues._END_TIMEOUT", 0.05)
    released = asyncio.Event()

    async def cling() -> None:
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue

    queues = PeerQueues()
    queues.submit("a", cling)
    await asyncio.sleep(0)
    await queues.cancel()
    assert "orbitalis work for a did not end when it was cancelled" in caplog.text
    released.set()
    await until(nobody_is_left)


async def test_a_queue_whose_task_is_cancelled_before_it_has_begun_is_no_more() -> None:
    queues = PeerQueues()
    done: list[object] = []
    queues.submit("a", noting(done, "lost"))
    reached = queues.reached("a")
    (task,) = asyncio.all_tasks() - {asyncio.current_task()}
    task.cancel()
    await reached
    assert await queues.finish(1)
    assert queues.waiting == 0

    queues.submit("a", noting(done, "done"))
    await queues.reached("a")
    assert done == ["done"]
    assert nobody_is_left()
