"""Requests: what answers them, what does not, and what becomes of answers for which nobody waits."""

from __future__ import annotations

import asyncio
import logging

import pytest

from orbitalis import Event, Output, SeveralEventBusClient, StringMessage
from orbitalis.bus import LocalEventBus
from orbitalis.errors import OperationFailedError, RequestTimeoutError, UnexpectedAnswerError
from orbitalis_wire import limits
from orbitalis_wire.messages import Int64Message, OperationErrorMessage
from tests.support.asking import AskedPlugin, answer_to, answers, asked, connected
from tests.support.events import Collector, until
from tests.support.orbiters import TextCore, all_connected, core_on, needs, on, plugin_on, running

# Answers


async def test_the_answer_is_the_result_and_no_sink_gets_it(bus: LocalEventBus) -> None:
    async with connected(bus, answers) as (core, plugin):
        assert await core.request("text", "HELLO") == StringMessage(value="hello")
        assert await core.request("text", "YOU", plugin_identifier="plugin") == StringMessage(value="you")
        result = await core.request("text", StringMessage(value="TYPED"), result_type=StringMessage)
        assert result.value == "typed"

        await core.execute("text", "SINK", any=True)
        await until(lambda: core.texts == ["sink"])
        assert [event.envelope.answer_requested for event in plugin.inputs] == [True, True, True, None]


async def test_an_output_answers_only_what_asks_for_it(bus: LocalEventBus) -> None:
    outputs = Collector()
    async with connected(bus, answers) as (core, plugin):
        observer = on(bus)
        await observer.connect()
        (connection,) = plugin.retrieve_connections()
        assert connection.output_topic is not None
        await observer.subscribe(connection.output_topic, outputs)

        await core.request("text", "A")
        await core.execute("text", "B", any=True)
        await outputs.wait_for(2)
        correlated = [event.envelope.correlation_identifier for _, event in outputs.received]
        assert correlated == [plugin.inputs[0].identifier, None]
        assert [event.envelope.connection_identifier for _, event in outputs.received] == [
            connection.connection_identifier
        ] * 2
        await observer.disconnect()


async def test_an_output_of_the_plugins_own_goes_to_the_sink_while_an_answer_is_awaited(bus: LocalEventBus) -> None:
    async with connected(bus) as (core, plugin):
        request = await asked(core, plugin)
        await plugin.send_result_to_all(plugin.retrieve_connections(), "own")
        await until(lambda: core.texts == ["own"])
        assert not request.done()

        (connection,) = plugin.retrieve_connections()
        await plugin.eventbus_client.publish(
            str(connection.output_topic), answer_to(plugin.inputs[0], StringMessage(value="x"))
        )
        assert await request == StringMessage(value="x")


async def test_what_is_published_by_hand_answers_too(bus: LocalEventBus) -> None:
    async def behaviour(plugin: AskedPlugin, topic: str, event: Event[StringMessage]) -> None:
        connection = plugin._find_connection_or_fail(topic, "text")
        await plugin.eventbus_client.publish(str(connection.output_topic), "by hand")

    async with connected(bus, behaviour) as (core, _):
        assert await core.request("text", "x", result_type=StringMessage) == StringMessage(value="by hand")


async def test_many_requests_answered_in_reverse_order_each_get_their_own(bus: LocalEventBus) -> None:
    gates = [asyncio.Event() for _ in range(100)]

    async def behaviour(plugin: AskedPlugin, topic: str, event: Event[StringMessage]) -> None:
        async def later() -> None:
            await gates[int(event.payload.value)].wait()
            await plugin.put_out(topic, event.payload.value)
            if event.payload.value != "0":
                gates[int(event.payload.value) - 1].set()

        plugin.later(later())

    async with connected(bus, behaviour) as (core, plugin):
        requests = [
            asyncio.create_task(core.request("text", str(number), result_type=StringMessage)) for number in range(100)
        ]
        await until(lambda: len(plugin.inputs) == 100)
        order: list[str] = []
        for request in requests:
            request.add_done_callback(lambda done: order.append(done.result().value))
        gates[-1].set()

        results = await asyncio.gather(*requests)
        assert results == [StringMessage(value=str(number)) for number in range(100)]
        assert order == [str(number) for number in reversed(range(100))]
        assert core.texts == []


