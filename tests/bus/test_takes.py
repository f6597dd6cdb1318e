"""What the handlers of a subscription do not take is not decoded by clients of a broker."""

from __future__ import annotations

import asyncio

import pytest

from orbitalis.bus import MqttEventBusClient, SeveralEventBusClient
from orbitalis.bus.dispatch import Subscription
from orbitalis.message import Event, UndecodedPayload
from orbitalis_wire.codecs import CODEC_BY_CLASS
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import StringMessage
from tests.bus.conftest import NewMqttClient
from tests.support.broker import Broker
from tests.support.events import Collector


class Choosy(Collector):
    """Takes no texts."""

    def takes(self, topic: str, message_class: type[object]) -> bool:
        return message_class is not StringMessage


@pytest.mark.parametrize("members", [1, 2])
async def test_what_the_handler_does_not_take_arrives_undecoded(
    broker: Broker, new_mqtt_client: NewMqttClient, topic: str, members: int
) -> None:
    publisher, client = new_mqtt_client(broker), new_mqtt_client(broker)
    whole = SeveralEventBusClient({"a": client, "b": new_mqtt_client(broker)}) if members == 2 else client
    await publisher.connect()
    await whole.connect()
    choosy, plain = Choosy(), Collector()
    # Who subscribes last is asked.
    await whole.subscribe(topic, plain)
    await whole.subscribe(topic, choosy)
    for payload in ("text", 5, None):
        await publisher.publish(topic, payload)
    await choosy.wait_for(3)
    (_, first), *_ = choosy.received
    assert first.payload == UndecodedPayload(
        message_type="StringMessage",
        payload_format_type="utf-8",
        serialized_payload=b"text",
        schema_fingerprint=CODEC_BY_CLASS[StringMessage].fingerprint,
    )
    assert choosy.values[1:] == [5, None]

    await whole.subscribe(topic, plain)
    await publisher.publish(topic, "text")
    await plain.wait_for(1)
    assert plain.values == ["text"]
    await whole.disconnect()


def test_what_one_of_several_handlers_takes_is_decoded_for_all(topic: str) -> None:
    """As where the broker does not say which subscription a message is for."""

    async def deliver() -> None:
        client = MqttEventBusClient("nowhere")
        event = Event.create(StringMessage(value="hi"), publisher_identifier="me")
        handlers = {topic: Choosy(), "#": Collector()}
        for topic_filter, handler in handlers.items():
            client._route(Subscription(topic_filter, handler, client._intake, 1))
        client._receive(topic, event.encode(Encoding.JSON), ())
        for handler in handlers.values():
            await handler.wait_for(1)
            assert handler.values == ["hi"]

    asyncio.run(deliver())
