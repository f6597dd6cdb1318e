"""The interface of tracers: where spans begin and end, and which trace context is sent with an event.

An orbiter that is not traced has no tracer. Then each place below is an `is None`, and calls nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeVar

from orbitalis.message.event import Event
from orbitalis.operations.connection import Connection
from orbitalis.protocol.effects import Effect, Send
from orbitalis.protocol.slots import Slot

__all__ = ["Tracing"]

T = TypeVar("T")


class Tracing(Protocol):
    """Makes spans of what one orbiter does.

    Work is given as a function, so that nothing of it is begun where its span is not.
    """

    def traceparent(self) -> str | None:
        """Return the trace context of the caller, for the header of what it publishes; `None` for none."""
        ...

    async def send(self, operation_name: str, slots: Sequence[Slot], work: Callable[[], Awaitable[T]]) -> T:
        """Publish inputs or outputs on connections of an operation, all in one span."""
        ...

    async def request(self, slot: Slot, work: Callable[[], Awaitable[T]]) -> T:
        """Publish an input and wait for its answer, in a span."""
        ...

    def unsent(self, operation_name: str, error: Exception) -> None:
        """Note an input that was not published, since there is no connection for it."""
        ...

    def handle(
        self, connection: Connection, topic: str, event: Event[Any], work: Callable[[], Awaitable[object]]
    ) -> Coroutine[Any, Any, object]:
        """Handle an input or output in a span of the trace that the event belongs to; runs as a task."""
        ...

    def note(self, effect: Effect, cause: str | None) -> None:
        """Take note of what is about to be done, by which handshakes begin and end.

        `cause` is the trace context of the message that has led to it, if one has.
        """
        ...

    def traceparent_of(self, effect: Send) -> str | None:
        """Return the trace context of the handshake that a message belongs to, which is about to be published."""
        ...

    async def prepare(self, slot: Slot, preparation: Awaitable[T]) -> T:
        """Let the user prepare for a connection, within the span of its handshake."""
        ...

    def end(self) -> None:
        """End the spans of handshakes that are under way: the orbiter is traced no more."""
        ...
