"""Leaving: all connections closed gracefully, none begun, before a stop."""

from __future__ import annotations

import asyncio

from orbitalis import Connection
from orbitalis.bus import LocalEventBus
from tests.support.events import until
from tests.support.orbiters import Diary, all_connected, core_on, plugin_on, running


async def test_a_plugin_that_leaves_closes_gracefully_and_offers_nothing_more(bus: LocalEventBus) -> None:
    core, plugin, diary = core_on(bus), plugin_on(bus), Diary()
    async with running(plugin, core):
        await all_connected(core, [plugin])
        diary.keep(plugin)

        assert await plugin.leave(20)

        assert plugin.is_running
        assert plugin.retrieve_connections() == []
        await asyncio.wait_for(core.not_compliant_event.wait(), 20)
        await core.send_discover_based_on_requirements()
        await until(lambda: "_on_new_discover" in diary.of(plugin))
        await plugin.stop()
        assert "_on_graceful_close_connection" in diary.of(plugin)
        assert "_on_graceless_close_connection" not in diary.of(plugin)
        assert "_on_send_offer" not in diary.of(plugin)
        await plugin.start()
        await core.send_discover_based_on_requirements()
        await all_connected(core, [plugin])


async def test_a_core_that_leaves_asks_for_nothing_and_takes_no_offer(bus: LocalEventBus) -> None:
    core, plugin, diary = core_on(bus), plugin_on(bus), Diary()
    async with running(plugin, core):
        await all_connected(core, [plugin])
        diary.keep(core)

        assert await core.leave(20)

        core.update_compliant()
        await plugin.send_offer(core.offer_topic, core.identifier, ["text"])
        await core.stop()
        # What it does send takes back what it has asked for, and asks for nothing.
        assert [list(message.queries) for (message,) in diary.arguments(core, "_on_send_discover")] == [[]]
        assert core.texts == []
        assert plugin.retrieve_connections() == []


async def test_both_may_leave_at_once(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus), plugin_on(bus)
    async with running(plugin, core):
        await all_connected(core, [plugin])

        assert all(await asyncio.gather(core.leave(20), plugin.leave(20)))


async def test_a_handshake_under_way_comes_to_nothing(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus), plugin_on(bus)
    asked, answer = asyncio.Event(), asyncio.Event()

    async def hesitate(core_identifier: str, operation_name: str, setup_data: bytes | None) -> None:
        asked.set()
        await answer.wait()

    plugin._setup_operation = hesitate  # type: ignore[method-assign]  # as a subclass would
    async with running(plugin, core):
        await asyncio.wait_for(asked.wait(), 20)
        assert await plugin.leave(20)
        answer.set()
        await plugin.stop()
        assert core.retrieve_connections() == []


async def test_it_waits_no_longer_than_it_may(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus), plugin_on(bus)
    silenced, closed = asyncio.Event(), list[Connection]()

    async def forever(remote_identifier: str, operation_name: str) -> bytes | None:
        silenced.set()
        await asyncio.Event().wait()
        return None

    async def note(connection: Connection, data: bytes | None) -> None:
        closed.append(connection)

    async with running(plugin, core):
        await all_connected(core, [plugin])
        plugin._get_on_close_data = forever  # type: ignore[method-assign]  # as a subclass would
        core._on_close_connection = note  # type: ignore[method-assign]

        assert not await plugin.leave(0.05)

        assert silenced.is_set()
        del plugin._get_on_close_data
        await plugin.stop()
        await asyncio.wait_for(core.not_compliant_event.wait(), 20)
        assert [one.remote_identifier for one in closed] == ["plugin"]
