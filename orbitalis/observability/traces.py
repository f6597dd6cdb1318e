"""Spans of OpenTelemetry for the work of orbiters: :func:`trace`. It needs the extra `otel`.

A trace continues in other processes, because its context travels as `traceparent` in the envelope of each event.
`tracestate` and baggage do not travel.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from contextvars import Token
from typing import Any, Final, TypeVar

from orbitalis.message.event import Event
from orbitalis.observability import names
from orbitalis.observability.counts import role_of
from orbitalis.operations.connection import Connection
from orbitalis.operations.operation_statistics import text_of
from orbitalis.orbiter import Orbiter
from orbitalis.orbiter.peer_queues import is_being_cancelled
from orbitalis.protocol.effects import (
    ConnectionClosed,
    ConnectionOpened,
    Effect,
    PendingRequestDiscarded,
    Prepare,
    Send,
)
from orbitalis.protocol.slots import Slot
from orbitalis_wire import channels
from orbitalis_wire.channels import Channel
from orbitalis_wire.messages import ConfirmConnectionMessage, RequestOperationMessage

try:
    from opentelemetry import context as contexts
    from opentelemetry.context import Context
    from opentelemetry.trace import (
        INVALID_SPAN,
        Span,
        SpanKind,
        Status,
        StatusCode,
        TracerProvider,
        get_current_span,
        get_tracer,
        set_span_in_context,
    )
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"{error}: traces take the extra `otel`; install it by `pip install 'orbitalis-sdk[otel]'`", name=error.name
    ) from None

__all__ = ["trace", "untrace"]

T = TypeVar("T")

_LOG: Final = logging.getLogger(__name__)
_has_complained = False

_propagator: Final = TraceContextTextMapPropagator()
_LONGEST_TRACEPARENT: Final = 256
"""Characters; those of version 00 have 55, and newer ones may have more."""
_LONGEST_TEXT: Final = 1_000
"""Characters of an error's text in a status; its event has all."""


def trace(*orbiters: Orbiter, tracer_provider: TracerProvider | None = None) -> None:
    """Make spans of the work of orbiters, with this tracer provider, or with the global one of the program.

    Each execution, each request, each handshake, each input that a handler takes, and each output that a sink takes
    gets a span. The span is current in handlers, in sinks, and in hooks that prepare a connection.
    """
    tracer = get_tracer(names.SCOPE, tracer_provider=tracer_provider)
    for orbiter in orbiters:
        orbiter.trace_with(_OrbiterTracing(orbiter, tracer.start_span))


def untrace(*orbiters: Orbiter) -> None:
    """Make no more spans for orbiters. Open spans still end normally."""
    for orbiter in orbiters:
        orbiter.trace_with(None)


