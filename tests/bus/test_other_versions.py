"""Events of senders that speak another version of the protocol are refused, and each sender is told of once."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest

from orbitalis.bus import EventHandler
from orbitalis.bus.bus_statistics import BusStatistics
from orbitalis.bus.other_versions import OtherVersions
from orbitalis.message import Event
from orbitalis.message.payload import UndecodedPayload
from orbitalis_wire import PROTOCOL_VERSION
from orbitalis_wire.envelope import Encoding, decode_event, encode_event
from orbitalis_wire.messages import KeepaliveMessage
from tests.bus.conftest import NewClient
from tests.bus.subscriptions import subscription
from tests.support.events import Collector

LOGGER = "orbitalis.bus.other_versions"


def of_version(version: int | None, sender: str = "sender") -> Event[Any]:
    """Return an event of a sender that speaks a version of the protocol."""
    return Event.create(KeepaliveMessage(from_identifier="x"), publisher_identifier=sender, protocol_version=version)


async def offered(*events: Event[Any]) -> tuple[list[Any], BusStatistics]:
    """Return what a handler gets of events, and what is counted."""
    handler = Collector()
    one = subscription(handler)
    for event in events:
        one.offer("topic", event)
    await one.drained()
    return [event for _, event in handler.received], one._intake.statistics


async def test_another_protocol_version_is_refused_and_counted() -> None:
    got, statistics = await offered(of_version(2), of_version(0), of_version(PROTOCOL_VERSION))

    assert [event.protocol_version for event in got] == [PROTOCOL_VERSION]
    assert (statistics.received, statistics.other_versions) == (3, 2)


async def test_events_without_a_protocol_version_are_taken() -> None:
    got, statistics = await offered(of_version(None))

    assert len(got) == 1
    assert statistics.other_versions == 0


class Urgent(EventHandler):
    """Is asked about each event before all others."""

    is_urgent = True

    def __init__(self) -> None:
        self.asked: list[Event[Any]] = []

    def take_at_once(self, topic: str, event: Event[Any]) -> bool:
        self.asked.append(event)
        return True

    async def handle(self, topic: str, event: Event[Any]) -> None:
        raise AssertionError("it was taken already")


async def test_not_even_an_urgent_event_of_another_version_is_looked_at() -> None:
    handler = Urgent()

    subscription(handler).offer("topic", of_version(2))

    assert handler.asked == []


async def test_each_sender_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, LOGGER):
        await offered(*[of_version(2, sender) for sender in ("a", "b", "a", "b", "a")])

    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2
    assert "'a'" in told[0]
    assert "version 2 of the protocol" in told[0]
    assert f"this is version {PROTOCOL_VERSION}" in told[0]
    assert "Run both with releases of the same protocol version" in told[0]
    assert "'b'" in told[1]


def test_how_many_are_remembered_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    statistics = BusStatistics()
    versions = OtherVersions("owner", statistics)

    for number in range(1000):
        versions.refuse("topic", of_version(2, f"{number}" + "x" * 10_000))

    assert statistics.other_versions == 1000
    assert len(versions._told) == 256
    assert all(len(sender) <= 255 for sender in versions._told)
    assert "999" + "x" * 252 in versions._told
    # Nor do strangers set how much is logged.
    assert len([record for record in caplog.records if record.name == LOGGER]) <= 20


@pytest.mark.parametrize("encoding", list(Encoding))
def test_the_payload_of_another_version_is_not_read(encoding: Encoding) -> None:
    envelope, _ = decode_event(of_version(2).encode(encoding))
    envelope = replace(envelope, serialized_payload=b"another layout", schema_fingerprint="0123456789abcdef")

    event = Event.decode(encode_event(envelope, encoding))

    assert event.protocol_version == 2
    assert isinstance(event.payload, UndecodedPayload)


async def test_clients_of_every_bus_refuse_it(new_client: NewClient, topic: str) -> None:
    publisher, subscriber = new_client(), new_client()
    await publisher.connect()
    await subscriber.connect()
    collector = Collector()
    await subscriber.subscribe(topic, collector)

    await publisher.publish(topic, of_version(2))
    await publisher.publish(topic, of_version(PROTOCOL_VERSION))
    await collector.wait_for(1)

    assert [event.protocol_version for _, event in collector.received] == [PROTOCOL_VERSION]
    assert subscriber.statistics.other_versions == 1
