"""How much goes to a broker and comes from it at a time, and that nobody is kept waiting by that."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from orbitalis.bus import MqttEventBusClient, QueueBounds
from orbitalis.message import Event
from orbitalis_wire import channels
from orbitalis_wire.channels import Channel
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import Int64Message
from tests.bus.conftest import NewMqttClient
from tests.bus.scripted_broker import ScriptedBroker
from tests.support.broker import Broker
from tests.support.events import Collector, until

NewBroker = Callable[..., Broker]

EXACTLY_ONCE = channels.OFFER._replace(quality_of_service=2)


async def test_what_waits_for_the_broker_is_bounded() -> None:
    async with ScriptedBroker(is_silent=True) as broker:
        client = MqttEventBusClient(broker.host, broker.port)
        await client.connect()
        publishing = [asyncio.create_task(client.publish("topic", number)) for number in range(500)]
        subscribing = [asyncio.create_task(client.subscribe(f"topic/{number}", Collector())) for number in range(500)]
        await until(lambda: broker.count(3) >= 20 and broker.count(8) >= 20)
        await asyncio.sleep(0.1)
        assert (broker.count(3), broker.count(8)) == (20, 20)
        broker.speak()
        await asyncio.gather(*publishing, *subscribing)
        await client.disconnect()
    assert [Event.decode(data).payload for data in broker.published] == [Int64Message(value=one) for one in range(500)]


@pytest.mark.parametrize("receive_maximum", [1, 7])
async def test_the_broker_gets_no_more_at_a_time_than_it_says_that_it_takes(receive_maximum: int) -> None:
    properties = b"\x21" + receive_maximum.to_bytes(2, "big")
    async with ScriptedBroker(is_silent=True, connect_properties=properties) as broker:
        client = MqttEventBusClient(broker.host, broker.port)
        await client.connect()
        publishing = [asyncio.create_task(client.publish("topic", number)) for number in range(50)]
        await until(lambda: broker.count(3) >= receive_maximum)
        # Of quality of service 0 it takes any number, yet not before what was published earlier.
        publishing.append(asyncio.create_task(client.publish("topic", channel=channels.DISCOVER)))
        await asyncio.sleep(0.1)
        assert broker.count(3) == receive_maximum
        broker.speak()
        await asyncio.gather(*publishing)
        await until(lambda: broker.count(3) == 51)
        await client.disconnect()


async def test_publishing_without_acknowledgements_lets_others_have_their_turn(
    broker: Broker, new_mqtt_client: NewMqttClient, topic: str
) -> None:
    client = new_mqtt_client(broker)
    await client.connect()
    turns = 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    other = asyncio.create_task(take_turns())
    for _ in range(5_000):
        await client.publish(topic, channel=channels.DISCOVER)
    other.cancel()
    assert turns > 5


async def test_events_without_acknowledgements_wait_for_a_broker_that_takes_none(
    new_broker: NewBroker, new_mqtt_client: NewMqttClient, topic: str
) -> None:
    broker = new_broker()
    client = new_mqtt_client(broker)
    reader = new_mqtt_client(broker, queue_bounds=QueueBounds(bytes=100_000_000))
    await client.connect()
    await reader.connect()
    collector = Collector()
    await reader.subscribe(topic, collector)
    broker.freeze()
    publishing = [
        asyncio.create_task(client.publish(topic, f"{number} ".ljust(200_000), channel=channels.DISCOVER))
        for number in range(100)
    ]
    await asyncio.sleep(0.3)
    waiting = sum(not task.done() for task in publishing)
    # What fits into the buffers of the network is a few megabytes.
    assert waiting > 30
    broker.thaw()
    await asyncio.gather(*publishing)
    await collector.wait_for(100)
    assert [int(value) for value in collector.values] == list(range(100))


async def test_reading_lets_others_have_their_turn() -> None:
    async with ScriptedBroker() as broker:
        client = MqttEventBusClient(broker.host, broker.port)
        await client.connect()
        turns: list[int] = []
        handled = 0

        def handle(topic: str, event: Event[Any]) -> None:
            nonlocal handled
            handled += 1

        await client.subscribe("topic", handle)
        data = Event.create(Int64Message(value=5), publisher_identifier="stranger").encode(encoding=Encoding.AVRO)
        for _ in range(3_000):
            broker.publish(b"topic", data)
        while handled < 3_000:
            await asyncio.sleep(0)
            turns.append(handled)
        # Else they would be handled as they come from the socket, by the quarter of a megabyte.
        assert max(after - before for before, after in itertools.pairwise([0, *turns])) < 1_000
        await client.disconnect()


async def test_quality_of_service_2(new_broker: NewBroker, new_mqtt_client: NewMqttClient, topic: str) -> None:
    broker = new_broker()
    client, other = new_mqtt_client(broker), new_mqtt_client(broker)
    await client.connect()
    await other.connect()
    collector = Collector()
    await other.subscribe(topic, collector, channel=EXACTLY_ONCE)
    await asyncio.gather(*(client.publish(topic, number, channel=EXACTLY_ONCE) for number in range(100)))
    await collector.wait_for(100)
    assert collector.values == list(range(100))

    def count(text: str) -> int:
        return sum(text in line for line in broker.log)

    # The last of them are on their way still.
    await until(lambda: count("Received PUBCOMP from") == 100)
    for packet in ("PUBLISH", "PUBREC", "PUBREL", "PUBCOMP"):
        assert (count(f"Received {packet} from"), count(f"Sending {packet} to")) == (100, 100), packet


async def test_the_broker_says_how_often_it_wants_to_hear_of_a_client() -> None:
    async with ScriptedBroker(connect_properties=b"\x13\x00\x01") as broker:
        client = MqttEventBusClient(broker.host, broker.port, keepalive=3600.0)
        await client.connect()
        await until(lambda: broker.count(12) >= 2)
        assert client.is_connected
        await client.disconnect()


@pytest.mark.parametrize("channel", [channels.DISCOVER, channels.OFFER])
async def test_a_topic_that_cannot_be_sent_keeps_nothing_else_back(channel: Channel) -> None:
    """As a stranger may name one, and an orbiter does not look at it again."""
    async with ScriptedBroker() as broker:
        client = MqttEventBusClient(broker.host, broker.port)
        await client.connect()
        event = Event.create(None, publisher_identifier="me")

        async def publish(topic: str) -> None:
            waiting = client.start_publish(topic, event, channel, Encoding.AVRO)
            if waiting is not None:
                await waiting

        for topic in ("a/#", "x" * 70_000, "\ud800"):
            with pytest.raises(ValueError):  # noqa: PT011 - the text is paho's
                await publish(topic)
        await publish("good")
        await until(lambda: broker.count(3) == 1)
        await client.disconnect()
