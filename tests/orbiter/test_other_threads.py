"""Calls from another thread, with an event loop of its own or none: refused at once, and the orbiter goes on."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, TypeAlias

import pytest

from orbitalis import (
    Core,
    Event,
    LocalEventBus,
    LocalEventBusClient,
    OrbiterStateError,
    Plugin,
    Policy,
    StringMessage,
    WrongEventLoopError,
    operation,
)
from orbitalis.bus import EventBusClient, MqttEventBusClient, SeveralEventBusClient
from orbitalis.bus.event_handler import CallbackEventHandler
from orbitalis_wire.channels import OPERATION_OUTPUT
from tests.support.broker import Broker
from tests.support.events import until

Call: TypeAlias = Callable[["Both"], Any]


class Lamp(Plugin):
    @operation
    async def status(self, text: str) -> str:
        return "on"


class Both:
    """A core and a plugin that are connected, and a client that is on their bus as well."""

    def __init__(self, new_client: Callable[[], EventBusClient]) -> None:
        self.client = new_client()
        self.plugin = Lamp(identifier="lamp", eventbus_client=new_client())
        self.core = Core(identifier="core", eventbus_client=new_client()).with_requirement(Lamp.status, minimum=1)

    @property
    def connection(self) -> Any:
        (connection,) = self.plugin.retrieve_connections(operation_name="status")
        return connection


ORBITER: Final[dict[str, Call]] = {
    "start": lambda all: all.core.start(),
    "stop": lambda all: all.core.stop(),
    "wait_stopped": lambda all: all.core.wait_stopped(),
    "leave": lambda all: all.core.leave(1),
    "send_graceless_close_connection": lambda all: all.core.send_graceless_close_connection("lamp", "status"),
    "send_graceful_close_connection": lambda all: all.core.send_graceful_close_connection("lamp", "status", b"data"),
    "close_unused_connections": lambda all: all.core.close_unused_connections(),
    "force_close_connection_for_out_to_timeout_pending_graceful_close_connection": lambda all: (
        all.core.force_close_connection_for_out_to_timeout_pending_graceful_close_connection()
    ),
    "discard_expired_pending_requests": lambda all: all.core.discard_expired_pending_requests(),
    "send_keepalive": lambda all: all.core.send_keepalive("lamp"),
    "send_keepalive_request": lambda all: all.core.send_keepalive_request("lamp"),
    "send_all_keepalive_based_on_connections": lambda all: all.core.send_all_keepalive_based_on_connections(),
    "send_keepalive_based_on_connections_and_threshold": lambda all: (
        all.core.send_keepalive_based_on_connections_and_threshold()
    ),
    "lose_dead_remotes": lambda all: all.core.lose_dead_remotes(),
}
CORE: Final[dict[str, Call]] = {
    "execute": lambda all: all.core.execute("status", "HELLO", any=True),
    "execute_sending_any": lambda all: all.core.execute_sending_any("status", "HELLO"),
    "execute_sending_all": lambda all: all.core.execute_sending_all("status", "HELLO", fire_and_forget=True),
    "execute_using_plugin": lambda all: all.core.execute_using_plugin("status", "lamp", "HELLO", fire_and_forget=True),
    "execute_distributed": lambda all: all.core.execute_distributed("status", ["HELLO", "AGAIN"]),
    "sudo_execute": lambda all: all.core.sudo_execute("some/topic", "HELLO"),
    "request": lambda all: all.core.request(Lamp.status, "HELLO", timeout=2),
    "send_discover_for_operations": lambda all: all.core.send_discover_for_operations({}),
    "send_discover_based_on_requirements": lambda all: all.core.send_discover_based_on_requirements(),
}
PLUGIN: Final[dict[str, Call]] = {
    "send": lambda all: all.plugin.send(Lamp.status, "on"),
    "send_offer": lambda all: all.plugin.send_offer("some/topic", "core", ["status"]),
    "send_result_to_all": lambda all: all.plugin.send_result_to_all([all.connection], "on"),
    "send_answer": lambda all: all.plugin.send_answer(all.connection, _event(), "on"),
}
CLIENT: Final[dict[str, Call]] = {
    "connect": lambda all: all.client.connect(),
    "disconnect": lambda all: all.client.disconnect(),
    "publish": lambda all: all.client.publish("some/topic", "HELLO"),
    "check_may_publish": lambda all: all.client.check_may_publish("some/topic"),
    "subscribe": lambda all: all.client.subscribe("some/topic", _ignore),
    "subscribe_each": lambda all: all.client.subscribe_each(
        ["some/topic"], CallbackEventHandler(_ignore), OPERATION_OUTPUT
    ),
    "unsubscribe": lambda all: all.client.unsubscribe("some/topic"),
    "drained": lambda all: all.client.drained("some/topic"),
}
AWAITED: Final[dict[str, Call]] = ORBITER | CORE | PLUGIN | CLIENT
AT_ONCE: Final[dict[str, Call]] = {
    "start_loop": lambda all: all.core.start_loop(),
    "stop_loop": lambda all: all.core.stop_loop(),
    "pause_loop": lambda all: all.core.pause_loop(),
    "resume_loop": lambda all: all.core.resume_loop(),
    "have_seen": lambda all: all.core.have_seen("lamp"),
    "with_requirement": lambda all: all.core.with_requirement(Lamp.status, minimum=5),
    "an attribute of the core": lambda all: setattr(all.core, "discovering_interval", 5.0),
    "an attribute of the plugin": lambda all: setattr(all.plugin, "consider_others_dead_after", 5.0),
    "with_operation": lambda all: all.plugin.with_operation("more", all.plugin.operations["status"]),
    "with_custom_policy": lambda all: all.plugin.with_custom_policy("status", Policy(maximum=0)),
    "update_operations": lambda all: all.plugin.update_operations(),
}
"""What is not awaited, and what changes what the orbiter does."""
HARMLESS: Final = {"retrieve_and_touch_connections"}


def _ignore(topic: str, event: Any) -> None:
    pass


def _event() -> Event[Any]:
    return Event.create(StringMessage(value="HELLO"), publisher_identifier="core")


@pytest.fixture(params=["local", "mqtt", "local+mqtt"])
async def both(request: pytest.FixtureRequest, broker: Broker) -> AsyncIterator[Both]:
    """Give a core and a plugin that work, before the test and after it."""
    local = LocalEventBus()

    def one(kind: str) -> EventBusClient:
        return LocalEventBusClient(local) if kind == "local" else MqttEventBusClient(broker.host, broker.port)

    def new() -> EventBusClient:
        kinds = request.param.split("+")
        return one(kinds[0]) if len(kinds) == 1 else SeveralEventBusClient({kind: one(kind) for kind in kinds})

    both = Both(new)
    await both.client.connect()
    try:
        async with both.plugin, both.core:
            await asyncio.wait_for(both.core.compliant_event.wait(), 5)
            await until(lambda: both.plugin.remote_identifiers == {"core"})
            before = _state(both)
            yield both
            assert _state(both) == before
            assert await both.core.request(Lamp.status, "HELLO", timeout=5) == "on"
    finally:
        await both.client.disconnect()


def _state(both: Both) -> tuple[object, ...]:
    """Return what no call that is refused may change."""
    requirement = both.core.operation_requirements["status"].constraint
    return (
        both.core.is_running,
        both.core._loop.is_running,
        both.core._loop.is_paused,
        both.core.discovering_interval,
        requirement.minimum,
        {*both.plugin.operations},
        both.plugin.operations["status"].policy,
        both.plugin.consider_others_dead_after,
        both.client.is_connected,
        {*both.client._subscriptions},
        len(both.core._awaited),
    )


def _in_a_loop_of_its_own(call: Callable[[], Awaitable[object]]) -> None:
    async def run() -> None:
        with pytest.raises(WrongEventLoopError, match=r"this is another one.*asyncio\.run_coroutine_threadsafe"):
            async with asyncio.timeout(5):
                await call()

    asyncio.run(run())


@pytest.mark.parametrize("name", AWAITED)
async def test_what_is_awaited_in_another_event_loop_is_refused(both: Both, name: str) -> None:
    await asyncio.to_thread(_in_a_loop_of_its_own, lambda: AWAITED[name](both))


@pytest.mark.parametrize("name", AT_ONCE)
async def test_what_is_called_in_another_event_loop_is_refused(both: Both, name: str) -> None:
    async def call() -> None:
        AT_ONCE[name](both)

    await asyncio.to_thread(_in_a_loop_of_its_own, call)


@pytest.mark.parametrize("name", AT_ONCE)
async def test_what_is_called_in_a_thread_without_event_loop_is_refused(both: Both, name: str) -> None:
    def call() -> None:
        with pytest.raises(OrbiterStateError, match=r"no event loop runs in this thread.*run_coroutine_threadsafe"):
            AT_ONCE[name](both)

    await asyncio.to_thread(call)


@pytest.mark.parametrize(
    ("type_", "tried"), [(Core, ORBITER | CORE), (Plugin, ORBITER | PLUGIN), (EventBusClient, CLIENT)]
)
def test_all_that_is_awaited_is_tried(type_: type, tried: dict[str, Call]) -> None:
    found = {name for name, _ in inspect.getmembers(type_, inspect.iscoroutinefunction) if not name.startswith("_")}
    assert found - HARMLESS == tried.keys()


async def test_the_way_that_the_error_names_works(both: Both) -> None:
    here = asyncio.get_running_loop()

    def ask() -> object:
        return asyncio.run_coroutine_threadsafe(both.core.request(Lamp.status, "HELLO"), here).result(5)

    assert await asyncio.to_thread(ask) == "on"


async def test_two_event_loops_cannot_start_an_orbiter_at_the_same_time() -> None:
    entered, go_on = asyncio.Event(), asyncio.Event()

    class Slow(Core):
        async def _on_starting(self, *args: Any, **kwargs: Any) -> None:
            entered.set()
            await go_on.wait()

    core = Slow(eventbus_client=LocalEventBusClient(LocalEventBus()))
    starting = asyncio.create_task(core.start())
    await entered.wait()
    await asyncio.to_thread(_in_a_loop_of_its_own, core.start)
    go_on.set()
    await starting
    assert core.is_running
    await core.stop()
