"""What orbiters say to a broker is what the document says: how they connect, subscribe, and see who they may be."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from orbitalis import Core, Event, MqttEventBusClient, Plugin
from orbitalis.orbiter import Orbiter
from orbitalis_wire.channels import CHANNELS
from orbitalis_wire.messages import WillMessage
from tests.bus.scripted_broker import ScriptedBroker

CONNECT, PUBLISH, SUBSCRIBE = 1, 3, 8


def bodies(broker: ScriptedBroker, kind: int) -> list[bytes]:
    """Return the bodies of all packets of one type that came."""
    return [body for found, body in broker.packets if found == kind]


def text_at(body: bytes, position: int) -> tuple[str, int]:
    """Return a text of a packet, and the position after it."""
    (length,) = struct.unpack_from(">H", body, position)
    return body[position + 2 : position + 2 + length].decode(), position + 2 + length


def will_of(connect: bytes) -> tuple[bytes, str]:
    """Return payload and topic of the will in a CONNECT packet."""
    position = 10 + 1 + connect[10]
    _, position = text_at(connect, position)
    assert connect[position] == 0, "expected a will without a property, such as a delay"
    topic, position = text_at(connect, position + 1)
    (length,) = struct.unpack_from(">H", connect, position)
    return connect[position + 2 : position + 2 + length], topic


def subscriptions(body: bytes) -> dict[str, int]:
    """Return the filters of a SUBSCRIBE packet with their options."""
    position, found = 3 + body[2], {}
    while position < len(body):
        topic, position = text_at(body, position)
        found[topic] = body[position]
        position += 1
    return found


@pytest.mark.parametrize(("kind", "own_topic"), [(Core, "orbitalis/me/me/reply"), (Plugin, "orbitalis/me/me/response")])
async def test_an_orbiter_says_to_a_broker_what_the_document_says(kind: Callable[..., Orbiter], own_topic: str) -> None:
    async with ScriptedBroker() as broker:
        orbiter = kind(identifier="me", eventbus_client=MqttEventBusClient(broker.host, broker.port))
        await orbiter.start()
        await orbiter.stop()

        (connect,) = bodies(broker, CONNECT)
        assert connect[:6] == b"\0\4MQTT"
        assert connect[6] == 5
        assert connect[7] == 0b00001110, "expected a clean start, a will of quality of service 1 and no user"
        assert (connect[10], connect[11]) == (5, 0x27), "a property beside the largest packet"

        will, topic = will_of(connect)
        assert topic == "orbitalis/me/will"
        event = Event.decode(will)
        assert event.payload == WillMessage(from_identifier="me")
        assert event.incarnation == orbiter._incarnation

        own = {
            filter_: options for body in bodies(broker, SUBSCRIBE) for filter_, options in subscriptions(body).items()
        }
        told = {topic: channel for channel in CHANNELS.values() for topic in own if matches(channel.address, topic)}
        assert set(told) == set(own)
        assert {topic: channel.quality_of_service for topic, channel in told.items()} == own

        assert b"" in broker.published
        # Topic, packet identifier, no properties, nothing.
        assert struct.pack(">H", len(own_topic)) + own_topic.encode() in {body[:-3] for body in bodies(broker, PUBLISH)}


def matches(address: str, topic_filter: str) -> bool:
    """Return whether a filter is one for the topics of an address."""
    levels, parts = address.split("/"), topic_filter.split("/")
    return len(levels) == len(parts) and all(
        level.startswith("{") or level == part for level, part in zip(levels, parts, strict=True)
    )


def test_nothing_is_retained() -> None:
    assert [channel.key for channel in CHANNELS.values() if channel.retain] == []
