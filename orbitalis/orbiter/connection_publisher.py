"""How an orbiter publishes on its connections: with their headers, and as an answer if an input needs one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from orbitalis.bus.client import EventBusClient
from orbitalis.message.event import Event
from orbitalis.message.payload import Publishable, wrap
from orbitalis.operations.answer import Answer
from orbitalis.operations.connection import PublishHeaders
from orbitalis.orbiter.tracing import Tracing
from orbitalis_wire import channels
from orbitalis_wire.channels import Channel
from orbitalis_wire.envelope import Encoding

__all__ = ["ConnectionPublisher"]

_NO_HEADERS: Final = PublishHeaders(channel=channels.OPERATION_OUTPUT)


class ConnectionPublisher:
    """Publishes the inputs or outputs of one orbiter.

    The bus client uses it for messages that are not in an event. So messages that a user publishes to the topic of a
    connection have the same headers as those that the orbiter sends.
    """

    __slots__ = ("_headers_on", "client", "orbiter", "tracing")

    def __init__(
        self, client: EventBusClient, headers_on: Callable[[str], PublishHeaders | None], orbiter: str | None = None
    ) -> None:
        """Publish by a client what the orbiter with this identifier sends.

        `headers_on` returns what is put on messages that are published to a topic by hand; `None` if it is the topic of
        no connection. Where connections share a topic, these are the headers of one.
        """
        self.client = client
        self._headers_on = headers_on
        self.orbiter = orbiter
        self.tracing: Tracing | None = None
        """What knows the trace context of the caller, if anything does."""

    def send(
        self,
        topic: str,
        message: object | None,
        headers: PublishHeaders,
        *,
        identifier: str | None = None,
        correlation_identifier: str | None = None,
        answer_requested: bool | None = None,
        answer_within: float | None = None,
        is_data: bool = True,
    ) -> Awaitable[None] | None:
        """Publish a message on a connection; return what to wait for, or `None` if it is done.

        What is returned has to be awaited; both may raise what :meth:`EventBusClient.publish` does. Data gets the next
        number of the connection. What raises at once has not left, and its number goes to the next; what is awaited in
        vain may have been delivered, and so its number is never given again.
        """
        numbers = headers.numbers if is_data else None
        number = None if numbers is None else numbers.last + 1
        event = Event.create(
            message,
            publisher_identifier=self.client.identifier,
            identifier=identifier,
            protocol_version=headers.protocol_version,
            incarnation=headers.incarnation,
            correlation_identifier=correlation_identifier,
            answer_requested=answer_requested,
            connection_identifier=headers.connection_identifier,
            readable_encodings=headers.readable_encodings,
            traceparent=None if self.tracing is None else self.tracing.traceparent(),
            sequence_number=number,
            answer_within=answer_within,
        )
        waiting = self.client.start_publish(topic, event, headers.channel, headers.encoding, bus=headers.bus)
        if numbers is not None and number is not None:
            numbers.last = number
        return waiting

    def start_output(
        self, topic: str, message: object | None, headers: PublishHeaders, answer: Answer | None
    ) -> Awaitable[None] | None:
        """Publish an output, as the answer that is owed if there is one; return what to wait for, as :meth:`send`."""
        if answer is None:
            return self.send(topic, message, headers)
        answer.is_given = True
        if answer.is_taken_back:
            return None
        try:
            waiting = self.send(topic, message, headers, correlation_identifier=answer.correlation_identifier)
        except BaseException:
            answer.is_given = False
            raise
        if waiting is not None:
            return self._give(waiting, answer)
        if answer.statistics is not None:
            answer.statistics.answers += 1
        return None

    async def all_published(self, under_way: Sequence[Awaitable[None]], failures: Sequence[Exception]) -> None:
        """Wait for what has been started to be published, and then raise the first of what failed at once."""
        if under_way:
            await asyncio.gather(*under_way)
        else:
            # A sender that publishes in a loop must let handlers run in between, or their queues overflow.
            await asyncio.sleep(0)
        if failures:
            raise failures[0]

    async def _give(self, waiting: Awaitable[None], answer: Answer) -> None:
        try:
            await waiting
        except BaseException:
            answer.is_given = False
            raise
        if answer.statistics is not None:
            answer.statistics.answers += 1

    async def __call__(
        self, topic: str, message: Publishable, channel: Channel | None, encoding: Encoding | None, bus: str | None
    ) -> None:
        """Publish what a user publishes by hand, with the headers of the connection whose topic it is."""
        answer = Answer.owed_on(topic)
        headers = answer.headers if answer is not None else self._headers_on(topic) or _NO_HEADERS
        if channel is not None or encoding is not None or bus is not None:
            headers = PublishHeaders(
                encoding=encoding or headers.encoding,
                protocol_version=headers.protocol_version,
                incarnation=headers.incarnation,
                connection_identifier=headers.connection_identifier,
                readable_encodings=headers.readable_encodings,
                channel=channel or headers.channel,
                bus=bus or headers.bus,
                numbers=headers.numbers,
            )
        waiting = self.start_output(topic, wrap(message), headers, answer)
        # A sender that publishes in a loop must let handlers run in between, or their queues overflow.
        await (asyncio.sleep(0) if waiting is None else waiting)
