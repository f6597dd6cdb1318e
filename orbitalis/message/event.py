"""Events: a payload and its headers."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Sequence
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime
from typing import Any, Final, Generic, NoReturn, TypeVar

from orbitalis.arguments import check_list
from orbitalis.message.payload import MESSAGE_TYPES, decode_payload, encode_payload, message_type_of
from orbitalis_avro.records import TEXT
from orbitalis_wire.envelope import Encoding, decode_event, encode_event
from orbitalis_wire.messages import EventEnvelope

__all__ = ["READABLE_ENCODINGS", "Event", "IdentifierSource", "new_identifier"]

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


def _new_prefix() -> str:
    return os.urandom(10).hex()


_prefix = _new_prefix()
_numbers: Final = itertools.count(1)
_HEADERS: Final = (
    "protocol_version",
    "incarnation",
    "correlation_identifier",
    "answer_requested",
    "connection_identifier",
    "open_connections",
    "readable_encodings",
    "traceparent",
    "late_offers",
    "sequence_number",
    "answer_within",
)
"""Fields of the envelope that are headers, without the one that goes with the payload."""


READABLE_ENCODINGS: Final = tuple(encoding.value for encoding in Encoding)
"""Encodings of the envelope that every orbiter and operator of this package reads."""


def new_identifier() -> str:
    """Return an identifier that no other call returns, in any process: 32 hexadecimal digits."""
    return f"{_prefix}{next(_numbers):012x}"


class IdentifierSource:
    """Makes identifiers of events, like :func:`new_identifier`, and recognises them."""

    __slots__ = ("_numbers", "_prefix")

    def __init__(self) -> None:
        """Make a source of its own."""
        self._prefix = _new_prefix()
        self._numbers = itertools.count(1)

    def __call__(self) -> str:
        """Return an identifier that no other call returns."""
        return f"{self._prefix}{next(self._numbers):012x}"

    def unguessable(self) -> str:
        """Return an identifier that cannot be guessed from others."""
        return self._prefix + _new_prefix()

    def has_given(self, identifier: str) -> bool:
        """Return whether this source has made an identifier."""
        return identifier.startswith(self._prefix)


def _renew_prefix() -> None:
    global _prefix
    _prefix = _new_prefix()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_prefix)


class _Fields:
    """The fields of an event. An event has this class until it is complete: freezing each field takes a call."""

    __slots__ = (
        "_envelope",
        "answer_requested",
        "answer_within",
        "connection_identifier",
        "correlation_identifier",
        "identifier",
        "incarnation",
        "late_offers",
        "open_connections",
        "origin",
        "payload",
        "protocol_version",
        "publisher_identifier",
        "readable_encodings",
        "sequence_number",
        "timestamp",
        "traceparent",
    )

    _envelope: EventEnvelope | None
    payload: Any
    """The message; `None` in an empty event."""
    identifier: str
    """Identifier of the event, unique to its publisher."""
    publisher_identifier: str
    """Identifier of the bus client that published the event."""
    timestamp: datetime
    """When the event was published."""
    protocol_version: int | None
    incarnation: str | None
    """The incarnation of the orbiter that sent the event."""
    correlation_identifier: str | None
    """Identifier of the event that this one answers."""
    answer_requested: bool | None
    """Whether the sender waits for an answer."""
    connection_identifier: str | None
    """The connection that the event belongs to."""
    open_connections: Sequence[str] | None
    readable_encodings: Sequence[str] | None
    late_offers: bool | None
    traceparent: str | None
    sequence_number: int | None
    """Number of an input or output among those of its connection and direction, from 1."""
    answer_within: float | None
    """Seconds for which the sender waits for an answer, counted from the publication of the event."""
    origin: str | None
    """Name of the bus on which it arrived, for a client of several buses. It is not sent."""

    @property
    def envelope(self) -> EventEnvelope:
        """The envelope of the event. In process nothing is encoded, so `serialized_payload` is `None`."""
        if self._envelope is not None:
            return self._envelope
        payload: object = self.payload
        return EventEnvelope(
            identifier=self.identifier,
            publisher_identifier=self.publisher_identifier,
            timestamp=self.timestamp,
            message_type=None if payload is None else message_type_of(payload),
            payload_format_type=None,
            serialized_payload=None,
            **{name: getattr(self, name) for name in _HEADERS},
        )


class Event(_Fields, Generic[T_co]):
    """A published message with its headers. `Event[StringMessage]` has a StringMessage, `Event[None]` has no payload.

    An event cannot be changed, because all subscribers in a process get the same object. Two events are equal if all
    parts that are sent are equal.
    """

    __slots__ = ()

    payload: T_co

    def __new__(cls, *, payload: T, envelope: EventEnvelope, origin: str | None = None) -> Event[T]:
        """Make an event from its payload and its envelope."""
        event = _Fields()
        event._envelope = envelope
        event.payload = payload
        event.origin = origin
        event.identifier = envelope.identifier
        event.publisher_identifier = envelope.publisher_identifier
        event.timestamp = envelope.timestamp
        event.protocol_version = envelope.protocol_version
        event.incarnation = envelope.incarnation
        event.correlation_identifier = envelope.correlation_identifier
        event.answer_requested = envelope.answer_requested
        event.connection_identifier = envelope.connection_identifier
        event.open_connections = envelope.open_connections
        event.readable_encodings = envelope.readable_encodings
        event.traceparent = envelope.traceparent
        event.late_offers = envelope.late_offers
        event.sequence_number = envelope.sequence_number
        event.answer_within = envelope.answer_within
        frozen: Event[T] = _frozen(event)
        return frozen

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
        open_connections: list[str] | tuple[str, ...] | None = None,
        readable_encodings: list[str] | tuple[str, ...] | None = None,
        late_offers: bool | None = None,
        traceparent: str | None = None,
        sequence_number: int | None = None,
        answer_within: float | None = None,
    ) -> Event[T]:
        """Make a new event with the current time from a message, or from `None`.

        Without `identifier`, it gets a new one. The other arguments are headers of the envelope.

        Raises:
            TypeError: The payload is not a message, or an argument is one text instead of a list of texts.
        """
        if type(open_connections) is TEXT or type(readable_encodings) is TEXT:
            check_list("open_connections", open_connections)
            check_list("readable_encodings", readable_encodings)
        if payload is not None and type(payload) not in MESSAGE_TYPES:
            message_type_of(payload)  # by which the next message of the class is known
        event = _Fields()
        event._envelope = None
        event.payload = payload
        event.origin = None
        event.identifier = identifier or f"{_prefix}{next(_numbers):012x}"
        event.publisher_identifier = publisher_identifier
        event.timestamp = datetime.now(UTC)
        event.protocol_version = protocol_version
        event.incarnation = incarnation
        event.correlation_identifier = correlation_identifier
        event.answer_requested = answer_requested
        event.connection_identifier = connection_identifier
        event.open_connections = open_connections
        event.readable_encodings = readable_encodings
        event.late_offers = late_offers
        event.traceparent = traceparent
        event.sequence_number = sequence_number
        event.answer_within = answer_within
        frozen: Event[T] = _frozen(event)
        return frozen

    def coming_from(self, origin: str) -> Event[T_co]:
        """Return this event with the name of the bus on which it arrived."""
        event = self._thawed()
        event.origin = origin
        frozen: Event[T_co] = _frozen(event)
        return frozen

    def carrying(self, payload: T) -> Event[T]:
        """Return this event with another payload."""
        event = self._thawed()
        event.payload = payload
        frozen: Event[T] = _frozen(event)
        return frozen

    def _thawed(self) -> _Fields:
        """Return the fields of this event, which can be changed until they are frozen."""
        event = _Fields()
        for name in _Fields.__slots__:
            setattr(event, name, getattr(self, name))
        return event

    def encode(self, encoding: Encoding) -> bytes:
        """Return the event as it is published.

        Raises:
            EncodeError: The value of a field of the payload or envelope does not fit its type.
            TypeError: The payload is not a message.
        """
        encoded = encode_payload(self.payload)
        envelope = EventEnvelope(
            identifier=self.identifier,
            publisher_identifier=self.publisher_identifier,
            timestamp=self.timestamp,
            message_type=encoded.message_type,
            payload_format_type=encoded.payload_format_type,
            serialized_payload=encoded.serialized_payload,
            schema_fingerprint=encoded.schema_fingerprint,
            protocol_version=self.protocol_version,
            incarnation=self.incarnation,
            correlation_identifier=self.correlation_identifier,
            answer_requested=self.answer_requested,
            connection_identifier=self.connection_identifier,
            open_connections=None if self.open_connections is None else tuple(self.open_connections),
            readable_encodings=None if self.readable_encodings is None else tuple(self.readable_encodings),
            traceparent=self.traceparent,
            late_offers=self.late_offers,
            sequence_number=self.sequence_number,
            answer_within=self.answer_within,
        )
        return encode_event(envelope, encoding)

    @staticmethod
    def decode(data: bytes, takes: Callable[[type[object]], bool] = lambda message_class: True) -> Event[object | None]:
        """Read an event in either encoding. If `takes` returns `False` for the payload's class, it is not decoded.

        Raises:
            DecodeError: The data is not an event, or its payload does not fit the envelope.
        """
        envelope, _ = decode_event(data)
        return Event(payload=decode_payload(envelope, takes), envelope=envelope)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse: an event is frozen."""
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        """Refuse: an event is frozen."""
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __eq__(self, other: object) -> bool:
        """Compare payload and envelope."""
        if not isinstance(other, _Fields):
            return NotImplemented
        mine: object = self.payload
        theirs: object = other.payload
        return mine == theirs and self.envelope == other.envelope

    __hash__ = None  # type: ignore[assignment]  # payloads can have lists

    def __repr__(self) -> str:
        """Show the payload, and who sent it."""
        payload: object = self.payload
        return f"Event({payload!r}, identifier={self.identifier!r}, publisher_identifier={self.publisher_identifier!r})"


def _frozen(event: _Fields) -> Any:
    """Return the event itself, which has the same fields, frozen."""
    event.__class__ = Event
    return event
