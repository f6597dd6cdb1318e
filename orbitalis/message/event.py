"""Events: a payload and the envelope it travels in."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Generic, TypeVar

from orbitalis.message.payload import decode_payload, encode_payload, message_type_of
from orbitalis_wire.envelope import Encoding, decode_event, encode_event
from orbitalis_wire.messages import EventEnvelope

__all__ = ["Event"]

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Generic[T_co]):
    """Something that was published: `Event[StringMessage]` carries a StringMessage, `Event[None]` nothing."""

    payload: T_co
    """The message; `None` in an empty event."""
    envelope: EventEnvelope
    """What else travels with it. In process, nothing is written: `serialized_payload` is `None` there."""
    origin: str | None = field(default=None, compare=False)
    """Name of the bus from which it came, for a client that is on several; it does not travel."""

    @property
    def identifier(self) -> str:
        """Identifier of the event, unique to its publisher."""
        return self.envelope.identifier

    @property
    def publisher_identifier(self) -> str:
        """Identifier of the bus client that published the event."""
        return self.envelope.publisher_identifier

    @property
    def timestamp(self) -> datetime:
        """When the event was published."""
        return self.envelope.timestamp

    @staticmethod
    def create(
        payload: T,
        *,
        publisher_identifier: str,
        identifier: str | None = None,
        protocol_version: int | None = None,
        incarnation: str | None = None,
        correlation_identifier: str | None = None,
        answer_requested: bool | None = None,
        connection_identifier: str | None = None,
        open_connections: Sequence[str] | None = None,
        readable_encodings: Sequence[str] | None = None,
        late_offers: bool | None = None,
        traceparent: str | None = None,
    ) -> Event[T]:
        """Make a new event of this moment around a message, or around `None`.

        Without `identifier` it gets a new one. The other arguments are headers of the envelope.

        Raises:
            TypeError: The payload is no message.
        """
        envelope = EventEnvelope(
            identifier=identifier or uuid.uuid4().hex,
            publisher_identifier=publisher_identifier,
            timestamp=datetime.now(UTC),
            message_type=None if payload is None else message_type_of(payload),
            payload_format_type=None,
            serialized_payload=None,
            protocol_version=protocol_version,
            incarnation=incarnation,
            correlation_identifier=correlation_identifier,
            answer_requested=answer_requested,
            connection_identifier=connection_identifier,
            open_connections=open_connections,
            readable_encodings=readable_encodings,
            late_offers=late_offers,
            traceparent=traceparent,
        )
        return Event(payload=payload, envelope=envelope)

    def encode(self, encoding: Encoding) -> bytes:
        """Return the event as it is published.

        Raises:
            EncodeError: A field of the payload or of the envelope holds what its type does not admit.
        """
        payload = encode_payload(self.payload)
        envelope = replace(
            self.envelope,
            message_type=payload.message_type,
            payload_format_type=payload.payload_format_type,
            serialized_payload=payload.serialized_payload,
            schema_fingerprint=payload.schema_fingerprint,
        )
        return encode_event(envelope, encoding)

    @staticmethod
    def decode(data: bytes, takes: Callable[[type[object]], bool] = lambda message_class: True) -> Event[object | None]:
        """Read an event in either encoding; a payload of a class that `takes` denies is left undecoded.

        Raises:
            DecodeError: The data is no event, or its payload is not what the envelope says.
        """
        envelope, _ = decode_event(data)
        return Event(payload=decode_payload(envelope, takes), envelope=envelope)
