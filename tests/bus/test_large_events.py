"""Large events: the event loop goes on while they are decoded, and each comes in order, once, or not at all."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import aiomqtt
import pytest

from orbitalis.bus import MqttEventBusClient, QueueBounds, SeveralEventBusClient
from orbitalis.bus.decoding import LARGE_BYTES
from orbitalis.message import Event, UndecodedPayload
from orbitalis.message.payload import decode_payload
from orbitalis_wire import limits
from orbitalis_wire.envelope import Encoding, decode_event
from tests.bus.conftest import NewMqttClient
from tests.bus.scripted_broker import ScriptedBroker
from tests.support.broker import Broker
from tests.support.events import Collector, until
from tests.support.large_events import large_offer, many_records
from tests.support.standstill import Standstill

BOUND = 0.4
"""Seconds of the processor for which the event loop may stand still. Decoding it there takes more, on any machine.

The aim is 0.1, which `make bench` measures: on a busy machine, full collections of garbage alone can take longer.
"""


def large(text: str) -> str:
    """Return a text of which an event is large."""
    return text.ljust(LARGE_BYTES, ".")


def texts(collector: Collector) -> list[Any]:
    """Return what was received, as short as it was before it became large."""
    return [value.rstrip(".") for value in collector.values]


class Gate:
    """Holds up what is decoded in a thread."""

    def __init__(self) -> None:
        """Begin closed."""
        self.waiting = 0
        """How many have come so far."""
        self._open = threading.Event()

    def pass_through(self) -> None:
        """Wait for the gate to open."""
        self.waiting += 1
        assert self._open.wait(20)

    def open(self) -> None:
        """Let all pass."""
        self._open.set()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """Give a gate that is closed."""
    made = Gate()

    def decode_later(data: bytes) -> Any:
        made.pass_through()
        return decode_event(data)

    monkeypatch.setattr("orbitalis.bus.decoding.decode_event", decode_later)
    yield made
    made.open()


@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize("make", [many_records, large_offer])
async def test_the_loop_goes_on_while_a_large_event_is_decoded(
    broker: Broker, new_mqtt_client: NewMqttClient, topic: str, make: Callable[[Encoding], bytes], encoding: Encoding
) -> None:
    data = make(encoding)
    assert limits.EVENT_BYTES * 0.9 < len(data) <= limits.EVENT_BYTES
    client = new_mqtt_client(broker)
    await client.connect()
    collector = Collector()
    await client.subscribe(topic, collector)
    async with aiomqtt.Client(broker.host, broker.port) as stranger, Standstill() as standstill:
        await stranger.publish(topic, data, qos=1)
        await collector.wait_for(1)
    print(f"{len(data)} bytes: the loop stood still for {standstill.longest * 1000:.0f} ms")
    # What else runs on the machine takes its share of caches and cores.
    assert standstill.longest < BOUND


async def test_order_is_kept_for_a_subscription_and_others_go_on(
    broker: Broker, new_mqtt_client: NewMqttClient, topic: str, gate: Gate
) -> None:
    client = new_mqtt_client(broker)
    await client.connect()
    collector, other = Collector(), Collector()
    await client.subscribe(topic, collector)
    await client.subscribe(f"{topic}/other", other)
    for text in (large("a"), "b", large("c"), "d"):
        await client.publish(topic, text)
        await client.publish(f"{topic}/other", text[0])
    await other.wait_for(4)
    assert collector.received == []
    assert client.is_busy(topic)
    assert not client.is_busy(f"{topic}/other")
    gate.open()
    await collector.wait_for(4)
    assert texts(collector) == ["a", "b", "c", "d"]
    assert not client.is_busy(topic)
    # Nothing is held up any more.
    await client.publish(topic, "e")
    await collector.wait_for(5)


async def test_subscriptions_take_turns(broker: Broker, new_mqtt_client: NewMqttClient, topic: str, gate: Gate) -> None:
    client = new_mqtt_client(broker)
    await client.connect()
    order: list[str] = []
    for name in ("busy", "calm"):
        await client.subscribe(f"{topic}/{name}", lambda topic, event: order.append(event.payload.value.rstrip(".")))
    for number in range(5):
        await client.publish(f"{topic}/busy", large(f"busy {number}"))
    await client.publish(f"{topic}/calm", large("calm"))
    gate.open()
    await until(lambda: len(order) == 6)
    assert order.index("calm") <= 1
    assert [text for text in order if text != "calm"] == [f"busy {number}" for number in range(5)]


async def test_an_event_for_several_subscriptions_is_decoded_once(gate: Gate) -> None:
    """As where the broker does not say which subscription a message is for."""
    async with ScriptedBroker(connect_properties=b"\x29\x00") as broker:
        client = MqttEventBusClient(broker.host, broker.port)
        await client.connect()
        exact, wild = Collector(), Collector()
        await client.subscribe("a", exact)
        await client.subscribe("a/#", wild)
        event = Event.create(None, publisher_identifier="stranger", identifier="x" * LARGE_BYTES)
        broker.publish(b"a", event.encode(Encoding.AVRO))
        gate.open()
        await exact.wait_for(1)
        await wild.wait_for(1)
        assert exact.received[0][1] is wild.received[0][1]
        assert gate.waiting == 1
        await client.disconnect()


async def test_what_is_being_decoded_is_not_delivered_after_unsubscribing(
    broker: Broker, new_mqtt_client: NewMqttClient, topic: str, gate: Gate
) -> None:
    client = new_mqtt_client(broker)
    await client.connect()
    old, new = Collector(), Collector()
    await client.subscribe(topic, old)
    for text in (large("a"), large("b")):
        await client.publish(topic, text)
    await until(lambda: gate.waiting == 1)
    await client.unsubscribe(topic)
    assert not client.is_busy(topic)
    await client.subscribe(topic, new)
    await client.publish(topic, "c")
    await new.wait_for(1)
    gate.open()
    await client.publish(topic, large("d"))
    await new.wait_for(2)
    assert (texts(old), texts(new)) == ([], ["c", "d"])
    # What was not begun when it was unsubscribed was never decoded.
    assert gate.waiting == 2


async def test_disconnecting_does_not_wait_for_what_is_being_decoded(
    broker: Broker, new_mqtt_client: NewMqttClient, topic: str, gate: Gate
) -> None:
    client = new_mqtt_client(broker)
    before = asyncio.all_tasks()
    collector = Collector()
    for _ in range(2):
        await client.connect()
        await client.subscribe(topic, collector)
        await client.publish(topic, large("lost"))
        await until(lambda: client.is_busy(topic))
        async with asyncio.timeout(2):
            await client.disconnect()
        assert asyncio.all_tasks() == before
    assert gate.waiting == 1
    gate.open()
    await client.connect()
    await client.subscribe(topic, collector)
    await client.publish(topic, large("kept"))
    await collector.wait_for(1)
    assert texts(collector) == ["kept"]
    # What had not been begun was not decoded.
    assert gate.waiting == 2


async def test_what_waits_to_be_decoded_is_bounded(
    broker: Broker, new_mqtt_client: NewMqttClient, topic: str, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    sender = new_mqtt_client(broker)
    client = new_mqtt_client(broker, queue_bounds=QueueBounds(events=5, bytes=4 * LARGE_BYTES))
    await sender.connect()
    await client.connect()
    collector, other = Collector(), Collector()
    await client.subscribe(topic, collector)
    await client.subscribe(f"{topic}/other", other)
    await sender.publish(topic, large("0"), encoding=Encoding.AVRO)
    for number in range(1, 10):
        await sender.publish(topic, large(f"{number}"), encoding=Encoding.AVRO)
        await sender.publish(topic, f"{number}", encoding=Encoding.AVRO)
    await sender.publish(f"{topic}/other", "end")
    await other.wait_for(1)
    # Three large ones fit into the bytes, and two small ones besides into the events.
    assert client.statistics.dropped == 19 - 5
    assert caplog.text.count("and no more are kept") == 14
    gate.open()
    await until(lambda: not client.is_busy(topic))
    assert texts(collector) == ["0", "1", "1", "2", "2"]
    assert client.statistics.received == 19 + 1


async def test_a_large_message_that_is_malformed_is_counted_and_reported(
    broker: Broker, new_mqtt_client: NewMqttClient, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = new_mqtt_client(broker)
    await client.connect()
    collector = Collector()
    await client.subscribe(topic, collector)
    wrong_payload = large_offer(Encoding.JSON).replace(b'"avro"', b'"utf8"')
    async with aiomqtt.Client(broker.host, broker.port) as stranger:
        for garbage in (b"secret" * LARGE_BYTES, b"{" * LARGE_BYTES, wrong_payload):
            await stranger.publish(topic, garbage, qos=1)
    await client.publish(topic, large("a"))
    await collector.wait_for(1)
    assert texts(collector) == ["a"]
    assert client.statistics.malformed == 3
    assert sum("malformed" in record.getMessage() and topic in record.getMessage() for record in caplog.records) == 3
    assert "secret" not in caplog.text
    assert client.statistics.reconnections == 0


async def test_handlers_are_asked_in_the_event_loop_before_a_payload_is_decoded(
    broker: Broker, new_mqtt_client: NewMqttClient, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[type[object], threading.Thread]] = []
    decoded: list[threading.Thread] = []

    def note(*arguments: Any) -> Any:
        decoded.append(threading.current_thread())
        return decode_payload(*arguments)

    class Choosy(Collector):
        def takes(self, topic: str, message_class: type[object]) -> bool:
            asked.append((message_class, threading.current_thread()))
            return message_class.__name__ == "StringMessage"

    monkeypatch.setattr("orbitalis.bus.decoding.decode_payload", note)
    client = new_mqtt_client(broker)
    await client.connect()
    choosy = Choosy()
    await client.subscribe(topic, choosy)
    async with aiomqtt.Client(broker.host, broker.port) as stranger:
        await stranger.publish(topic, large_offer(Encoding.JSON), qos=1)
    await choosy.wait_for(1)
    assert isinstance(choosy.received[0][1].payload, UndecodedPayload)
    here = threading.current_thread()
    assert [(message_class.__name__, thread) for message_class, thread in asked] == [("OfferMessage", here)]
    assert decoded == [here]
    await client.publish(topic, large("a"))
    await choosy.wait_for(2)
    assert {thread for _, thread in asked} == {here}
    assert len(set(decoded)) == 2


@pytest.mark.parametrize("members", [1, 2])
async def test_draining_waits_for_what_is_being_decoded(
    broker: Broker, new_mqtt_client: NewMqttClient, topic: str, gate: Gate, members: int
) -> None:
    client = new_mqtt_client(broker)
    whole = SeveralEventBusClient({"a": client, "b": new_mqtt_client(broker)}) if members == 2 else client
    await whole.connect()
    collector = Collector()
    await whole.subscribe(topic, collector)
    await client.publish(topic, large("a"))
    await until(lambda: gate.waiting >= 1)
    assert whole.is_busy(topic)
    draining = asyncio.create_task(whole.drained(topic))
    await asyncio.sleep(0.05)
    assert not draining.done()
    gate.open()
    await draining
    assert texts(collector) == ["a"]
    assert not whole.is_busy(topic)
    await whole.disconnect()
