"""The virtual clock: it jumps where nothing can happen, waits for what is real, and notices when nothing ever will."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Coroutine
from typing import Any

import pytest

from orbitalis.testing import DeadlockError, VirtualClockEventLoop, run


def timed(main: Coroutine[Any, Any, Any]) -> tuple[Any, float]:
    """Return what a coroutine returns on a virtual clock, and the real seconds that it took."""
    began = time.monotonic()
    outcome = run(main)
    return outcome, time.monotonic() - began


def now() -> float:
    return asyncio.get_running_loop().time()


def test_time_begins_at_zero_and_jumps() -> None:
    async def main() -> list[float]:
        times = [now()]
        for seconds in (0.1, 3600, 10 * 24 * 3600):
            await asyncio.sleep(seconds)
            times.append(now())
        return times

    times, took = timed(main())

    assert times == pytest.approx([0, 0.1, 3600.1, 867600.1])
    assert took < 5


def test_timers_fire_in_order_at_their_time() -> None:
    async def main() -> list[tuple[str, float]]:
        fired: list[tuple[str, float]] = []

        async def one(name: str, seconds: float) -> None:
            await asyncio.sleep(seconds)
            fired.append((name, now()))

        await asyncio.gather(one("c", 3), one("a", 1), one("b", 2), one("a too", 1))
        return fired

    assert run(main()) == [("a", 1), ("a too", 1), ("b", 2), ("c", 3)]


def test_timeouts_are_virtual() -> None:
    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(600):
                await asyncio.Event().wait()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 600)
        _, pending = await asyncio.wait([sleeping := asyncio.create_task(asyncio.sleep(1000))], timeout=600)
        assert pending == {sleeping}
        await sleeping
        return now()

    outcome, took = timed(main())

    assert outcome == 2200
    assert took < 5


def test_threads_are_really_waited_for() -> None:
    def work() -> str:
        time.sleep(0.2)
        return "done"

    async def main() -> tuple[str, float]:
        async with asyncio.timeout(30):
            outcome = await asyncio.to_thread(work)
        return outcome, now()

    (outcome, passed), took = timed(main())

    assert outcome == "done"
    assert took >= 0.2
    assert passed < 30


def test_timers_go_on_while_a_thread_works() -> None:
    async def main() -> float:
        working = threading.Event()
        loop = asyncio.get_running_loop()
        # The thread waits for what a timer does.
        loop.call_later(0.05, working.set)
        assert await asyncio.to_thread(working.wait, 10)
        await asyncio.sleep(100)
        return now()

    outcome, took = timed(main())

    assert outcome == pytest.approx(100.05, abs=0.5)
    assert took < 5


def test_sockets_are_really_waited_for() -> None:
    async def main() -> bytes:
        here, there = socket.socketpair()
        here.setblocking(False)
        with here, there:
            threading.Timer(0.1, there.send, [b"x"]).start()
            async with asyncio.timeout(30):
                return await asyncio.get_running_loop().sock_recv(here, 1)

    assert run(main()) == b"x"


def test_other_threads_are_waited_for_on_request() -> None:
    async def main() -> str:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualClockEventLoop)
        future: asyncio.Future[str] = loop.create_future()
        threading.Timer(0.1, loop.call_soon_threadsafe, [future.set_result, "done"]).start()
        with loop.real_work():
            return await future

    assert run(main()) == "done"


def test_settling_takes_no_time() -> None:
    async def main() -> tuple[list[int], float]:
        steps: list[int] = []

        async def work() -> None:
            for step in range(20):
                await asyncio.sleep(0)
                steps.append(step)
            await asyncio.sleep(1)
            steps.append(-1)

        task = asyncio.create_task(work())
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualClockEventLoop)
        await loop.settle()
        done = list(steps), now()
        await task
        return done

    assert run(main()) == (list(range(20)), 0)


def test_settling_waits_for_threads() -> None:
    async def main() -> bool:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualClockEventLoop)
        work = asyncio.create_task(asyncio.to_thread(time.sleep, 0.1))
        await loop.settle()
        return work.done()

    assert run(main()) is True


async def waits_for(event: asyncio.Event) -> None:
    await event.wait()


def test_a_deadlock_names_what_waits_and_where() -> None:
    cleaned_up: list[float] = []

    async def main() -> None:
        other = asyncio.create_task(waits_for(asyncio.Event()), name="the other")
        try:
            await asyncio.sleep(5)
            await waits_for(asyncio.Event())
        finally:
            other.cancel()
            await asyncio.sleep(1)
            cleaned_up.append(now())

    with pytest.raises(DeadlockError) as caught:
        run(main())

    lines = str(caught.value).splitlines()
    assert lines[0].startswith("nothing can happen any more")
    (other,) = [line for line in lines if "the other" in line]
    assert f"{__file__}:" in other
    assert "await event.wait() (in waits_for)" in other
    assert any("(in waits_for < test_a_deadlock_names_what_waits_and_where.<locals>.main)" in line for line in lines)
    assert any(entry.name == "waits_for" for entry in caught.traceback), "the traceback shows where it waited"
    assert cleaned_up == [6]


def test_a_deadlock_that_is_not_let_through_is_one_nevertheless() -> None:
    async def main() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "ignored"
        return "set"

    with pytest.raises(DeadlockError):
        run(main())


def test_a_deadlock_while_cleaning_up_ends_too() -> None:
    async def main() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.Event().wait()

    with pytest.raises(DeadlockError):
        run(main())


def test_the_loop_can_be_used_after_a_deadlock() -> None:
    with asyncio.Runner(loop_factory=VirtualClockEventLoop) as runner:
        with pytest.raises(DeadlockError):
            runner.run(asyncio.Event().wait())
        runner.run(asyncio.sleep(1))
        assert runner.get_loop().time() == 1


async def tick_forever() -> None:
    while True:  # noqa: ASYNC110 - it is the timers that matter
        await asyncio.sleep(1)


def test_waiting_for_others_that_only_tick_is_given_up() -> None:
    async def main() -> None:
        ticking = asyncio.create_task(tick_forever(), name="ticking")
        try:
            await waits_for(asyncio.Event())
        finally:
            ticking.cancel()

    with pytest.raises(DeadlockError, match=r"3600 virtual seconds have passed[^\0]*ticking"):
        run(main())


@pytest.mark.parametrize("wait", ["sleep", "timeout", "wait_for", "wait"])
def test_waiting_with_a_timer_is_not_given_up(wait: str) -> None:
    async def main() -> float:
        ticking = asyncio.create_task(tick_forever())
        event = asyncio.Event()
        match wait:
            case "sleep":
                await asyncio.sleep(9000)
            case "timeout":
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(9000):
                        await waits_for(event)
            case "wait_for":
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(waits_for(event), 9000)
            case _:
                _, (waiting,) = await asyncio.wait([asyncio.create_task(waits_for(event))], timeout=9000)
                waiting.cancel()
        ticking.cancel()
        return now()

    assert run(main()) == 9000


def test_patience_can_be_had() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualClockEventLoop)
        loop.patience = 20_000
        ticking = asyncio.create_task(tick_forever())
        event = asyncio.Event()
        loop.call_later(10_000, event.set)
        await waits_for(event)
        ticking.cancel()
        return now()

    assert run(main()) == 10_000


def test_errors_of_what_is_run_come_through() -> None:
    async def main() -> None:
        await asyncio.sleep(1)
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        run(main())


def test_its_own_cancellation_comes_through() -> None:
    async def main() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(1)

    with pytest.raises(asyncio.CancelledError):
        run(main())
