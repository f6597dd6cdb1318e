"""The tester at the bus: publishes whatever it is told to, and sees all that the subject publishes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import aiomqtt
from paho.mqtt.subscribeoptions import SubscribeOptions

from orbitalis_avro.errors import DecodeError
from orbitalis_conformance.broker import HOST
from orbitalis_conformance.errors import ToolError
from orbitalis_conformance.shapes import shortened
from orbitalis_conformance.values import to_json
from orbitalis_wire.codecs import CODEC_BY_MESSAGE_TYPE
from orbitalis_wire.envelope import Encoding, decode_event
from orbitalis_wire.messages import EventEnvelope

__all__ = ["BROADCASTS", "Bus", "Seen"]

BROADCASTS: Final = ("$handshake.discover", "$handshake.announce", "$introspection.request")
"""Topics on which orbiters speak to everyone; the filter for all topics does not match these."""


@dataclass(eq=False)
class Seen:
    """An event that the subject has published, or the broker in its name."""

    at: float
    topic: str
    quality_of_service: int
    is_retained: bool
    data: bytes
    envelope: EventEnvelope | None = None
    encoding: Encoding | None = None
    message: Any = None
    """The message; `None` of an empty event, and of a record that the protocol does not know."""
    fault: str = ""
    """Why it could not be read."""
    taken_by: set[str] = field(default_factory=set[str])
    """The peers of the tester that have dealt with it."""

    @property
    def kind(self) -> str:
        """The name of its message, as the specification has it."""
        if self.envelope is None:
            return "malformed event"
        if self.envelope.message_type is None:
            return "EmptyEvent"
        return type(self.message).__name__ if self.message is not None else self.envelope.message_type

    def fields(self) -> dict[str, Any]:
        """Return the fields of its message as JSON; of a record that the protocol does not know, its bytes."""
        if self.message is not None:
            found: dict[str, Any] = to_json(self.message)
            return found
        payload = None if self.envelope is None else self.envelope.serialized_payload
        return {} if payload is None else {"payload": {"hex": payload.hex()}}

    def headers(self) -> dict[str, Any]:
        """Return the fields of its envelope as JSON, without those that are null."""
        if self.envelope is None:
            return {}
        content: dict[str, Any] = to_json(self.envelope)
        return {name: value for name, value in content.items() if value is not None and name != "serialized_payload"}

    def __str__(self) -> str:
        """Show it in a line."""
        if self.envelope is None:
            return f"{self.topic}: {self.fault}"
        shown = {name: value for name, value in self.headers().items() if name in _SHOWN}
        return f"{self.topic}: {self.kind} {shortened(str(self.fields()))} {shown}"


_SHOWN: Final = {
    "identifier",
    "correlation_identifier",
    "connection_identifier",
    "open_connections",
    "late_offers",
    "sequence_number",
    "answer_requested",
}


_silent: Final = logging.getLogger(__name__)
"""What the client says of a broker that a case has taken away."""
_silent.addHandler(logging.NullHandler())
_silent.propagate = False


class Bus:
    """One connection of the tester with a broker, for one case."""

    def __init__(self, port: int, on_seen: Callable[[Seen], None]) -> None:
        """Prepare it; `on_seen` gets each event as it comes."""
        self._port = port
        self._on_seen = on_seen
        self._client: aiomqtt.Client | None = None
        self._reader: asyncio.Task[None] | None = None
        self.extra_topics: list[str] = []
        """Topics beside those of the protocol's layout that are listened to, which begin with `$`."""

    async def connect(self) -> None:
        """Connect and subscribe to everything."""
        client = aiomqtt.Client(HOST, self._port, protocol=aiomqtt.ProtocolVersion.V5, logger=_silent)
        try:
            await client.__aenter__()
        except aiomqtt.MqttError as error:
            raise ToolError(f"the tester cannot connect to the broker: {error}") from None
        self._client = client
        options = SubscribeOptions(qos=2, noLocal=True, retainAsPublished=True)
        await client.subscribe([(one, options) for one in ("#", *BROADCASTS, *self.extra_topics)])
        self._reader = asyncio.create_task(self._read(client))

    async def disconnect(self) -> None:
        """Leave the broker."""
        client, self._client = self._client, None
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
        if client is not None:
            await asyncio.gather(client.__aexit__(None, None, None), return_exceptions=True)

    async def publish(self, topic: str, data: bytes, quality_of_service: int) -> None:
        """Publish bytes."""
        if self._client is None:
            raise ToolError("the tester is not connected with the broker")
        try:
            await self._client.publish(topic, data, qos=quality_of_service)
        except (aiomqtt.MqttError, ValueError) as error:
            raise ToolError(f"the tester cannot publish to {topic!r}: {error}") from None

    async def _read(self, client: aiomqtt.Client) -> None:
        try:
            async for message in client.messages:
                topic, data = str(message.topic), bytes(message.payload)
                self._on_seen(_seen(topic, data, message.qos, is_retained=bool(message.retain)))
        except aiomqtt.MqttError:
            return  # the case lets the broker go away, or notices when it publishes


def _seen(topic: str, data: bytes, quality_of_service: int, *, is_retained: bool) -> Seen:
    seen = Seen(time.monotonic(), topic, quality_of_service, is_retained, data)
    try:
        envelope, seen.encoding = decode_event(data)
        payload, codec = envelope.serialized_payload, CODEC_BY_MESSAGE_TYPE.get(envelope.message_type or "")
        if codec is not None and payload is not None:
            form = envelope.payload_format_type or ""
            seen.message = codec.decode_payload(form, payload, envelope.schema_fingerprint)
        seen.envelope = envelope
    except DecodeError as error:
        seen.fault = str(error)
    return seen
