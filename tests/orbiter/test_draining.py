"""A graceful close loses nothing: what has come on the connection is handled before it ends."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from orbitalis import Event, StringMessage
from orbitalis.bus import LocalEventBus
from orbitalis.errors import NoConnectionError
from orbitalis.orbiter.slot_work import DrainingWork
from tests.support.events import until
from tests.support.orbiters import EchoPlugin, TextCore, all_connected, core_on, needs, on, plugin_on, running


@dataclass
class SlowPlugin(EchoPlugin):
    """Handles an input when it may."""

    may: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def _answer(self, topic: str, event: Event[StringMessage]) -> None:
        await self.may.acquire()
        await self.give_back(topic, event)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.operations["text"].handler = self._answer


@dataclass
class SlowCore(TextCore):
    """Takes an output when it may."""

    may: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def _keep(self, topic: str, event: Event[StringMessage]) -> None:
        await self.may.acquire()
        await super()._keep(topic, event)


def slow_plugin(bus: LocalEventBus) -> SlowPlugin:
    return SlowPlugin(identifier="plugin", eventbus_client=on(bus), with_loop=False)


async def test_a_plugin_answers_what_it_was_asked_before_the_core_closed(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus), slow_plugin(bus)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        for text in "ABC":
            await core.execute("text", text, any=True)
        await core.send_graceful_close_connection("plugin", "text")
        assert core.closed == []

        for _ in range(3):
            plugin.may.release()

        await until(lambda: core.texts == ["A", "B", "C"])
        await until(lambda: [(name, data) for name, data in core.closed] == [("plugin", None)])
        await until(lambda: plugin.retrieve_connections() == [])


async def test_a_plugin_that_leaves_first_answers_what_it_was_asked(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus), slow_plugin(bus)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        for text in "ABC":
            await core.execute("text", text, any=True)
        leaving = asyncio.create_task(plugin.leave(20))
        plugin.may.release()
        await until(lambda: core.texts == ["A"])
        assert not leaving.done()
        assert len(core.retrieve_connections()) == 1

        for _ in range(2):
            plugin.may.release()

        assert await leaving
        assert core.texts == ["A", "B", "C"]
        assert plugin.retrieve_connections() == core.retrieve_connections() == []


async def test_a_core_that_leaves_takes_what_it_has_asked_for(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus), slow_plugin(bus)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        for text in "ABC":
            await core.execute("text", text, any=True)
        leaving = asyncio.create_task(core.leave(20))
        plugin.may.release()
        await until(lambda: core.texts == ["A"])
        assert not leaving.done()

        for _ in range(2):
            plugin.may.release()

        assert await leaving
        assert core.texts == ["A", "B", "C"]


async def test_a_plugin_that_has_no_end_of_work_leaves_all_the_same(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus), slow_plugin(bus)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        await core.execute("text", "A", any=True)
        leaving = asyncio.create_task(plugin.leave(0.2))
        await asyncio.wait_for(core.not_compliant_event.wait(), 20)
        assert not await leaving
        plugin.may.release()


async def test_a_core_takes_what_was_sent_before_the_plugin_closed(bus: LocalEventBus) -> None:
    core = SlowCore(identifier="core", eventbus_client=on(bus), operation_requirements=needs(), with_loop=False)
    plugin = plugin_on(bus)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        for text in "ABC":
            await plugin.send_result_to_all(plugin.retrieve_connections(), text)
        await plugin.send_graceful_close_connection("core", "text")

        for _ in range(3):
            core.may.release()

        await until(lambda: core.texts == ["A", "B", "C"])
        await until(lambda: core.closed == [("plugin", None)])
        await until(lambda: plugin.retrieve_connections() == [])


async def test_a_graceless_close_waits_for_nothing(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus), slow_plugin(bus)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        await core.execute("text", "A", any=True)
        await core.send_graceful_close_connection("plugin", "text")
        await until(lambda: [type(key) for key in plugin._runtime.queues.under_way] == [DrainingWork])
        await core.send_graceless_close_connection("plugin", "text")

        await until(lambda: plugin.retrieve_connections() == [])
        assert core.closed == [("plugin", None)]
        # Neither does what waited to drain, though the handler goes on.
        await until(lambda: plugin._runtime.queues.under_way == {})
        assert plugin.received == []


async def test_who_drains_can_be_answered_and_is_asked_for_nothing_new(bus: LocalEventBus) -> None:
    core = SlowCore(identifier="core", eventbus_client=on(bus), operation_requirements=needs(), with_loop=False)
    plugin = plugin_on(bus)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        (connection,) = core.retrieve_connections()
        await plugin.send_result_to_all(plugin.retrieve_connections(), "A")
        await plugin.send_graceful_close_connection("core", "text")
        await asyncio.wait_for(core.not_compliant_event.wait(), 20)
        assert not connection.is_open
        assert core.retrieve_connections() == []
        with pytest.raises(NoConnectionError):
            await core.execute("text", "B", any=True)
        core.may.release()
        await until(lambda: core.closed == [("plugin", None)])
        assert core.texts == ["A"]
        assert plugin.received == []


async def test_a_handler_that_hangs_holds_a_graceful_close_up_no_longer_than_the_plugin_waits(
    bus: LocalEventBus,
) -> None:
    core = core_on(bus, graceful_close_timeout=None)
    plugin = SlowPlugin(
        identifier="plugin", eventbus_client=on(bus), with_loop=True, loop_interval=0.01, graceful_close_timeout=0.1
    )
    async with running(plugin, core):
        await all_connected(core, [plugin])
        await core.execute("text", "A", any=True)
        await core.send_graceful_close_connection("plugin", "text")
        await until(lambda: core.closed == [("plugin", None)])
        assert plugin.retrieve_connections() == []
        plugin.may.release()
