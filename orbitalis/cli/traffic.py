"""What goes over the bus: each event with what its topic says, and its payload as JSON has it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from orbitalis.bus.client import EventBusClient
from orbitalis.bus.event_handler import EventHandler
from orbitalis.cli.messages import class_for, json_of
from orbitalis.message.event import Event
from orbitalis.message.payload import AVRO, UndecodedPayload, kind_of
from orbitalis.message.registry import find
from orbitalis_avro.errors import DecodeError
from orbitalis_avro.records import Record
from orbitalis_wire.channels import CHANNELS, Channel
from orbitalis_wire.messages import DiscoverMessage, Input, OfferMessage, Output

__all__ = ["Seen", "Tell", "learn", "listen"]

_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_SENDERS: Final = ("from_identifier", "core_identifier", "plugin_identifier", "operator_identifier")
"""Fields of messages to all that say who sends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An event that was seen."""

    time: datetime
    """When it was published, on the clock of its sender."""
    kind: str
    """Key of its channel."""
    sender: str | None
    recipient: str | None
    """`None` for what is to all."""
    operation: str | None
    connection: str | None
    topic: str
    event: str
    """Its identifier."""
    answers: str | None
    """Identifier of the event that it answers."""
    message: str
    """What its payload is called."""
    payload: object
    """As JSON has it."""

    def is_about(self, orbiter: str | None, operation: str | None) -> bool:
        """Return whether it has to do with an orbiter and an operation; `None` stands for any."""
        return (orbiter is None or orbiter in (self.sender, self.recipient)) and operation in (None, self.operation)


Tell: TypeAlias = Callable[[Callable[[], Seen]], None]
"""Is told of an event by a function that says what was seen: later, it may be able to read what it was not at first."""


async def listen(client: EventBusClient, kinds: Iterable[str], tell: Tell) -> None:
    """Have a function told of all events of some kinds from now on."""
    for kind in kinds:
        channel = CHANNELS[kind]
        topic_filter = _PARAMETER.sub("+", channel.address)
        await client.subscribe(topic_filter, _Listener(channel, tell), channel=channel)


def learn(shapes: Iterable[Record]) -> None:
    """Be able to read what is written with these schemas."""
    for shape in shapes:
        for schema in shape.schemas if isinstance(shape, Input | Output) else ():
            try:
                class_for(schema)
            except ValueError:
                continue  # what is written with it, is shown by its name


class _Listener(EventHandler):
    """Tells of the events of one channel."""

    def __init__(self, channel: Channel, tell: Tell) -> None:
        self._channel = channel
        self._tell = tell
        pattern = _PARAMETER.sub(r"(?P<\1>[^/]*)", re.escape(channel.address).replace(r"\{", "{").replace(r"\}", "}"))
        self._pattern = re.compile(pattern)

    def begin(self, topic: str, event: Event[Any]) -> None:
        payload: object = event.payload
        match payload:
            case DiscoverMessage():
                learn(shape for one in payload.queries.values() for shape in (*one.inputs, *one.outputs))
            case OfferMessage():
                learn(shape for one in payload.offered_operations for shape in (one.input, one.output))
            case _:
                pass
        found = self._pattern.fullmatch(topic)
        self._tell(lambda: _seen(self._channel, topic, {} if found is None else found.groupdict(), event))

    async def handle(self, topic: str, event: Event[Any]) -> None:
        self.begin(topic, event)


def _seen(channel: Channel, topic: str, parameters: Mapping[str, str], event: Event[Any]) -> Seen:
    payload = _read(event.payload)
    identifiers = [value for name, value in parameters.items() if name.endswith("_identifier")]
    # All topics name first for whom it is, and then who sends.
    recipient, sender = (*identifiers[:2], None, None)[:2] if len(identifiers) > 1 else (None, *identifiers, None)[:2]
    if sender in (None, "-"):
        told = (getattr(payload, name, None) for name in _SENDERS)
        sender = next((one for one in told if isinstance(one, str)), None)
    return Seen(
        time=event.timestamp,
        kind=channel.key,
        sender=sender,
        recipient=recipient,
        operation=parameters.get("operation_name") or _operation_in(payload),
        connection=parameters.get("connection_identifier"),
        topic=topic,
        event=event.identifier,
        answers=event.correlation_identifier,
        message=kind_of(payload).removeprefix("a ").removeprefix("an "),
        payload=_content(payload),
    )


def _read(payload: object) -> object:
    """Return a payload as a message, if there is a class for it by now."""
    if not isinstance(payload, UndecodedPayload) or payload.payload_format_type != AVRO:
        return payload
    message_class = find(payload.message_type, payload.schema_fingerprint)
    try:
        return payload if message_class is None else message_class.decode(payload.serialized_payload)
    except DecodeError:
        return payload


def _content(payload: object) -> object:
    return f"{len(payload.serialized_payload)} bytes" if isinstance(payload, UndecodedPayload) else json_of(payload)


def _operation_in(payload: object) -> str | None:
    found = getattr(payload, "operation_name", None)
    return found if isinstance(found, str) else None
