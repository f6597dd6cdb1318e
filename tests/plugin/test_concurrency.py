"""How many inputs of a connection an operation handles side by side, from the request to the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import pytest

from orbitalis import (
    Connection,
    Constraint,
    Core,
    Event,
    Input,
    Operation,
    OperationRequirement,
    Output,
    Plugin,
    StringMessage,
    operation,
    sink,
)
from orbitalis.bus import EventBusClient, LocalEventBus, LocalEventBusClient, MqttEventBusClient
from orbitalis.errors import OperationFailedError
from tests.support.broker import Broker
from tests.support.events import until
from tests.support.orbiters import all_connected, running

NewClient = Callable[[], EventBusClient]

CALL: ContextVar[str] = ContextVar("call", default="nobody's")
PATIENCE = 20.0


@pytest.fixture(params=["local", "mqtt"])
def new_client(request: pytest.FixtureRequest, broker: Broker) -> NewClient:
    """Give a function that makes clients of one bus."""
    bus = LocalEventBus()
    if request.param == "local":
        return lambda: LocalEventBusClient(bus)
    return lambda: MqttEventBusClient(broker.host, broker.port)


@dataclass
class Lookup(Plugin):
    """Handles an input when its gate is open; `meeting` is passed only by so many handlers at the same time."""

    begun: list[str] = field(default_factory=list[str])
    ended: list[str] = field(default_factory=list[str])
    gates: dict[str, asyncio.Event] = field(default_factory=dict[str, asyncio.Event])
    meeting: asyncio.Barrier | None = None
    busy: int = 0
    most_busy: int = 0

    async def _handle(self, text: str) -> str:
        self.begun.append(text)
        self.busy += 1
        self.most_busy = max(self.most_busy, self.busy)
        assert CALL.get() == "nobody's"
        CALL.set(text)
        try:
            if self.meeting is not None:
                async with asyncio.timeout(PATIENCE):
                    await self.meeting.wait()
            if text in self.gates:
                await self.gates[text].wait()
            await asyncio.sleep(0)
            if text.startswith("wrong"):
                raise LookupError(text)
        finally:
            self.busy -= 1
            self.ended.append(text)
        # What one call sets, no other one sees.
        assert CALL.get() == text
        return text.upper()

    @operation(concurrency=10)
    async def find(self, text: str) -> str:
        return await self._handle(text)

    @operation
    async def alone(self, text: str) -> str:
        return await self._handle(text)

    @operation(name="by_hand", input=Input.string(), output=Output.string(), concurrency=10)
    async def by_hand(self, topic: str, event: Event[StringMessage], connection: Connection) -> None:
        result = await self._handle(event.payload.value)
        assert connection.output_topic is not None
        await self.eventbus_client.publish(connection.output_topic, result)


@dataclass
class Seeker(Core):
    """Keeps the outputs that are no answers."""

    found: list[str] = field(default_factory=list[str])

    @sink(Lookup.find)
    async def find(self, text: str) -> None:
        self.found.append(text)

    @sink(Lookup.alone)
    async def alone(self, text: str) -> None:
        self.found.append(text)


@asynccontextmanager
async def connected(new_client: NewClient, name: str, *cores: str) -> AsyncIterator[tuple[Lookup, list[Seeker]]]:
    """Give a plugin, and cores that are connected with it for one operation."""
    plugin = Lookup(identifier="plugin", eventbus_client=new_client(), with_loop=False)
    made = [Seeker(identifier=one, eventbus_client=new_client(), with_loop=False) for one in cores or ("core",)]
    async with running(plugin, *made):
        for core in made:
            core.with_requirement(getattr(Lookup, name), minimum=1)
            await core.send_discover_based_on_requirements()
            await all_connected(core, [plugin], name)
        async with asyncio.timeout(PATIENCE):
            yield plugin, made


def texts(count: int) -> list[str]:
    """Return texts in order."""
    return [f"text {number:03}" for number in range(count)]


async def request_all(core: Core, name: str, sent: list[str]) -> list[str]:
    """Request for each text at the same time; return the answers."""
    answers: list[Any] = await asyncio.gather(*(core.request(name, text) for text in sent))
    return [answer.value for answer in answers]


@pytest.mark.parametrize("name", ["find", "by_hand"])
async def test_ten_requests_of_one_core_are_handled_side_by_side(new_client: NewClient, name: str) -> None:
    async with connected(new_client, name) as (plugin, (core,)):
        plugin.meeting = asyncio.Barrier(10)

        assert await request_all(core, name, texts(10)) == [text.upper() for text in texts(10)]

        assert plugin.begun == texts(10)
        assert plugin.most_busy == 10
        assert core.found == []


async def test_no_more_are_handled_side_by_side_and_the_next_starts_when_one_is_done(new_client: NewClient) -> None:
    async with connected(new_client, "find") as (plugin, (core,)):
        plugin.gates = {text: asyncio.Event() for text in texts(12)}
        requests = [asyncio.create_task(core.request(Lookup.find, text)) for text in texts(12)]
        await until(lambda: len(plugin.begun) == 10)
        await asyncio.sleep(0.05)
        assert plugin.begun == texts(10)

        plugin.gates[texts(12)[7]].set()
        assert await requests[7] == "TEXT 007"
        await until(lambda: len(plugin.begun) == 11)
        assert not any(request.done() for request in requests if request is not requests[7])
        for gate in plugin.gates.values():
            gate.set()

        assert await asyncio.gather(*requests) == [text.upper() for text in texts(12)]
        assert plugin.most_busy == 10
        assert plugin.begun == texts(12)


async def test_each_request_gets_its_own_answer_in_whatever_order_they_are_given(new_client: NewClient) -> None:
    async with connected(new_client, "by_hand") as (plugin, (core,)):
        plugin.gates = {text: asyncio.Event() for text in texts(10)}
        answered: list[str] = []

        async def ask(text: str) -> None:
            answer: Any = await core.request("by_hand", text)
            assert answer == StringMessage(value=text.upper())
            answered.append(text)
            # The one before it may be answered now.
            if text != texts(1)[0]:
                plugin.gates[texts(10)[texts(10).index(text) - 1]].set()

        requests = [asyncio.create_task(ask(text)) for text in texts(10)]
        await until(lambda: len(plugin.begun) == 10)
        plugin.gates[texts(10)[-1]].set()
        await asyncio.gather(*requests)
        assert answered == texts(10)[::-1]


async def test_without_it_inputs_are_handled_one_after_the_other(new_client: NewClient) -> None:
    async with connected(new_client, "alone") as (plugin, (core,)):
        assert await request_all(core, "alone", texts(50)) == [text.upper() for text in texts(50)]
        assert plugin.most_busy == 1
        assert plugin.begun == plugin.ended == texts(50)

        for text in texts(50):
            await core.execute(Lookup.alone, text, any=True)
        await until(lambda: len(core.found) == 50)
        assert core.found == [text.upper() for text in texts(50)]


async def test_it_counts_for_each_connection(new_client: NewClient) -> None:
    async with connected(new_client, "alone", "one", "two", "three") as (plugin, cores):
        plugin.meeting = asyncio.Barrier(3)
        answers = await asyncio.gather(*(request_all(core, "alone", texts(5)) for core in cores))
        assert answers == [[text.upper() for text in texts(5)]] * 3
        assert plugin.most_busy == 3


async def test_a_handler_that_fails_or_hangs_keeps_none_of_those_beside_it_back(new_client: NewClient) -> None:
    async with connected(new_client, "find") as (plugin, (core,)):
        plugin.gates = {f"hangs {number}": asyncio.Event() for number in range(8)}
        hanging = [asyncio.create_task(core.request(Lookup.find, text)) for text in plugin.gates]
        await until(lambda: len(plugin.begun) == 8)

        sent = [text for number in range(10) for text in (f"wrong {number}", f"right {number}")]
        outcomes = await asyncio.gather(*(core.request(Lookup.find, text) for text in sent), return_exceptions=True)

        assert outcomes[1::2] == [f"RIGHT {number}" for number in range(10)]
        for number, failure in enumerate(outcomes[::2]):
            assert isinstance(failure, OperationFailedError)
            assert (failure.error_type, failure.error_message) == ("LookupError", f"wrong {number}")
        assert plugin.eventbus_client.statistics.handler_errors == 10
        assert not any(one.done() for one in hanging)
        for gate in plugin.gates.values():
            gate.set()
        assert await asyncio.gather(*hanging) == [f"HANGS {number}" for number in range(8)]


async def test_a_graceful_close_waits_for_all_that_are_handled(new_client: NewClient) -> None:
    async with connected(new_client, "find") as (plugin, (core,)):
        plugin.gates = {text: asyncio.Event() for text in texts(10)}
        requests = [asyncio.create_task(core.request(Lookup.find, text)) for text in texts(15)]
        await until(lambda: len(plugin.begun) == 10)
        (connection,) = core.retrieve_connections()
        await core.send_graceful_close_connection("plugin", "find")
        await until(lambda: not connection.is_open)
        for text in texts(10)[1:]:
            plugin.gates[text].set()
        await until(lambda: len(plugin.ended) == 14)
        assert len(plugin.retrieve_connections()) == 1

        plugin.gates[texts(1)[0]].set()

        assert await asyncio.gather(*requests) == [text.upper() for text in texts(15)]
        await until(lambda: core.retrieve_connections() == plugin.retrieve_connections() == [])


async def test_stop_ends_all_that_are_handled(new_client: NewClient) -> None:
    async with connected(new_client, "find") as (plugin, (core,)):
        plugin.gates = {text: asyncio.Event() for text in texts(10)}
        requests = [asyncio.create_task(core.request(Lookup.find, text, timeout=10)) for text in texts(15)]
        await until(lambda: len(plugin.begun) == 10)
        await plugin.stop()
        assert plugin.busy == 0
        assert plugin.begun == texts(10)
        outcomes = await asyncio.gather(*requests, return_exceptions=True)
        assert all(isinstance(one, Exception) for one in outcomes), outcomes


async def test_an_operation_that_is_added_by_hand_has_it_too(new_client: NewClient) -> None:
    met: list[str] = []
    meeting = asyncio.Barrier(5)

    async def meet(topic: str, event: Event[StringMessage]) -> None:
        async with asyncio.timeout(PATIENCE):
            await meeting.wait()
        met.append(event.payload.value)

    plugin = Plugin(identifier="plugin", eventbus_client=new_client(), with_loop=False)
    plugin.with_operation("meet", Operation(name="meet", input=Input.string(), handler=meet, concurrency=5))
    core = Core(identifier="core", eventbus_client=new_client(), with_loop=False)
    constraint = Constraint(minimum=1, inputs=[Input.string()], outputs=[Output.no_output()])
    core.operation_requirements["meet"] = OperationRequirement(constraint)
    async with running(plugin, core):
        await all_connected(core, [plugin], "meet")
        for text in texts(5):
            await core.execute("meet", text, any=True)
        await until(lambda: len(met) == 5)
        assert sorted(met) == texts(5)
