"""Payloads: which values can be one, and how they are written into an envelope and read from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import Field, dataclass, field
from typing import Any, ClassVar, Final, NamedTuple, Protocol, TypeAlias

from orbitalis.message import registry
from orbitalis.message.registry import UserMessage
from orbitalis_avro.errors import DecodeError, EncodeError
from orbitalis_wire import PROTOCOL_VERSION
from orbitalis_wire.messages import (
    BytesMessage,
    EventEnvelope,
    Float32Message,
    Float64Message,
    Int32Message,
    Int64Message,
    StringMessage,
)
from orbitalis_wire.schemas import SCHEMA_BY_MESSAGE_TYPE, SCHEMAS

__all__ = [
    "AVRO",
    "MESSAGE_OF_VALUE",
    "MESSAGE_TYPES",
    "PROTOCOL_MESSAGES",
    "EncodedPayload",
    "Message",
    "Publishable",
    "UndecodedPayload",
    "as_received",
    "class_of_schema",
    "decode_payload",
    "encode_payload",
    "is_known",
    "kind_of",
    "message_type_of",
    "schema_of",
    "with_article",
    "wrap",
]

AVRO = "avro"


class Message(Protocol):
    """A message, for type checkers: any dataclass. At run time, :func:`wrap` checks it."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


Publishable: TypeAlias = Message | str | int | float | bytes | None
"""A value that can be published: a message, a bare value (see :func:`wrap`), or `None` for an empty event."""

MESSAGE_OF_VALUE: Final[Mapping[type, type]] = {
    str: StringMessage,
    int: Int64Message,
    float: Float64Message,
    bytes: BytesMessage,
}
"""The message class for each type of bare values."""

PROTOCOL_MESSAGES: Final = frozenset(one.message_class for one in SCHEMAS) - {
    BytesMessage,
    Float32Message,
    Float64Message,
    Int32Message,
    Int64Message,
    StringMessage,
}
"""The classes of the messages that orbiters send each other, and users do not."""


class EncodedPayload(NamedTuple):
    """A payload as the envelope carries it; the fields are named like the envelope's."""

    message_type: str | None
    payload_format_type: str | None
    serialized_payload: bytes | None
    schema_fingerprint: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UndecodedPayload:
    """A payload as it came: its type is not known here, no handler takes it, or its class refuses it.

    The fields are the envelope's, and the reason of a refusal.
    """

    message_type: str
    payload_format_type: str
    serialized_payload: bytes
    schema_fingerprint: str | None
    refusal: DecodeError | None = field(default=None, compare=False)
    """Why it cannot be decoded, where somebody waits for what becomes of it."""


class _ByClass(dict[type[object], str]):
    """What is known of message classes: of a user's, it is worked out when it is first looked up.

    Look it up with `[]`: what is there costs no call. What is no message class raises :class:`TypeError`.
    """

    def __init__(self, generated: Iterable[tuple[type[object], str]], work_out: Callable[[type[UserMessage]], str]):
        super().__init__(generated)
        self._work_out = work_out

    def __missing__(self, message_class: type[object]) -> str:
        if not issubclass(message_class, UserMessage):
            raise _no_message_class(message_class)
        found = self[message_class] = self._work_out(message_class)
        return found


MESSAGE_TYPES: Final = _ByClass(
    ((one.message_class, one.message_type) for one in SCHEMAS), lambda message_class: message_class.message_type()
)
"""By class of a message: its record name."""
_schemas: Final = _ByClass(
    ((one.message_class, one.schema) for one in SCHEMAS), lambda message_class: message_class.avro_schema()
)


def wrap(value: object) -> object | None:
    """Return the message for a value: a message itself, the message of a bare value, or `None` for an empty event.

    A `str` becomes a StringMessage, an `int` an Int64Message, a `float` a Float64Message, `bytes` a BytesMessage.

    Raises:
        TypeError: The value is neither a message nor a bare value.
        EncodeError: The value is an integer of more than 64 bits.
    """
    if type(value) in MESSAGE_TYPES:
        return value
    match value:
        case None:
            return None
        case bool():
            pass
        case str():
            return StringMessage(value=value)
        case int():
            if not -(2**63) <= value < 2**63:
                reason = f"expected an integer of 64 bits, got one of {value.bit_length() + 1} bits, the sign included"
                raise EncodeError("Int64Message", "value", reason)
            return Int64Message(value=value)
        case float():
            return Float64Message(value=value)
        case bytes():
            return BytesMessage(value=value)
        case UserMessage():
            message_type_of(value)  # by which the next message of the class is known
            return value
        case _:
            pass
    raise TypeError(
        f"cannot publish a {type(value).__qualname__}: expected a message (a dataclass that derives from "
        "AvroMessageMixin, or a message of the protocol), a str, an int, a float, bytes, or None"
    )


def message_type_of(message: object) -> str:
    """Return the record name of a message; raises :class:`TypeError` for anything else."""
    return MESSAGE_TYPES[type(message)]


def schema_of(message_class: type[object]) -> str:
    """Return the Avro schema, as JSON text, of a message class; raises :class:`TypeError` for any other class."""
    return _schemas[message_class]


def class_of_schema(record_name: str, fingerprint: str, schema: str) -> type[object] | None:
    """Return the message class with a schema, given as JSON text with its record's name, without namespace."""
    known = SCHEMA_BY_MESSAGE_TYPE.get(record_name)
    if known is not None:
        return known.message_class if known.fingerprint == fingerprint else None
    return registry.find_by_schema(record_name, fingerprint, schema)


