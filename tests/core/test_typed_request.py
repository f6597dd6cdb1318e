"""Requests of operations as methods of a class: what the method returns is the result, whatever it is on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from orbitalis import Connection, Core, Event, Input, NoConnectionError, Output, Plugin, StringMessage, operation
from orbitalis.bus import LocalEventBus
from orbitalis.errors import OperationFailedError, UnexpectedAnswerError
from orbitalis.operations.typed_operation import TypedOperation
from orbitalis_wire.messages import Int64Message
from tests.support.events import Collector, until
from tests.support.orbiters import on, running


class Text(Plugin):
    @operation
    async def lowercase(self, text: str) -> str:
        return text.lower()

    @operation
    async def half(self, number: int) -> int | float | None:
        if number == 0:
            return None
        return number / 2 if number % 2 else number // 2

    @operation
    async def count(self) -> int:
        raise ValueError("lost count")

    @operation
    async def constant(self) -> bytes:
        return b"constant"

    @operation
    async def forget(self, data: bytes) -> None: ...

    @operation
    async def early(self, text: str, connection: Connection) -> str | None:
        await self.send_result_to_all([connection], "early")
        return None if text == "nothing" else text

    @operation(name="events", input=Input.string(), output=Output.string())
    async def by_event(self, topic: str, event: Event[StringMessage]) -> None:
        await self.send_result_to_all(await self.retrieve_and_touch_connections("events", input_topic=topic), "event")


OPERATIONS: list[TypedOperation[Any, Any, Any]] = [
    Text.lowercase,
    Text.half,
    Text.count,
    Text.constant,
    Text.forget,
    Text.early,
    Text.by_event,
]


@asynccontextmanager
async def connected(bus: LocalEventBus) -> AsyncIterator[tuple[Core, Text, Collector]]:
    """Give a core with its sinks in one, and a plugin, connected for all operations."""
    core = Core(identifier="core", eventbus_client=on(bus), with_loop=False)
    plugin = Text(identifier="plugin", eventbus_client=on(bus), with_loop=False)
    sink = Collector()
    for one in OPERATIONS:
        core.with_requirement(one, minimum=1).with_operation_sink(one.name, sink)
    async with running(plugin, core):
        await until(lambda: len(core.retrieve_connections()) == len(OPERATIONS))
        yield core, plugin, sink


async def test_the_result_is_what_the_method_returns(bus: LocalEventBus) -> None:
    async with connected(bus) as (core, _, sink):
        assert await core.request(Text.lowercase, "HELLO", plugin_identifier="plugin") == "hello"
        assert [await core.request(Text.half, number) for number in (4, 5)] == [2, 2.5]
        assert await core.request(Text.constant) == b"constant"
        assert await core.request(Text.by_event, StringMessage(value="x")) == StringMessage(value="event")
        assert await core.request("lowercase", "HELLO") == StringMessage(value="hello")
        assert sink.received == []


async def test_a_method_that_returns_nothing_answers_with_nothing_if_that_is_asked_for(bus: LocalEventBus) -> None:
    async with connected(bus) as (core, _, sink):
        assert await core.request(Text.half, 0) is None
        await core.execute(Text.half, 0, any=True)
        await core.execute(Text.half, 2, any=True)
        await sink.wait_for(1)
        assert sink.values == [1]


async def test_what_the_method_has_sent_before_it_returns_is_the_answer(bus: LocalEventBus) -> None:
    async with connected(bus) as (core, _, sink):
        assert await core.request(Text.early, "nothing") == "early"
        assert await core.request(Text.early, "late") == "early"
        await sink.wait_for(1)
        assert sink.values == ["late"]


async def test_what_the_method_raises_is_raised(bus: LocalEventBus) -> None:
    async with connected(bus) as (core, _, _):
        with pytest.raises(OperationFailedError, match="failed with ValueError: lost count"):
            await core.request(Text.count)


async def test_what_cannot_be_asked_is_not_sent(bus: LocalEventBus) -> None:
    async with connected(bus) as (core, _, _):
        with pytest.raises(NoConnectionError, match="there cannot be an answer"):
            await core.request(Text.forget, b"x")
        with pytest.raises(TypeError, match="operation 'lowercase': expected str, got an int"):
            await core.request(Text.lowercase, 1)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="expected the name of an operation"):
            await core.request(str.lower, "x")  # type: ignore[call-overload]


@pytest.mark.parametrize(("payload", "reason"), [(Int64Message(value=1), "no output"), (None, "an empty event: ")])
async def test_an_answer_that_the_method_cannot_have_given_is_an_error(
    bus: LocalEventBus, payload: object, reason: str
) -> None:
    """As another plugin, with an operation of the same name, might give it."""
    async with connected(bus) as (core, plugin, _):
        (connection,) = plugin.retrieve_connections(operation_name="lowercase")
        client = plugin.eventbus_client

        async def handler(topic: str, event: Event[StringMessage]) -> None:
            output = str(connection.output_topic)
            await client.publish(
                output,
                Event.create(payload, publisher_identifier="x", correlation_identifier=event.identifier),
            )

        plugin.operations["lowercase"].handler = handler
        with pytest.raises(UnexpectedAnswerError, match=reason):
            async with asyncio.timeout(5):
                await core.request(Text.lowercase, "x")
