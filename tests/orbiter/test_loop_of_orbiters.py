"""The loop as orbiters have it: what its hooks see, and what is done between its iterations."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from orbitalis.bus import LocalEventBus
from orbitalis.testing import Harness
from tests.support.events import until
from tests.support.orbiters import Diary, EchoPlugin, TextCore, all_connected, core_on, needs, plugin_on, running


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
        seen = core._machine.peers.get("plugin")
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
