"""What a specification says, with all names resolved and nothing specific to a language.

`read` and `check` turn files into a :class:`Model`; every emitter starts from one and from nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from orbitalis_avro.types import NamedType
from orbitalis_codegen.diagnostic import Diagnostic

__all__ = [
    "ROLES",
    "Area",
    "Channel",
    "Limit",
    "Message",
    "Model",
    "Operation",
    "Parameter",
    "Requirement",
    "SchemaVersion",
    "Server",
    "State",
    "StateChart",
    "Timing",
    "Transition",
    "Trigger",
]

ROLES: Final = ("core", "plugin", "operator")
"""Who takes part: the names that tags of operations have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaVersion:
    """One version of a message that grows, or of the envelope."""

    version: str
    """Of the protocol, such as `1.1`: the one that its last fields came with."""
    length: int
    """Number of its fields, which are the first ones of the newest version."""
    schema: str
    canonical_form: str
    fingerprint: str


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
    """Avro's parsing canonical form of `schema`, with logical types."""
    fingerprint: str | None
    """CRC-64-AVRO of `canonical_form`, 16 hexadecimal digits, least significant byte first."""
    versions: tuple[SchemaVersion, ...]
    """All versions of the payload's schema, the oldest first; none of what users send, which does not grow."""
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
    """Names of its tags: `core`, `plugin`, `operator`."""
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
class State:
    """A state of a state chart."""

    name: str
    title: str
    """How it is called in texts; the name with spaces unless the document says otherwise."""
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What can happen to a state chart."""

    name: str
    title: str
    """How it is called in texts; the name with spaces unless the document says otherwise."""
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """At each of `roles`, `trigger` turns each of the states `before` into `after`."""

    roles: tuple[str, ...]
    before: tuple[str, ...]
    trigger: str
    after: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChart:
    """States of something, and what turns one into another (`x-orbitalis.states`)."""

    key: str
    description: str
    roles: tuple[str, ...]
    """Who has such a chart."""
    initial: str
    states: dict[str, State]
    triggers: dict[str, Trigger]
    transitions: tuple[Transition, ...]

    def table(self, role: str) -> dict[tuple[str, str], str]:
        """What a state and a trigger lead to at an orbiter of that role, in the order of the states, then triggers."""
        steps = {
            (before, transition.trigger): transition.after
            for transition in self.transitions
            if role in transition.roles
            for before in transition.before
        }
        return {
            (state, trigger): steps[state, trigger]
            for state in self.states
            for trigger in self.triggers
            if (state, trigger) in steps
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """What some of the requirements are about (`x-orbitalis.areas`)."""

    name: str
    """Two capital letters, which stand in the ids."""
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A sentence of the document that implementations have to follow."""

    identifier: str
    """Like `ORB-HS-03`."""
    area: str
    """Key into :attr:`Model.areas`."""
    text: str
    place: str
    """Keys that lead to the object whose text says it, joined by dots."""


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
    state_charts: dict[str, StateChart]
    areas: dict[str, Area]
    requirements: tuple[Requirement, ...]
    """In the order of the document."""
    notes: tuple[Diagnostic, ...]
    """What was noticed and ignored."""
    inputs: dict[str, bytes]
    """Every file that was read, by its path relative to the root, with its bytes."""
