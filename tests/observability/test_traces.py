"""Spans of executions, requests, handlers, sinks and handshakes, and how they hang together."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

import pytest
from opentelemetry import context
from opentelemetry import trace as opentelemetry
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import SpanKind

from orbitalis import NoConnectionError, OperationFailedError, RequestTimeoutError, UnexpectedAnswerError
from orbitalis.bus import LocalEventBus, LocalEventBusClient
from orbitalis.log import FIELDS
from orbitalis.observability import traces
from orbitalis.observability.names import SCOPE
from orbitalis.observability.traces import trace, untrace
from orbitalis_wire.messages import Int64Message
from tests.observability.scene import PATIENCE, Lamp, Room, scene
from tests.observability.spans import Spans, attributes, context_of, error_of, parent_of
from tests.support.events import until


async def test_a_request_is_one_trace_with_its_handler_and_what_that_does() -> None:
    async with scene() as here:
        with here.spans.provider.get_tracer("user").start_as_current_span("evening"):
            assert await here.core.request(Lamp.turn, "on") == "ON"

    evening, request = here.spans.one("evening"), here.spans.one("request turn")
    process, light = here.spans.one("process turn"), here.spans.one("light")
    assert parent_of(request) == context_of(evening)
    assert parent_of(process) == context_of(request)
    assert parent_of(light) == context_of(process)
    assert (request.kind, process.kind) == (SpanKind.CLIENT, SpanKind.SERVER)
    assert {span.status.status_code.name for span in (request, process)} == {"UNSET"}
    assert context.get_current() == {}


async def test_an_execution_is_one_trace_up_to_the_sink() -> None:
    async with scene() as here:
        await here.core.execute(Lamp.turn, "on", any=True)
        assert await here.core.outputs.get() == "ON"
        await until(lambda: len(here.spans.all_of("process turn")) == 2)

    send = here.spans.one("send turn")
    handled, sunk = here.spans.one("process turn", "plugin"), here.spans.one("process turn", "core")
    assert parent_of(send) is None
    assert parent_of(handled) == context_of(send)
    assert parent_of(sunk) == context_of(handled)
    assert [span.kind for span in (send, handled, sunk)] == [SpanKind.PRODUCER, SpanKind.CONSUMER, SpanKind.CONSUMER]


async def test_spans_say_whom_and_what_they_are_about() -> None:
    async with scene() as here:
        await here.core.request(Lamp.turn, "on")
        (connection,) = here.core.retrieve_connections(operation_name="turn")
        client = here.core.eventbus_client.identifier
        topic = connection.input_topic

    common = {
        "messaging.system": "orbitalis",
        "messaging.destination.name": topic,
        "messaging.destination.template": "orbitalis/{plugin_identifier}/{core_identifier}/operations/turn/input/"
        "{connection_identifier}",
        "orbitalis.operation": "turn",
        "orbitalis.connection": connection.connection_identifier,
    }
    assert attributes(here.spans.one("request turn")) == {
        **common,
        "messaging.client.id": client,
        "messaging.operation.name": "request",
        "messaging.operation.type": "send",
        "orbitalis.orbiter": "room",
        "orbitalis.role": "core",
        "orbitalis.remote": "lamp-0",
    }
    process = attributes(here.spans.one("process turn"))
    assert common.items() <= process.items()
    assert process["messaging.operation.type"] == "process"
    assert (process["orbitalis.orbiter"], process["orbitalis.remote"]) == ("lamp-0", "room")
    assert process["messaging.message.id"]


@pytest.mark.parametrize(
    ("mode", "data", "count"),
    [
        ({"any": True}, "on", 1),
        ({"plugin_identifier": "lamp-1"}, "on", 1),
        ({"all": True}, "on", 3),
        ({"distribute": True}, ["on"] * 6, 6),
    ],
)
async def test_in_every_mode_there_is_one_span_for_an_execution_and_one_for_each_input(
    mode: dict[str, Any], data: Any, count: int
) -> None:
    async with scene(None, 3, Lamp.turn) as here:
        await here.core.execute(Lamp.turn, data, **mode)
        await until(lambda: len(here.spans.all_of("process turn", "core")) == count)

    send = here.spans.one("send turn")
    handled = here.spans.all_of("process turn", "plugin")
    assert [parent_of(span) for span in handled] == [context_of(send)] * count
    assert attributes(send).get("messaging.batch.message_count") == (None if count == 1 else count)


async def test_direct_forms_of_execute_have_spans_as_well() -> None:
    async with scene() as here:
        await here.core.execute_sending_any(Lamp.turn, "on")
        await here.core.execute_sending_any(Lamp.turn, "on", fire_and_forget=True)
        await here.core.execute_sending_all(Lamp.turn, "on")
        await here.core.execute_using_plugin(Lamp.turn, "lamp-0", "on")
        await here.core.execute_distributed(Lamp.turn, ["on"])
        await here.core.execute_distributed(Lamp.turn, [])
        await until(lambda: len(here.spans.all_of("process turn", "core")) == 5)

    assert len(here.spans.all_of("send turn")) == 5


async def test_an_error_of_a_handler_is_in_its_span_and_in_that_of_the_request() -> None:
    async with scene() as here:
        with pytest.raises(OperationFailedError, match="broken"):
            await here.core.request(Lamp.fail, "broken")
        await until(lambda: bool(here.spans.all_of("process fail")))

    process, request = here.spans.one("process fail"), here.spans.one("request fail")
    assert error_of(process) == ("ERROR", "ValueError", ["ValueError"])
    assert process.status.description == "ValueError: broken"
    assert error_of(request) == ("ERROR", "OperationFailedError", ["orbitalis.errors.OperationFailedError"])


async def test_an_error_of_a_sink_is_in_its_span_and_what_is_logged_of_it_is_in_that_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logged: list[int] = []
    caplog.set_level(logging.ERROR)
    caplog.handler.addFilter(lambda record: logged.append(current()) or True)  # type: ignore[func-returns-value]

    def current() -> int:
        return opentelemetry.get_current_span().get_span_context().trace_id

    async with scene() as here:
        here.core.refuses = True
        await here.core.execute(Lamp.turn, "on", any=True)
        await until(lambda: len(here.spans.all_of("process turn")) == 2)

    sunk = here.spans.one("process turn", "core")
    assert error_of(sunk) == ("ERROR", "LookupError", ["LookupError"])
    (record,) = caplog.records
    assert logged == [context_of(sunk)[0]]
    assert {name for name in FIELDS if getattr(record, name) is None} == {"bus"}


async def test_a_request_that_times_out_says_so_and_its_late_answer_says_nothing() -> None:
    async with scene() as here:
        with pytest.raises(RequestTimeoutError):
            await here.core.request(Lamp.wait, "x", timeout=0.05)
        before = here.spans.names
        here.lamps[0].may_go_on.set()
        await until(lambda: here.core.dropped_answers == 1)

    request, process = here.spans.one("request wait"), here.spans.one("process wait")
    assert error_of(request) == ("ERROR", "RequestTimeoutError", ["orbitalis.errors.RequestTimeoutError"])
    assert error_of(process) == ("UNSET", None, [])
    assert before == ["request wait"]
    assert here.spans.names == ["request wait", "process wait"]
    assert (request.end_time or 0) < (process.end_time or 0)


async def test_a_request_that_is_cancelled_says_so_and_has_no_exception() -> None:
    async with scene() as here:
        request = asyncio.create_task(here.core.request(Lamp.wait, "x"))
        await until(lambda: here.lamps[0].operation_statistics.get("wait") is not None)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request

    span = here.spans.one("request wait")
    assert error_of(span) == ("ERROR", "CancelledError", [])
    assert span.status.description == "cancelled"


async def test_a_handler_that_is_cancelled_when_its_plugin_stops_says_so() -> None:
    async with scene() as here:
        await here.core.execute(Lamp.wait, "x", any=True)
        await until(lambda: here.lamps[0].operation_statistics.get("wait") is not None)
        await here.lamps[0].stop()

    assert error_of(here.spans.one("process wait")) == ("ERROR", "CancelledError", [])


async def test_an_answer_that_is_not_what_was_expected_is_an_error_of_the_request() -> None:
    async with scene() as here:
        with pytest.raises(UnexpectedAnswerError):
            await here.core.request("turn", "on", result_type=Int64Message)

    assert error_of(here.spans.one("request turn"))[:2] == ("ERROR", "UnexpectedAnswerError")
    assert error_of(here.spans.one("process turn"))[0] == "UNSET"


async def test_what_is_not_sent_for_want_of_a_connection_is_a_span_with_that_error() -> None:
    async with scene() as here:
        for lamp in here.lamps:
            await lamp.stop()
        await asyncio.wait_for(here.core.not_compliant_event.wait(), PATIENCE)
        with pytest.raises(NoConnectionError):
            await here.core.execute(Lamp.turn, "on", any=True)
        with pytest.raises(NoConnectionError):
            await here.core.execute_distributed(Lamp.turn, ["on"])
        with pytest.raises(NoConnectionError):
            await here.core.request(Lamp.turn, "on")

    assert [error_of(span)[:2] for span in here.spans.all_of("send turn")] == [("ERROR", "NoConnectionError")] * 3


async def test_a_handshake_is_one_trace_from_the_offer_on() -> None:
    async with scene(None, 1, Lamp.turn) as here:
        await until(lambda: len(here.spans.all_of("handshake turn")) == 2)

    core, plugin = here.spans.one("handshake turn", "core"), here.spans.one("handshake turn", "plugin")
    assert parent_of(core) is None
    assert parent_of(plugin) == context_of(core)
    assert parent_of(here.spans.one("set up")) == context_of(plugin)
    assert (core.kind, plugin.kind) == (SpanKind.CLIENT, SpanKind.SERVER)
    assert {span.status.status_code.name for span in (core, plugin)} == {"UNSET"}
    connections = {attributes(span)["orbitalis.connection"] for span in (core, plugin)}
    assert len(connections) == 1


async def test_a_handshake_that_comes_to_nothing_says_why() -> None:
    spans, bus = Spans(), LocalEventBus()

    @dataclass(kw_only=True, eq=False)
    class Broken(Lamp):
        async def _setup_operation(self, core_identifier: str, operation_name: str, setup_data: bytes | None) -> None:
            raise OSError("no current")

    plugin = Broken(identifier="lamp", eventbus_client=LocalEventBusClient(bus), spans=spans)
    core = Room(identifier="room", eventbus_client=LocalEventBusClient(bus)).with_requirement(Lamp.turn, minimum=1)
    trace(plugin, core, tracer_provider=spans.provider)
    async with plugin, core:
        await until(lambda: len(spans.all_of("handshake turn")) >= 2)

    one = spans.all_of("handshake turn", "plugin")[0]
    assert error_of(one) == ("ERROR", "OSError", ["OSError"])
    assert spans.all_of("handshake turn", "core")[0].status.description == "it came to nothing"


async def test_an_output_that_a_plugin_sends_on_its_own_is_a_trace_with_its_sinks() -> None:
    async with scene(None, 1, Lamp.beat) as here:
        await here.core.beats.get()
        await until(lambda: bool(here.spans.all_of("process beat")))

    assert parent_of(here.spans.all_of("process beat")[0]) == context_of(here.spans.all_of("send beat", "plugin")[0])


@pytest.mark.parametrize("who", ["core", "plugin", "nobody"])
async def test_a_handshake_that_is_under_way_ends_with_the_orbiter_or_its_tracing(who: str) -> None:
    spans, bus, is_hanging = Spans(), LocalEventBus(), asyncio.Event()

    @dataclass(kw_only=True, eq=False)
    class Hanging(Lamp):
        async def _setup_operation(self, core_identifier: str, operation_name: str, setup_data: bytes | None) -> None:
            is_hanging.set()
            await asyncio.Event().wait()

    plugin = Hanging(identifier="lamp", eventbus_client=LocalEventBusClient(bus), spans=spans)
    core = Room(identifier="room", eventbus_client=LocalEventBusClient(bus)).with_requirement(Lamp.turn, minimum=1)
    trace(plugin, core, tracer_provider=spans.provider)
    async with plugin, core:
        await asyncio.wait_for(is_hanging.wait(), PATIENCE)
        assert spans.all_of("handshake turn") == []
        if who == "nobody":
            untrace(plugin, core)
            assert len(spans.all_of("handshake turn")) == 2
        else:
            await (core if who == "core" else plugin).stop()
            await until(lambda: bool(spans.all_of("handshake turn", who)))

    assert {error_of(span)[0] for span in spans.all_of("handshake turn")} == {"ERROR"}
    assert {attributes(span)["orbitalis.role"] for span in spans.all_of("handshake turn")} == {"core", "plugin"}


class FailingProcessor(SpanProcessor):
    """Raises at a moment of the life of spans of orbiters, as processors of users may."""

    def __init__(self, moment: str) -> None:
        """Raise when spans start, or when they end."""
        self.moment = moment
        self.failures = 0

    def on_start(self, span: Span, parent_context: context.Context | None = None) -> None:
        """Take note of the start of a span, or fail."""
        self._fail_at("start", span)

    def on_end(self, span: ReadableSpan) -> None:
        """Take note of the end of a span, or fail."""
        self._fail_at("end", span)

    def _fail_at(self, moment: str, span: ReadableSpan) -> None:
        scope = span.instrumentation_scope
        if moment == self.moment and scope is not None and scope.name == SCOPE:
            self.failures += 1
            raise LookupError(f"no {moment}")


@pytest.mark.parametrize("moment", ["start", "end"])
async def test_orbiters_work_as_ever_where_the_tracer_provider_fails(
    moment: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traces, "_has_complained", False)
    spans, failing = Spans(), FailingProcessor(moment)
    spans.provider.add_span_processor(failing)

    async with scene(spans) as here:
        answer = await here.core.request(Lamp.turn, "on")
        await here.core.execute(Lamp.turn, "off", any=True)
        output = await asyncio.wait_for(here.core.outputs.get(), PATIENCE)
        with pytest.raises(OperationFailedError, match="broken"):
            await here.core.request(Lamp.fail, "broken")

    assert (answer, output) == ("ON", "OFF")
    assert failing.failures > 6
    said = [record for record in caplog.records if record.name == traces.__name__]
    assert [record.getMessage() for record in said] == [
        "the tracer provider has failed: there is no span, and this is not said again"
    ]
    assert said[0].exc_info is not None
