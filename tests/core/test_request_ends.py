"""Requests that get no answer: all that ends them instead, and those that are not even sent."""

from __future__ import annotations

import asyncio
import pickle
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from orbitalis import Event, NoConnectionError, Output, StringMessage
from orbitalis.bus import LocalEventBus, LocalEventBusClient
from orbitalis.core.awaited_answers import AwaitedAnswers
from orbitalis.errors import (
    AnswersNotSupportedError,
    BusNotConnectedError,
    ConnectionClosedError,
    OperationFailedError,
    OrbiterStateError,
    RemoteLostError,
    RequestError,
    RequestTimeoutError,
    UnexpectedAnswerError,
)
from orbitalis.testing import Harness
from orbitalis_wire.channels import Channel
from orbitalis_wire.envelope import Encoding
from tests.support.asking import AskedPlugin, answer_to, asked, connected
from tests.support.events import until
from tests.support.orbiters import EchoPlugin, TextCore, all_connected, core_on, needs, on, plugin_on, running

# Other ends


async def test_a_timeout_says_what_came_instead(bus: LocalEventBus) -> None:
    async with connected(bus) as (core, plugin):
        with pytest.raises(RequestTimeoutError, match=r"no answer within 0.01 s$") as caught:
            await core.request("text", "x", timeout=0.01)
        assert isinstance(caught.value, TimeoutError)

        request = await asked(core, plugin, timeout=0.05)
        await plugin.send_result_to_all(plugin.retrieve_connections(), "own")
        with pytest.raises(RequestTimeoutError, match=r"1 outputs came .* header correlation_identifier"):
            await request
        with pytest.raises(ValueError, match="timeout must not be negative"):
            await core.request("text", "x", timeout=-1)


CLOSES: dict[str, Callable[[TextCore, AskedPlugin], Awaitable[None]]] = {
    "graceful, by the plugin": lambda core, plugin: plugin.send_graceful_close_connection("core", "text"),
    "graceless, by the plugin": lambda core, plugin: plugin.send_graceless_close_connection("core", "text"),
    "graceless, by the core": lambda core, plugin: core.send_graceless_close_connection("plugin", "text"),
    "stop of the plugin": lambda core, plugin: plugin.stop(),
    "stop of the core": lambda core, plugin: core.stop(),
}


@pytest.mark.parametrize("close", CLOSES.values(), ids=CLOSES)
async def test_a_connection_that_is_closed_ends_its_requests(
    bus: LocalEventBus, close: Callable[[TextCore, AskedPlugin], Awaitable[None]]
) -> None:
    async def behaviour(plugin: AskedPlugin, topic: str, event: Event[StringMessage]) -> None:
        await asyncio.Event().wait()

    async with connected(bus, behaviour) as (core, plugin):
        first = await asked(core, plugin)
        second = asyncio.create_task(core.request("text", "y", timeout=None))
        await until(lambda: len(core._awaited) == 2)
        await close(core, plugin)
        for request in (first, second):
            with pytest.raises(ConnectionClosedError, match="no answer before the connection ended"):
                async with asyncio.timeout(5):
                    await request


async def test_an_answer_may_come_while_the_core_closes_gracefully(bus: LocalEventBus) -> None:
    gate = asyncio.Event()

    class Unhurried(AskedPlugin):
        async def _on_close_connection(self, *_: object) -> None:
            await gate.wait()

    core = core_on(bus)
    plugin = Unhurried(identifier="plugin", eventbus_client=on(bus), with_loop=False)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        (connection,) = plugin.retrieve_connections()
        request = await asked(core, plugin)
        await core.send_graceful_close_connection("plugin", "text")
        await plugin.eventbus_client.publish(
            str(connection.output_topic), answer_to(plugin.inputs[0], StringMessage(value="x"))
        )
        assert await request == StringMessage(value="x")
        gate.set()
        await until(lambda: core.retrieve_connections() == [])


async def test_a_plugin_that_is_dead_is_lost(harness: Harness) -> None:
    core = TextCore(identifier="core", eventbus_client=harness.client(), operation_requirements=needs())
    plugin = AskedPlugin(identifier="plugin", eventbus_client=harness.client())
    await harness.start(plugin)
    await harness.start(core)
    await harness.connected(core, plugin)
    request = asyncio.create_task(core.request("text", "x", timeout=None))
    await harness.advance(1)

    await plugin.eventbus_client.disconnect()
    await harness.advance(115)
    assert not request.done()
    await harness.advance(10)
    with pytest.raises(RemoteLostError, match="the remote is dead"):
        await request


async def test_a_plugin_that_has_started_anew_is_lost(bus: LocalEventBus) -> None:
    async with connected(bus) as (core, plugin):
        request = await asked(core, plugin)
        await plugin.eventbus_client.disconnect()  # nobody hears that it stops
        await plugin.stop()
        await plugin.start()
        await plugin.send_offer(core.offer_topic, "core", ["text"])
        with pytest.raises(RemoteLostError, match="has started anew"):
            await request


