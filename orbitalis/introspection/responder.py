"""How an orbiter answers operators: what it listens to, how much it answers, and when."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Hashable, Mapping
from contextvars import Context
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from orbitalis.bus.bus_statistics import BusStatistics
from orbitalis.bus.client import EventBusClient, Later
from orbitalis.bus.event_handler import EventHandler
from orbitalis.errors import BusError, BusRefusedError, RemoteProtocolError
from orbitalis.introspection.requests import Question, read_request
from orbitalis.introspection.subjects import FORMS, AnswerMessage, Subject
from orbitalis.introspection.telling import (
    Identity,
    counters_of,
    explanation_for_operators,
    tell_connections,
    tell_info,
    tell_statistics,
)
from orbitalis.log import FieldLogger
from orbitalis.message.event import READABLE_ENCODINGS, Event
from orbitalis.message.payload import kind_of
from orbitalis.operations.explanation import CoreExplanation, PluginExplanation
from orbitalis.operations.operation_statistics import OperationStatistics
from orbitalis.protocol.machine import CoreMachine, Machine, PluginMachine
from orbitalis.protocol.orbiter_statistics import OrbiterStatistics
from orbitalis.protocol.quotas import RateLimiter
from orbitalis_wire import PROTOCOL_VERSION, channels, limits, timings
from orbitalis_wire.messages import IntrospectionRequestMessage, PongMessage
from orbitalis_wire.topics import IntrospectionTopic

__all__ = ["Introspected", "Responder"]

_logger = FieldLogger(logging.getLogger(__name__))

_PENDING: Final = int(limits.INTROSPECTION_ANSWERS_PER_SECOND * timings.BURST)
"""Requests that wait for their moment, or to be answered."""
_QUEUE: Final[Hashable] = ("introspection",)
"""The queue in which answers are made and published, one after the other: none holds up what is for remotes."""


class Introspected(Protocol):
    """What is told of an orbiter beside what its state machine knows."""

    identifier: str
    introspection: bool
    introspection_topic: str
    eventbus_client: EventBusClient

    @property
    def statistics(self) -> OrbiterStatistics:
        """What it has counted."""
        ...

    @property
    def operation_statistics(self) -> Mapping[str, OperationStatistics]:
        """What it has counted of each operation, by name."""
        ...

    def explain(self) -> CoreExplanation | PluginExplanation:
        """Return why it has the connections that it has."""
        ...


class AnswerQueues(Protocol):
    """Where answers wait."""

    def submit(self, key: Hashable, work: Callable[[], Awaitable[object] | None]) -> None:
        """Have a piece of work done in the queue of a key."""


class IntrospectedRuntime(Protocol):
    """What an orbiter's runtime does for those who ask."""

    @property
    def queues(self) -> AnswerQueues:
        """Where answers wait."""
        ...

    def refuse(self, channel: channels.Channel, topic: str, kind: str) -> None:
        """Report what is no message of a channel."""

    def complain(self, text: str, *arguments: object, **fields: str | None) -> None:
        """Log what operators can cause."""