async def test_a_task_that_was_there_before_answers_by_hand(bus: LocalEventBus) -> None:
    inputs: asyncio.Queue[tuple[str, Event[StringMessage]]] = asyncio.Queue()

    async def behaviour(plugin: AskedPlugin, topic: str, event: Event[StringMessage]) -> None:
        await inputs.put((topic, event))

    async def work(plugin: AskedPlugin) -> None:
        while True:
            topic, event = await inputs.get()
            connection = plugin._find_connection_or_fail(topic, "text")
            with pytest.raises(TypeError, match="is declared to send StringMessage, not an Int64Message"):
                await plugin.send_answer(connection, event, 1)
            await plugin.send_answer(connection, event, event.payload)

    async with connected(bus, behaviour) as (core, plugin):
        worker = asyncio.create_task(work(plugin))
        for text in "ab":
            assert await core.request("text", text) == StringMessage(value=text)
        worker.cancel()
        await asyncio.wait([worker])


async def test_of_several_outputs_the_first_is_the_answer(bus: LocalEventBus) -> None:
    """The others are outputs like any, also those of a task that goes on after the answer."""
    gate = asyncio.Event()

    async def behaviour(plugin: AskedPlugin, topic: str, event: Event[StringMessage]) -> None:
        async def later() -> None:
            await gate.wait()
            await plugin.put_out(topic, "third")

        plugin.later(later())
        await plugin.put_out(topic, "first")
        await plugin.put_out(topic, "second")

    async with connected(bus, behaviour) as (core, _):
        assert await core.request("text", "x") == StringMessage(value="first")
        await until(lambda: core.texts == ["second"])
        gate.set()
        await until(lambda: core.texts == ["second", "third"])
        assert core.dropped_answers == 0


async def test_an_answer_is_not_kept_waiting_by_a_sink(bus: LocalEventBus) -> None:
    """A sink may request from the very connection of which it handles an output."""
    got: list[object] = []

    async def sink(topic: str, event: Event[StringMessage]) -> None:
        got.append(await core.request("text", event.payload.value + "+", timeout=5))

    core = core_on(bus, operation_sinks={"text": sink})
    plugin = plugin_on(bus)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        await core.execute("text", "x", any=True)
        await until(lambda: got == [StringMessage(value="x+")])


async def test_any_plugin_is_chosen_unless_one_is_named(bus: LocalEventBus) -> None:
    core = core_on(bus)
    plugins = [plugin_on(bus, f"plugin{number}") for number in range(3)]
    async with running(*plugins, core):
        await all_connected(core, plugins)
        await asyncio.gather(*(core.request("text", "x") for _ in range(100)))
        assert all(len(plugin.received) > 5 for plugin in plugins)
        await core.request("text", "y", plugin_identifier="plugin1")
        assert [plugin.received.count("y") for plugin in plugins] == [0, 1, 0]


async def test_an_empty_event_can_be_an_answer(bus: LocalEventBus) -> None:
    async def behaviour(plugin: AskedPlugin, topic: str, event: Event[StringMessage]) -> None:
        await plugin.send_result_to_all(plugin.retrieve_connections(), None)

    core = core_on(bus, operation_requirements=needs(outputs=[Output.empty()]))
    plugin = AskedPlugin(identifier="plugin", eventbus_client=on(bus), with_loop=False, behaviour=behaviour)
    plugin.operations["text"].output = Output.empty()
    async with running(plugin, core):
        await all_connected(core, [plugin])
        assert await core.request("text", "x") is None
        with pytest.raises(UnexpectedAnswerError, match="answered with an empty event, expected a StringMessage"):
            await core.request("text", "x", result_type=StringMessage)


async def test_an_empty_event_answers_that_there_is_no_result(bus: LocalEventBus) -> None:
    async with connected(bus) as (core, plugin):
        request = await asked(core, plugin)
        (connection,) = plugin.retrieve_connections()
        await plugin.eventbus_client.publish(str(connection.output_topic), answer_to(plugin.inputs[0], None))
        assert await request is None


async def test_an_answer_that_is_no_output_of_the_operation_ends_the_request(bus: LocalEventBus) -> None:
    async with connected(bus) as (core, plugin):
        request = await asked(core, plugin)
        (connection,) = plugin.retrieve_connections()
        await plugin.eventbus_client.publish(
            str(connection.output_topic), answer_to(plugin.inputs[0], Int64Message(value=1))
        )
        with pytest.raises(UnexpectedAnswerError, match="which is no output of the operation"):
            await request


# Answers for which nobody waits


