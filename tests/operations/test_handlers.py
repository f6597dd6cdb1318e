"""What starts the handling of inputs and outputs: methods, functions and handlers, each with its connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from orbitalis import AvroMessageMixin, CallbackEventHandler, Connection, Event, EventHandler, StringMessage
from orbitalis.message.payload_types import PayloadTypes
from orbitalis.operations.handlers import HandlerCache, MethodHandler, OnResult

EVENT = Event.create(StringMessage(value="x"), publisher_identifier="core")
EMPTY = Event.create(None, publisher_identifier="core")
CONNECTION: Any = object()
TEXT = PayloadTypes.of_list([str])
OPTIONAL_TEXT = PayloadTypes.of_list([str, None])
NOTHING = PayloadTypes.of_list([None])


@dataclass(frozen=True)
class LevelMessage(AvroMessageMixin):
    level: float


async def handle(given: Any, event: Event[Any] = EVENT) -> bool:
    """Handle an event; return whether something had to be awaited."""
    handling = HandlerCache().find("it", given).start(CONNECTION, "topic", event)
    if handling is not None:
        await handling
    return handling is not None


# Functions and handlers that are given


async def test_a_plain_function_is_done_when_it_has_been_called() -> None:
    seen: list[tuple[str, object]] = []

    def take_with_connection(topic: str, event: Event[Any], connection: Connection) -> None:
        seen.append((topic, connection))

    assert not await handle(lambda topic, event: seen.append((topic, event)))
    assert not await handle(take_with_connection)
    assert not await handle(lambda topic, event: "a value that nobody takes")
    assert seen == [("topic", EVENT), ("topic", CONNECTION)]


async def test_what_an_asynchronous_function_returns_is_awaited() -> None:
    seen: list[object] = []

    async def take(topic: str, event: Event[Any]) -> None:
        await asyncio.sleep(0)
        seen.append(event)

    async def take_with_connection(topic: str, event: Event[Any], *, where: Connection) -> None:
        await asyncio.sleep(0)
        seen.append(where)

    def give_task(topic: str, event: Event[Any]) -> Awaitable[object]:
        return asyncio.ensure_future(take(topic, event))

    for given in (take, take_with_connection, lambda topic, event: take(topic, event), give_task):
        assert await handle(given)
    assert seen == [EVENT, CONNECTION, EVENT, EVENT]


async def test_a_function_that_fails_raises_where_it_is_called_or_awaited() -> None:
    def fail(topic: str, event: Event[Any]) -> None:
        raise RuntimeError("at once")

    async def fail_later(topic: str, event: Event[Any]) -> None:
        raise RuntimeError("later")

    with pytest.raises(RuntimeError, match="at once"):
        HandlerCache().find("it", fail).start(CONNECTION, "topic", EVENT)
    handling = HandlerCache().find("it", fail_later).start(CONNECTION, "topic", EVENT)
    assert handling is not None
    with pytest.raises(RuntimeError, match="later"):
        await handling


async def test_a_handler_of_the_users_own_is_called_as_on_the_bus() -> None:
    seen: list[str] = []

    class Own(EventHandler):
        async def handle(self, topic: str, event: Event[Any]) -> None:
            seen.append(f"own {topic}")

        def start(self) -> None:
            """Start something else."""
            raise AssertionError

    assert await handle(Own())
    assert await handle(CallbackEventHandler(lambda topic, event: seen.append(f"callback {topic}")))
    assert seen == ["own topic", "callback topic"]


async def test_a_callable_object_gets_the_connection_if_it_asks_for_it() -> None:
    seen: list[object] = []

    class Asking:
        def __call__(self, topic: str, event: Event[Any], connection: Connection) -> None:
            seen.append(connection)

    assert not await handle(Asking())
    assert seen == [CONNECTION]


def test_a_handler_is_made_once_for_each_object_that_is_given() -> None:
    cache, first = HandlerCache(), CallbackEventHandler(print)
    made = cache.find("one", first)
    assert cache.find("one", first) is made
    assert cache.find("other", print) is not made

    # Replaced, by an equal one too, and given back.
    other = cache.find("one", CallbackEventHandler(print))
    assert other is not made
    assert cache.find("one", first) not in (made, other)

    latest = cache.find("one", first)
    cache.forget("one")
    cache.forget("never given")
    assert cache.find("one", first) is not latest


# Methods


def method_handler(
    method: Callable[..., Awaitable[object]],
    payloads: PayloadTypes | None = TEXT,
    results: PayloadTypes = TEXT,
    on_result: OnResult | None = None,
    connection_parameter: str | None = None,
) -> MethodHandler:
    return MethodHandler(
        method,
        payloads=payloads,
        connection_parameter=connection_parameter,
        results=results,
        on_result=on_result,
    )


async def test_a_method_gets_what_it_asks_for() -> None:
    seen: list[tuple[object, ...]] = []

    async def take(*arguments: object, **named: object) -> None:
        seen.append((*arguments, *named.items()))

    messages = PayloadTypes.of_list([StringMessage])
    for payloads, parameter in ((TEXT, None), (TEXT, "where"), (messages, None), (None, None), (None, "where")):
        await method_handler(take, payloads, NOTHING, None, parameter).start(CONNECTION, "topic", EVENT)
    await method_handler(take, OPTIONAL_TEXT, NOTHING).start(CONNECTION, "topic", EMPTY)
    assert seen == [("x",), ("x", ("where", CONNECTION)), (EVENT.payload,), (), (("where", CONNECTION),), (None,)]


async def test_the_message_for_a_result_is_sent_by_a_plain_or_an_asynchronous_function() -> None:
    sent: list[tuple[object, object, object]] = []

    async def echo(text: str | None) -> str | None:
        return text

    async def send(connection: Connection, event: Event[Any], message: object | None) -> None:
        await asyncio.sleep(0)
        sent.append((connection, event, message))

    def send_plainly(connection: Connection, event: Event[Any], message: object | None) -> None:
        sent.append((connection, event, message))

    for on_result in (send, send_plainly):
        handler = method_handler(echo, OPTIONAL_TEXT, OPTIONAL_TEXT, on_result)
        await handler.start(CONNECTION, "topic", EVENT)
        await handler.start(CONNECTION, "topic", EMPTY)
    assert sent == 2 * [(CONNECTION, EVENT, StringMessage(value="x")), (CONNECTION, EMPTY, None)]


@pytest.mark.parametrize("result", [None, 5, LevelMessage(0.5)])
async def test_a_result_that_is_not_declared_is_refused_and_not_sent(result: object) -> None:
    sent: list[object] = []

    async def lie() -> object:
        return result

    for on_result in (lambda *arguments: sent.append(arguments), None):
        with pytest.raises(
            TypeError, match=r"^test_a_result\S*lie returned what it is not declared to: expected str, got"
        ):
            await method_handler(lie, None, TEXT, on_result).start(CONNECTION, "topic", EVENT)
    assert sent == []


async def test_an_event_without_a_connection_is_refused() -> None:
    async def take(text: str) -> None: ...

    with pytest.raises(LookupError, match="takes events of connections; one on topic 'topic' came without"):
        await method_handler(take).handle("topic", EVENT)
