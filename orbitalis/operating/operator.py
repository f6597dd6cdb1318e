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

    It is an asynchronous context manager, which connects and disconnects its bus client. You may ask several questions
    at the same time. A question returns the answers that arrived in time, by identifier of the orbiter. `is_complete`
    of an answer says whether all parts of it arrived. A question to one orbiter returns when the answer is complete. A
    question to all orbiters takes the whole time, because their number is not known.
    """

    def __init__(
        self,
        eventbus_client: EventBusClient | None = None,
        *,
        identifier: str | None = None,
        introspection_topic: str = channels.INTROSPECTION_OF_ALL.address,
    ) -> None:
        """Make an operator that uses a bus client of its own, by default one of the bus that `ORBITALIS_BUS` names.

        Args:
            eventbus_client: A bus client that nobody else uses.
            identifier: Unique among all operators and orbiters. By default it is made up. A broker with access lists
                needs the name of the operator's user here.
            introspection_topic: Topic on which all orbiters are asked. It must be the same as theirs.

        Raises:
            ValueError: The identifier or the topic cannot be used.
            TypeError: An argument has the wrong type.
        """
        client = connect() if eventbus_client is None else eventbus_client
        check_kind("eventbus_client", client, EventBusClient)
        self.identifier = uuid.uuid4().hex if identifier is None else _checked(identifier)
        """Identifier of the operator."""
        check_text("introspection_topic", introspection_topic)
        check_topic(introspection_topic)
        self.introspection_topic = introspection_topic
        """Topic on which all orbiters are asked."""
        self.eventbus_client = client
        """Its own bus client."""
        self.ignored = 0
        """Number of ignored answers: late, duplicated, not asked for, or from another sender than they name."""
        self._inquiries: dict[str, tuple[Inquiry[Any], str | None]] = {}
        """By identifier of the event with a request: what it belongs to, and its cursor."""
        self._is_running = False

    async def start(self) -> None:
        """Connect to the bus, and listen for answers.

        Raises:
            OrbiterStateError: It has started already, or its client is used by another one.
            BusRefusedError: The bus refuses the client, or does not let it be an operator with this identifier.
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
        """Leave the bus. It does nothing if not started. Open questions return the answers so far."""
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
        """Return the orbiters that answer, with their roles.

        Args:
            orbiter: Identifier of the only orbiter to ask. By default all orbiters are asked.
            within: Seconds to wait for answers.
            spread: Seconds within which each orbiter answers, at a random moment. The default is half of `within` if
                all are asked, and 0 if one is asked.
            quiet: A question to all orbiters ends after this many seconds without an answer. It should be more than
                `spread`, or answers may be missed. By default, the question takes all of `within`.

        Raises:
            ValueError: The identifier is not valid, or a time is negative.
            OrbiterStateError: The operator has not started.
            BusError: The question could not be published.
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
        """Return descriptions of orbiters: role, operations, requirements. Arguments and errors as in :meth:`ping`."""
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
        """Return the connections of orbiters. Arguments and errors as in :meth:`ping`."""
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
        """Return the counters of orbiters. Arguments and errors as in :meth:`ping`."""
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
