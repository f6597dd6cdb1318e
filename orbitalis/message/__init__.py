"""What is sent: messages, the events they travel in, and the schemas that say which messages fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orbitalis.message.event import Event
from orbitalis.message.payload import Message, Publishable, UndecodedPayload
from orbitalis.message.schema import Input, Output
from orbitalis_wire.messages import (
    BytesMessage,
    Float32Message,
    Float64Message,
    Int32Message,
    Int64Message,
    StringMessage,
)

if TYPE_CHECKING:
    from orbitalis.message.avro_message import AvroMessageMixin

__all__ = [
    "AvroMessageMixin",
    "BytesMessage",
    "Event",
    "Float32Message",
    "Float64Message",
    "Input",
    "Int32Message",
    "Int64Message",
    "Message",
    "Output",
    "Publishable",
    "StringMessage",
    "UndecodedPayload",
]


def __getattr__(name: str) -> object:
    """Import what takes long to import when it is first asked for."""
    if name == "AvroMessageMixin":
        from orbitalis.message.avro_message import AvroMessageMixin

        return AvroMessageMixin
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
