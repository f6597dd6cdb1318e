"""The flow charts of the guide: starting, stopping and the loop, each step at its place."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from orbitalis import Core, Plugin, PluginState
from orbitalis.testing import Harness
from tests.support.orbiters import Diary, EchoPlugin, TextCore, needs

PERIODIC = [
    "_on_loop_iteration",
    "close_unused_connections",
    "discard_expired_pending_requests",
    "force_close_connection_for_out_to_timeout_pending_graceful_close_connection",
    "send_keepalive_based_on_connections_and_threshold",
]
STEPS = ["_on_starting", "_internal_start", "_on_started", "_on_stopping", "_internal_stop", "_on_stopped"]


def noting(orbiter: Core | Plugin, names: list[str]) -> list[tuple[str, tuple[Any, ...], dict[str, Any]]]:
    """Return the list of calls of some methods, which it will grow to be."""
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def note(name: str) -> Any:
        method = getattr(orbiter, name)

        async def noted(*args: Any, **kwargs: Any) -> Any:
            calls.append((name, args, kwargs))
            return await method(*args, **kwargs)

        return noted

    for name in names:
        setattr(orbiter, name, note(name))
    return calls


@pytest.mark.parametrize("kind", [EchoPlugin, TextCore])
async def test_starting_and_stopping_take_the_steps_of_the_guide(harness: Harness, kind: type[Core | Plugin]) -> None:
    orbiter = kind(eventbus_client=harness.client())
    calls = noting(orbiter, [*STEPS, "_on_loop_start"])
    await orbiter.start("now", reason="because")
    await harness.idle()
    await orbiter.stop("then")
    names = [name for name, _, _ in calls]
    assert [name for name in names if name != "_on_loop_start"] == STEPS
    assert names.index("_internal_start") < names.index("_on_loop_start") < names.index("_on_stopping")
    assert [args for name, args, kwargs in calls if name == "_internal_start" and kwargs] == [("now",)]
    assert [args for name, args, _ in calls if name in STEPS[3:]] == [("then",)] * 3


async def test_an_iteration_does_all_the_periodic_work_between_its_hooks(harness: Harness) -> None:
    plugin = EchoPlugin(eventbus_client=harness.client())
    around = ["_on_new_loop_iteration", "_on_loop_iteration_end"]
    calls = noting(plugin, [*PERIODIC, *around, "_on_loop_start"])
    await harness.start(plugin)
    await harness.advance(1.5)
    names = [name for name, _, _ in calls]
    assert names[0] == "_on_loop_start"
    for begin in (1, 8):
        assert names[begin] == "_on_new_loop_iteration"
        assert sorted(names[begin + 1 : begin + 6]) == sorted(PERIODIC)
        assert names[begin + 6] == "_on_loop_iteration_end"


async def test_the_periodic_work_is_done_in_parallel(harness: Harness) -> None:
    plugin = EchoPlugin(eventbus_client=harness.client())
    entered: list[str] = []
    all_entered = asyncio.Event()

    def meeting(name: str) -> Any:
        async def meet() -> int:
            entered.append(name)
            if len(entered) == len(PERIODIC):
                all_entered.set()
            await all_entered.wait()
            return 0

        return meet

    for name in PERIODIC:
        setattr(plugin, name, meeting(name))
    await harness.start(plugin)
    async with asyncio.timeout(5):
        await all_entered.wait()


async def test_a_stop_ends_the_loop_and_a_start_begins_it_anew(harness: Harness) -> None:
    plugin = EchoPlugin(eventbus_client=harness.client(), loop_interval=0.1)
    diary = Diary()
    diary.keep(plugin)
    for lives in (1, 2):
        assert plugin.state is not PluginState.RUNNING
        await plugin.start()
        await harness.advance(1)
        await plugin.stop()
        assert plugin.state is PluginState.STOPPED
        assert diary.of(plugin).count("_on_loop_start") == lives
        count = diary.of(plugin).count("_on_loop_iteration")
        await harness.advance(1)
        assert diary.of(plugin).count("_on_loop_iteration") == count


async def test_a_loop_that_pauses_for_long_loses_nothing_when_it_goes_on(harness: Harness) -> None:
    core = TextCore(identifier="core", eventbus_client=harness.client(), operation_requirements=needs())
    await harness.start(core)
    core.pause_loop()
    plugin = EchoPlugin(eventbus_client=harness.client())
    await harness.start(plugin)
    await harness.advance(100)
    core.resume_loop()
    await harness.compliant(core)


async def test_without_a_loop_a_core_that_starts_last_finds_those_that_are_there(harness: Harness) -> None:
    plugin = EchoPlugin(eventbus_client=harness.client(), with_loop=False)
    core = TextCore(eventbus_client=harness.client(), with_loop=False, operation_requirements=needs())
    await harness.start(plugin, core)
    await harness.compliant(core)
    assert harness.time == 0
