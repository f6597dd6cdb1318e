"""What is published on connections: the headers it has, and whether it is the answer to an input."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from orbitalis import Constraint, Core, Event, Input, OperationRequirement, Output, Plugin, StringMessage, operation
from orbitalis.bus import LocalEventBus, LocalEventBusClient
from orbitalis.errors import BusUnavailableError
from orbitalis.operations.answer import Answer
from orbitalis.operations.connection import PublishHeaders
from orbitalis.orbiter.connection_publisher import ConnectionPublisher
from orbitalis.testing import Harness
from orbitalis_avro.errors import EncodeError
from orbitalis_wire import channels
from orbitalis_wire.channels import Channel
from orbitalis_wire.envelope import Encoding
from tests.support.events import Collector

HEADERS = PublishHeaders(
    encoding=Encoding.AVRO,
    protocol_version=1,
    incarnation="2",
    connection_identifier="mine",
    readable_encodings=tuple(encoding.value for encoding in Encoding),
    channel=channels.CLOSE,
    bus="right",
)
TEXTS = Constraint(minimum=1, inputs=[Input.string()], outputs=[Output.string()])


@dataclass(frozen=True)
class Published:
    """What a client was told to publish, and how."""

    topic: str
    event: Event[Any]
    channel: Channel
    encoding: Encoding
    bus: str | None

    @property
    def answers(self) -> str | None:
        return self.event.correlation_identifier


class Client(LocalEventBusClient):
    """Notes what it is told to publish. It fails at once, or after a while, as long as it is told to."""

    def __init__(self) -> None:
        super().__init__(LocalEventBus(), identifier="me")
        self.published: list[Published] = []
        self.headers: dict[str, PublishHeaders] = {}
        """What is put on what is published by hand, by topic."""
        self.fails: str | None = None

    def start_publish(
        self, topic: str, event: Event[Any], channel: Channel, encoding: Encoding, *, bus: str | None = None
    ) -> Awaitable[None] | None:
        if self.fails == "at once":
            raise BusUnavailableError("at once")
        if self.fails == "later":
            return self._fail()
        self.published.append(Published(topic, event, channel, encoding, bus))
        return None

    async def _fail(self) -> None:
        await asyncio.sleep(0)
        raise BusUnavailableError("later")


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """Give a client on which a publisher publishes what comes without an event."""
    client = Client()
    client.publish_message = ConnectionPublisher(client, client.headers.get)
    await client.connect()
    yield client
    await client.disconnect()


def publisher_of(client: Client) -> ConnectionPublisher:
    """Return what publishes for a client."""
    assert isinstance(client.publish_message, ConnectionPublisher)
    return client.publish_message


async def owing(answer: Answer, work: Callable[[], Awaitable[object]]) -> None:
    """Do something as the handler of the input that is to be answered."""

    async def handle() -> None:
        answer.owe()
        await work()

    await asyncio.create_task(handle())


# By hand


async def test_what_is_published_to_the_topic_of_a_connection_has_its_headers(client: Client) -> None:
    client.headers["output"] = HEADERS

    await client.publish("output", "x")
    await client.publish("elsewhere", "y")

    (mine, other) = client.published
    assert mine.event.payload == StringMessage(value="x")
    assert (mine.topic, mine.channel, mine.encoding, mine.bus) == ("output", channels.CLOSE, Encoding.AVRO, "right")
    assert mine.event.publisher_identifier == "me"
    headers = mine.event.protocol_version, mine.event.incarnation, mine.event.connection_identifier
    assert headers == (1, "2", "mine")
    assert mine.event.readable_encodings == HEADERS.readable_encodings
    assert (mine.event.correlation_identifier, mine.event.answer_requested) == (None, None)

    assert (other.topic, other.channel, other.encoding) == ("elsewhere", channels.OPERATION_OUTPUT, Encoding.JSON)
    assert other.bus is None
    assert (other.event.protocol_version, other.event.incarnation) == (None, None)
    assert (other.event.connection_identifier, other.event.readable_encodings) == (None, None)


async def test_how_it_is_published_can_be_said(client: Client) -> None:
    client.headers["output"] = HEADERS

    await client.publish("output", "x", channel=channels.DISCOVER, encoding=Encoding.JSON, bus="left")
    await client.publish("output", "x", bus="left")

    first, second = client.published
    assert (first.channel, first.encoding, first.bus) == (channels.DISCOVER, Encoding.JSON, "left")
    assert (second.channel, second.encoding, second.bus) == (channels.CLOSE, Encoding.AVRO, "left")
    for one in (first, second):
        assert one.event.connection_identifier == "mine"
        assert one.event.readable_encodings == HEADERS.readable_encodings


async def test_the_first_message_on_the_topic_is_the_answer(client: Client) -> None:
    answer = Answer("output", "question", HEADERS, lambda: 0.0)

    async def handle() -> None:
        await client.publish("other", "elsewhere")
        assert not answer.is_given
        await client.publish("output", "answer")
        await client.publish("output", "more")

    await client.publish("output", "before")
    await owing(answer, handle)
    await client.publish("output", "after")

    assert [one.answers for one in client.published] == [None, None, "question", None, None]
    # It has the headers of the connection whatever the topic has.
    assert [one.event.connection_identifier for one in client.published] == [None, None, "mine", None, None]
    assert answer.is_given


async def test_an_event_is_published_as_it_is_and_is_no_answer(client: Client) -> None:
    client.headers["output"] = HEADERS
    event = Event.create(None, publisher_identifier="me")

    async def handle() -> None:
        await client.publish("output", event)
        await client.publish("output", "answer")

    await owing(Answer("output", "question", HEADERS, lambda: 0.0), handle)

    assert client.published[0].event is event
    assert (client.published[0].channel, client.published[0].encoding) == (channels.OPERATION_OUTPUT, Encoding.JSON)
    assert client.published[1].answers == "question"


async def test_tasks_owe_it_together_and_after_the_handler_has_returned(client: Client) -> None:
    tasks: list[asyncio.Task[None]] = []

    async def handle() -> None:
        tasks.extend(asyncio.create_task(client.publish("output", text)) for text in "ab")

    await owing(Answer("output", "question", HEADERS, lambda: 0.0), handle)
    await asyncio.gather(*tasks)

    assert [one.answers for one in client.published] == ["question", None]


@pytest.mark.parametrize("fails", ["at once", "later"])
async def test_it_stays_owed_if_it_cannot_be_published(client: Client, fails: str) -> None:
    answer = Answer("output", "question", HEADERS, lambda: 0.0)

    async def handle() -> None:
        with pytest.raises(EncodeError):
            await client.publish("output", 2**70)
        with pytest.raises(TypeError):
            await client.publish("output", object())  # type: ignore[arg-type]
        client.fails = fails
        with pytest.raises(BusUnavailableError, match=fails):
            await client.publish("output", "lost")
        assert not answer.is_given
        client.fails = None
        await client.publish("output", "answer")

    await owing(answer, handle)

    (published,) = client.published
    assert (published.event.payload.value, published.answers) == ("answer", "question")
    assert answer.is_given


async def test_on_a_topic_of_several_connections_only_one_is_answered(client: Client) -> None:
    publisher = publisher_of(client)
    other = PublishHeaders(connection_identifier="other", channel=channels.OPERATION_OUTPUT)
    client.headers["output"] = other

    def send(headers: PublishHeaders, text: str) -> None:
        answer = Answer.owed_by("output", headers.connection_identifier)
        assert publisher.start_output("output", StringMessage(value=text), headers, answer) is None

    async def handle() -> None:
        assert Answer.owed_by("output", "other") is None
        send(other, "to the other")
        assert Answer.owed_by("output", "mine") is not None
        assert Answer.owed_by("elsewhere", "mine") is None
        await client.publish("output", "answer")
        assert Answer.owed_by("output", "mine") is None
        await client.publish("output", "more")

    async def handle_again() -> None:
        send(HEADERS, "again")

    await client.publish("output", "before")
    await owing(Answer("output", "question", HEADERS, lambda: 0.0), handle)
    await owing(Answer("output", "question", HEADERS, lambda: 0.0), handle_again)

    assert [one.answers for one in client.published] == [None, None, "question", None, "question"]
    identifiers = [one.event.connection_identifier for one in client.published]
    assert identifiers == ["other", "other", "mine", "other", "mine"]


# Whole orbiters


@dataclass
class ByHand(Plugin):
    """Publishes in the style of the guide."""

    texts: list[str] = field(default_factory=list[str])

    @operation(name="lowercase", input=Input.string(), output=Output.string())
    async def lowercase(self, topic: str, event: Event[StringMessage]) -> None:
        self.texts.append(event.payload.value)
        for connection in await self.retrieve_and_touch_connections(input_topic=topic, operation_name="lowercase"):
            if connection.output_topic is not None:
                await self.eventbus_client.publish(connection.output_topic, event.payload.value.lower())

    @operation(name="twice", input=Input.string(), output=Output.string())
    async def twice(self, topic: str, event: Event[StringMessage]) -> None:
        (connection,) = await self.retrieve_and_touch_connections(input_topic=topic, operation_name="twice")
        assert connection.output_topic is not None
        await self.eventbus_client.publish(connection.output_topic, f"{event.payload.value} once")
        await self.eventbus_client.publish(connection.output_topic, f"{event.payload.value} twice")


async def test_what_a_handler_publishes_by_hand_answers_the_request(harness: Harness) -> None:
    plugin = ByHand(identifier="plugin", eventbus_client=harness.client())
    core = Core(identifier="core", eventbus_client=harness.client())
    for name in ("lowercase", "twice"):
        core.operation_requirements[name] = OperationRequirement(TEXTS)
    others = Collector()
    core.operation_sinks["lowercase"] = core.operation_sinks["twice"] = others
    await harness.start(plugin, core)
    await harness.compliant(core)

    answers = await asyncio.gather(*(core.request("lowercase", text) for text in "ABC"))
    assert answers == [StringMessage(value=text) for text in "abc"]
    assert await core.request("twice", "X") == StringMessage(value="X once")
    await harness.idle()
    assert others.values == ["X twice"]

    # Without a request it is an output like any other; either way it has the headers of its connection.
    await core.execute("lowercase", "D", any=True)
    await harness.idle()
    assert others.values == ["X twice", "d"]
    (connection,) = plugin.retrieve_connections(operation_name="lowercase")
    sent = [one.event for one in harness.recording if one.topic == connection.output_topic]
    assert [event.payload.value for event in sent] == ["a", "b", "c", "d"]
    assert {event.connection_identifier for event in sent} == {connection.connection_identifier}
    assert {event.incarnation for event in sent} == {connection.headers.incarnation} != {None}
    assert [event.correlation_identifier is None for event in sent] == [False, False, False, True]


async def test_the_topic_of_a_connection_that_is_closed_has_its_headers_no_more(harness: Harness) -> None:
    plugin = ByHand(identifier="plugin", eventbus_client=harness.client())
    core = Core(identifier="core", eventbus_client=harness.client())
    core.operation_requirements["lowercase"] = OperationRequirement(TEXTS)
    await harness.start(plugin, core)
    await harness.compliant(core)
    (connection,) = plugin.retrieve_connections()
    output_topic = str(connection.output_topic)

    await plugin.eventbus_client.publish(output_topic, "open")
    await core.stop()
    await harness.idle()
    assert plugin.retrieve_connections() == []
    await plugin.eventbus_client.publish(output_topic, "closed")
    await plugin.stop()
    assert plugin.eventbus_client.publish_message is None

    identifiers = [one.event.connection_identifier for one in harness.recording.on(output_topic)]
    assert identifiers == [connection.connection_identifier, None]
