"""Hooks that raise, that hang, and that wait for each other: they harm nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from orbitalis import Constraint, Input, Output
from orbitalis.bus import LocalEventBus
from orbitalis.bus.dispatch import Subscription
from orbitalis.protocol.limits import Limits
from orbitalis.protocol.transitions import CoreState
from orbitalis.testing import RecordingBus
from orbitalis_wire.messages import AnnounceMessage, DiscoverMessage, RequestOperationMessage
from tests.support.events import Collector, until
from tests.support.orbiters import (
    EchoPlugin,
    TextCore,
    all_connected,
    assert_nothing_is_left,
    core_on,
    needs,
    on,
    plugin_on,
    running,
)

# mypy does not let a method be assigned; setattr says the same.

PLUGIN_HOOKS = [
    "_on_new_discover",
    "_on_send_offer",
    "_on_reply",
    "_on_request",
    "_on_promote_pending_request_to_connection",
]
CORE_HOOKS = [
    "_on_not_compliant",
    "_on_send_discover",
    "_on_new_offer",
    "_on_response",
    "_on_confirm_connection",
    "_on_promote_pending_request_to_connection",
    "_on_compliant",
]


def failing(how: Callable[[], object]) -> Any:
    async def hook(*args: object, **kwargs: object) -> None:
        how()

    return hook


def divide() -> object:
    return 1 / 0


def pretend_to_be_cancelled() -> object:
    raise asyncio.CancelledError


@pytest.mark.parametrize("how", [divide, pretend_to_be_cancelled])
async def test_hooks_that_raise_hinder_nothing(
    bus: LocalEventBus, how: Callable[[], object], caplog: pytest.LogCaptureFixture
) -> None:
    core, plugin = core_on(bus), plugin_on(bus)
    for orbiter, hooks in ((core, CORE_HOOKS), (plugin, PLUGIN_HOOKS)):
        for name in [*hooks, "_on_close_connection", "_get_on_close_data", "_on_graceful_close_connection"]:
            setattr(orbiter, name, failing(how))
    async with running(plugin, core):
        await all_connected(core, [plugin])
        assert await core.execute("text", "x", any=True) == ["plugin"]
        await until(lambda: core.texts == ["x"])
        await core.send_graceful_close_connection("plugin", "text")
        await until(lambda: core._machine.slots.get("plugin", "text") is None)
    for name in CORE_HOOKS + PLUGIN_HOOKS:
        assert "failed" in caplog.text, name
    assert "Task exception was never retrieved" not in caplog.text


@pytest.mark.parametrize("how", [divide, pretend_to_be_cancelled])
@pytest.mark.parametrize("hook", ["_get_setup_data", "_setup_operation"])
async def test_a_preparation_that_raises_ends_the_handshake_alone(
    bus: LocalEventBus, hook: str, how: Callable[[], object]
) -> None:
    core, plugin, other = core_on(bus), plugin_on(bus), plugin_on(bus, "other")
    original = getattr(core, hook, None) or getattr(plugin, hook)

    async def fail_for_one(remote: str, *args: object) -> object:
        if "plugin" in remote:
            how()
        return await original(remote, *args)

    if hook == "_get_setup_data":
        setattr(core, "_get_setup_data", fail_for_one)  # noqa: B010
    else:
        setattr(plugin, "_setup_operation", failing(how))  # noqa: B010
    async with running(plugin, other, core):
        await all_connected(core, [other])
        await until(lambda: len(plugin._machine.slots) == 0)
        assert len(core._machine.slots) == 1
        topics = set(plugin.eventbus_client._subscriptions)
        assert topics == {*plugin._protocol_filters(), *plugin._responder.filters}


@pytest.mark.usefixtures("impatience")
@pytest.mark.parametrize("hook", [*PLUGIN_HOOKS, "_setup_operation", "_on_keepalive", "_on_close_connection"])
async def test_a_hook_of_a_plugin_that_hangs_for_one_core_holds_up_no_other(bus: LocalEventBus, hook: str) -> None:
    plugin = plugin_on(bus)
    bad, good = core_on(bus, "bad"), core_on(bus, "good")
    hanging = asyncio.Event()
    original = getattr(plugin, hook)

    async def hang_for_one(about: Any, *args: Any) -> Any:
        whom = [about, getattr(about, "core_identifier", None), getattr(about, "remote_identifier", None)]
        if "bad" in whom or (hook == "_on_send_offer" and not hanging.is_set()):
            hanging.set()
            await asyncio.Event().wait()
        return await original(about, *args)

    setattr(plugin, hook, hang_for_one)
    async with asyncio.timeout(15), running(plugin, bad):
        if hook in ("_on_keepalive", "_on_close_connection"):
            await all_connected(bad, [plugin])
            await bad.send_keepalive("plugin")
            await bad.send_graceless_close_connection("plugin", "text")
        await asyncio.wait_for(hanging.wait(), 5)
        async with good:
            await all_connected(good, [plugin])
            await good.execute("text", "x", any=True)
            await until(lambda: good.texts == ["x"])


@pytest.mark.usefixtures("impatience")
@pytest.mark.parametrize("hook", ["_on_not_compliant", "_on_compliant"])
async def test_a_hook_of_a_core_that_hangs_holds_up_neither_start_nor_discovers(bus: LocalEventBus, hook: str) -> None:
    core, plugin = core_on(bus, loop_interval=0.01, discovering_interval=0.02, with_loop=True), plugin_on(bus)

    async def hang() -> None:
        await asyncio.Event().wait()

    setattr(core, hook, hang)
    async with asyncio.timeout(15):
        await core.start()
        for _ in range(2):
            await plugin.start()
            await all_connected(core, [plugin])
            await plugin.stop()
            await until(lambda: core.retrieve_connections() == [])
        await core.stop()


@pytest.mark.usefixtures("impatience")
async def test_a_hook_that_tells_of_compliance_and_hangs_holds_up_no_discover() -> None:
    bus = RecordingBus()
    core = core_on(bus, loop_interval=0.01, discovering_interval=0.02, with_loop=True)
    setattr(core, "_on_not_compliant", asyncio.Event().wait)  # noqa: B010
    await core.start()
    await until(lambda: len(bus.recording.of(DiscoverMessage)) >= 3)
    await core.stop()


@pytest.mark.usefixtures("impatience")
async def test_a_hook_that_hangs_for_one_remote_does_not_keep_a_stop_from_being_told(bus: LocalEventBus) -> None:
    plugin = plugin_on(bus)
    cores = [core_on(bus, f"core{number}") for number in range(3)]
    asked = asyncio.Event()

    async def hang_for_one(remote_identifier: str) -> None:
        if remote_identifier == "core0":
            asked.set()
            await asyncio.Event().wait()

    async def hang_for_another(remote_identifier: str, operation_name: str) -> bytes | None:
        if remote_identifier == "core1":
            await asyncio.Event().wait()
        return b"data"

    setattr(plugin, "_on_keepalive", hang_for_one)  # noqa: B010
    setattr(plugin, "_get_on_close_data", hang_for_another)  # noqa: B010
    async with running(*cores):
        await plugin.start()
        for core in cores:
            await core.send_discover_based_on_requirements()
            await all_connected(core, [plugin])
        await cores[0].send_keepalive("plugin")
        await asked.wait()
        async with asyncio.timeout(20):
            await plugin.stop()
        await until(lambda: all(core.closed for core in cores))
        assert [core.closed[0][1] for core in cores] == [b"data", None, b"data"]


async def test_hooks_that_wait_for_each_other_do_not_lock_up(bus: LocalEventBus) -> None:
    plugin = plugin_on(bus)
    cores = [core_on(bus, "a"), core_on(bus, "b")]
    met = asyncio.Barrier(2)
    done: list[str] = []

    async def close_the_other(from_identifier: str) -> None:
        await met.wait()
        await plugin.send_graceful_close_connection("b" if from_identifier == "a" else "a", "text")
        done.append(from_identifier)

    setattr(plugin, "_on_keepalive", close_the_other)  # noqa: B010
    async with asyncio.timeout(10):
        async with running(plugin, *cores):
            for core in cores:
                await all_connected(core, [plugin])
            await asyncio.gather(*(core.send_keepalive("plugin") for core in cores))
            await until(lambda: sorted(done) == ["a", "b"])
            await until(lambda: plugin.retrieve_connections() == [])


async def test_a_flood_of_one_remote_is_bounded_while_its_hook_hangs(
    bus: LocalEventBus, caplog: pytest.LogCaptureFixture
) -> None:
    core, plugin = core_on(bus), plugin_on(bus, limits=Limits(waiting_work_of_remote=50))
    released = asyncio.Event()

    async def hang(from_identifier: str) -> None:
        await released.wait()

    async with running(plugin, core):
        await all_connected(core, [plugin])
        setattr(plugin, "_on_keepalive", hang)  # noqa: B010
        for _ in range(500):
            await core.send_keepalive("plugin")
        await until(lambda: plugin.statistics.overloaded > 400)
        assert plugin._runtime.queues.waiting <= 51
        assert "too much is still to be done" in caplog.text
        released.set()


async def test_what_waits_for_a_hook_that_hangs_may_take_only_so_much_memory(bus: LocalEventBus) -> None:
    core = core_on(bus)
    plugin = plugin_on(bus, limits=Limits(waiting_work_bytes=4_000))
    released = asyncio.Event()

    async def hang(discover_message: DiscoverMessage) -> None:
        await released.wait()

    async with running(plugin, core):
        await all_connected(core, [plugin])
        setattr(plugin, "_on_new_discover", hang)  # noqa: B010
        wanted = Constraint(inputs=[Input.string()], outputs=[Output.string()], allowlist=["x" * 500])
        for _ in range(20):
            await core.send_discover_for_operations({"text": wanted})
        await until(lambda: plugin.statistics.overloaded > 10)
        queues = plugin._runtime.queues
        assert 1_000 < queues.waiting_bytes == queues.bytes("core") < 3_000
        released.set()


async def test_a_preparation_that_hangs_holds_up_no_other_connection_with_the_same_remote(bus: LocalEventBus) -> None:
    ended = asyncio.Event()

    async def hang(core_identifier: str, operation_name: str, setup_data: bytes | None) -> None:
        if operation_name == "stuck":
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

    requirements = {**needs(), "stuck": needs()["text"]}
    core = core_on(bus, operation_requirements=requirements)
    plugin = plugin_on(bus)
    plugin.operations["stuck"] = replace(plugin.operations["text"], name="stuck")
    plugin._setup_operation = hang  # type: ignore[method-assign]  # as a subclass would
    async with running(plugin, core):
        await all_connected(core, [plugin])
        await core.execute("text", "x", any=True)
        await until(lambda: core.texts == ["x"])
        await plugin.send_keepalive("core")
        assert not ended.is_set()
        plugin.pending_requests_expire_after = 0.0
        await plugin.discard_expired_pending_requests()
        await asyncio.wait_for(ended.wait(), 20)
        assert [one.operation_name for one in core.retrieve_connections()] == ["text"]


async def test_nothing_is_prepared_for_a_request_that_has_come_to_nothing_while_a_hook_hung(bus: LocalEventBus) -> None:
    asked, go_on, prepared = asyncio.Event(), asyncio.Event(), []

    async def hang(message: RequestOperationMessage) -> None:
        asked.set()
        await go_on.wait()

    async def prepare(core_identifier: str, operation_name: str, setup_data: bytes | None) -> None:
        prepared.append(core_identifier)

    plugin, core = plugin_on(bus), core_on(bus)
    plugin._on_request = hang  # type: ignore[method-assign]
    plugin._setup_operation = prepare  # type: ignore[method-assign]
    async with running(plugin, core):
        await asked.wait()
        plugin.pending_requests_expire_after = 0.0
        discarding = asyncio.create_task(plugin.discard_expired_pending_requests())  # done when the hook is
        await until(lambda: not list(plugin._machine.slots))
        go_on.set()
        assert await discarding == 1
        await plugin.send_keepalive("core")  # comes after what was under way
        assert prepared == []
        assert plugin.retrieve_connections() == []


async def test_a_core_loses_compliance_while_the_hook_that_tells_of_it_hangs(
    bus: LocalEventBus,
) -> None:
    released = asyncio.Event()
    core, plugin = core_on(bus), plugin_on(bus)
    setattr(core, "_on_compliant", released.wait)  # noqa: B010
    async with running(plugin, core):
        await asyncio.wait_for(core.compliant_event.wait(), 20)
        await all_connected(core, [plugin])
        await plugin.send_graceless_close_connection("core", "text")
        await asyncio.wait_for(core.not_compliant_event.wait(), 20)
        assert core.state is CoreState.NOT_COMPLIANT
        released.set()


@pytest.mark.parametrize("hook", ["_setup_operation", "_get_setup_data"])
async def test_a_preparation_that_raises_before_it_waits_ends_the_handshake(bus: LocalEventBus, hook: str) -> None:
    called = []

    def fail(*arguments: object) -> None:
        called.append(arguments)
        raise ZeroDivisionError

    core, plugin = core_on(bus), plugin_on(bus)
    setattr(plugin if hook == "_setup_operation" else core, hook, fail)
    async with running(plugin, core):
        await until(lambda: len(called) == 1)
        await until(lambda: len(plugin._machine.slots) == len(core._machine.slots) == 0)


@pytest.mark.parametrize("what", ["input", "close"])
async def test_nothing_is_prepared_for_a_request_that_is_taken_back_while_its_topics_are_subscribed(
    bus: LocalEventBus, what: str
) -> None:
    asked, go_on, prepared = asyncio.Event(), asyncio.Event(), []

    async def prepare(core_identifier: str, operation_name: str, setup_data: bytes | None) -> None:
        prepared.append(core_identifier)

    plugin, core = plugin_on(bus), core_on(bus)
    plugin._setup_operation = prepare  # type: ignore[method-assign]
    subscribe = plugin.eventbus_client._start_subscribe

    def hang(subscription: Subscription) -> Awaitable[None] | None:
        assert subscribe(subscription) is None
        return answered() if f"/text/{what}/" in subscription.topic_filter else None

    async def answered() -> None:
        asked.set()
        await go_on.wait()

    plugin.eventbus_client._start_subscribe = hang  # type: ignore[method-assign]
    async with running(plugin, core):
        await asked.wait()
        before = {*plugin._protocol_filters(), *plugin._responder.filters}
        await core.stop()
        await until(lambda: not list(plugin._machine.slots))
        assert set(plugin.eventbus_client._subscriptions) > before
        go_on.set()
        await until(lambda: set(plugin.eventbus_client._subscriptions) == before)
        assert prepared == []


async def test_a_hook_that_goes_on_after_the_stop_has_nothing_sent(bus: LocalEventBus) -> None:
    hangs = asyncio.Event()

    class Stubborn(TextCore):
        async def _on_send_discover(self, discover_message: DiscoverMessage) -> None:
            hangs.set()
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    discovers = Collector()
    listener = on(bus)
    await listener.connect()
    await listener.subscribe("$handshake.discover", discovers)
    core = Stubborn(identifier="core", eventbus_client=on(bus), operation_requirements=needs())
    await core.start()
    await hangs.wait()
    for _ in range(2):  # a stop that is cancelled has no time for what is under way
        stop = asyncio.create_task(core.stop())
        await asyncio.sleep(0.01)
        stop.cancel()
        await asyncio.wait([stop])
    await core.stop()
    assert discovers.received == []
    await listener.disconnect()
    assert_nothing_is_left(core)


async def test_a_start_does_not_wait_for_ever_for_its_announcement(bus: LocalEventBus) -> None:
    class Hanging(EchoPlugin):
        async def _on_send_announcement(self, announce_message: AnnounceMessage) -> None:
            await asyncio.Event().wait()

    plugin = Hanging(eventbus_client=on(bus))
    async with asyncio.timeout(4):
        await plugin.start()
    assert plugin.is_running
    plugin._runtime.queues.end(None)
    await plugin.stop()
    assert_nothing_is_left(plugin)
