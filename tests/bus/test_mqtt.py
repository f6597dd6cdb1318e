"""The bus over a broker: what goes over the wire, and what strangers may send."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import aiomqtt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orbitalis.bus import MqttEventBusClient
from orbitalis.bus.mqtt_connection import MAXIMUM_PACKET_BYTES
from orbitalis.errors import BusRefusedError, EventTooLargeError
from orbitalis.message import Event, UndecodedPayload
from orbitalis_wire import channels, limits
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import StringMessage
from tests.bus.conftest import NewMqttClient
from tests.bus.scripted_broker import ScriptedBroker
from tests.support.broker import Broker
from tests.support.events import Collector

NewBroker = Callable[..., Broker]


def an_event(**changes: Any) -> bytes:
    """Return an event as an older peer writes it, with some keys changed."""
    event = {
        "identifier": "event",
        "publisher_identifier": "stranger",
        "serialized_payload": {"__type__": "bytes", "value": "aGk="},
        "payload_format_type": "utf-8",
        "message_type": "StringMessage",
        "timestamp": {"__type__": "datetime", "value": "2026-11-23T21:26:01.000007"},
    }
    return json.dumps({**event, **changes}).encode()


MALFORMED = {
    "empty": b"",
    "random bytes": bytes(range(256)),
    "text": b"secret",
    "truncated JSON": an_event()[:-20],
    "JSON that is no object": b'["secret"]',
    "JSON without keys": b"{}",
    "nested too deep": b'{"identifier":' * 50_000,
    "not UTF-8": an_event().replace(b"stranger", b"\xff\xfe"),
    "number for text": an_event(publisher_identifier=5),
    "no timestamp": an_event(timestamp="yesterday"),
    "no base64": an_event(serialized_payload={"__type__": "bytes", "value": "secret!"}),
    "payload without a type": an_event(message_type=None),
    "type without a payload": an_event(serialized_payload=None),
    "unknown format": an_event(payload_format_type="xml"),
    "payload that is not what it says": an_event(message_type="DiscoverMessage", payload_format_type="avro"),
    "wrong fingerprint": b"\xc3\x01" + b"secret!!" + b"rest",
    "truncated Avro": b"\xc3\x01\x00",
}


async def test_malformed_messages_are_counted_and_reported_and_end_nothing(
    broker: Broker, new_mqtt_client: NewMqttClient, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = new_mqtt_client(broker)
    await client.connect()
    collector = Collector()
    await client.subscribe(topic, collector)

    async with aiomqtt.Client(broker.host, broker.port) as stranger:
        for number, garbage in enumerate(MALFORMED.values(), start=1):
            await stranger.publish(topic, garbage, qos=1)
            await client.publish(topic, f"after {number}")
            await collector.wait_for(number)
            assert client.statistics.malformed == number, list(MALFORMED)[number - 1]

    warnings = [record for record in caplog.records if "malformed" in record.getMessage()]
    assert len(warnings) == len(MALFORMED)
    assert all(topic in record.getMessage() for record in warnings)
    assert "secret" not in caplog.text
    assert client.statistics.reconnections == 0


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(garbage=st.lists(st.binary(max_size=200), min_size=1, max_size=20))
def test_any_bytes_are_survived(broker: Broker, garbage: list[bytes]) -> None:
    async def survive() -> None:
        client = MqttEventBusClient(broker.host, broker.port)
        await client.connect()
        collector = Collector()
        await client.subscribe(f"garbage/{client.identifier}", collector)
        async with aiomqtt.Client(broker.host, broker.port) as stranger:
            for one in garbage:
                await stranger.publish(f"garbage/{client.identifier}", one, qos=1)
                await stranger.publish(f"garbage/{client.identifier}", an_event()[: -len(one) - 1], qos=1)
        await client.publish(f"garbage/{client.identifier}", "end")
        await collector.wait_for(1)
        assert client.statistics.malformed == 2 * len(garbage)
        await client.disconnect()

    asyncio.run(survive())


async def test_a_flood_of_garbage_does_not_flood_the_log(
    broker: Broker, new_mqtt_client: NewMqttClient, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = new_mqtt_client(broker)
    await client.connect()
    collector = Collector()
    await client.subscribe(topic, collector)
    async with aiomqtt.Client(broker.host, broker.port) as stranger:
        for _ in range(500):
            await stranger.publish(topic, b"garbage", qos=1)
    await client.publish(topic)
    await collector.wait_for(1)
    assert client.statistics.malformed == 500
    assert sum("malformed" in record.getMessage() for record in caplog.records) == 20


async def test_oversized_messages_are_counted_and_reported_and_end_nothing(
    broker: Broker, new_mqtt_client: NewMqttClient, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = new_mqtt_client(broker)
    await client.connect()
    collector = Collector()
    await client.subscribe(topic, collector)
    async with aiomqtt.Client(broker.host, broker.port) as stranger:
        await stranger.publish(topic, b" " * (limits.EVENT_BYTES + 1), qos=1)
        # The broker keeps this one to itself.
        await stranger.publish(topic, b" " * MAXIMUM_PACKET_BYTES, qos=1)
        await stranger.publish(topic, an_event(padding="x" * (limits.EVENT_BYTES - 500)), qos=1)
    await collector.wait_for(1)
    assert collector.values == ["hi"]
    assert (client.statistics.oversized, client.statistics.malformed) == (1, 0)
    assert str(limits.EVENT_BYTES + 1) in caplog.text
    assert client.statistics.reconnections == 0


async def test_types_that_are_not_known_here_arrive_undecoded(
    broker: Broker, new_mqtt_client: NewMqttClient, topic: str
) -> None:
    client = new_mqtt_client(broker)
    await client.connect()
    collector = Collector()
    await client.subscribe(topic, collector)
    async with aiomqtt.Client(broker.host, broker.port) as stranger:
        await stranger.publish(topic, an_event(message_type="NobodyKnows"), qos=1)
    await collector.wait_for(1)
    assert collector.received[0][1].payload == UndecodedPayload(
        message_type="NobodyKnows", payload_format_type="utf-8", serialized_payload=b"hi", schema_fingerprint=None
    )


async def test_writes_json_unless_told_otherwise(broker: Broker, new_mqtt_client: NewMqttClient, topic: str) -> None:
    client = new_mqtt_client(broker, identifier="writer")
    await client.connect()
    async with aiomqtt.Client(broker.host, broker.port) as reader:
        await reader.subscribe(topic)
        await client.publish(topic, "hi")
        await client.publish(topic, "hi", encoding=Encoding.AVRO)
        messages = [(await anext(reader.messages)).payload for _ in range(2)]

    event = json.loads(bytes(messages[0]))
    assert event["publisher_identifier"] == "writer"
    assert (event["message_type"], event["payload_format_type"]) == ("StringMessage", "utf-8")
    assert event["serialized_payload"] == {"__type__": "bytes", "value": "aGk="}
    assert [bytes(message)[:1] for message in messages] == [b"{", b"\xc3"]
    assert Event.decode(bytes(messages[1])).payload == StringMessage(value="hi")


async def test_an_event_that_is_too_large_is_refused_here(
    broker: Broker, new_mqtt_client: NewMqttClient, topic: str
) -> None:
    client = new_mqtt_client(broker)
    await client.connect()
    with pytest.raises(EventTooLargeError, match=str(limits.EVENT_BYTES)):
        await client.publish(topic, "x" * limits.EVENT_BYTES)
    assert client.statistics.published == 0


async def test_the_brokers_own_limit_is_respected(
    new_broker: NewBroker, new_mqtt_client: NewMqttClient, topic: str
) -> None:
    broker = new_broker(max_packet_size=2_000)
    client = new_mqtt_client(broker)
    await client.connect()
    collector = Collector()
    await client.subscribe(topic, collector)
    with pytest.raises(EventTooLargeError, match="2000") as refusal:
        await client.publish(topic, "x" * 2_000)
    assert str(broker.port) in str(refusal.value)

    async def publish_longer_and_longer() -> None:
        for length in range(900, 2_000):
            await client.publish(topic, "x" * length)

    # Up to the last byte that the broker takes.
    with pytest.raises(EventTooLargeError):
        await publish_longer_and_longer()
    assert client.statistics.published > 0
    await collector.wait_for(client.statistics.published)
    assert client.statistics.reconnections == 0


async def test_quality_of_service_is_that_of_the_channel(
    new_broker: NewBroker, new_mqtt_client: NewMqttClient, topic: str
) -> None:
    broker = new_broker()
    client = new_mqtt_client(broker, identifier="client")
    await client.connect()
    collector = Collector()
    for channel in (channels.DISCOVER, channels.OFFER):
        await client.subscribe(f"{topic}/{channel.key}", collector, channel=channel)
        await client.publish(f"{topic}/{channel.key}", channel=channel)
    await client.subscribe(f"{topic}/default", collector)
    await client.publish(f"{topic}/default")
    await collector.wait_for(3)
    broker.stop()

    expected = {"discover": 0, "offer": 1, "default": 1}
    for name, quality_of_service in expected.items():
        assert any(f"{topic}/{name} (QoS {quality_of_service})" in line for line in broker.log), name
        for direction in ("Received PUBLISH from", "Sending PUBLISH to"):
            lines = [line for line in broker.log if direction in line and f"{topic}/{name}'" in line]
            assert [f"q{quality_of_service}, r0" in line for line in lines] == [True], lines


async def test_subscribing_again_raises_the_quality_of_service(
    new_broker: NewBroker, new_mqtt_client: NewMqttClient, topic: str
) -> None:
    broker = new_broker()
    client = new_mqtt_client(broker)
    await client.connect()
    collector = Collector()
    for channel in (channels.DISCOVER, channels.OFFER, channels.DISCOVER):
        await client.subscribe(topic, collector, channel=channel)
        await client.publish(topic, channel=channels.OFFER)
    await collector.wait_for(3)
    broker.stop()
    sent = [line for line in broker.log if "Sending PUBLISH" in line]
    assert ["q0" in line for line in sent] == [True, False, False]


async def test_unsubscribing_reaches_the_broker(
    new_broker: NewBroker, new_mqtt_client: NewMqttClient, topic: str
) -> None:
    broker = new_broker()
    client, publisher = new_mqtt_client(broker), new_mqtt_client(broker)
    await client.connect()
    await publisher.connect()
    for number in range(120):
        await client.subscribe(f"{topic}/{number}", Collector())
    await client.subscribe(f"{topic}/+/wild", Collector())
    await client.unsubscribe(f"{topic}/0")
    await client.unsubscribe()
    for name in ("0", "1", "119", "a/wild"):
        await publisher.publish(f"{topic}/{name}")
    broker.stop()
    assert not [line for line in broker.log if "Sending PUBLISH" in line]


async def test_a_message_for_an_ended_subscription_is_nothing_to_worry_about(
    broker: Broker, new_mqtt_client: NewMqttClient, topic: str
) -> None:
    client, publisher = new_mqtt_client(broker), new_mqtt_client(broker)
    await client.connect()
    await publisher.connect()
    publishing = asyncio.gather(*(publisher.publish(f"{topic}/{number % 2}", number) for number in range(200)))
    for _ in range(20):
        for topic_filter in (f"{topic}/0", f"{topic}/+"):
            await client.subscribe(topic_filter, Collector())
            await client.unsubscribe(topic_filter)
    await publishing
    collector = Collector()
    await client.subscribe(f"{topic}/0", collector)
    await client.publish(f"{topic}/0", "end")
    await collector.wait_for(1)
    assert client.statistics.malformed == 0


async def test_acknowledgements_do_not_wait_for_the_network_stack(
    broker: Broker, new_mqtt_client: NewMqttClient, topic: str
) -> None:
    client = new_mqtt_client(broker)
    await client.connect()
    start = time.perf_counter()
    for _ in range(40):
        await client.publish(topic, channel=channels.OFFER)
    # Without TCP_NODELAY, each takes more than 40 ms.
    assert time.perf_counter() - start < 40 * 0.03


async def test_answers_do_not_wait_for_the_network_stack(
    broker: Broker, new_mqtt_client: NewMqttClient, topic: str
) -> None:
    core, plugin = new_mqtt_client(broker), new_mqtt_client(broker)
    await core.connect()
    await plugin.connect()
    answers = Collector()

    async def answer(where: str, event: Event[Any]) -> None:
        await plugin.publish(f"{topic}/answer", event.payload)

    await plugin.subscribe(topic, answer)
    await core.subscribe(f"{topic}/answer", answers)
    start = time.perf_counter()
    for number in range(1, 41):
        await core.publish(topic, number)
        await answers.wait_for(number)
    # Without TCP_QUICKACK, each takes more than 40 ms.
    assert time.perf_counter() - start < 40 * 0.03


async def test_reading_keeps_up_with_publishing(broker: Broker, new_mqtt_client: NewMqttClient, topic: str) -> None:
    publisher, subscriber = new_mqtt_client(broker), new_mqtt_client(broker)
    await publisher.connect()
    await subscriber.connect()
    collector = Collector()
    await subscriber.subscribe(topic, collector)

    async def publish() -> None:
        for number in range(200):
            await publisher.publish(topic, number)

    # The broker keeps 1000 messages for a client that does not read them, and drops the rest.
    await asyncio.gather(*(publish() for _ in range(20)))
    await collector.wait_for(4_000)


async def test_works_with_brokers_that_do_not_say_which_subscription_a_message_is_for() -> None:
    async with ScriptedBroker(connect_properties=b"\x29\x00") as broker:
        client = MqttEventBusClient(broker.host, broker.port)
        await client.connect()
        exact, wild = Collector(), Collector()
        await client.subscribe("a", exact)
        await client.subscribe("a/#", wild)
        broker.publish(b"a/b", an_event())
        broker.publish(b"a", an_event())
        await exact.wait_for(1)
        await wild.wait_for(2)
        assert (exact.topics, wild.topics) == (["a"], ["a/b", "a"])
        await client.disconnect()


async def test_refusals_of_the_broker() -> None:
    async with ScriptedBroker(subscribe_reason=0x87, publish_reason=0x87) as broker:
        client = MqttEventBusClient(broker.host, broker.port, identifier="someone")
        await client.connect()
        with pytest.raises(BusRefusedError, match="'someone' to 'denied': Not authorized"):
            await client.subscribe("denied", Collector())
        refused = "refuses what 'someone' publishes to 'denied': Not authorized"
        with pytest.raises(BusRefusedError, match=refused):
            await client.publish("denied")
        with pytest.raises(BusRefusedError, match=refused):
            await client.check_may_publish("denied")
        assert client.statistics.published == 0
        # Of quality of service 0 the broker says nothing.
        await client.publish("denied", channel=channels.DISCOVER)

        broker.publish_reason = 0
        await client.publish("denied")
        await client.check_may_publish("denied")

        # What was refused is not subscribed to.
        broker.subscribe_reason = 1
        await client.subscribe("denied", Collector())
        assert broker.count(8) == 2
        await client.disconnect()
