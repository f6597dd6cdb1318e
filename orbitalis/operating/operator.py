"""Asks orbiters what they are, and what they are doing: :class:`Operator`."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from typing import Any, Final, Self, TypeVar

from orbitalis.arguments import check_kind, check_seconds, check_text
from orbitalis.bus.client import EventBusClient
from orbitalis.bus.event_handler import EventHandler
from orbitalis.bus.topic_filters import check_topic
from orbitalis.bus.url import connect
from orbitalis.errors import OrbiterStateError
from orbitalis.introspection.subjects import FORMS, AnswerMessage, Subject
from orbitalis.message.event import READABLE_ENCODINGS, Event, new_identifier
from orbitalis.operating.answers import ConnectionsAnswer, InfoAnswer, PongAnswer, StatisticsAnswer
from orbitalis.operating.inquiry import Inquiry, Pages
from orbitalis.protocol.topic_resolver import UNKNOWN_SENDER
from orbitalis_avro.errors import TopicError
from orbitalis_wire import PROTOCOL_VERSION, channels
from orbitalis_wire.messages import (
    ConnectionsMessage,
    InfoMessage,
    IntrospectionRequestMessage,
    PongMessage,
    StatisticsMessage,
)
from orbitalis_wire.topics import IntrospectionTopic, check_level

__all__ = ["Operator"]

M = TypeVar("M", bound=AnswerMessage)
T = TypeVar("T")

_WITHIN: Final = 2.0
"""Seconds for which answers are awaited."""


class Operator:
    """Asks all orbiters of a bus, or one of them.

    It is an asynchronous context manager, which connects and disconnects its client of the bus. Questions may be asked
    side by side. Each gives what has come in time, by the identifier of the orbiter; those that did not answer are
    missing, and an answer of which a part did not come says so in `is_complete`. One orbiter that is asked gives its
    answer as soon as it is complete; with all of them, it is not known how many there are, so the time always passes.
    """

    def __init__(
        self,
        eventbus_client: EventBusClient | None = None,
        *,
        identifier: str | None = None,
        introspection_topic: str = channels.INTROSPECTION_OF_ALL.address,
    ) -> None:
        """Ask on the bus of a client, which it has for itself; by default on the bus that `ORBITALIS_BUS` names.

        Args:
            eventbus_client: Its own client of the bus.
            identifier: Unique among all operators and orbiters, by default a made-up one. A broker with access lists
                wants the name of the operator's user.
            introspection_topic: Where all orbiters are asked; the same as theirs.

        Raises:
            ValueError: The identifier or the topic cannot be used.
            TypeError: An argument is of another kind.
        """
        client = connect() if eventbus_client is None else eventbus_client
        check_kind("eventbus_client", client, EventBusClient)
        self.identifier = uuid.uuid4().hex if identifier is None else _checked(identifier)
        """Who asks."""
        check_text("introspection_topic", introspection_topic)
        check_topic(introspection_topic)
        self.introspection_topic = introspection_topic
        """Where all orbiters are asked."""
        self.eventbus_client = client
        """Its own client of the bus."""
        self.ignored = 0
        """Answers that were late, came twice or were asked for by nobody, or of another sender than they say."""
        self._inquiries: dict[str, tuple[Inquiry[Any], str | None]] = {}
        """By identifier of the event with a request: what it belongs to, and its cursor."""
        self._is_running = False

    async def start(self) -> None:
        """Connect to the bus, and listen for answers.

        Raises:
            OrbiterStateError: It has started already, or another one uses its client.
            BusRefusedError: The bus does not let it in, or be an operator of this identifier.
            BusUnavailableError: The bus cannot be reached.
        """
        if self._is_running:
            raise OrbiterStateError(f"{self} has started already: stop it before it is started again")
        client = self.eventbus_client
        client.claim(self)
        try:
            client.belong_to(self.identifier)
            await client.connect()
            # What a broker refuses of quality of service 0, it refuses in silence.
            await client.check_may_publish(self._topic_to(self.identifier))
            for subject, form in FORMS.items():
                topic_filter = form.topic.filter(operator_identifier=self.identifier)
                await client.subscribe(topic_filter, _AnswerHandler(self, subject), channel=form.channel)
            self._is_running = True
        except BaseException:
            await self._leave()
            raise

    async def stop(self) -> None:
        """Leave the bus; does nothing if it has not started. Questions under way end with what has come."""
        if not self._is_running:
            return
        self._is_running = False
        for inquiry, _ in list(self._inquiries.values()):
            inquiry.end()
        await self._leave()

    async def _leave(self) -> None:
        try:
            await self.eventbus_client.disconnect()
        finally:
            self.eventbus_client.release(self)

    async def __aenter__(self) -> Self:
        """Start it."""
        await self.start()
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Stop it."""
        await self.stop()

    # Questions

    async def ping(
        self,
        orbiter: str | None = None,
        *,
        within: float = _WITHIN,
        spread: float | None = None,
        quiet: float | None = None,
    ) -> dict[str, PongAnswer]:
        """Return which orbiters are there, and what they are.

        Args:
            orbiter: Identifier of the only one that is asked; by default all are.
            within: Seconds for which answers are awaited.
            spread: Seconds within which an orbiter answers, at a random moment; by default half of `within` where all
                are asked, and none where one is.
            quiet: Seconds without an answer, after the last one, that end the question where all are asked; more than
                `spread`, or some may be missed. By default it takes all of `within`.

        Raises:
            ValueError: The identifier cannot be one, or a time is negative.
            OrbiterStateError: It has not started.
            BusError: It could not be asked.
        """
        found = await self._ask(Subject.PING, PongMessage, orbiter, within, spread, quiet)
        return {
            identifier: PongAnswer(**_common(identifier, pages), role=pages.messages[0].role)
            for identifier, pages in found.items()
        }

    async def info(
        self,
        orbiter: str | None = None,
        *,
        within: float = _WITHIN,
        spread: float | None = None,
        quiet: float | None = None,
    ) -> dict[str, InfoAnswer]:
        """Return what orbiters are, lend and require. Arguments and errors are those of :meth:`ping`."""
        found = await self._ask(Subject.INFO, InfoMessage, orbiter, within, spread, quiet)
        return {identifier: _info(identifier, pages) for identifier, pages in found.items()}

    async def connections(
        self,
        orbiter: str | None = None,
        *,
        within: float = _WITHIN,
        spread: float | None = None,
        quiet: float | None = None,
    ) -> dict[str, ConnectionsAnswer]:
        """Return the connections of orbiters. Arguments and errors are those of :meth:`ping`."""
        found = await self._ask(Subject.CONNECTIONS, ConnectionsMessage, orbiter, within, spread, quiet)
        return {
            identifier: ConnectionsAnswer(
                **_common(identifier, pages),
                connections=tuple(one for message in pages.messages for one in message.connections),
            )
            for identifier, pages in found.items()
        }

    async def statistics(
        self,
        orbiter: str | None = None,
        *,
        within: float = _WITHIN,
        spread: float | None = None,
        quiet: float | None = None,
    ) -> dict[str, StatisticsAnswer]:
        """Return what orbiters have counted. Arguments and errors are those of :meth:`ping`."""
        found = await self._ask(Subject.STATISTICS, StatisticsMessage, orbiter, within, spread, quiet)
        return {
            identifier: StatisticsAnswer(
                **_common(identifier, pages),
                operations=_joined([message.operations for message in pages.messages]),
                counters=_joined([message.counters for message in pages.messages]),
            )
            for identifier, pages in found.items()
        }

    async def _ask(
        self,
        subject: Subject,
        message_class: type[M],
        orbiter: str | None,
        within: float,
        spread: float | None,
        quiet: float | None,
    ) -> dict[str, Pages[M]]:
        check_seconds("within", within, is_positive=True)
        check_seconds("spread", spread, is_optional=True)
        check_seconds("quiet", quiet, is_optional=True)
        if orbiter is not None:
            _checked(orbiter)
        if not self._is_running:
            raise OrbiterStateError(f"{self} has not started: `async with` starts it")
        if spread is None:
            spread = within / 2 if orbiter is None else 0.0
        loop = asyncio.get_running_loop()
        inquiry = Inquiry(subject, message_class, loop.time(), orbiter, quiet)
        requests: list[str] = []
        limit = asyncio.timeout(within)
        try:
            async with limit:
                if orbiter is None:
                    await self._request(inquiry, requests, None, None, spread)
                while not inquiry.is_done:
                    inquiry.changed.clear()
                    for asked, pages in inquiry.due(loop.time()):
                        delay = 0.0 if pages.messages else spread
                        await self._request(inquiry, requests, asked, pages.cursor, delay)
                    if inquiry.is_quiet(loop.time()):
                        break
                    await _wait(inquiry.changed, inquiry.next_due())
        except TimeoutError:
            if not limit.expired():
                raise
        finally:
            for identifier in requests:
                del self._inquiries[identifier]
        return {identifier: pages for identifier, pages in inquiry.found.items() if pages.messages}

    async def _request(
        self, inquiry: Inquiry[Any], requests: list[str], orbiter: str | None, cursor: str | None, spread: float
    ) -> None:
        """Ask an orbiter, or all, and note the identifier of the request."""
        request = IntrospectionRequestMessage(
            operator_identifier=self.identifier,
            subject=inquiry.subject.value,
            answer_topic=FORMS[inquiry.subject].topic.build(
                operator_identifier=self.identifier, sender_identifier=orbiter
            ),
            cursor=cursor,
            spread=spread,
        )
        identifier = new_identifier()
        requests.append(identifier)
        self._inquiries[identifier] = inquiry, cursor
        event = Event.create(
            request,
            identifier=identifier,
            publisher_identifier=self.eventbus_client.identifier,
            protocol_version=PROTOCOL_VERSION,
            readable_encodings=READABLE_ENCODINGS,
        )
        topic = self.introspection_topic if orbiter is None else self._topic_to(orbiter)
        channel = channels.INTROSPECTION_OF_ALL if orbiter is None else channels.INTROSPECTION
        await self.eventbus_client.publish(topic, event, channel=channel)

    def _topic_to(self, orbiter: str) -> str:
        return IntrospectionTopic.build(recipient_identifier=orbiter, operator_identifier=self.identifier)

    # Answers

    def receive(self, subject: Subject, topic: str, event: Event[Any]) -> None:
        """Take what has come to the topic of a subject, or count it where it is no answer that is awaited."""
        if not self._is_answer(subject, topic, event):
            self.ignored += 1

    def _is_answer(self, subject: Subject, topic: str, event: Event[Any]) -> bool:
        message: object = event.payload
        if not isinstance(message, AnswerMessage) or event.protocol_version not in (None, PROTOCOL_VERSION):
            return False
        try:
            sender = FORMS[subject].topic.parse(topic).sender_identifier
        except TopicError:
            return False
        inquiry, cursor = self._inquiries.get(event.correlation_identifier or "", (None, None))
        if inquiry is None or inquiry.subject is not subject or sender is None or message.from_identifier != sender:
            return False
        return inquiry.take(cursor, message, event, asyncio.get_running_loop().time())

    def __str__(self) -> str:
        """Name it, for errors."""
        return f"operator '{self.identifier}'"


