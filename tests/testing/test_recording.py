"""The recording of a bus."""

from __future__ import annotations

import asyncio
from typing import assert_type

import pytest

from orbitalis import Event, Input, LocalEventBusClient, Output, StringMessage
from orbitalis.errors import InvalidTopicError
from orbitalis.testing import Recording, RecordingBus, run
from orbitalis_avro.errors import EncodeError
from orbitalis_wire.messages import Int64Message, KeepaliveMessage, OfferedOperation, OfferMessage


def recorded() -> Recording:
    """Return what is recorded of some events."""

    async def main() -> Recording:
        bus = RecordingBus()
        client = LocalEventBusClient(bus, identifier="somebody")
        await client.connect()
        await client.publish("a/b", "x")
        await asyncio.sleep(2.5)
        await client.publish("a/c", 7)
        await client.publish("d")
        for _ in range(3):
            await asyncio.sleep(10)
            await client.publish("k/keepalive", KeepaliveMessage(from_identifier="somebody"))
        return bus.recording

    return run(main())


def test_everything_is_recorded_with_its_time() -> None:
    recording = recorded()

    assert [(sent.time, sent.topic) for sent in recording][:3] == [(0, "a/b"), (2.5, "a/c"), (2.5, "d")]
    assert recording.payloads[:3] == [StringMessage(value="x"), Int64Message(value=7), None]
    assert recording[0].event.publisher_identifier == "somebody"
    assert len(recording) == 6


def test_what_arrives_has_been_encoded_and_decoded() -> None:
    async def main() -> tuple[StringMessage, list[object], Recording]:
        bus = RecordingBus()
        client = LocalEventBusClient(bus)
        await client.connect()
        arrived: list[object] = []

        def take(topic: str, event: Event[StringMessage]) -> None:
            arrived.append(event.payload)

        await client.subscribe("a", take)
        sent = StringMessage(value="x")
        await client.publish("a", sent)
        with pytest.raises(EncodeError, match="expected a str, got int"):
            await client.publish("a", StringMessage(value=5))  # type: ignore[arg-type]
        await asyncio.sleep(0.1)
        await client.disconnect()
        return sent, arrived, bus.recording

    sent, arrived, recording = run(main())

    assert arrived == recording.payloads == [sent]
    assert arrived[0] is not sent


def test_selecting() -> None:
    recording = recorded()

    strings = recording.of(StringMessage)
    assert_type(strings, Recording[StringMessage])
    assert_type(strings[0].event, Event[StringMessage])
    assert [message.value for message in strings.payloads] == ["x"]
    assert [sent.topic for sent in recording.on("a/+")] == ["a/b", "a/c"]
    assert [sent.topic for sent in recording.on("a/#").of(Int64Message)] == ["a/c"]
    assert [sent.topic for sent in recording[1:3]] == ["a/c", "d"]
    assert len(recording.of(KeepaliveMessage)) == 3
    assert not recording.on("nowhere")


def test_invalid_filters_are_refused() -> None:
    with pytest.raises(InvalidTopicError):
        recorded().on("a/b#")


def test_a_recording_goes_on_and_a_selection_does_not() -> None:
    async def main() -> tuple[int, int]:
        bus = RecordingBus()
        client = LocalEventBusClient(bus)
        await client.connect()
        recording, selected = bus.recording, bus.recording.on("#")
        await client.publish("a", 1)
        return len(recording), len(selected)

    assert run(main()) == (1, 0)


def test_how_it_reads() -> None:
    recording = recorded()

    assert repr(recording) == "<Recording of 6: 1 StringMessage, 1 Int64Message, 1 (empty), 3 KeepaliveMessage>"
    assert repr(recording[:0]) == "<Recording of 0>"
    assert str(recording[:0]) == "(nothing)"
    assert str(recording).splitlines() == [
        "     0.000 s  a/b  StringMessage(value='x')",
        "     2.500 s  a/c  Int64Message(value=7)",
        "     2.500 s  d  (empty)",
        "    12.500 s  k/keepalive  KeepaliveMessage(from_identifier='somebody')",
        "              … and 2 times more until 32.500 s",
    ]


def test_messages_of_the_protocol_are_shown_without_topics_times_and_schemas() -> None:
    async def main() -> str:
        bus = RecordingBus()
        client = LocalEventBusClient(bus)
        await client.connect()
        offer = OfferMessage(
            plugin_identifier="plugin",
            offered_operations=[
                OfferedOperation(name=name, input=Input.string(), output=Output.string()) for name in ("on", "off")
            ],
            reply_topic="reply",
            considered_dead_after=1.0,
            plugin_keepalive_topic="keepalive",
            plugin_keepalive_request_topic="request",
        )
        await client.publish("offer", offer)
        return str(bus.recording)

    assert run(main()).endswith("OfferMessage(plugin_identifier='plugin', offered_operations=['on', 'off'])")


def test_very_many_are_cut_to_the_last() -> None:
    async def main() -> list[str]:
        bus = RecordingBus()
        client = LocalEventBusClient(bus)
        await client.connect()
        for number in range(1000):
            await client.publish("a", number)
        return str(bus.recording).splitlines()

    lines = run(main())

    assert lines[0] == "(960 earlier lines)"
    assert len(lines) == 41
    assert lines[-1].endswith("value=999)")
