"""The loop of an orbiter: iterations that follow each other, pauses, and work that cannot wait for a hook."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from orbitalis.bus import LocalEventBus
from orbitalis.orbiter.loop import OrbiterLoop
from orbitalis.testing import Harness
from tests.support.events import until
from tests.support.orbiters import Diary, EchoPlugin, TextCore, all_connected, core_on, needs, plugin_on, running


class Counting:
    """A loop that counts."""

    def __init__(self, iteration: Callable[[], Awaitable[object]] | None = None, *, interval: float = 0.005) -> None:
        self.begun = self.iterations = self.between = 0
        self.rung: list[float] = []
        self.due: float | None = None
        self._does = iteration
        self.loop = OrbiterLoop(
            interval=lambda: interval,
            on_start=self._begin,
            iteration=self._iterate,
            meanwhile=self._note,
            when_due=self._ring,
            next_due=lambda: self.due,
            name="counting",
        )

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


# The loop as orbiters have it


@pytest.mark.parametrize("after", [0.5, 1.0])
async def test_a_remote_that_lives_is_not_taken_for_dead_however_long_the_loop_sleeps(
    harness: Harness, after: float
) -> None:
    iterations = 0

    class Slow(EchoPlugin):
        async def _on_new_loop_iteration(self) -> None:
            nonlocal iterations
            iterations += 1

    durations: dict[str, Any] = {"consider_others_dead_after": after, "loop_interval": 10.0}
    core = TextCore(identifier="core", eventbus_client=harness.client(), operation_requirements=needs(), **durations)
    plugin = Slow(identifier="plugin", eventbus_client=harness.client(), **durations)
    diary = Diary()
    for orbiter in (core, plugin):
        diary.keep(orbiter)
    await harness.start(plugin, core)
    await harness.connected(core, plugin, "text")
    (connection,) = core.retrieve_connections()
    await harness.advance(35)
    assert core.retrieve_connections() == [connection]
    assert "_on_remote_dead" not in diary.of(core) + diary.of(plugin)
    assert iterations == 4


async def test_a_remote_that_is_silent_is_lost_in_time_however_long_the_loop_sleeps(harness: Harness) -> None:
    core = TextCore(
        identifier="core",
        eventbus_client=harness.client(),
        operation_requirements=needs(),
        consider_others_dead_after=3.0,
        loop_interval=100.0,
    )
    plugin = EchoPlugin(identifier="plugin", eventbus_client=harness.client())
    await harness.start(plugin, core)
    await harness.connected(core, plugin, "text")
    await plugin.eventbus_client.unsubscribe()
    plugin.stop_loop()
    await harness.advance(4)
    assert core.retrieve_connections() == []


async def test_the_hooks_of_the_loop_are_called_in_order_around_the_periodic_work(bus: LocalEventBus) -> None:
    diary, plugin = Diary(), plugin_on(bus, with_loop=True, loop_interval=0.005)
    diary.keep(plugin)
    work = plugin.close_unused_connections

    async def close_unused_connections() -> int:
        diary.calls.append((plugin.identifier, "close_unused_connections", ()))
        return await work()

    setattr(plugin, "close_unused_connections", close_unused_connections)  # noqa: B010
    async with running(plugin):
        await until(lambda: diary.of(plugin).count("_on_loop_iteration_end") >= 3)
        plugin.stop_loop()
    calls = [name for name in diary.of(plugin) if name not in ("_on_starting", "_on_started", "_on_send_announcement")]
    assert calls[0] == "_on_loop_start"
    assert calls.count("_on_loop_start") == 1
    cycle = ["_on_new_loop_iteration", "_on_loop_iteration", "close_unused_connections", "_on_loop_iteration_end"]
    assert calls[1:9] == cycle * 2


async def test_without_loop_nothing_periodic_is_done(bus: LocalEventBus) -> None:
    diary, core = Diary(), core_on(bus, loop_interval=0.001, discovering_interval=0.001)
    diary.keep(core)
    async with running(core):
        await until(lambda: "_on_send_discover" in diary.of(core))
        await asyncio.sleep(0.05)
        assert diary.of(core).count("_on_send_discover") == 1
        assert not any("loop" in name for name in diary.of(core))
        core.start_loop()
        await until(lambda: diary.of(core).count("_on_send_discover") >= 3)


async def test_the_loop_can_be_paused_resumed_stopped_and_started(bus: LocalEventBus) -> None:
    diary, plugin = Diary(), plugin_on(bus, with_loop=True, loop_interval=0.002)
    diary.keep(plugin)

    def count() -> int:
        return diary.of(plugin).count("_on_loop_iteration_end")

    async with running(plugin):
        for halt, go_on in ((plugin.pause_loop, plugin.resume_loop), (plugin.stop_loop, plugin.start_loop)):
            await until(lambda: count() >= 2)
            halt()
            await asyncio.sleep(0.02)
            diary.calls.clear()
            await asyncio.sleep(0.03)
            assert count() == 0
            go_on()


@pytest.mark.usefixtures("impatience")
@pytest.mark.parametrize("hook", ["_on_loop_start", "_on_new_loop_iteration", "_on_loop_iteration"])
async def test_a_hook_of_the_loop_that_hangs_keeps_nobody_waiting(bus: LocalEventBus, hook: str) -> None:
    options: dict[str, Any] = {"with_loop": True, "loop_interval": 0.005}
    core = core_on(bus, discovering_interval=0.01, consider_others_dead_after=0.4, **options)
    plugin = plugin_on(bus, send_keepalive_before_timelimit=0.2, **options)

    async def hang() -> None:
        await asyncio.Event().wait()

    for orbiter in (core, plugin):
        setattr(orbiter, hook, hang)
    async with running(core, plugin):
        await all_connected(core, [plugin])
        seen = core._protocol.acquaintances.get("plugin")
        assert seen is not None
        before = seen.last_seen
        await until(lambda: seen.last_seen > before + 0.5)
        assert [one.remote_identifier for one in core.retrieve_connections()] == ["plugin"]


async def test_a_hook_of_the_loop_that_raises_ends_nothing(
    bus: LocalEventBus, caplog: pytest.LogCaptureFixture
) -> None:
    plugin = plugin_on(bus, with_loop=True, loop_interval=0.002)
    count = 0

    async def fail() -> None:
        nonlocal count
        count += 1
        raise ZeroDivisionError

    setattr(plugin, "_on_loop_iteration", fail)  # noqa: B010
    async with running(plugin):
        await until(lambda: count >= 3)
    assert "of 'plugin' failed" in caplog.text


async def test_dead_remotes_unused_connections_and_overdue_closes_are_seen_to(bus: LocalEventBus) -> None:
    core = core_on(bus, with_loop=True, loop_interval=0.005, operation_requirements=needs(minimum=0))
    plugin = plugin_on(bus, with_loop=True, loop_interval=0.005, graceful_close_timeout=0.02)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        # Nobody uses it.
        core.close_connection_if_unused_after = 0.01
        core._machine._unused_deadlines.set(("plugin", "text"), 0.0)
        await until(lambda: core.retrieve_connections() == plugin.retrieve_connections() == [])
        core.close_connection_if_unused_after = None
        # The core cannot acknowledge.
        await core.send_discover_based_on_requirements()
        await all_connected(core, [plugin])
        await until(lambda: len(plugin.retrieve_connections()) == 1)
        await core.eventbus_client.unsubscribe()
        await plugin.send_graceful_close_connection("core", "text")
        await until(lambda: plugin._connections_by_remote_identifier("core") == {})
        await until(lambda: len(plugin._machine.slots) == 0)