class _AnswerHandler(EventHandler):
    """Takes the answers that come about one subject, and nothing else."""

    def __init__(self, operator: Operator, subject: Subject) -> None:
        self._operator = operator
        self._subject = subject

    def takes(self, topic: str, message_class: type[object]) -> bool:
        return message_class in FORMS[self._subject].channel.messages

    def begin(self, topic: str, event: Event[Any]) -> None:
        self._operator.receive(self._subject, topic, event)

    async def handle(self, topic: str, event: Event[Any]) -> None:
        self.begin(topic, event)


def _checked(identifier: str) -> str:
    """Return an identifier; raise :class:`ValueError` for one that cannot be a level of a topic."""
    check_text("identifier", identifier)
    try:
        if identifier == UNKNOWN_SENDER:
            raise TopicError("identifier", identifier, "it stands for one that is not known")
        return check_level("identifier", identifier)
    except TopicError as error:
        raise ValueError(f"identifier {error.value!r} cannot be used: {error.reason}") from None


async def _wait(changed: asyncio.Event, until: float | None) -> None:
    """Wait for an event, at most until a time."""
    limit = asyncio.timeout_at(until)
    try:
        async with limit:
            await changed.wait()
    except TimeoutError:
        if not limit.expired():
            raise


def _common(identifier: str, pages: Pages[Any]) -> dict[str, Any]:
    return {
        "identifier": identifier,
        "incarnation": pages.incarnation,
        "protocol_version": pages.protocol_version,
        "seconds": pages.seconds,
        "is_complete": pages.is_complete,
        "answered_at": pages.answered_at,
        "namesakes": len(pages.namesakes),
    }


def _info(identifier: str, pages: Pages[InfoMessage]) -> InfoAnswer:
    first = pages.messages[0]
    return InfoAnswer(
        **_common(identifier, pages),
        role=first.role,
        implementation=first.implementation,
        implementation_version=first.implementation_version,
        specification_version=first.specification_version,
        started_at=first.started_at,
        operations=_joined([message.operations for message in pages.messages]),
        requirements=_joined([message.requirements for message in pages.messages]),
        explanation="".join(message.explanation for message in pages.messages),
        remotes=tuple(remote for message in pages.messages for remote in message.remotes),
    )


def _joined(parts: list[Mapping[str, T]]) -> Mapping[str, T]:
    """Return the entries of several pages; where one comes twice, the later one counts."""
    return {name: value for part in parts for name, value in part.items()}
