"""Stop and start, called by the orbiter itself: in its hooks, its handlers and its loop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from orbitalis import Event, Input, Operation, OrbiterStateError
from orbitalis.bus import LocalEventBus
from tests.support.events import until
from tests.support.orbiters import EchoPlugin, TextCore, all_connected, assert_nothing_is_left, needs, on


def pair(bus: LocalEventBus, **options: Any) -> tuple[TextCore, EchoPlugin]:
    core = TextCore(identifier="core", eventbus_client=on(bus), operation_requirements=needs(), **options)
    return core, EchoPlugin(identifier="plugin", eventbus_client=on(bus), **options)


@dataclass
class Stopping(EchoPlugin):
    """Stops, or starts, itself in one of its hooks."""

    where: str = ""
    what: str = "stop"
    outcome: list[object] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        hook = getattr(self, self.where)

        async def stop_here(*args: Any, **kwargs: Any) -> Any:
            result = await hook(*args, **kwargs)
            if not self.outcome:
                self.outcome.append("reached")
                try:
                    await getattr(self, self.what)()
                    self.outcome.append(None)
                except OrbiterStateError as error:
                    self.outcome.append(error)
            return result

        setattr(self, self.where, stop_here)


ANYWHERE = [
    "_on_starting",
    "_on_started",
    "_on_stopping",
    "_on_stopped",
    "_on_loop_start",
    "_on_new_loop_iteration",
    "_on_loop_iteration",
    "_on_loop_iteration_end",
    "_on_send_announcement",
    "_on_new_discover",
    "_on_send_offer",
    "_on_request",
    "_setup_operation",
    "_on_promote_pending_request_to_connection",
    "_on_close_connection",
    "_get_on_close_data",
    "_on_graceless_close_connection",
]


@pytest.mark.parametrize("where", ANYWHERE)
async def test_stop_may_be_called_in_any_hook(bus: LocalEventBus, where: str) -> None:
    core = TextCore(
        identifier="core",
        eventbus_client=on(bus),
        operation_requirements=needs(),
        loop_interval=0.01,
        discovering_interval=0.02,
    )
    plugin = Stopping(identifier="plugin", eventbus_client=on(bus), where=where)
    async with asyncio.timeout(4):
        async with core:
            await plugin.start()
            if where in ("_on_close_connection", "_on_graceless_close_connection", "_get_on_close_data"):
                await all_connected(core, [plugin])
                await until(lambda: len(plugin.retrieve_connections()) == 1)
                await plugin.send_graceless_close_connection("core", "text")
            elif where in ("_on_stopping", "_on_stopped"):
                await plugin.stop()
            await until(lambda: len(plugin.outcome) == 2)
            assert plugin.outcome == ["reached", None]
            if where == "_on_starting":
                assert plugin.is_running
                await plugin.stop()
            else:
                await until(lambda: not plugin.is_running)
            await until(lambda: core.retrieve_connections() == [])
        await until(lambda: len(asyncio.all_tasks()) == 1)
    assert_nothing_is_left(core, plugin)


async def test_everybody_is_told_of_a_stop_that_a_hook_calls(bus: LocalEventBus) -> None:
    core, _ = pair(bus)
    plugin = Stopping(identifier="plugin", eventbus_client=on(bus), where="_on_keepalive")
    async with core:
        await plugin.start()
        await core.send_discover_based_on_requirements()
        await all_connected(core, [plugin])
        await core.send_keepalive("plugin")
        await until(lambda: core.closed == [("plugin", None)])
        await until(lambda: not plugin.is_running)


async def test_stop_may_be_called_in_a_handler_and_in_a_sink(bus: LocalEventBus) -> None:
    class StoppingPlugin(EchoPlugin):
        async def _on_close_connection(self, connection: object, data: bytes | None) -> None:
            closed.set()

    async def stop_core(topic: str, event: Event[Any]) -> None:
        await core.stop()
        stopped.set()

    closed, stopped = asyncio.Event(), asyncio.Event()
    core, _ = pair(bus)
    plugin = StoppingPlugin(identifier="plugin", eventbus_client=on(bus))
    core.operation_sinks["text"] = stop_core
    async with asyncio.timeout(4):
        async with plugin:
            await core.start()
            await all_connected(core, [plugin])
            await core.execute("text", "x", any=True)
            await stopped.wait()
            await closed.wait()
            assert not core.is_running

            async def stop_plugin(topic: str, event: Event[Any]) -> None:
                await plugin.stop()
                stopped.set()

            stopped.clear()
            plugin.operations["text"] = Operation(
                name="text", handler=stop_plugin, input=Input.string(), output=plugin.operations["text"].output
            )
            await core.start()
            await all_connected(core, [plugin])
            await core.execute("text", "x", any=True)
            await stopped.wait()
            assert not plugin.is_running
            await core.stop()
        await until(lambda: len(asyncio.all_tasks()) == 1)
    assert_nothing_is_left(core, plugin)


@pytest.mark.parametrize("where", ["_on_starting", "_on_stopping", "_on_started", "_on_stopped"])
async def test_start_in_a_hook_is_refused_where_it_makes_no_sense(bus: LocalEventBus, where: str) -> None:
    plugin = Stopping(eventbus_client=on(bus), where=where, what="start")
    async with asyncio.timeout(4):
        await plugin.start()
        await plugin.stop()
        if where == "_on_stopped":
            assert plugin.outcome == ["reached", None]
            assert plugin.is_running
            await plugin.stop()
        else:
            assert isinstance(plugin.outcome[1], OrbiterStateError)
    assert_nothing_is_left(plugin)
