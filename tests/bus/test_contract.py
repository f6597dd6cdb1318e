"""What every event bus does, whatever it runs over."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from orbitalis.errors import BusNotConnectedError, InvalidTopicError
from orbitalis.message import AvroMessageMixin, Event, Publishable
from orbitalis_wire import channels
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import Int64Message, KeepaliveMessage, StringMessage
from tests.bus.conftest import NewClient
from tests.support.events import Collector, until


@dataclass(frozen=True)
class ContractMessage(AvroMessageMixin):
    lamp: str
    brightness: int


async def test_hands_over_what_is_published_as_it_was(new_client: NewClient, topic: str) -> None:
    publisher, subscriber = new_client(identifier="publisher"), new_client()
    await publisher.connect()
    await subscriber.connect()
    collector = Collector()
    await subscriber.subscribe(topic, collector)

    messages: list[Publishable] = [
        "text",
        42,
        2.5,
        None,
        KeepaliveMessage(from_identifier="me"),
        ContractMessage("desk", 7),
    ]
    for message in messages:
        await publisher.publish(topic, message)
    await collector.wait_for(len(messages))

    assert [event.payload for _, event in collector.received[:2]] == [
        StringMessage(value="text"),
        Int64Message(value=42),
    ]
    assert collector.values == messages
    assert set(collector.topics) == {topic}
    assert {event.publisher_identifier for _, event in collector.received} == {"publisher"}
    assert len({event.identifier for _, event in collector.received}) == len(messages)
    types = [event.envelope.message_type for _, event in collector.received]
    assert types == ["StringMessage", "Int64Message", "Float64Message", None, "KeepaliveMessage", "ContractMessage"]
    assert publisher.statistics.published == subscriber.statistics.received == len(messages)


async def _fail(topic: str, message: object, channel: object, encoding: object, bus: object) -> None:
    raise AssertionError("an event is published as it is")


async def test_publishes_an_event_as_it_is(new_client: NewClient, topic: str) -> None:
    client = new_client()
    await client.connect()
    collector = Collector()
    await client.subscribe(topic, collector)
    client.publish_message = _fail
    events = [
        Event.create(
            StringMessage(value="x"),
            publisher_identifier="somebody else",
            incarnation="2",
            correlation_identifier="question",
            open_connections=("a", "b"),
        )
        for _ in range(2)
    ]

    await client.publish(topic, events[0])
    await client.publish(topic, events[1], encoding=Encoding.AVRO)
    await collector.wait_for(2)

    for event, (_, received) in zip(events, collector.received, strict=True):
        assert received.payload == event.payload
        assert received.identifier == event.identifier
        assert received.publisher_identifier == "somebody else"
        assert received.timestamp == event.timestamp
        assert received.envelope.incarnation == "2"
        assert received.envelope.correlation_identifier == "question"
        assert list(received.envelope.open_connections or ()) == ["a", "b"]


async def test_hands_messages_without_an_event_to_what_publishes_them(new_client: NewClient, topic: str) -> None:
    client = new_client()
    await client.connect()
    handed: list[tuple[object, ...]] = []

    async def publish_message(topic: str, message: object, channel: object, encoding: object, bus: object) -> None:
        handed.append((topic, message, channel, encoding, bus))

    client.publish_message = publish_message
    await client.publish(topic, 1)
    await client.publish(topic, channel=channels.CLOSE, encoding=Encoding.AVRO, bus="one")
    with pytest.raises(InvalidTopicError):
        await client.publish("a/+", 2)

    assert handed == [(topic, 1, None, None, None), (topic, None, channels.CLOSE, Encoding.AVRO, "one")]
    assert client.statistics.published == 0


async def test_publishes_a_message_without_headers(new_client: NewClient, topic: str) -> None:
    client = new_client(identifier="plain")
    await client.connect()
    collector = Collector()
    await client.subscribe(topic, collector)

    await client.publish(topic, 1)
    await collector.wait_for(1)

    _, event = collector.received[0]
    assert event.publisher_identifier == "plain"
    assert (event.protocol_version, event.incarnation, event.connection_identifier) == (None, None, None)
    assert (event.correlation_identifier, event.readable_encodings) == (None, None)


@pytest.mark.parametrize("value", [True, bytearray(b"bytes"), object(), ["list"], StringMessage, 2**63])
async def test_refuses_what_is_no_message(new_client: NewClient, topic: str, value: Any) -> None:
    client = new_client()
    await client.connect()
    with pytest.raises((TypeError, ValueError)):
        await client.publish(topic, value)
    assert client.statistics.published == 0


@pytest.mark.parametrize("channel", [channels.DISCOVER, channels.OPERATION_OUTPUT])
async def test_keeps_the_order_of_a_topic(new_client: NewClient, topic: str, channel: channels.Channel) -> None:
    client = new_client()
    await client.connect()
    collector = Collector()
    await client.subscribe(topic, collector, channel=channel)
    for number in range(500):
        await client.publish(topic, number, channel=channel)
    await collector.wait_for(500)
    assert collector.values == list(range(500))


async def test_delivers_what_many_tasks_publish(new_client: NewClient, topic: str) -> None:
    publisher, subscriber = new_client(), new_client()
    await publisher.connect()
    await subscriber.connect()
    collector = Collector()
    await subscriber.subscribe(topic, collector)
    await asyncio.gather(*(publisher.publish(topic, number) for number in range(1_000)))
    await collector.wait_for(1_000)
    assert sorted(collector.values) == list(range(1_000))


async def test_delivers_once_to_each_subscription_that_matches(new_client: NewClient, topic: str) -> None:
    client = new_client()
    await client.connect()
    collectors = {name: Collector() for name in (f"{topic}/a", f"{topic}/+", f"{topic}/#", "tests/+/a", f"{topic}/b")}
    for topic_filter, collector in collectors.items():
        await client.subscribe(topic_filter, collector)
    end = Collector()
    await client.subscribe(f"{topic}/end/end", end)

    await client.publish(f"{topic}/a", "a")
    await client.publish(f"{topic}/b", "b")
    await client.publish(topic, "root")
    await client.publish(f"{topic}/end/end")
    await end.wait_for(1)
    await collectors[f"{topic}/#"].wait_for(4)

    assert {name.removeprefix(topic): collector.values for name, collector in collectors.items()} == {
        "/a": ["a"],
        "/+": ["a", "b"],
        "/#": ["a", "b", "root", None],
        "tests/+/a": ["a"],
        "/b": ["b"],
    }


async def test_wildcards_leave_topics_with_a_dollar_alone(new_client: NewClient, topic: str) -> None:
    client = new_client()
    await client.connect()
    suffix = topic.rpartition("/")[2]
    names = {
        "exact": f"$handshake.discover/{suffix}",
        "level": f"+/{suffix}",
        "below": f"$handshake.discover/{suffix}/#",
        "everything": "#",
    }
    collectors = {name: Collector() for name in names}
    for name, topic_filter in names.items():
        await client.subscribe(topic_filter, collectors[name])

    await client.publish(f"$handshake.discover/{suffix}", "hidden")
    await client.publish(f"handshake/{suffix}", "seen")
    await collectors["everything"].wait_for(1)
    await collectors["level"].wait_for(1)
    await collectors["exact"].wait_for(1)
    await collectors["below"].wait_for(1)

    assert {name: collector.values for name, collector in collectors.items()} == {
        "exact": ["hidden"],
        "level": ["seen"],
        "below": ["hidden"],
        "everything": ["seen"],
    }


async def test_discover_topic_reaches_every_client(new_client: NewClient) -> None:
    clients = [new_client() for _ in range(3)]
    collectors = [Collector() for _ in clients]
    for client, collector in zip(clients, collectors, strict=True):
        await client.connect()
        await client.subscribe("$handshake.discover", collector, channel=channels.DISCOVER)
    await clients[0].publish("$handshake.discover", "anybody?", channel=channels.DISCOVER)
    for collector in collectors:
        await collector.wait_for(1)
        assert collector.topics == ["$handshake.discover"]


async def test_subscribing_again_replaces_the_handler_without_a_gap(new_client: NewClient, topic: str) -> None:
    publisher, subscriber = new_client(), new_client()
    await publisher.connect()
    await subscriber.connect()
    collectors = [Collector() for _ in range(20)]
    count = 0
    is_over = False

    async def publish_numbers() -> None:
        nonlocal count
        while not is_over:
            await publisher.publish(topic, count)
            count += 1

    await subscriber.subscribe(topic, collectors[0])
    publishing = asyncio.create_task(publish_numbers())
    for before, after in pairwise(collectors):
        await _first_event(before)
        await subscriber.subscribe(topic, after)
    is_over = True
    await publishing
    end = Collector()
    await subscriber.subscribe(f"{topic}/end", end)
    await publisher.publish(f"{topic}/end")
    await end.wait_for(1)

    assert [value for collector in collectors for value in collector.values] == list(range(count))
    assert subscriber.statistics.dropped == 0


async def _first_event(collector: Collector) -> None:
    await until(lambda: bool(collector.received))


async def test_unsubscribe_ends_delivery(new_client: NewClient, topic: str) -> None:
    client = new_client()
    await client.connect()
    gone, kept = Collector(), Collector()
    await client.subscribe(f"{topic}/a", gone)
    await client.subscribe(f"{topic}/+", kept)
    await client.publish(f"{topic}/a", 1)
    await gone.wait_for(1)
    await client.unsubscribe(f"{topic}/a")
    await client.unsubscribe("never/subscribed")
    await client.publish(f"{topic}/a", 2)
    await kept.wait_for(2)
    assert gone.values == [1]

    await client.unsubscribe()
    again = Collector()
    await client.subscribe(f"{topic}/a", again)
    await client.publish(f"{topic}/a", 3)
    await again.wait_for(1)
    assert kept.values == [1, 2]


async def test_disconnect_leaves_nothing_running_and_can_connect_again(new_client: NewClient, topic: str) -> None:
    before = asyncio.all_tasks()
    client = new_client()
    ended = asyncio.Event()

    async def hang(where: str, event: Event[Any]) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    for _ in range(3):
        started = asyncio.Event()
        ended.clear()
        assert not client.is_connected
        await client.connect()
        await client.connect()
        assert client.is_connected
        await client.subscribe(topic, hang)
        await client.publish(topic)
        await client.publish(topic)
        async with asyncio.timeout(10):
            await started.wait()
        await client.disconnect()
        await client.disconnect()
        assert ended.is_set()
        assert not client.is_connected
        assert asyncio.all_tasks() == before

    await client.connect()
    collector = Collector()
    await client.subscribe(f"{topic}/+", collector)
    await client.publish(topic)
    await client.publish(f"{topic}/a")
    await collector.wait_for(1)


async def test_needs_a_connection(new_client: NewClient, topic: str) -> None:
    client = new_client(identifier="lonely")
    with pytest.raises(BusNotConnectedError, match="lonely"):
        await client.publish(topic)
    with pytest.raises(BusNotConnectedError):
        await client.subscribe(topic, Collector())
    await client.unsubscribe(topic)
    await client.disconnect()
    await client.connect()
    await client.disconnect()
    with pytest.raises(BusNotConnectedError):
        await client.publish(topic)


@pytest.mark.parametrize("invalid", ["", "a/+", "#", "a\0b", "a\nb", "\ud800", "x" * 65_536, "é" * 32_768, "\uffff"])
async def test_refuses_invalid_topics(new_client: NewClient, topic: str, invalid: str) -> None:
    client = new_client()
    await client.connect()
    with pytest.raises(InvalidTopicError, match="invalid topic"):
        await client.publish(invalid)
    assert client.is_connected
    assert client.statistics.published == 0


@pytest.mark.parametrize("invalid", ["", "a/b+", "#/a", "a#", "a\0b", "x" * 65_536, "$share/group/a"])
async def test_refuses_invalid_filters(new_client: NewClient, topic: str, invalid: str) -> None:
    client = new_client()
    await client.connect()
    with pytest.raises(InvalidTopicError, match="invalid topic filter"):
        await client.subscribe(invalid, Collector())
    assert client.is_connected


async def test_takes_unusual_topics(new_client: NewClient, topic: str) -> None:
    client = new_client()
    await client.connect()
    collector = Collector()
    await client.subscribe("#", collector)
    topics = [f"/{topic}", *(topic + end for end in ("/ä", "//", "/🔆", "/ ", "/$", "/" + "x" * 60_000))]
    for one in topics:
        await client.publish(one)
    await collector.wait_for(len(topics))
    assert collector.topics == topics


async def test_same_event_for_all_subscribers_of_several_clients(new_client: NewClient, topic: str) -> None:
    publisher = new_client()
    await publisher.connect()
    collectors = []
    for _ in range(10):
        client = new_client()
        await client.connect()
        collectors.append(Collector())
        await client.subscribe(topic, collectors[-1])
    await publisher.publish(topic, "to all")
    for collector in collectors:
        await collector.wait_for(1)
    assert len({collector.received[0][1].identifier for collector in collectors}) == 1