async def test_late_and_duplicate_answers_are_dropped_and_counted(
    bus: LocalEventBus, caplog: pytest.LogCaptureFixture
) -> None:
    async with connected(bus) as (core, plugin):
        request = await asked(core, plugin)
        (connection,) = plugin.retrieve_connections()
        answer = answer_to(plugin.inputs[0], StringMessage(value="once"))
        with caplog.at_level(logging.DEBUG, "orbitalis.core.request"):
            for _ in range(3):
                await plugin.eventbus_client.publish(str(connection.output_topic), answer)
        assert await request == StringMessage(value="once")
        assert core.dropped_answers == 2
        assert caplog.text.count("for which nobody waits") == 2

        with pytest.raises(RequestTimeoutError):
            await core.request("text", "x", timeout=0.01)
        await plugin.eventbus_client.publish(
            str(connection.output_topic), answer_to(plugin.inputs[-1], StringMessage(value="late"))
        )
        assert core.dropped_answers == 3
        await plugin.send_result_to_all([connection], "last")
        await until(lambda: core.texts == ["last"])


async def test_nobody_answers_what_was_asked_of_somebody_else(bus: LocalEventBus) -> None:
    core = core_on(bus)
    plugins = [
        AskedPlugin(identifier=identifier, eventbus_client=on(bus), with_loop=False) for identifier in ("one", "other")
    ]
    async with running(*plugins, core):
        await all_connected(core, plugins)
        one, other = plugins
        request = await asked(core, one, plugin_identifier="one")
        forged = answer_to(one.inputs[0], StringMessage(value="forged"))
        (connection,) = other.retrieve_connections()
        await other.eventbus_client.publish(str(connection.output_topic), forged)
        assert core.dropped_answers == 1

        # Nor does an earlier connection or life of the plugin.
        (connection,) = one.retrieve_connections()
        for headers in ({"connection_identifier": "another"}, {"incarnation": "0"}):
            stale = answer_to(one.inputs[0], StringMessage(value="stale"), **headers)
            await one.eventbus_client.publish(str(connection.output_topic), stale)
        assert core.dropped_answers == 3
        assert not request.done()

        await one.put_out(str(connection.input_topic), "nothing answered")
        await one.eventbus_client.publish(
            str(connection.output_topic), answer_to(one.inputs[0], StringMessage(value="true"))
        )
        assert await request == StringMessage(value="true")


async def test_an_answer_comes_on_the_bus_on_which_was_asked() -> None:
    buses = {"one": LocalEventBus(), "other": LocalEventBus()}
    client = SeveralEventBusClient({name: on(bus) for name, bus in buses.items()})
    core = TextCore(identifier="core", eventbus_client=client, operation_requirements=needs(), with_loop=False)
    one = AskedPlugin(identifier="a", eventbus_client=on(buses["one"]), with_loop=False)
    other = plugin_on(buses["other"], "b")
    async with running(one, other, core):
        await all_connected(core, [one, other])
        assert await core.request("text", "x", plugin_identifier="b") == StringMessage(value="x")

        request = await asked(core, one, plugin_identifier="a")
        (connection,) = one.retrieve_connections()
        answer = answer_to(one.inputs[0], StringMessage(value="x"))
        await other.eventbus_client.publish(str(connection.output_topic), answer)
        assert not request.done()
        await one.eventbus_client.publish(str(connection.output_topic), answer)
        assert await request == StringMessage(value="x")


async def test_a_request_that_is_cancelled_is_forgotten(bus: LocalEventBus) -> None:
    gate, ended = asyncio.Event(), asyncio.Event()

    async def behaviour(plugin: AskedPlugin, topic: str, event: Event[StringMessage]) -> None:
        await gate.wait()
        await plugin.put_out(topic, "late")
        ended.set()

    async with connected(bus, behaviour) as (core, plugin):
        request = await asked(core, plugin)
        request.cancel()
        await asyncio.wait([request])
        assert request.cancelled()
        assert len(core._awaited) == 0
        gate.set()
        # What is being handled runs to its end, and is answered no more.
        await ended.wait()
        await asyncio.sleep(0)
        assert core.dropped_answers == 0
        assert core.texts == []


# Failures at the plugin


async def fails(plugin: AskedPlugin, topic: str, event: Event[StringMessage]) -> None:
    raise ValueError(f"{event.payload.value} is too much")


