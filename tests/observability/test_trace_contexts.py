"""What goes with events of a trace, what is taken from strangers, and what is left behind."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry import baggage, context
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState, set_span_in_context

from orbitalis import Event
from orbitalis.bus import LocalEventBusClient
from orbitalis.observability.traces import trace, untrace
from orbitalis_wire.messages import StringMessage
from tests.observability.scene import Lamp, Scene, scene
from tests.observability.spans import Spans, parent_of
from tests.support.events import until


async def test_what_is_sampled_out_stays_so_at_the_other_side_and_keeps_its_context() -> None:
    async with scene(Spans(sampler=ALWAYS_OFF)) as here:
        recording = Spans(sampler=ParentBased(ALWAYS_OFF))
        trace(*here.lamps, tracer_provider=recording.provider)
        await here.core.request(Lamp.turn, "on")
        await here.core.execute(Lamp.turn, "on", any=True)
        await here.core.outputs.get()

    assert here.spans.ended == recording.ended == []


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        "nonsense",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" + "0" * 100_000,
        "\u0660\u0660-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "\x00" * 55,
    ],
)
async def test_a_malformed_context_of_a_stranger_begins_a_new_trace(
    traceparent: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene() as here:
        (connection,) = here.core.retrieve_connections(operation_name="turn")
        await send_by_hand(here, connection, traceparent)
        await until(lambda: bool(here.spans.all_of("process turn", "plugin")))

    assert parent_of(here.spans.one("process turn", "plugin")) is None
    assert [record for record in caplog.records if not record.name.endswith("unused_sinks")] == []


async def test_a_well_formed_context_is_taken_from_whoever_may_send_inputs() -> None:
    async with scene() as here:
        (connection,) = here.core.retrieve_connections(operation_name="turn")
        await send_by_hand(here, connection, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        await until(lambda: bool(here.spans.all_of("process turn", "plugin")))

    span = here.spans.one("process turn", "plugin")
    assert parent_of(span) == (0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331)


async def send_by_hand(here: Scene, connection: Any, traceparent: str) -> None:
    event = Event.create(StringMessage(value="on"), publisher_identifier="stranger", traceparent=traceparent)
    client = LocalEventBusClient(here.bus)
    await client.connect()
    await client.publish(connection.input_topic, event)
    await client.disconnect()


async def test_neither_tracestate_nor_baggage_travels_however_large() -> None:
    state = TraceState([(f"key{number}", "v" * 200) for number in range(32)])
    parent = SpanContext(0xA, 0xB, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED), trace_state=state)
    async with scene() as here:
        within = baggage.set_baggage("secret", "x" * 5_000, set_span_in_context(NonRecordingSpan(parent)))
        token = context.attach(within)
        try:
            await here.core.request(Lamp.turn, "on")
        finally:
            context.detach(token)

    process = here.spans.one("process turn")
    assert process.context is not None
    assert process.context.trace_id == 0xA
    assert len(process.context.trace_state) == 0
    assert here.lamps[0].seen == [{}]


async def test_a_handler_is_in_no_span_of_what_started_its_plugin() -> None:
    spans = Spans()
    with spans.provider.get_tracer("user").start_as_current_span("start of the program"):
        async with scene(spans) as here:
            untrace(here.core)
            await here.core.execute(Lamp.turn, "on", any=True)
            await until(lambda: bool(spans.all_of("process turn")))

    assert parent_of(spans.one("process turn")) is None


async def test_a_handler_has_no_baggage_of_what_started_its_plugin() -> None:
    token = context.attach(baggage.set_baggage("secret", "x"))
    try:
        async with scene() as here:
            await here.core.request(Lamp.turn, "on")
    finally:
        context.detach(token)

    assert here.lamps[0].seen == [{}]


async def test_an_orbiter_that_is_traced_no_more_makes_no_spans_and_sends_no_context() -> None:
    async with scene() as here:
        await here.core.request(Lamp.turn, "on")
        untrace(here.core, *here.lamps)
        here.spans.exporter.clear()
        with here.spans.provider.get_tracer("user").start_as_current_span("evening"):
            await here.core.request(Lamp.turn, "on")

    assert here.spans.names == ["light", "evening"]


async def test_a_thousand_executions_leave_nothing() -> None:
    started = ended = 0

    class Counting:
        def on_start(self, span: Any, parent_context: Any = None) -> None:
            nonlocal started
            started += 1

        def on_end(self, span: Any) -> None:
            nonlocal ended
            ended += 1

        def _on_ending(self, span: Any) -> None: ...

        def shutdown(self) -> None: ...

        def force_flush(self, timeout_millis: int = 0) -> bool:
            return True

    async with scene() as here:
        here.spans.provider.add_span_processor(Counting())  # type: ignore[arg-type]  # the stub wants its base class
        before = context.get_current()
        for number in range(1_000):
            if number % 2:
                await here.core.request(Lamp.turn, "on")
            else:
                await here.core.execute(Lamp.turn, "on", any=True)
        await until(lambda: here.core.outputs.qsize() == 500)
        await until(lambda: started == ended)

    assert context.get_current() is before
    # A request has three spans with the user's, an execution four.
    assert started == ended == 500 * 3 + 500 * 4
