"""Events as they come from the network: envelope and payload, users' messages, and the way through an MQTT client."""

from __future__ import annotations

import asyncio
import enum
import logging
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any

from orbitalis.bus import EventHandler, MqttEventBusClient
from orbitalis.bus.dispatch import Subscription
from orbitalis.message import AvroMessageMixin, Event, UndecodedPayload
from orbitalis_avro.errors import DecodeError
from orbitalis_wire import limits
from orbitalis_wire.codecs import CODECS
from orbitalis_wire.envelope import Encoding, decode_event, encode_event
from orbitalis_wire.messages import EventEnvelope, StringMessage
from tests.fuzzing.messages_at_random import message_at_random
from tests.fuzzing.target import Target, assert_refusal, depth_of

__all__ = ["FuzzedMessage", "event_targets"]

_TOKENS = (
    *(key.encode() for key in EventEnvelope.__dataclass_fields__),
    *(b'"__type__"', b'"value"', b'"datetime"', b'"bytes"', b'"2026-11-23T21:26:01"', b"+23:59", b'"AAAA"', b'"='),
    *(b"avro", b"utf-8", b"bytes", b"\xc3\x01", b'{"', b'":', b"null", b"true", b"1e999", b"9" * 5000, b'"\\ud800"'),
    *(codec.message_type.encode() for codec in CODECS),
    b"FuzzedMessage",
)


class Colour(enum.Enum):
    """An enumeration of a user's."""

    RED = "RED"
    GREEN = "GREEN"


@dataclass(frozen=True)
class Lamp(AvroMessageMixin):
    """A message in a message."""

    name: str
    brightness: int | None


@dataclass(frozen=True)
class FuzzedMessage(AvroMessageMixin):
    """A message of a user's, with something of everything."""

    name: str
    colour: Colour
    size: float
    photo: bytes
    seen: datetime | None = None
    lamps: list[Lamp] = field(default_factory=list)
    levels: dict[str, list[int]] = field(default_factory=dict)
    thing: Lamp | str | None = None


def event_targets() -> list[Target]:
    """Return the targets."""
    return [
        Target(name="envelope", run=_envelope, seeds=_envelopes, tokens=_TOKENS),
        Target(name="event", run=_event, seeds=_events, tokens=_TOKENS),
        Target(name="user message", run=_user_message, seeds=_user_messages),
        Target(name="mqtt", run=_mqtt, seeds=_deliveries, tokens=_TOKENS),
    ]


def _envelope(data: bytes) -> None:
    """Both encodings say the same, whichever an envelope has come in."""
    try:
        envelope, encoding = decode_event(data)
    except DecodeError as error:
        assert_refusal(error)
        return
    assert (encoding is Encoding.JSON) == data.startswith(b"{")
    assert encoding is not Encoding.JSON or depth_of(data) <= limits.NESTING_DEPTH
    envelope = _finite(envelope)
    for one in Encoding:
        written = encode_event(envelope, one)
        if one is Encoding.AVRO_1_0:
            # That version has no more headers.
            envelope = replace(envelope, sequence_number=None, answer_within=None)
        assert decode_event(written) == (envelope, one)


def _finite(envelope: EventEnvelope) -> EventEnvelope:
    """Return an envelope whose numbers JSON can have."""
    return envelope if math.isfinite(envelope.answer_within or 0.0) else replace(envelope, answer_within=None)


def _event(data: bytes) -> None:
    """A payload that is known is written again as it was read, in both encodings."""
    try:
        event = Event.decode(data)
    except DecodeError as error:
        assert_refusal(error)
        return
    if isinstance(event.payload, UndecodedPayload) or _finite(event.envelope) is not event.envelope:
        return
    for encoding in Encoding:
        again = Event.decode(event.encode(encoding))
        assert repr(again.payload) == repr(event.payload)
        assert again.envelope.identifier == event.envelope.identifier


def _user_message(data: bytes) -> None:
    try:
        message = FuzzedMessage.decode(data)
    except DecodeError:
        # What the libraries say is what it is; it is cut and quoted where it is logged.
        return
    assert repr(FuzzedMessage.decode(message.encode())) == repr(message)


class _Eager(EventHandler):
    """Takes every event at once, and keeps none."""

    is_urgent = True

    def take_at_once(self, topic: str, event: Event[Any]) -> bool:
        return True

    async def handle(self, topic: str, event: Event[Any]) -> None:
        raise AssertionError("it was taken already")


@cache
def _client() -> tuple[asyncio.AbstractEventLoop, MqttEventBusClient]:
    """Return a client that is connected with nothing; what a broker would deliver is handed to it."""

    async def make() -> MqttEventBusClient:
        client = MqttEventBusClient("nowhere", identifier="fuzzed")
        for topic_filter in ("exact", "a/+/c", "all/#"):
            made = Subscription(topic_filter, _Eager(), client._intake, 1)
            client._subscriptions[topic_filter] = made
            client._route(made)
        return client

    loop = asyncio.new_event_loop()
    return loop, loop.run_until_complete(make())


def _mqtt(data: bytes) -> None:
    """Whatever a broker delivers is handed on or counted as one of what is wrong with it, and nothing is raised."""
    loop, client = _client()
    logger = logging.getLogger("orbitalis.bus.mqtt")
    level = logger.level

    async def receive(topic: str) -> None:
        client._receive(topic, data, ())
        for topic_filter in client._subscriptions:
            await client.drained(topic_filter)

    for topic in ("exact", "a/b/c", "all", "another") if len(data) < 1000 else ("all",):
        before = replace(client.statistics)
        logger.setLevel(logging.CRITICAL)
        try:
            loop.run_until_complete(receive(topic))
        finally:
            logger.setLevel(level)
        after = client.statistics
        counted = [getattr(after, name) - getattr(before, name) for name in ("received", "malformed", "oversized")]
        is_ours = topic != "another"
        assert sum(counted) == is_ours, counted
        assert counted[2] == (is_ours and len(data) > limits.EVENT_BYTES)
        assert after.handler_errors == after.dropped == 0


def _envelopes() -> Sequence[bytes]:
    chance = random.Random("envelopes")
    return [encode_event(_finite(message_at_random(EventEnvelope, chance)), one) for one in Encoding for _ in range(6)]


def _events() -> Sequence[bytes]:
    chance = random.Random("events")
    payloads = [message_at_random(codec.message_class, chance) for codec in CODECS]
    payloads += [StringMessage(value="text"), _fuzzed_message(), None]
    made = [Event.create(payload, publisher_identifier="me", identifier="event") for payload in payloads]
    moment = datetime.fromisoformat("2026-11-23T21:26:01+00:00")
    return [
        Event(payload=event.payload, envelope=replace(event.envelope, timestamp=moment)).encode(one)
        for event in made
        for one in Encoding
    ]


def _deliveries() -> Sequence[bytes]:
    return [*_events(), b"{" + b" " * limits.EVENT_BYTES]


def _user_messages() -> Sequence[bytes]:
    return [_fuzzed_message().encode(), FuzzedMessage("", Colour.RED, 0.0, b"").encode()]


def _fuzzed_message() -> FuzzedMessage:
    return FuzzedMessage(
        name="hall",
        colour=Colour.GREEN,
        size=1.5,
        photo=b"\0\xff",
        seen=datetime.fromisoformat("2026-11-23T21:26:01.000+00:00"),
        lamps=[Lamp("desk", 7), Lamp("", None)],
        levels={"a": [1, 2], "b": []},
        thing=Lamp("door", 1),
    )