async def test_what_cannot_be_published_is_not_awaited(bus: LocalEventBus) -> None:
    async with connected(bus) as (core, _):
        with pytest.raises(TypeError, match="cannot publish a object"):
            await core.request("text", object())  # type: ignore[call-overload]
        await core.eventbus_client.disconnect()
        with pytest.raises(BusNotConnectedError):
            await core.request("text", "x")
        assert len(core._awaited) == 0


async def test_only_so_many_requests_wait_at_a_time(bus: LocalEventBus) -> None:
    async with connected(bus) as (core, plugin):
        core._awaited = AwaitedAnswers(2)
        requests = [await asked(core, plugin), await asked(core, plugin)]
        with pytest.raises(OrbiterStateError, match="2 requests wait for an answer"):
            await core.request("text", "x")
        assert len(plugin.inputs) == 2
        requests.pop().cancel()
        await until(lambda: len(core._awaited) == 1)
        requests.append(await asked(core, plugin))
        for request in requests:
            request.cancel()
        await asyncio.wait(requests)


# Nobody to ask


async def test_without_a_connection_that_answers_nothing_is_sent(bus: LocalEventBus) -> None:
    core = core_on(bus, operation_requirements=needs(outputs=[Output.no_output()]))
    plugin = AskedPlugin(identifier="plugin", eventbus_client=on(bus), with_loop=False)
    plugin.operations["text"].output = Output.no_output()
    async with running(plugin, core):
        with pytest.raises(NoConnectionError, match="has no connection for operation 'other'"):
            await core.request("other", "x")
        await all_connected(core, [plugin])
        with pytest.raises(NoConnectionError, match="with plugin 'nobody'"):
            await core.request("text", "x", plugin_identifier="nobody")
        with pytest.raises(NoConnectionError, match="none whose input accepts an Int64Message"):
            await core.request("text", 1)
        with pytest.raises(NoConnectionError, match="there cannot be an answer: use execute"):
            await core.request("text", "x")
        assert plugin.inputs == []


class HeaderlessClient(LocalEventBusClient):
    """Sends as an older peer does."""

    def _start_publish(self, topic: str, event: Event[Any], channel: Channel, encoding: Encoding) -> None:
        envelope = replace(
            event.envelope,
            protocol_version=None,
            incarnation=None,
            correlation_identifier=None,
            connection_identifier=None,
            open_connections=None,
            readable_encodings=None,
        )
        super()._start_publish(topic, Event(payload=event.payload, envelope=envelope), channel, encoding)


async def test_an_older_peer_is_not_asked(bus: LocalEventBus) -> None:
    core = core_on(bus)
    older = EchoPlugin(identifier="older", eventbus_client=HeaderlessClient(bus), with_loop=False)
    async with running(older, core):
        await all_connected(core, [older])
        for named in (None, "older"):
            with pytest.raises(AnswersNotSupportedError, match="answers need the headers of the envelope"):
                await core.request("text", "x", plugin_identifier=named)
        assert older.received == []

        newer = plugin_on(bus, "newer")
        await newer.start()
        try:
            await core.send_discover_based_on_requirements()
            await all_connected(core, [older, newer])
            results = Counter([await core.request("text", "x") for _ in range(20)])
            assert results == {StringMessage(value="x"): 20}
            assert older.received == []
        finally:
            await newer.stop()


ERRORS: list[RequestError] = [
    *(
        kind("plugin", "text", "reason")
        for kind in (
            AnswersNotSupportedError,
            ConnectionClosedError,
            RemoteLostError,
            RequestTimeoutError,
            UnexpectedAnswerError,
        )
    ),
    OperationFailedError("plugin", "text", "ValueError", "no"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_errors_cross_processes(error: RequestError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)
    assert "operation 'text' to 'plugin'" in str(again)


async def test_a_stop_that_is_cut_short_ends_requests_before_the_bus_is_left(bus: LocalEventBus) -> None:
    class Slow(LocalEventBusClient):
        async def disconnect(self) -> None:
            leaving.set()
            await may_leave.wait()
            await super().disconnect()

    async def behaviour(plugin: AskedPlugin, topic: str, event: Event[StringMessage]) -> None:
        await asyncio.Event().wait()

    leaving, may_leave = asyncio.Event(), asyncio.Event()
    core = TextCore(identifier="core", eventbus_client=Slow(bus), operation_requirements=needs())
    plugin = AskedPlugin(identifier="plugin", eventbus_client=on(bus), behaviour=behaviour)
    async with running(plugin):
        await core.start()
        await all_connected(core, [plugin])
        request = await asked(core, plugin)
        stop = asyncio.create_task(core.stop())
        await asyncio.sleep(0)
        stop.cancel()
        await leaving.wait()
        async with asyncio.timeout(1):
            with pytest.raises(ConnectionClosedError):
                await request
        may_leave.set()
        await asyncio.wait([stop])
        await core.stop()
