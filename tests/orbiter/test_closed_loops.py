"""Orbiters and clients in one event loop after the other, where the one before was closed in order or not."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest

from orbitalis import (
    BusNotConnectedError,
    Connection,
    Core,
    LocalEventBus,
    LocalEventBusClient,
    Plugin,
    WrongEventLoopError,
    operation,
    periodic,
)
from orbitalis.bus import EventBusClient, MqttEventBusClient, SeveralEventBusClient
from tests.support.broker import Broker
from tests.support.events import Collector, until
from tests.support.orbiters import assert_nothing_is_left
from tests.support.repository import ROOT


@dataclass
class Lamp(Plugin):
    asked: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)

    @operation
    async def status(self, text: str) -> str:
        self.asked.append(text)
        if text == "HANG":
            await asyncio.Event().wait()
        return "on"

    @operation(cpu_bound=True)
    @staticmethod
    def lowercase(text: str) -> str:
        return text.lower()

    @periodic(0.001)
    async def hang(self) -> str:
        self.asked.append("PERIODIC")
        await asyncio.Event().wait()
        return "never"

    async def _on_close_connection(self, connection: Connection, data: bytes | None) -> None:
        await asyncio.sleep(0)
        self.closed.append(connection.operation_name)


class House:
    """A core and a plugin that are made where no event loop is running, as at the top of a module."""

    def __init__(self, new_client: Callable[[], EventBusClient]) -> None:
        self.lamp = Lamp(eventbus_client=new_client())
        self.core = Core(eventbus_client=new_client()).with_requirement(Lamp.status, minimum=1)
        self.core.with_requirement(Lamp.hang, minimum=1)

    async def start(self) -> None:
        """Start both, wait for them in each way there is, and use them."""
        waiting = asyncio.create_task(self.core.compliant_event.wait())
        added = asyncio.create_task(self.core.new_connection_added_event.wait())
        await asyncio.sleep(0)
        await self.lamp.start()
        await self.core.start()
        async with asyncio.timeout(5):
            await waiting
            await added
        assert await self.core.request(Lamp.status, "HELLO", timeout=5) == "on"

    async def stop(self) -> None:
        """Stop both, twice at the same time."""
        async with asyncio.timeout(5):
            await asyncio.gather(*(one.stop() for one in (self.core, self.core, self.lamp, self.lamp)))
        assert not self.core.compliant_event.is_set()

    async def leave_busy(self) -> None:
        """Start both, and have a request under way, of which nobody will hear."""
        await self.start()
        self.busy = [
            asyncio.create_task(self.core.request(Lamp.status, "HANG")),
            asyncio.create_task(self.core.not_compliant_event.wait()),
            asyncio.create_task(self.core.wait_stopped()),
            asyncio.create_task(self.lamp._runtime.all_disconnected()),
        ]
        await until(lambda: {"HANG", "PERIODIC"} <= {*self.lamp.asked})


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


def _run_and_drop(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run something in an event loop that is then closed as it is, with all that waits in it."""
    loop = asyncio.new_event_loop()
    loop.run_until_complete(coroutine)
    for task in asyncio.all_tasks(loop):
        # Nobody does that, but without it each of them is complained of, which is right.
        setattr(task, "_log_destroy_pending", False)  # noqa: B010 - no type checker knows it
    loop.close()


def test_what_was_stopped_works_in_the_next_event_loop(new_client: Callable[[], EventBusClient]) -> None:
    house = House(new_client)

    async def live() -> None:
        await house.start()
        stopped = asyncio.create_task(house.core.wait_stopped())
        await asyncio.sleep(0)
        await house.stop()
        await stopped
        assert_nothing_is_left(house.core, house.lamp)

    for _ in range(3):
        asyncio.run(live())


