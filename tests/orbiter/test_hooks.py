"""Hooks: called at the points of the guide, in their order, with their data."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

import pytest

from orbitalis import Core, Operation, Output, Policy
from orbitalis.bus import LocalEventBus
from orbitalis.operations.connection import PendingRequest
from orbitalis.orbiter import Connection, Orbiter
from orbitalis_wire.messages import (
    ConfirmConnectionMessage,
    DiscoverMessage,
    KeepaliveMessage,
    OfferedOperation,
    OfferMessage,
    OperationNoLongerAvailableMessage,
    RejectOperationMessage,
    RequestOperationMessage,
)
from tests.support.events import Collector, until
from tests.support.orbiters import Diary, EchoPlugin, all_connected, core_on, needs, on, plugin_on, running


async def told_by(orbiter: Orbiter, diary: Diary, name: str, times: int = 1) -> list[tuple[Any, ...]]:
    """Return the arguments of a hook, once it was called so often."""
    await until(lambda: len(diary.arguments(orbiter, name)) >= times)
    return diary.arguments(orbiter, name)


async def test_the_hooks_of_a_handshake_are_called_in_the_order_of_the_guide(bus: LocalEventBus) -> None:
    diary, core, plugin = Diary(), core_on(bus), plugin_on(bus)
    for orbiter in (core, plugin):
        diary.keep(orbiter)
    async with running(plugin, core):
        await told_by(core, diary, "_on_compliant")
        await told_by(core, diary, "_on_promote_pending_request_to_connection")
        await until(lambda: "_on_started" in diary.of(core))
        assert diary.of(plugin) == [
            "_on_starting",
            "_on_send_announcement",
            "_on_started",
            "_on_new_discover",
            "_on_send_offer",
            "_on_reply",
            "_on_request",
            "_setup_operation",
            "_on_promote_pending_request_to_connection",
        ]
        aside = ("_on_compliant", "_on_not_compliant", "_on_started")
        assert [name for name in diary.of(core) if name not in aside] == [
            "_on_starting",
            "_on_send_discover",
            "_on_new_offer",
            "_get_setup_data",
            "_on_response",
            "_on_confirm_connection",
            "_on_promote_pending_request_to_connection",
        ]
        assert [name for name in diary.of(core) if name in aside[:2]] == ["_on_not_compliant", "_on_compliant"]


async def test_hooks_get_the_messages_and_what_they_are_about(bus: LocalEventBus) -> None:
    diary, core, plugin = Diary(), core_on(bus), plugin_on(bus)
    core.operation_requirements["text"].default_setup_data = b"setup"
    for orbiter in (core, plugin):
        diary.keep(orbiter)
    async with running(plugin, core):
        await told_by(core, diary, "_on_promote_pending_request_to_connection")
        ((discover,),) = diary.arguments(plugin, "_on_new_discover")
        assert isinstance(discover, DiscoverMessage)
        assert diary.arguments(core, "_on_send_discover") == [(discover,)]
        ((offer,),) = diary.arguments(core, "_on_new_offer")
        assert isinstance(offer, OfferMessage)
        assert diary.arguments(plugin, "_on_send_offer") == [(offer,)]
        ((name, offered),) = diary.arguments(core, "_get_setup_data")
        assert name == "plugin"
        assert isinstance(offered, OfferedOperation)
        assert offered.name == "text"
        ((request,),) = diary.arguments(plugin, "_on_request")
        assert isinstance(request, RequestOperationMessage)
        assert request.setup_data == b"setup"
        assert diary.arguments(plugin, "_on_reply") == [(request,)]
        assert diary.arguments(plugin, "_setup_operation") == [("core", "text", b"setup")]
        ((confirm,),) = diary.arguments(core, "_on_confirm_connection")
        assert isinstance(confirm, ConfirmConnectionMessage)
        assert diary.arguments(core, "_on_response") == [(confirm,)]
        for orbiter, remote in ((core, "plugin"), (plugin, "core")):
            ((pending,),) = diary.arguments(orbiter, "_on_promote_pending_request_to_connection")
            assert isinstance(pending, PendingRequest)
            assert (pending.remote_identifier, pending.operation_name) == (remote, "text")


async def test_a_reject_is_told_to_the_plugin(bus: LocalEventBus) -> None:
    core = core_on(bus, operation_requirements=needs(maximum=1))
    diary, first, second = Diary(), plugin_on(bus, "first"), plugin_on(bus, "second")
    diary.keep(second)
    async with running(first, second, core):
        ((reject,),) = await told_by(second, diary, "_on_reject")
        assert isinstance(reject, RejectOperationMessage)
        assert (reject.core_identifier, reject.operation_name) == ("core", "text")
        assert diary.arguments(second, "_on_reply") == [(reject,)]
        assert diary.arguments(second, "_on_request") == []


async def test_that_nothing_is_available_any_more_is_told_to_the_core(bus: LocalEventBus) -> None:
    diary, core, plugin = Diary(), core_on(bus), plugin_on(bus)
    diary.keep(core)

    async def change_the_mind(offer: OfferMessage) -> None:
        plugin.with_custom_policy("text", Policy(blocklist=["core"]))

    setattr(plugin, "_on_send_offer", change_the_mind)  # noqa: B010  (mypy does not let a method be assigned)
    async with running(plugin, core):
        ((notice,),) = await told_by(core, diary, "_on_operation_no_longer_available")
        assert isinstance(notice, OperationNoLongerAvailableMessage)
        assert diary.arguments(core, "_on_response") == [(notice,)]
        assert diary.arguments(core, "_on_confirm_connection") == []
        assert core.retrieve_connections() == plugin.retrieve_connections() == []


async def test_keepalives_are_told_to_both(bus: LocalEventBus) -> None:
    diary, core, plugin = Diary(), core_on(bus), plugin_on(bus)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        for orbiter in (core, plugin):
            diary.keep(orbiter)
        await core.send_keepalive_request("plugin")
        assert await told_by(core, diary, "_on_keepalive") == [("plugin",)]
        # Hooks of the handshake may still come.
        assert [call for call in diary.calls if call[1].startswith("_on_keepalive")] == [
            ("plugin", "_on_keepalive_request", ("core",)),
            ("core", "_on_keepalive", ("plugin",)),
        ]
        await plugin.send_all_keepalive_based_on_connections()
        await told_by(core, diary, "_on_keepalive", 2)


async def test_no_hook_is_told_of_the_close_of_what_an_older_peer_alone_believes_in(bus: LocalEventBus) -> None:
    diary, plugin, stranger = Diary(), plugin_on(bus), on(bus)
    closes = Collector()
    async with running(plugin):
        diary.keep(plugin)
        await stranger.connect()
        await stranger.subscribe("text.older.plugin.close", closes)
        await stranger.publish("orbitalis/plugin/older/keepalive", KeepaliveMessage(from_identifier="older"))
        await until(lambda: bool(closes.received))
        assert "_on_graceless_close_connection" not in diary.of(plugin)
        await stranger.disconnect()


@pytest.mark.parametrize("gracefully", [True, False])
async def test_a_close_is_told_on_both_sides_with_its_data(bus: LocalEventBus, gracefully: bool) -> None:
    diary, core, plugin = Diary(), core_on(bus), plugin_on(bus)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        for orbiter in (core, plugin):
            diary.keep(orbiter)
        plugin.operations.clear()
        if gracefully:
            await core.send_graceful_close_connection("plugin", "text", data=b"bye")
            hook = "_on_graceful_close_connection"
        else:
            await core.send_graceless_close_connection(remote_identifier="plugin", operation_name="text", data=b"bye")
            hook = "_on_graceless_close_connection"
        ((connection, data),) = await told_by(plugin, diary, "_on_close_connection")
        assert isinstance(connection, Connection)
        assert (connection.remote_identifier, data) == ("core", b"bye")
        assert not connection.is_open
        ((connection, data),) = await told_by(core, diary, "_on_close_connection")
        assert (connection.remote_identifier, data) == ("plugin", None)
        assert diary.arguments(core, hook) == [("plugin", "text", b"bye")]
        assert diary.arguments(core, "_get_on_close_data") == []


async def test_the_data_of_a_close_is_by_default_what_a_hook_gives(bus: LocalEventBus) -> None:
    class Giving(EchoPlugin):
        async def _get_on_close_data(self, remote_identifier: str, operation_name: str) -> bytes | None:
            return f"{remote_identifier} {operation_name}".encode()

    core = core_on(bus)
    plugin = Giving(identifier="plugin", eventbus_client=on(bus), with_loop=False)
    async with running(core):
        for close in ("graceless", "graceful", "stop", "unused"):
            await plugin.start()
            await core.send_discover_based_on_requirements()
            await all_connected(core, [plugin])
            await until(lambda: len(plugin.retrieve_connections()) == 1)
            if close == "graceless":
                await plugin.send_graceless_close_connection("core", "text")
            elif close == "graceful":
                await plugin.send_graceful_close_connection("core", "text")
            elif close == "unused":
                plugin.close_connection_if_unused_after = 0.0
                assert await plugin.close_unused_connections() == 1
            await plugin.stop()
            await until(lambda: core.closed == [("plugin", b"core text")])
            core.closed.clear()


async def test_a_remote_that_dies_is_told_before_its_connections_are_closed(bus: LocalEventBus) -> None:
    diary, core, plugin = Diary(), core_on(bus), plugin_on(bus)
    async with running(core):
        await plugin.start()
        await core.send_discover_based_on_requirements()
        await all_connected(core, [plugin])
        diary.keep(core)
        await plugin.eventbus_client.disconnect()
        core.consider_others_dead_after = 0.0
        assert core.dead_remote_identifiers == ["plugin"]
        await core.lose_dead_remotes()
        await told_by(core, diary, "_on_not_compliant")
        assert [name for name in diary.of(core) if "compliant" not in name and "discover" not in name] == [
            "_on_remote_dead",
            "_on_graceless_close_connection",
            "_on_close_connection",
        ]
        assert diary.arguments(core, "_on_remote_dead") == [("plugin",)]
        assert core.dead_remote_identifiers == ["plugin"]
        assert not core.is_compliant()
        await plugin.stop()


async def test_an_override_that_looks_like_the_default_is_called(bus: LocalEventBus) -> None:
    heard = []

    class Listening(EchoPlugin):
        @wraps(EchoPlugin._on_new_discover)
        async def _on_new_discover(self, discover_message: DiscoverMessage) -> None:  # type: ignore[override]
            heard.append(discover_message.core_identifier)
            await super()._on_new_discover(discover_message)

    plugin = Listening(identifier="plugin", eventbus_client=on(bus), with_loop=False)
    async with running(plugin, core_on(bus)):
        await until(lambda: heard == ["core"])


async def test_what_a_user_has_closed_waits_for_the_hooks_that_tell_of_it(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus), plugin_on(bus)
    told: list[str] = []

    def noting(name: str) -> Callable[..., Awaitable[None]]:
        async def note(*arguments: object) -> None:
            await asyncio.sleep(0.1 if name == "_on_not_compliant" else 0.01)
            told.append(name)

        return note

    async with running(plugin, core):
        await all_connected(core, [plugin])
        for name in ("_on_close_connection", "_on_graceless_close_connection", "_on_not_compliant"):
            setattr(core, name, noting(name))
        await core.send_graceless_close_connection("plugin", "text")
        assert sorted(told) == ["_on_close_connection", "_on_graceless_close_connection", "_on_not_compliant"]


async def test_hooks_may_be_plain_functions(bus: LocalEventBus) -> None:
    seen: list[str] = []

    class Plain(EchoPlugin):
        def _on_new_discover(self, discover_message: DiscoverMessage) -> None:  # type: ignore[override]
            seen.append(discover_message.core_identifier)

    core, plugin = core_on(bus), Plain(identifier="plugin", eventbus_client=on(bus), with_loop=False)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        assert seen == ["core"]


async def test_a_core_without_requirements_calls_compliant_once(bus: LocalEventBus) -> None:
    diary, core = Diary(), Core(identifier="core", eventbus_client=on(bus))
    diary.keep(core)
    async with running(core):
        await told_by(core, diary, "_on_compliant")
        assert "_on_not_compliant" not in diary.of(core)
    assert "_on_not_compliant" not in diary.of(core)


async def test_a_core_that_stops_does_not_say_that_it_is_not_compliant(bus: LocalEventBus) -> None:
    diary, core, plugin = Diary(), core_on(bus), plugin_on(bus)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        diary.keep(core)
    assert "_on_close_connection" in diary.of(core)
    assert "_on_not_compliant" not in diary.of(core)


async def test_an_operation_without_input_needs_no_handler(bus: LocalEventBus) -> None:
    plugin = plugin_on(bus)
    plugin.operations["report"] = Operation(name="report", output=Output.string())
    assert plugin.operations["report"].handler is None