class Responder:
    """Answers operators in the name of one orbiter. It sends nothing that nobody has asked for."""

    __slots__ = (
        "_client",
        "_delayed",
        "_has_complained",
        "_incarnation",
        "_machine",
        "_orbiter",
        "_queued",
        "_rate",
        "_runtime",
        "_started_at",
        "documentation_of",
    )

    def __init__(self, orbiter: Introspected, machine: Machine, runtime: IntrospectedRuntime) -> None:
        """Answer for an orbiter, with what it and its state machine know, by its runtime."""
        self._orbiter = orbiter
        self._machine = machine
        self._runtime = runtime
        self.documentation_of: Callable[[str], str] = _no_documentation
        """Returns what is said about an operation that the orbiter lends; a plugin sets it."""
        self._client: EventBusClient | None = None
        """The orbiter's, from start to stop."""
        self._incarnation = ""
        self._started_at = datetime.now(UTC)
        self._rate = RateLimiter()
        self._delayed: set[asyncio.TimerHandle] | None = None
        """What has answers begin at their moment; `None` before the first, since it would take memory for nothing."""
        self._queued = 0
        self._has_complained = False
        """Whether a request that breaks the protocol was logged; the others are counted."""

    @property
    def filters(self) -> dict[str, channels.Channel]:
        """Where requests arrive while the orbiter runs: filter to channel; nowhere if it is not to answer."""
        if not self._orbiter.introspection:
            return {}
        return {
            self._orbiter.introspection_topic: channels.INTROSPECTION_OF_ALL,
            IntrospectionTopic.filter(recipient_identifier=self._orbiter.identifier): channels.INTROSPECTION,
        }

    async def start(self, client: EventBusClient, incarnation: str, context: Context) -> None:
        """Listen for requests, and handle them in copies of a context; does nothing if the orbiter is not to answer.

        Raises:
            BusUnavailableError: The bus cannot be reached.
        """
        self._incarnation, self._started_at = incarnation, datetime.now(UTC)
        self._has_complained = False
        self._client = client
        self._queued = 0
        for topic_filter, channel in self.filters.items():
            try:
                waiting = client.start_subscribe(topic_filter, _Receiver(self, channel), channel, context=context)
                if waiting is not None:
                    await waiting
            except BusRefusedError as error:
                _logger.warning(
                    "%s cannot be asked by operators, because the bus does not let it listen: %s. Generate the access "
                    "lists again, or set introspection=False",
                    self._orbiter.identifier,
                    error,
                    extra={"orbiter": self._orbiter.identifier, "topic": topic_filter},
                )
                return

    def stop(self) -> None:
        """Answer nothing more; what is in the queue is up to that."""
        self._client = None
        for handle in self._delayed or ():
            handle.cancel()
        self._delayed = None

    # In

    def receive(self, topic: str, event: Event[Any], channel: channels.Channel) -> None:
        """Take what has come on a channel for requests, and have it answered in time if it may be."""
        if self._client is None:
            return
        statistics = self._orbiter.statistics
        request: object = event.payload
        if not isinstance(request, IntrospectionRequestMessage):
            self._runtime.refuse(channel, topic, kind_of(request))
            return
        is_to_all = channel is channels.INTROSPECTION_OF_ALL
        try:
            question = read_request(self._orbiter.identifier, topic, request, event, is_to_all=is_to_all)
        except RemoteProtocolError as error:
            statistics.refused += 1
            if not self._has_complained:
                self._has_complained = True
                text = "%s ignores a request of an operator on topic %r: %s. More of them are only counted"
                self._runtime.complain(text, topic, error, topic=topic)
            return
        loop = asyncio.get_running_loop()
        now = loop.time()
        if len(self._delayed or ()) + self._queued >= _PENDING or not self._rate.admits(
            now, limits.INTROSPECTION_ANSWERS_PER_SECOND
        ):
            statistics.too_fast_operators += 1
            return
        if question.spread:
            self._answer_at(loop, now + random.random() * question.spread, question)
        else:
            self._enqueue(question)

    def _answer_at(self, loop: asyncio.AbstractEventLoop, at: float, question: Question) -> None:
        delayed = self._delayed
        if delayed is None:
            delayed = self._delayed = set()

        def begin() -> None:
            delayed.discard(handle)
            self._enqueue(question)

        handle = loop.call_at(at, begin)
        delayed.add(handle)

    # Out

    def _enqueue(self, question: Question) -> None:
        self._queued += 1
        self._runtime.queues.submit(_QUEUE, lambda: Later(self._answer, question))

    async def _answer(self, question: Question) -> None:
        self._queued -= 1
        # Answers take a while to make: others have their turn in between.
        await asyncio.sleep(0)
        client = self._client
        if client is None:
            return
        message = self._message(question)
        event = Event.create(
            message,
            publisher_identifier=client.identifier,
            protocol_version=PROTOCOL_VERSION,
            incarnation=self._incarnation,
            correlation_identifier=question.event_identifier,
            readable_encodings=READABLE_ENCODINGS,
        )
        channel = FORMS[question.subject].channel
        try:
            waiting = client.start_publish(question.answer_topic, event, channel, question.encoding, bus=question.bus)
            if waiting is not None:
                await waiting
        except (BusError, ValueError) as error:
            topic, kind = question.answer_topic, type(message).__name__
            self._runtime.complain("%s could not send a %s to topic %r: %s", kind, topic, error, topic=topic)

    def _message(self, question: Question) -> AnswerMessage:
        orbiter, machine, cursor = self._orbiter, self._machine, question.cursor
        who = Identity(orbiter.identifier, machine.role, self._started_at)
        match question.subject:
            case Subject.PING:
                return PongMessage(from_identifier=who.identifier, role=who.role.value)
            case Subject.INFO:
                return tell_info(
                    who,
                    machine.provider.operations if isinstance(machine, PluginMachine) else {},
                    self.documentation_of,
                    machine.requester.requirements if isinstance(machine, CoreMachine) else {},
                    lambda: explanation_for_operators(orbiter.explain()),
                    cursor,
                )
            case Subject.CONNECTIONS:
                wall, now = datetime.now(UTC), asyncio.get_running_loop().time()
                return tell_connections(who, machine.slots, lambda at: wall - timedelta(seconds=now - at), cursor)
            case Subject.STATISTICS:
                bus: BusStatistics = orbiter.eventbus_client.statistics
                return tell_statistics(who, orbiter.operation_statistics, counters_of(orbiter.statistics, bus), cursor)


class _Receiver(EventHandler):
    """Takes the requests that come on one channel, and nothing else."""

    __slots__ = ("_channel", "_responder")

    def __init__(self, responder: Responder, channel: channels.Channel) -> None:
        self._responder = responder
        self._channel = channel

    def takes(self, topic: str, message_class: type[object]) -> bool:
        return message_class is IntrospectionRequestMessage

    def begin(self, topic: str, event: Event[Any]) -> None:
        self._responder.receive(topic, event, self._channel)

    async def handle(self, topic: str, event: Event[Any]) -> None:
        self.begin(topic, event)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._channel.key!r})"


def _no_documentation(operation_name: str) -> str:
    return ""