def encode_payload(message: object | None) -> EncodedPayload:
    """Write a message as its type says; `None` is the payload of an empty event.

    Raises:
        EncodeError: A field holds what its type does not admit.
        TypeError: It is no message.
    """
    if message is None:
        return EncodedPayload(
            message_type=None, payload_format_type=None, serialized_payload=None, schema_fingerprint=None
        )
    # Importing them takes long, and within one process no payload is written.
    from orbitalis_wire.codecs import CODEC_BY_CLASS

    codec = CODEC_BY_CLASS.get(type(message))
    if codec is not None:
        return EncodedPayload(
            message_type=codec.message_type,
            payload_format_type=codec.payload_format,
            serialized_payload=codec.encode_payload(message),
            schema_fingerprint=codec.fingerprint,
        )
    if isinstance(message, UserMessage):
        return EncodedPayload(
            message_type=message.message_type(),
            payload_format_type=AVRO,
            serialized_payload=message.encode(),
            schema_fingerprint=message.schema_fingerprint(),
        )
    raise _no_message_class(type(message))


def as_received(message: object) -> object:
    """Return what a receiver over a broker would get for a message: the same object only if nothing in it can change.

    Raises:
        EncodeError: A field holds what its type does not admit.
        TypeError: It is no message.
    """
    if isinstance(message, UserMessage):
        return message.as_received()
    value: object = getattr(message, "value", None)
    match message:
        case StringMessage() if type(value) is str and _is_text(value):
            return message
        case BytesMessage() if type(value) is bytes:
            return message
        case Float64Message() if type(value) is float:
            return message
        case Int64Message() if type(value) is int and -(2**63) <= value < 2**63:
            return message
        case _:
            pass
    # Importing them takes long, and hardly anything gets here.
    from orbitalis_wire.codecs import CODEC_BY_CLASS

    codec = CODEC_BY_CLASS.get(type(message))
    if codec is None:
        raise _no_message_class(type(message))
    received: object = codec.decode_payload(codec.payload_format, codec.encode_payload(message), codec.fingerprint)
    return received


def _is_text(value: str) -> bool:
    """Return whether there is no lone surrogate in a text, which no encoding can write."""
    try:
        return value.isascii() or bool(value.encode())
    except UnicodeEncodeError:
        return False


def is_known(payload: UndecodedPayload) -> bool:
    """Return whether there is a class for a payload: then it was not decoded because no handler takes that."""
    return _class_of(payload.message_type, payload.schema_fingerprint) is not None


def kind_of(payload: object | None) -> str:
    """Return what to call the payload of an event in a text for people, as in `a StringMessage`."""
    if payload is None:
        return "an empty event"
    if isinstance(payload, UndecodedPayload):
        # A stranger has written it.
        return with_article(ascii(payload.message_type[:100])[1:-1])
    return with_article(type(payload).__name__)


def with_article(name: str) -> str:
    """Return the name of a class for a text for people: `a StringMessage`, `an int`."""
    return f"{'an' if name[:1].lower() in 'aeio' else 'a'} {name}"


def decode_payload(
    envelope: EventEnvelope, takes: Callable[[type[object]], bool] = lambda message_class: True
) -> object | None:
    """Read the payload of an event: a message, `None` for an empty event, or an :class:`UndecodedPayload`.

    Decoding may take long, so it is done only if `takes` says that messages of the class are of any use.

    Raises:
        DecodeError: The payload is not what the envelope says.
    """
    message_type, payload_format = envelope.message_type, envelope.payload_format_type
    data = envelope.serialized_payload
    if envelope.protocol_version is not None and envelope.protocol_version != PROTOCOL_VERSION:
        # Nothing is known of what another version writes, and a subscription refuses it.
        return UndecodedPayload(
            message_type=message_type or "",
            payload_format_type=payload_format or "",
            serialized_payload=data or b"",
            schema_fingerprint=envelope.schema_fingerprint,
        )
    if data is None:
        if message_type is not None:
            raise DecodeError(
                "EventEnvelope", "serialized_payload", f"expected a payload of type {message_type[:100]!r}, got nothing"
            )
        return None
    if message_type is None or payload_format is None:
        missing = "message_type" if message_type is None else "payload_format_type"
        raise DecodeError("EventEnvelope", missing, "is missing beside a payload")
    message_class = _class_of(message_type, envelope.schema_fingerprint)
    if message_class is None or not takes(message_class):
        return UndecodedPayload(
            message_type=message_type,
            payload_format_type=payload_format,
            serialized_payload=data,
            schema_fingerprint=envelope.schema_fingerprint,
        )
    if not issubclass(message_class, UserMessage):
        from orbitalis_wire.codecs import CODEC_BY_CLASS

        codec = CODEC_BY_CLASS[message_class]
        payload: object = codec.decode_payload(payload_format, data, envelope.schema_fingerprint)
        return payload
    if payload_format != AVRO:
        raise DecodeError("EventEnvelope", "payload_format_type", f"expected {AVRO!r}, got {payload_format[:100]!r}")
    return message_class.decode(data)


def _class_of(message_type: str, fingerprint: str | None) -> type[object] | None:
    known = SCHEMA_BY_MESSAGE_TYPE.get(message_type)
    return registry.find(message_type, fingerprint) if known is None else known.message_class


def _no_message_class(given: type[object]) -> TypeError:
    return TypeError(
        f"{given.__qualname__} is no message class: it neither derives from AvroMessageMixin nor is of the protocol"
    )
