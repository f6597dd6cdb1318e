"""The order of tasks that can go on is a matter of chance, and what asyncio promises holds nevertheless."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from tests.simulation.cancelling import Cancelling
from tests.simulation.shuffling_loop import STYLES, LivelockError, ShufflingEventLoop


def run(seed: int, main: Coroutine[Any, Any, Any], style: str = "at random") -> Any:
    with asyncio.Runner(loop_factory=lambda: ShufflingEventLoop(seed, style)) as runner:
        return runner.run(main)


async def order_of_tasks() -> str:
    order: list[str] = []

    async def work(name: str) -> None:
        for _ in range(2):
            order.append(name)
            await asyncio.sleep(0)

    await asyncio.gather(*(work(name) for name in "abcd"))
    return "".join(order)


@pytest.mark.parametrize("style", STYLES)
def test_orders_of_tasks(style: str) -> None:
    orders = [run(seed, order_of_tasks(), style) for seed in range(50)]

    assert orders == [run(seed, order_of_tasks(), style) for seed in range(50)]
    assert all(sorted(order) == list("aabbccdd") for order in orders)
    if style == "in order":
        assert set(orders) == {"abcdabcd"}
    else:
        assert len(set(orders)) > 20
        assert {order[0] for order in orders} == set("abcd")


def test_plain_callbacks_keep_their_order_and_no_later_task_overtakes_them() -> None:
    async def main() -> list[str]:
        order: list[str] = []
        loop = asyncio.get_running_loop()

        async def work() -> None:
            order.append("task")

        for name in "abc":
            loop.call_soon(order.append, name)
        task = asyncio.create_task(work())
        await task
        return order

    assert {tuple(run(seed, main())) for seed in range(30)} == {("a", "b", "c", "task")}


def test_timers_of_one_moment_fire_in_any_order_and_those_of_different_ones_in_theirs() -> None:
    async def main() -> str:
        order: list[str] = []
        loop = asyncio.get_running_loop()
        for name, delay in (("a", 1), ("b", 1), ("c", 2)):
            loop.call_later(delay, order.append, name)
        await asyncio.sleep(3)
        return "".join(order)

    assert {run(seed, main()) for seed in range(30)} == {"abc", "bac"}


def test_sets_of_tasks_have_the_same_order_each_time() -> None:
    async def main() -> list[str]:
        tasks = {asyncio.create_task(asyncio.sleep(1), name=str(number)) for number in range(20)}
        await asyncio.wait(tasks)
        return [task.get_name() for task in tasks]

    assert run(1, main()) == run(1, main())


def test_what_goes_on_for_ever_is_noticed() -> None:
    async def main() -> None:
        while True:  # noqa: ASYNC110 - it is for nothing
            await asyncio.sleep(0)

    with pytest.raises(LivelockError, match="without time passing"):
        run(1, main())


def test_a_call_is_cancelled_at_the_await_of_ones_choice() -> None:
    async def steps(done: list[int]) -> None:
        for number in range(3):
            await asyncio.sleep(1)
            done.append(number)

    async def main(at: int, when_done: bool) -> tuple[list[int], bool]:
        done: list[int] = []
        call = Cancelling(steps(done), (at,), when_done=when_done)

        async def attend() -> None:
            await call

        outcome = await asyncio.gather(asyncio.create_task(attend()), return_exceptions=True)
        assert isinstance(outcome[0], asyncio.CancelledError) == call.was_cancelled
        return done, call.was_cancelled

    for when_done in (False, True):
        assert [run(1, main(at, when_done)) for at in (1, 2, 3, 4)] == [
            ([], True),
            ([0], True),
            ([0, 1], True),
            ([0, 1, 2], False),
        ]
