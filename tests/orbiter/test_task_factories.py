"""Orbiters in event loops whose tasks begin at once, or are made by a task factory of the user's."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pytest

from orbitalis import (
    Connection,
    Core,
    LocalEventBus,
    LocalEventBusClient,
    OfferMessage,
    Plugin,
    RequestOperationMessage,
    operation,
)
from orbitalis.bus import EventBusClient, MqttEventBusClient, SeveralEventBusClient
from tests.support.broker import Broker
from tests.support.events import until
from tests.support.orbiters import assert_nothing_is_left


class _OwnTask(asyncio.Task[Any]):
    """What a user may have instead of a task."""


def _own(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    # It takes neither a name nor a context, as asyncio allowed before it knew of either.
    return _OwnTask(coroutine, loop=loop)


_FACTORIES = [
    pytest.param(
        "eager", marks=pytest.mark.skipif(sys.version_info < (3, 12), reason="Python 3.11 has no eager tasks")
    ),
    pytest.param(
        "own",
        marks=pytest.mark.skipif(sys.version_info >= (3, 13), reason="asyncio hands over more"),
    ),
]


Live: TypeAlias = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=_FACTORIES)
def live(request: pytest.FixtureRequest) -> Live:
    """Give a function that runs a coroutine in an event loop that makes its tasks by a factory."""
    factory: Any = _own if request.param == "own" else getattr(asyncio, "eager_task_factory")  # noqa: B009 - 3.12 has it

    async def with_factory(coroutine: Coroutine[Any, Any, None]) -> None:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(factory)
        try:
            await coroutine
        finally:
            loop.set_task_factory(None)

    return lambda coroutine: asyncio.run(with_factory(coroutine))


@pytest.fixture(params=["local", "mqtt", "local+mqtt"])
def new_client(request: pytest.FixtureRequest, broker: Broker) -> Callable[[], EventBusClient]:
    """Give a function that makes clients of the same bus, or of the same two."""
    local = LocalEventBus()

    def one(kind: str) -> EventBusClient:
        return LocalEventBusClient(local) if kind == "local" else MqttEventBusClient(broker.host, broker.port)

    def new() -> EventBusClient:
        kinds = request.param.split("+")
        return one(kinds[0]) if len(kinds) == 1 else SeveralEventBusClient({kind: one(kind) for kind in kinds})

    return new


@dataclass
class Busy(Plugin):
    """Answers in each of the ways there are; half of its hooks wait."""

    heard: list[str] = field(default_factory=list)

    @operation
    async def at_once(self, text: str) -> str:
        return text.lower()

    @operation(concurrency=8)
    async def side_by_side(self, text: str) -> str:
        await asyncio.sleep(0.01)
        return text.lower()

    @operation
    async def plain(self, text: str) -> str:
        return text.lower()

    @operation(cpu_bound=True)
    @staticmethod
    def in_a_process(text: str) -> str:
        return text.lower()

    @operation
    async def large(self, data: bytes) -> bytes:
        return data

    async def _on_send_offer(self, offer_message: OfferMessage) -> None:
        self.heard.append("offer")

    async def _on_request(self, message: RequestOperationMessage) -> None:
        await asyncio.sleep(0)
        self.heard.append("request")

    async def _setup_operation(self, core_identifier: str, operation_name: str, setup_data: bytes | None) -> None:
        self.heard.append("set up")

    async def _on_new_loop_iteration(self) -> None:
        if self.heard.count("iteration") < 3:
            self.heard.append("iteration")

    async def _on_loop_iteration_end(self) -> None:
        await asyncio.sleep(0)
        if self.heard.count("end of iteration") < 3:
            self.heard.append("end of iteration")

    async def _get_on_close_data(self, remote_identifier: str, operation_name: str) -> bytes | None:
        return b"bye"

    async def _on_close_connection(self, connection: Connection, data: bytes | None) -> None:
        self.heard.append("close")


@dataclass
class Asking(Core):
    """Notes with what its connections were closed."""

    closed: list[bytes | None] = field(default_factory=list)

    async def _get_setup_data(self, plugin_identifier: str, offered_operation: Any) -> bytes | None:
        await asyncio.sleep(0)
        return b"data"

    async def _on_close_connection(self, connection: Connection, data: bytes | None) -> None:
        self.closed.append(data)


def _asking(client: EventBusClient, *operations: Any) -> Asking:
    core = Asking(eventbus_client=client)
    for one in operations:
        core.with_requirement(one, minimum=1)
    return core


def test_everything_works(live: Live, new_client: Callable[[], EventBusClient]) -> None:
    live(_everything_works(new_client))


async def _everything_works(new_client: Callable[[], EventBusClient]) -> None:
    plugin = Busy(eventbus_client=new_client(), loop_interval=0.01)
    core = _asking(new_client(), Busy.at_once, Busy.side_by_side, Busy.plain, Busy.large)
    async with plugin, core:
        await asyncio.wait_for(core.compliant_event.wait(), 5)

        for asked in (Busy.at_once, Busy.plain):
            assert await core.request(asked, "HELLO", timeout=5) == "hello"
        answers = await asyncio.gather(*(core.request(Busy.side_by_side, f"N{n}", timeout=5) for n in range(20)))
        for size in (20_000, 30_000):
            assert await core.request(Busy.large, bytes(size), timeout=5) == bytes(size)
        await core.execute(Busy.at_once, ["A", "B"], all=True, fire_and_forget=True)
        await until(lambda: plugin.heard.count("end of iteration") == 3)
        await core.send_graceful_close_connection(plugin.identifier, "plain")
        await until(lambda: len(core.closed) == 1)
        await plugin.send_graceless_close_connection(core.identifier, "large")
        await until(lambda: b"bye" in core.closed)
        assert await plugin.leave(5)

    assert answers == [f"n{n}" for n in range(20)]
    assert {"offer", "request", "set up", "iteration", "close"} <= {*plugin.heard}
    assert len(core.closed) == plugin.heard.count("close")
    assert_nothing_is_left(core, plugin)


def test_operations_in_processes_work(live: Live) -> None:
    live(_operations_in_processes_work())


async def _operations_in_processes_work() -> None:
    bus = LocalEventBus()
    plugin, core = Busy(eventbus_client=LocalEventBusClient(bus)), _asking(LocalEventBusClient(bus), Busy.in_a_process)
    async with plugin, core:
        await asyncio.wait_for(core.compliant_event.wait(), 5)
        assert await core.request(Busy.in_a_process, "HELLO", timeout=30) == "hello"
    assert_nothing_is_left(core, plugin)


def test_a_broker_that_goes_away_is_found_again(live: Live, new_broker: Callable[..., Broker]) -> None:
    live(_a_broker_that_goes_away_is_found_again(new_broker))


async def _a_broker_that_goes_away_is_found_again(new_broker: Callable[..., Broker]) -> None:
    broker = new_broker()
    plugin, core = (Busy(eventbus_client=_patient(broker)), _asking(_patient(broker), Busy.at_once))
    async with plugin, core:
        await asyncio.wait_for(core.compliant_event.wait(), 5)
        broker.restart()
        # An input that comes before the plugin is there again is lost.
        await until(lambda: all(one.eventbus_client.statistics.reconnections == 1 for one in (plugin, core)))
        assert await core.request(Busy.at_once, "HELLO", timeout=20) == "hello"
    assert_nothing_is_left(core, plugin)


def _patient(broker: Broker) -> MqttEventBusClient:
    return MqttEventBusClient(broker.host, broker.port, reconnect_delay=0.1, publish_timeout=20)


def test_an_orbiter_starts_again(live: Live, new_client: Callable[[], EventBusClient]) -> None:
    live(_an_orbiter_starts_again(new_client))


async def _an_orbiter_starts_again(new_client: Callable[[], EventBusClient]) -> None:
    plugin, core = Busy(eventbus_client=new_client()), _asking(new_client(), Busy.at_once)
    for _ in range(2):
        async with plugin, core:
            await asyncio.wait_for(core.compliant_event.wait(), 5)
            assert await core.request(Busy.at_once, "HELLO", timeout=5) == "hello"
    assert_nothing_is_left(core, plugin)


def test_a_hook_may_end_the_loop_before_it_has_waited_for_anything(live: Live) -> None:
    live(_a_hook_may_end_the_loop_before_it_has_waited_for_anything())


async def _a_hook_may_end_the_loop_before_it_has_waited_for_anything() -> None:
    class Ending(Core):
        iterations = 0

        async def _on_new_loop_iteration(self) -> None:
            self.iterations += 1
            self.stop_loop()

    core = Ending(eventbus_client=LocalEventBusClient(LocalEventBus()), loop_interval=0.01)
    async with core:
        await until(lambda: core.iterations > 0)
        assert core.iterations == 1
        assert core._loop._timer is None