@pytest.mark.parametrize("run", [asyncio.run, _run_and_drop])
def test_what_was_not_stopped_can_be_stopped_in_another_event_loop(
    new_client: Callable[[], EventBusClient],
    run: Callable[[Coroutine[Any, Any, None]], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    house = House(new_client)
    run(house.leave_busy())
    caplog.clear()

    assert house.core.is_running
    asyncio.run(house.stop())

    assert not house.core.is_running
    assert {*house.lamp.closed} == {"status", "hang"}
    told = [record.getMessage() for record in caplog.records if "was not stopped before" in record.getMessage()]
    assert len(told) == 2
    assert "Event loop is closed" not in caplog.text
    assert {record.levelname for record in caplog.records} <= {"WARNING", "INFO", "DEBUG"}
    house.busy.clear()
    gc.collect()


@pytest.mark.parametrize("run", [asyncio.run, _run_and_drop])
def test_what_was_stopped_so_late_starts_again(
    new_client: Callable[[], EventBusClient], run: Callable[[Coroutine[Any, Any, None]], None]
) -> None:
    house = House(new_client)
    run(house.leave_busy())

    async def live() -> None:
        await house.stop()
        await house.start()
        await house.stop()

    asyncio.run(live())
    house.busy.clear()
    gc.collect()


def test_what_is_asked_of_an_orbiter_whose_event_loop_is_closed_is_refused() -> None:
    bus = LocalEventBus()
    house = House(lambda: LocalEventBusClient(bus))
    asyncio.run(house.start())

    async def ask() -> None:
        with pytest.raises(WrongEventLoopError, match="is closed: stop or disconnect it here, then start it again"):
            await house.core.request(Lamp.status, "HELLO")
        await house.stop()

    asyncio.run(ask())


def test_operations_in_processes_work_in_one_event_loop_after_the_other() -> None:
    bus = LocalEventBus()
    lamp = Lamp(eventbus_client=LocalEventBusClient(bus), process_pool_size=1)
    core = Core(eventbus_client=LocalEventBusClient(bus)).with_requirement(Lamp.lowercase, minimum=1)

    async def begin() -> None:
        await lamp.start()
        await core.start()
        await asyncio.wait_for(core.compliant_event.wait(), 5)
        assert await core.request(Lamp.lowercase, "HELLO", timeout=30) == "hello"

    async def end() -> None:
        await core.stop()
        await lamp.stop()

    async def live() -> None:
        await begin()
        await end()

    asyncio.run(live())
    asyncio.run(begin())
    asyncio.run(end())
    asyncio.run(live())


@pytest.mark.parametrize("run", [asyncio.run, _run_and_drop])
def test_a_client_is_disconnected_or_connected_again_in_another_event_loop(
    new_client: Callable[[], EventBusClient], run: Callable[[Coroutine[Any, Any, None]], None]
) -> None:
    client, collector = new_client(), Collector()

    async def leave_connected() -> None:
        await client.connect()
        await client.subscribe("left/behind", Collector())
        await client.publish("left/behind", "HELLO")

    async def disconnect() -> None:
        with pytest.raises(WrongEventLoopError, match="is closed"):
            await client.publish("left/behind", "HELLO")
        await client.disconnect()
        with pytest.raises(BusNotConnectedError):
            await client.publish("left/behind", "HELLO")

    async def use() -> None:
        await client.connect()
        await client.subscribe("some/topic", collector)
        await client.publish("some/topic", "HELLO")
        await collector.wait_for(1)
        await client.disconnect()

    run(leave_connected())
    asyncio.run(disconnect())
    run(leave_connected())
    asyncio.run(use())

    assert collector.values == ["HELLO"]


@pytest.mark.parametrize("ending", ["", "asyncio.run(core.stop())"])
def test_a_program_says_nothing_of_closed_event_loops(broker: Broker, ending: str) -> None:
    program = (
        "import asyncio\n"
        "from orbitalis import Core, connect\n"
        f"core = Core(eventbus_client=connect({broker.url!r}))\n"
        "asyncio.run(core.start())\n"
        f"{ending}\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "closed" not in ended.stderr.replace("not stopped before its event loop was closed", "")
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("run", [asyncio.run, _run_and_drop])
def test_a_hook_that_hung_in_a_closed_event_loop_holds_nothing_up(
    run: Callable[[Coroutine[Any, Any, None]], None], caplog: pytest.LogCaptureFixture
) -> None:
    class Hanging(Core):
        hangs = False

        async def _on_not_compliant(self) -> None:
            self.hangs = True
            await asyncio.Event().wait()

    bus = LocalEventBus()
    core = Hanging(eventbus_client=LocalEventBusClient(bus)).with_requirement(Lamp.status, minimum=1)

    async def leave_hanging() -> None:
        await core.start()
        await until(lambda: core.hangs)

    async def stop() -> None:
        async with asyncio.timeout(2):
            await core.stop()
        assert_nothing_is_left(core)

    run(leave_hanging())
    caplog.clear()
    asyncio.run(stop())
    assert [record.levelname for record in caplog.records if record.levelname != "INFO"] == ["WARNING"]
    gc.collect()
