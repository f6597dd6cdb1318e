"""What a specification says, with all names resolved and nothing specific to a language.

`read` and `check` turn files into a :class:`Model`; every emitter starts from one and from nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from orbitalis_avro.types import NamedType

__all__ = [
    "ROLES",
    "Channel",
    "Limit",
    "Message",
    "Model",
    "Operation",
    "Parameter",
    "Server",
    "Timing",
]

ROLES: Final = ("core", "plugin")
"""Who takes part: the names that tags of operations have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message of the document."""

    key: str
    """Key in `components.messages`, and name of the class."""
    name: str | None
    """What `message_type` says on the wire; `None` for a message without a payload of its own."""
    title: str
    summary: str
    description: str
    record: str | None
    """Full Avro name of the payload's record; `None` for a message without a payload of its own."""
    schema: str | None
    """The payload's schema as JSON text, self-contained, every named type written out where it is first used."""
    canonical_form: str | None
    """Avro's parsing canonical form of `schema`."""
    fingerprint: str | None
    """CRC-64-AVRO of `canonical_form`, 16 hexadecimal digits, least significant byte first."""
    payload_format: Literal["avro", "utf-8", "bytes"]
    """How the payload goes out (`x-payload.format`); the other formats that `x-payload` allows are read as well."""
    payload_layout: Literal["uint32", "int64", "float32", "float64"] | None
    """How format `bytes` is laid out, in big-endian order (`x-payload.layout`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of a channel's address."""

    name: str
    description: str
    unknown: str | None
    """What stands in its place where it is not known yet (`x-unknown`); `None` if it always is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel of the document."""

    key: str
    address: str
    description: str
    parameters: tuple[Parameter, ...]
    """In the order in which they stand in the address."""
    messages: tuple[str, ...]
    """Keys into :attr:`Model.messages`."""
    quality_of_service: Literal[0, 1, 2]
    """Of every operation on this channel (MQTT operation binding)."""
    retain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """An operation of the document."""

    key: str
    action: Literal["send", "receive"]
    channel: str
    """Key into :attr:`Model.channels`."""
    roles: tuple[str, ...]
    """Names of its tags: `core`, `plugin`."""
    summary: str
    description: str
    messages: tuple[str, ...]
    """Keys into :attr:`Model.messages`: the operation's own subset, or all of the channel's."""
    reply_channel: str | None
    reply_messages: tuple[str, ...]
    quality_of_service: Literal[0, 1, 2]
    retain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server of the document."""

    key: str
    host: str
    protocol: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """A default duration (`x-orbitalis.timings`)."""

    name: str
    seconds: float
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A default bound (`x-orbitalis.limits`)."""

    name: str
    maximum: int
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A whole specification."""

    title: str
    version: str
    description: str
    servers: dict[str, Server]
    channels: dict[str, Channel]
    operations: dict[str, Operation]
    messages: dict[str, Message]
    types: dict[str, NamedType]
    """Every named type by its full Avro name; a type stands after all those it refers to, except where it recurs."""
    envelope: Message
    """The envelope, as if it were a message (`x-orbitalis.envelope`); not in `messages`."""
    timings: dict[str, Timing]
    limits: dict[str, Limit]
    inputs: dict[str, bytes]
    """Every file that was read, by its path relative to the root, with its bytes."""
