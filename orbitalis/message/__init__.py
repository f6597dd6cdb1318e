"""Messages, the events in which they travel, and the schemas that say which messages fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orbitalis.message.event import Event
from orbitalis.message.payload import Message, Publishable, UndecodedPayload
from orbitalis.message.schema import Input, Output, SchemaSpec
from orbitalis_wire.messages import (
    BytesMessage,
    CloseConnectionAckMessage,
    ConfirmConnectionMessage,
    DiscoverMessage,
    DiscoverQuery,
    Float32Message,
    Float64Message,
    GracefulCloseConnectionMessage,
    GracelessCloseConnectionMessage,
    Int32Message,
    Int64Message,
    KeepaliveMessage,
    KeepaliveRequestMessage,
    OfferedOperation,
    OfferMessage,
    OperationNoLongerAvailableMessage,
    RejectOperationMessage,
    RequestOperationMessage,
    StringMessage,
)

if TYPE_CHECKING:
    from orbitalis.message.avro_message import AvroMessageMixin

__all__ = [
    "AvroMessageMixin",
    "BytesMessage",
    "CloseConnectionAckMessage",
    "ConfirmConnectionMessage",
    "DiscoverMessage",
    "DiscoverQuery",
    "Event",
    "Float32Message",
    "Float64Message",
    "GracefulCloseConnectionMessage",
    "GracelessCloseConnectionMessage",
    "Input",
    "Int32Message",
    "Int64Message",
    "KeepaliveMessage",
    "KeepaliveRequestMessage",
    "Message",
    "OfferMessage",
    "OfferedOperation",
    "OperationNoLongerAvailableMessage",
    "Output",
    "Publishable",
    "RejectOperationMessage",
    "RequestOperationMessage",
    "SchemaSpec",
    "StringMessage",
    "UndecodedPayload",
]


def __getattr__(name: str) -> object:
    """Import what takes long to import when it is first asked for."""
    if name == "AvroMessageMixin":
        from orbitalis.message.avro_message import AvroMessageMixin

        return AvroMessageMixin
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
