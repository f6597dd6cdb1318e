"""Start and stop: states, hooks, what is left behind, and that no way of calling them locks anything up."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from orbitalis import (
    Core,
    CoreState,
    Orbiter,
    OrbiterStateError,
    Plugin,
    PluginState,
)
from orbitalis.bus import LocalEventBus, LocalEventBusClient
from orbitalis.errors import BusNotConnectedError, BusUnavailableError
from tests.support.events import until
from tests.support.orbiters import (
    Diary,
    EchoPlugin,
    TextCore,
    all_connected,
    assert_nothing_is_left,
    needs,
    on,
    running,
)


def pair(bus: LocalEventBus, **options: Any) -> tuple[TextCore, EchoPlugin]:
    core = TextCore(identifier="core", eventbus_client=on(bus), operation_requirements=needs(), **options)
    return core, EchoPlugin(identifier="plugin", eventbus_client=on(bus), **options)


async def test_a_plugin_is_created_runs_stops_and_runs_again(bus: LocalEventBus) -> None:
    plugin = EchoPlugin(eventbus_client=on(bus))
    assert not plugin.is_running
    assert plugin.state.name == "CREATED"
    for _ in range(3):
        await plugin.start()
        assert plugin.state is PluginState.RUNNING
        assert plugin.is_running
        await plugin.stop()
        assert plugin.state is PluginState.STOPPED
        assert_nothing_is_left(plugin)


async def test_a_core_is_compliant_from_the_start_or_later(bus: LocalEventBus) -> None:
    core, plugin = pair(bus)
    assert core.state.name == "CREATED"
    await core.start()
    assert core.state.name == "NOT_COMPLIANT"
    assert core.not_compliant_event.is_set()
    await plugin.start()
    await asyncio.wait_for(core.compliant_event.wait(), 20)
    assert core.state.name == "COMPLIANT"
    assert not core.not_compliant_event.is_set()
    await plugin.stop()
    await asyncio.wait_for(core.not_compliant_event.wait(), 20)
    assert core.state.name == "NOT_COMPLIANT"
    await core.stop()
    assert core.state.name == "STOPPED"
    assert not core.compliant_event.is_set()
    assert not core.not_compliant_event.is_set()
    assert_nothing_is_left(core, plugin)

    idle = Core(eventbus_client=on(bus))
    async with running(idle):
        assert idle.state is CoreState.COMPLIANT
        assert idle.compliant_event.is_set()


async def test_what_is_connected_is_connected_again_after_a_restart_of_either(bus: LocalEventBus) -> None:
    core, plugin = pair(bus)
    core.discovering_interval = core.loop_interval = 0.02
    async with running(plugin, core):
        for orbiter in (core, plugin, core):
            await all_connected(core, [plugin])
            await orbiter.stop()
            await orbiter.start()
        await all_connected(core, [plugin])
        await until(lambda: len(plugin.retrieve_connections()) == 1)
        assert await core.execute("text", "hello", any=True) == ["plugin"]
        await until(lambda: core.texts == ["hello"])


@pytest.mark.parametrize("kind", ["core", "plugin"])
async def test_it_cannot_be_started_twice(bus: LocalEventBus, kind: str) -> None:
    orbiter: Orbiter = pair(bus)[kind == "plugin"]
    await orbiter.start()
    with pytest.raises(OrbiterStateError, match=f"'{kind}' is running already: stop it before it is started again"):
        await orbiter.start()
    assert orbiter.is_running
    await asyncio.gather(orbiter.stop(), orbiter.stop())
    await orbiter.stop()
    assert_nothing_is_left(orbiter)


async def test_of_two_starts_at_a_time_one_fails(bus: LocalEventBus) -> None:
    plugin = EchoPlugin(eventbus_client=on(bus))
    outcomes = await asyncio.gather(plugin.start(), plugin.start(), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None), OrbiterStateError]
    await plugin.stop()


async def test_stop_before_the_first_start_does_nothing(bus: LocalEventBus) -> None:
    plugin = EchoPlugin(eventbus_client=on(bus))
    await plugin.stop()
    assert plugin.state is PluginState.CREATED


async def test_an_orbiter_is_a_context_manager(bus: LocalEventBus) -> None:
    async with EchoPlugin(eventbus_client=on(bus)) as plugin:
        assert plugin.is_running
    assert_nothing_is_left(plugin)


async def test_hooks_are_called_around_start_and_stop_with_their_arguments(bus: LocalEventBus) -> None:
    diary, plugin = Diary(), EchoPlugin(eventbus_client=on(bus), with_loop=False)
    states: list[PluginState] = []

    class Inside(EchoPlugin):
        async def _internal_start(self, *args: Any, **kwargs: Any) -> None:
            diary.calls.append((self.identifier, "start", (*args, *kwargs.values())))
            await super()._internal_start(*args, **kwargs)
            states.append(self.state)

        async def _internal_stop(self, *args: Any, **kwargs: Any) -> None:
            diary.calls.append((self.identifier, "stop", (*args, *kwargs.values())))
            await super()._internal_stop(*args, **kwargs)
            states.append(self.state)

    plugin = Inside(identifier="inside", eventbus_client=on(bus), with_loop=False)
    diary.keep(plugin)
    await plugin.start(1, a=2)
    await plugin.stop(3, b=4)
    assert [call for call in diary.calls if call[1] != "_on_send_announcement"] == [
        ("inside", "_on_starting", (1, 2)),
        ("inside", "start", (1, 2)),
        ("inside", "_on_started", (1, 2)),
        ("inside", "_on_stopping", (3, 4)),
        ("inside", "stop", (3, 4)),
        ("inside", "_on_stopped", (3, 4)),
    ]
    assert states == [PluginState.RUNNING, PluginState.STOPPED]


class BrokenClient(LocalEventBusClient):
    """Fails in one thing."""

    fails_in = ""
    count = 0

    async def connect(self) -> None:
        if self.fails_in == "connect":
            raise BusUnavailableError("no bus")
        await super().connect()

    def start_subscribe(self, *args: Any, **kwargs: Any) -> Any:
        self.count += 1
        if self.fails_in == "subscribe" and self.count == 3:
            raise BusUnavailableError("no subscriptions")
        return super().start_subscribe(*args, **kwargs)


@pytest.mark.parametrize("fails_in", ["connect", "subscribe"])
@pytest.mark.parametrize("kind", ["core", "plugin"])
async def test_a_start_that_fails_leaves_nothing_and_can_be_repeated(
    bus: LocalEventBus, kind: str, fails_in: str
) -> None:
    orbiter: Orbiter = pair(bus)[kind == "plugin"]
    client = orbiter.eventbus_client = BrokenClient(bus)
    client.fails_in = fails_in
    with pytest.raises(BusUnavailableError):
        await orbiter.start()
    assert not orbiter.is_running
    assert_nothing_is_left(orbiter)
    client.fails_in = ""
    async with running(orbiter):
        assert orbiter.is_running


async def test_a_start_that_fails_in_what_a_user_added_leaves_nothing(bus: LocalEventBus) -> None:
    class Failing(EchoPlugin):
        async def _internal_start(self, *args: Any, **kwargs: Any) -> None:
            await super()._internal_start(*args, **kwargs)
            raise ZeroDivisionError

    plugin = Failing(eventbus_client=on(bus))
    with pytest.raises(ZeroDivisionError):
        await plugin.start()
    assert not plugin.is_running
    assert_nothing_is_left(plugin)


async def test_a_start_that_is_cancelled_leaves_nothing(bus: LocalEventBus) -> None:
    class Slow(EchoPlugin):
        async def _internal_start(self, *args: Any, **kwargs: Any) -> None:
            await super()._internal_start(*args, **kwargs)
            reached.set()
            await asyncio.Event().wait()

    reached = asyncio.Event()
    plugin = Slow(eventbus_client=on(bus))
    task = asyncio.create_task(plugin.start())
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not plugin.is_running
    assert_nothing_is_left(plugin)


async def test_what_a_stop_that_is_cancelled_has_left_the_next_stop_or_start_ends(bus: LocalEventBus) -> None:
    class Slow(LocalEventBusClient):
        async def disconnect(self) -> None:
            leaving.set()
            await asyncio.sleep(0.01)
            await super().disconnect()

    leaving = asyncio.Event()
    core, plugin = (
        TextCore(operation_requirements=needs(), eventbus_client=Slow(bus)),
        EchoPlugin(eventbus_client=on(bus)),
    )
    async with running(plugin):
        for end in (core.stop, core.start):
            await core.start()
            await all_connected(core, [plugin])
            leaving.clear()
            stop = asyncio.create_task(core.stop())
            await leaving.wait()
            stop.cancel()
            with pytest.raises(asyncio.CancelledError):
                await stop
            assert not core.is_running
            assert core.retrieve_connections() == []
            assert core.eventbus_client.is_connected
            await end()
            assert core.eventbus_client.is_connected is core.is_running
        await all_connected(core, [plugin])
        await core.stop()
    assert_nothing_is_left(core, plugin)


@pytest.mark.parametrize("hook", ["_on_starting", "_on_started", "_on_stopping", "_on_stopped"])
@pytest.mark.parametrize("raises", [False, True])
async def test_a_hook_of_start_or_stop_that_raises(
    bus: LocalEventBus, hook: str, raises: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError

    plugin = EchoPlugin(identifier="plugin", eventbus_client=on(bus), raise_exceptions=raises)
    setattr(plugin, hook, fail)
    starts = hook in ("_on_starting", "_on_started")
    if raises and starts:
        with pytest.raises(ZeroDivisionError):
            await plugin.start()
    else:
        await plugin.start()
        if raises:
            with pytest.raises(ZeroDivisionError):
                await plugin.stop()
        else:
            await plugin.stop()
    assert not plugin.is_running
    assert_nothing_is_left(plugin)
    assert ("of 'plugin' failed" in caplog.text) is not raises


async def test_after_its_stop_it_can_do_nothing_and_says_so(bus: LocalEventBus) -> None:
    core, plugin = pair(bus)
    async with running(plugin, core):
        await all_connected(core, [plugin])
    with pytest.raises(LookupError):
        await core.execute("text", "x", any=True)
    with pytest.raises(LookupError):
        await plugin.send_keepalive("core")
    with pytest.raises(LookupError):
        await plugin.send_graceful_close_connection("core", "text")
    with pytest.raises(BusNotConnectedError):
        await core.sudo_execute("topic", "x")
    assert await core.close_unused_connections() == 0
    assert await core.discard_expired_pending_requests() == 0
    await core.lose_dead_remotes()
    with pytest.raises(OrbiterStateError, match="is not running: start it"):
        await plugin.send_offer("$handshake.offer", "core", ["text"])
    with pytest.raises(OrbiterStateError, match="is not running: start it"):
        await core.send_discover_based_on_requirements()
    core.update_compliant()
    assert core.state is CoreState.STOPPED
    assert len(plugin._machine.slots) == 0


async def test_before_its_start_nothing_makes_a_core_compliant(bus: LocalEventBus) -> None:
    core = Core(eventbus_client=on(bus))
    core.update_compliant()
    assert await core.discard_expired_pending_requests() == 0
    assert core.state is CoreState.CREATED


@pytest.mark.parametrize("kind", [Core, Plugin])
def test_what_cannot_be_is_refused_when_it_is_made(bus: LocalEventBus, kind: type[Orbiter]) -> None:
    for identifier in ("", "a/b", "#", "+", "-", "a\0", "x" * 256):
        with pytest.raises(ValueError, match=r"identifier '.*' cannot be used: it"):
            kind(identifier=identifier, eventbus_client=on(bus))
    with pytest.raises(ValueError, match="loop_interval must be positive, got 0"):
        kind(eventbus_client=on(bus), loop_interval=0)
    for duration in ("loop_interval", "consider_others_dead_after", "graceful_close_timeout"):
        for value in (-1.0, float("nan")):
            options: dict[str, Any] = {duration: value}
            with pytest.raises(ValueError, match=f"{duration} must not be negative"):
                kind(eventbus_client=on(bus), **options)
    url: Any = "mqtt://localhost"
    with pytest.raises(TypeError, match=r"must be a client of an event bus, got a str; connect\(URL\) makes one"):
        kind(eventbus_client=url)


def test_identifiers_are_made_up_and_differ(bus: LocalEventBus) -> None:
    assert len({EchoPlugin(eventbus_client=on(bus)).identifier for _ in range(100)}) == 100