class _OrbiterTracing:
    """Makes the spans of one orbiter; it is what :class:`orbitalis.orbiter.tracing.Tracing` describes."""

    def __init__(self, orbiter: Orbiter, start_span: Callable[..., Span]) -> None:
        self._orbiter = orbiter
        self._start_span = start_span
        self._handshakes: dict[tuple[str, str], Span] = {}
        """Under way, by remote and operation: as many as there are slots that are prepared or requested."""
        role = role_of(orbiter)
        self._is_core = role == names.CORE
        self._common = {
            names.SYSTEM: names.SYSTEM_NAME,
            names.ORBITER: orbiter.identifier,
            names.ROLE: role,
        }
        own, other = channels.OPERATION_INPUT, channels.OPERATION_OUTPUT
        self._outgoing, self._incoming = (own, other) if self._is_core else (other, own)

    def traceparent(self) -> str | None:
        return _traceparent_of(get_current_span())

    async def send(self, operation_name: str, slots: Sequence[Slot], work: Callable[[], Awaitable[T]]) -> T:
        attributes = self._attributes(names.SEND, names.SEND, operation_name, self._outgoing)
        if len(slots) == 1:
            attributes |= _attributes_of(slots[0], slots[0].outgoing_data_topic)
        else:
            attributes[names.BATCH_MESSAGE_COUNT] = len(slots)
        span = self._begin(names.SEND, operation_name, SpanKind.PRODUCER, attributes)
        return await _within(span, work)

    async def request(self, slot: Slot, work: Callable[[], Awaitable[T]]) -> T:
        attributes = self._attributes(names.REQUEST, names.SEND, slot.operation_name, self._outgoing)
        attributes |= _attributes_of(slot, slot.outgoing_data_topic)
        span = self._begin(names.REQUEST, slot.operation_name, SpanKind.CLIENT, attributes)
        return await _within(span, work)

    def unsent(self, operation_name: str, error: Exception) -> None:
        attributes = self._attributes(names.SEND, names.SEND, operation_name, self._outgoing)
        span = self._begin(names.SEND, operation_name, SpanKind.PRODUCER, attributes)
        _fail(span, error)
        _end(span)

    async def handle(
        self, connection: Connection, topic: str, event: Event[Any], work: Callable[[], Awaitable[object]]
    ) -> None:
        slot = connection.slot
        attributes = self._attributes(names.PROCESS, names.PROCESS, slot.operation_name, self._incoming)
        attributes |= _attributes_of(slot, topic)
        attributes[names.MESSAGE_ID] = event.identifier
        if event.correlation_identifier is not None:
            attributes[names.CONVERSATION_ID] = event.correlation_identifier
        kind = SpanKind.SERVER if event.answer_requested else SpanKind.CONSUMER
        context = _context_of(event.traceparent)
        span = self._begin(names.PROCESS, slot.operation_name, kind, attributes, context)
        # The context is that of this task alone. It stays, so that what is logged of a failure is of this trace, too.
        contexts.attach(set_span_in_context(span, context))
        try:
            await work()
        except BaseException as error:
            _fail(span, error)
            raise
        finally:
            _end(span)

    def note(self, effect: Effect, cause: str | None) -> None:
        match effect:
            case Prepare(slot=slot):
                self._end_handshake(slot.key, "another one has begun")
                attributes = self._attributes(names.HANDSHAKE, None, slot.operation_name, None)
                attributes |= _attributes_of(slot, None)
                kind = SpanKind.CLIENT if self._is_core else SpanKind.SERVER
                context = _context_of(cause)
                span = self._begin(names.HANDSHAKE, slot.operation_name, kind, attributes, context)
                self._handshakes[slot.key] = span
            case ConnectionOpened(slot=slot) if self._is_core:
                self._end_handshake(slot.key)
            case PendingRequestDiscarded(slot=slot) | ConnectionClosed(slot=slot):
                self._end_handshake(slot.key, "it came to nothing")
            case _:
                pass

    def traceparent_of(self, effect: Send) -> str | None:
        message, remote = effect.message, effect.remote_identifier
        if remote is None or not isinstance(message, RequestOperationMessage | ConfirmConnectionMessage):
            return None
        key = remote, message.operation_name
        span = self._handshakes.get(key)
        if span is None:
            return None
        traceparent = _traceparent_of(span)
        if not self._is_core:
            self._end_handshake(key)  # which has opened the connection before
        return traceparent

    async def prepare(self, slot: Slot, preparation: Awaitable[T]) -> T:
        span = self._handshakes.get(slot.key)
        if span is None:
            return await preparation
        token = contexts.attach(set_span_in_context(span, Context()))
        try:
            return await preparation
        except BaseException as error:
            if self._handshakes.get(slot.key) is span:  # else it has come to nothing meanwhile
                _fail(span, error)
                self._end_handshake(slot.key)
            raise
        finally:
            contexts.detach(token)

    def end(self) -> None:
        for key in list(self._handshakes):
            self._end_handshake(key, "it is traced no more")

    def _end_handshake(self, key: tuple[str, str], failure: str | None = None) -> None:
        span = self._handshakes.pop(key, None)
        if span is not None:
            if failure is not None:
                span.set_status(Status(StatusCode.ERROR, failure))
            _end(span)

    def _attributes(
        self, verb: str, kind: str | None, operation_name: str, channel: Channel | None
    ) -> dict[str, str | int]:
        attributes: dict[str, str | int] = {
            **self._common,
            names.CLIENT_ID: self._orbiter.eventbus_client.identifier,
            names.OPERATION: operation_name,
            names.OPERATION_NAME: verb,
        }
        if kind is not None:
            attributes[names.OPERATION_TYPE] = kind
        if channel is not None:
            attributes[names.DESTINATION_TEMPLATE] = channel.address.replace("{operation_name}", operation_name)
        return attributes

    def _begin(
        self,
        verb: str,
        operation_name: str,
        kind: SpanKind,
        attributes: Mapping[str, str | int],
        context: Context | None = None,
    ) -> Span:
        """Begin a span within a context, by default the one of the caller; one of nothing where that fails."""
        try:
            return self._start_span(f"{verb} {operation_name}", context=context, kind=kind, attributes=attributes)
        except Exception:
            _complain()
            return INVALID_SPAN


def _attributes_of(slot: Slot, topic: str | None) -> dict[str, str | int]:
    attributes: dict[str, str | int] = {
        names.REMOTE: slot.remote_identifier,
        names.CONNECTION: slot.connection_identifier,
    }
    if topic is not None:
        attributes[names.DESTINATION_NAME] = topic
    return attributes


async def _within(span: Span, work: Callable[[], Awaitable[T]]) -> T:
    """Do work in a span that is current meanwhile, and ends with it."""
    token: Token[Context] | None = contexts.attach(set_span_in_context(span))
    try:
        return await work()
    except GeneratorExit:
        # The event loop has left the caller behind, which is closed wherever it is collected: in another context.
        token = None
        raise
    except BaseException as error:
        _fail(span, error)
        raise
    finally:
        _end(span)
        if token is not None:
            contexts.detach(token)


def _end(span: Span) -> None:
    """End a span; what a processor of the user raises then is not for the orbiter."""
    try:
        span.end()
    except Exception:
        _complain()


def _complain() -> None:
    """Log that a tracer provider has failed, in an `except` block: once for the program, since each span may fail."""
    global _has_complained
    if not _has_complained:
        _has_complained = True
        _LOG.exception("the tracer provider has failed: there is no span, and this is not said again")


def _fail(span: Span, error: BaseException) -> None:
    """Note that what a span stands for has failed, or was cancelled."""
    kind = type(error)
    span.set_attribute(names.ERROR_TYPE, kind.__qualname__)
    if isinstance(error, asyncio.CancelledError) and is_being_cancelled():
        span.set_status(Status(StatusCode.ERROR, "cancelled"))
        return
    span.set_status(Status(StatusCode.ERROR, f"{kind.__name__}: {text_of(error)}"[:_LONGEST_TEXT]))
    with suppress(Exception):  # users write exceptions, too, and one that fails to say what it is has no event
        span.record_exception(error)


def _traceparent_of(span: Span) -> str | None:
    context = span.get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def _context_of(traceparent: str | None) -> Context:
    """Return the context in which an event was sent; what is malformed, as a stranger may have sent it, is none."""
    if traceparent is None or len(traceparent) > _LONGEST_TRACEPARENT:
        return Context()
    return _propagator.extract({"traceparent": traceparent}, Context())
