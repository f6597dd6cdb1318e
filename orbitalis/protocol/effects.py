"""What a machine wants done: it decides, its caller acts.

Effects that name the same remote are to be carried out one after the other, in the order in which they were returned;
effects of different remotes may overtake each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from orbitalis.protocol.slot import Slot
from orbitalis_wire.channels import Channel
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import (
    AnnounceMessage,
    CloseConnectionAckMessage,
    ConfirmConnectionMessage,
    DiscoverMessage,
    GracefulCloseConnectionMessage,
    GracelessCloseConnectionMessage,
    KeepaliveMessage,
    KeepaliveRequestMessage,
    OfferMessage,
    OperationNoLongerAvailableMessage,
    RejectOperationMessage,
    RequestOperationMessage,
)

__all__ = [
    "CloseReason",
    "ComplianceChanged",
    "ConnectionClosed",
    "ConnectionOpened",
    "Drain",
    "Effect",
    "MessageReceived",
    "PendingRequestDiscarded",
    "Prepare",
    "ProtocolMessage",
    "RemoteLost",
    "Send",
    "Subscribe",
    "Unsubscribe",
    "sender_of",
]

ProtocolMessage: TypeAlias = (
    AnnounceMessage
    | DiscoverMessage
    | OfferMessage
    | RequestOperationMessage
    | RejectOperationMessage
    | ConfirmConnectionMessage
    | OperationNoLongerAvailableMessage
    | KeepaliveMessage
    | KeepaliveRequestMessage
    | GracefulCloseConnectionMessage
    | GracelessCloseConnectionMessage
    | CloseConnectionAckMessage
)


def sender_of(message: ProtocolMessage) -> str:
    """Return the identifier that the sender of a message gives as its own."""
    match message:
        case DiscoverMessage() | RequestOperationMessage() | RejectOperationMessage():
            return message.core_identifier
        case AnnounceMessage() | OfferMessage() | ConfirmConnectionMessage() | OperationNoLongerAvailableMessage():
            return message.plugin_identifier
        case _:
            return message.from_identifier


class CloseReason(StrEnum):
    """Why a connection is no more."""

    LOCAL = "closed by this side"
    REMOTE = "closed by the remote"
    REMOTE_DEAD = "the remote is dead"
    REMOTE_RESTARTED = "the remote has started anew"
    REMOTE_FORGOT = "the remote does not know the connection"
    STOPPED = "this side stops"


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Publish a message."""

    remote_identifier: str | None
    """Whom it is for; `None` for a broadcast."""
    topic: str
    channel: Channel
    message: ProtocolMessage
    event_identifier: str
    encoding: Encoding
    correlation_identifier: str | None = None
    connection_identifier: str | None = None
    open_connections: tuple[str, ...] | None = None
    late_offers: bool | None = None
    replaces_earlier: bool = False
    """Whether it makes up for earlier ones of its kind to the same topic, which need not be sent if they still wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReceived:
    """Tell the user of a message that is taken into account."""

    remote_identifier: str
    message: ProtocolMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepare:
    """Subscribe to `slot.local_topics`, let the user prepare, and report with `prepared` or `preparation_failed`."""

    remote_identifier: str
    slot: Slot
    connection_identifier: str
    """Of the slot when preparation began; a report for another one is void."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """Have the data that has come on a connection handled, and report with `drained`."""

    remote_identifier: str
    slot: Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    """Subscribe to the topic on which a close is acknowledged."""

    remote_identifier: str
    topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribe:
    """Unsubscribe from topics."""

    remote_identifier: str
    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionOpened:
    """A pending request has become a connection."""

    remote_identifier: str
    slot: Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionClosed:
    """A connection is no more."""

    remote_identifier: str
    slot: Slot
    reason: CloseReason
    data: bytes | None = None
    """What the remote's close carried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingRequestDiscarded:
    """A pending request came to nothing."""

    remote_identifier: str
    slot: Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteLost:
    """A remote is dead, or has started anew; effects that follow close its connections."""

    remote_identifier: str
    reason: CloseReason


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplianceChanged:
    """A core has become compliant, or ceased to be."""

    compliant: bool
    remote_identifier: str | None = None


Effect: TypeAlias = (
    Send
    | MessageReceived
    | Prepare
    | Drain
    | Subscribe
    | Unsubscribe
    | ConnectionOpened
    | ConnectionClosed
    | PendingRequestDiscarded
    | RemoteLost
    | ComplianceChanged
)