async def test_what_the_handler_raises_arrives_without_its_traceback(bus: LocalEventBus) -> None:
    async with connected(bus, fails) as (core, plugin):
        with pytest.raises(OperationFailedError) as caught:
            await core.request("text", "42")
        error = caught.value
        assert (error.remote_identifier, error.operation_name) == ("plugin", "text")
        assert (error.error_type, error.error_message) == ("ValueError", "42 is too much")
        assert str(error) == "request of operation 'text' to 'plugin': failed with ValueError: 42 is too much"
        assert error.__cause__ is None
        assert core.texts == []
        await until(lambda: plugin.eventbus_client.statistics.handler_errors == 1)

        plugin.behaviour = answers
        assert await core.request("text", "AGAIN") == StringMessage(value="again")


async def test_a_failure_is_told_to_nobody_who_has_not_asked(bus: LocalEventBus) -> None:
    async with connected(bus, fails) as (core, plugin):
        outputs = Collector()
        (connection,) = plugin.retrieve_connections()
        observer = on(bus)
        await observer.connect()
        await observer.subscribe(str(connection.output_topic), outputs)
        await core.execute("text", "x", any=True)
        await until(lambda: plugin.eventbus_client.statistics.handler_errors == 1)
        plugin.behaviour = answers
        await core.execute("text", "x", any=True)
        await outputs.wait_for(1)
        assert outputs.values == ["x"]
        await observer.disconnect()


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    ("raised", "error_type", "error_message"),
    [
        (ValueError("ä" * 5000), "ValueError", "ä" * (limits.ERROR_TEXT_BYTES // 2)),
        (ValueError("\udc00"), "ValueError", "?"),
        (Mute(), "Mute", ""),
        (asyncio.CancelledError("inner"), "CancelledError", "inner"),
        (TimeoutError(), "TimeoutError", ""),
    ],
    ids=["long", "surrogate", "mute", "cancelled", "timeout"],
)
async def test_any_failure_is_told(
    bus: LocalEventBus,
    raised: BaseException,
    error_type: str,
    error_message: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # What the plugin logs holds a surrogate, which no report of tests can.
    caplog.set_level(logging.CRITICAL, "orbitalis.bus.dispatch")

    async def behaviour(plugin: AskedPlugin, topic: str, event: Event[StringMessage]) -> None:
        raise raised

    async with connected(bus, behaviour) as (core, _):
        with pytest.raises(OperationFailedError) as caught:
            await core.request("text", "x")
        assert (caught.value.error_type, caught.value.error_message) == (error_type, error_message)


async def test_a_failure_after_the_answer_is_the_plugins_alone(bus: LocalEventBus) -> None:
    async def behaviour(plugin: AskedPlugin, topic: str, event: Event[StringMessage]) -> None:
        await answers(plugin, topic, event)
        await fails(plugin, topic, event)

    async with connected(bus, behaviour) as (core, plugin):
        outputs = Collector()
        observer = on(bus)
        await observer.connect()
        (connection,) = plugin.retrieve_connections()
        await observer.subscribe(str(connection.output_topic), outputs)
        assert await core.request("text", "OK") == StringMessage(value="ok")
        await until(lambda: plugin.eventbus_client.statistics.handler_errors == 1)
        plugin.behaviour = answers
        assert await core.request("text", "NEXT") == StringMessage(value="next")
        await outputs.wait_for(2)
        assert core.dropped_answers == 0
        await observer.disconnect()


async def test_an_output_that_cannot_be_published_is_no_answer(bus: LocalEventBus) -> None:
    async def behaviour(plugin: AskedPlugin, topic: str, event: Event[StringMessage]) -> None:
        (connection,) = plugin.retrieve_connections()
        await plugin.eventbus_client.publish(str(connection.output_topic), 2**70)

    async with connected(bus, behaviour) as (core, _):
        with pytest.raises(OperationFailedError, match="EncodeError"):
            await core.request("text", "x")


async def test_an_operation_that_is_gone_fails(bus: LocalEventBus) -> None:
    async with connected(bus, answers) as (core, plugin):
        del plugin.operations["text"]
        with pytest.raises(OperationFailedError, match="does not handle operation 'text' any more"):
            await core.request("text", "x")


async def test_an_error_message_that_answers_nothing_is_ignored(bus: LocalEventBus) -> None:
    async with connected(bus, answers) as (core, plugin):
        (connection,) = plugin.retrieve_connections()
        error = OperationErrorMessage(error_type="a", error_message="b")
        assert connection.output_topic is not None
        await plugin.eventbus_client.publish(connection.output_topic, error)
        assert await core.request("text", "OK") == StringMessage(value="ok")
        assert core.texts == []
