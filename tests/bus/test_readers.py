"""Handlers that name the reader of a large payload whose schema this program does not have."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from orbitalis.bus import EventBusClient, SeveralEventBusClient
from orbitalis.message import Event, UndecodedPayload
from orbitalis_avro.errors import DecodeError
from tests.bus.conftest import NewMqttClient
from tests.support.broker import Broker
from tests.support.events import Collector, until
from tests.support.versions import message_of, record_of

MESSAGE = message_of(record_of("Read", ("text", "string")))


class Reading(Collector):
    """Takes no messages as they are, and reads them in another way."""

    def __init__(self, read: Callable[[UndecodedPayload], object]) -> None:
        super().__init__()
        self.read = read
        self.threads: list[threading.Thread] = []

    def takes(self, topic: str, message_class: type[object]) -> bool:
        return False

    def reader(self, topic: str, payload: UndecodedPayload) -> Callable[[], object] | None:
        def note() -> object:
            self.threads.append(threading.current_thread())
            return self.read(payload)

        return note


async def received(client: EventBusClient, publisher: EventBusClient, topic: str, handler: Collector) -> Event[object]:
    """Return what becomes of a large message."""
    await client.connect()
    await publisher.connect()
    await client.subscribe(topic, handler)
    await publisher.publish(topic, MESSAGE(text="x" * 50_000))
    await handler.wait_for(1)
    await client.disconnect()
    return handler.received[0][1]


@pytest.mark.parametrize("members", [1, 2])
async def test_a_large_payload_is_read_as_its_handler_says_in_a_thread(
    broker: Broker, new_mqtt_client: NewMqttClient, topic: str, members: int
) -> None:
    client: EventBusClient = new_mqtt_client(broker)
    if members == 2:
        client = SeveralEventBusClient({"a": client, "b": new_mqtt_client(broker)})
    handler = Reading(lambda payload: len(payload.serialized_payload))
    event = await received(client, new_mqtt_client(broker), topic, handler)
    assert event.payload == len(MESSAGE(text="x" * 50_000).encode())
    # Each of several members may get it, and read it.
    assert {thread is threading.main_thread() for thread in handler.threads} == {False}


async def test_what_cannot_be_read_is_malformed(broker: Broker, new_mqtt_client: NewMqttClient, topic: str) -> None:
    def refuse(payload: UndecodedPayload) -> object:
        raise DecodeError("Read", "text", "on purpose")

    client, publisher, handler = new_mqtt_client(broker), new_mqtt_client(broker), Reading(refuse)
    await client.connect()
    await publisher.connect()
    await client.subscribe(topic, handler)
    await publisher.publish(topic, MESSAGE(text="x" * 50_000))
    await until(lambda: client.statistics.malformed == 1)
    assert handler.received == []


async def test_a_handler_that_fails_to_say_gets_the_payload_as_it_is(
    broker: Broker, new_mqtt_client: NewMqttClient, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(Reading):
        def reader(self, topic: str, payload: UndecodedPayload) -> Callable[[], object] | None:
            raise ValueError("on purpose")

    client = new_mqtt_client(broker)
    event = await received(client, new_mqtt_client(broker), topic, Failing(str))
    assert isinstance(event.payload, UndecodedPayload)
    assert "does not say what reads a payload on topic" in caplog.text
    assert client.statistics.handler_errors == 1
