"""Effects: a machine decides and returns them, and its caller carries them out.

Effects that name the same remote are carried out one after the other, in the order in which they were returned. Effects
of different remotes may overtake each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import Final, TypeAlias, get_args

from orbitalis.protocol.obstacles import Obstacle
from orbitalis.protocol.slots import Slot
from orbitalis_wire import messages
from orbitalis_wire.channels import Channel
from orbitalis_wire.envelope import Encoding

__all__ = [
    "SENDER",
    "CloseReason",
    "ComplianceChanged",
    "ConnectionClosed",
    "ConnectionOpened",
    "Drain",
    "Effect",
    "MessageReceived",
    "ObstacleMet",
    "PendingRequestDiscarded",
    "Prepare",
    "ProtocolMessage",
    "RemoteLost",
    "Send",
    "Subscribe",
    "SuspicionChanged",
    "Unsubscribe",
    "WatchWill",
    "operation_of",
    "sender_of",
]

ProtocolMessage: TypeAlias = (
    messages.AnnounceMessage
    | messages.DiscoverMessage
    | messages.OfferMessage
    | messages.RequestOperationMessage
    | messages.RejectOperationMessage
    | messages.ConfirmConnectionMessage
    | messages.OperationNoLongerAvailableMessage
    | messages.KeepaliveMessage
    | messages.KeepaliveRequestMessage
    | messages.GracefulCloseConnectionMessage
    | messages.GracelessCloseConnectionMessage
    | messages.CloseConnectionAckMessage
    | messages.WillMessage
)
_SENDERS: Final = ("core_identifier", "plugin_identifier", "from_identifier")
SENDER: Final[Mapping[type[object], Callable[[ProtocolMessage], str]]] = {
    kind: attrgetter(next(name for name in _SENDERS if name in kind.__dataclass_fields__))
    for kind in get_args(ProtocolMessage)
}
"""Functions that return the sender that a message names, by class of the message."""


def sender_of(message: ProtocolMessage) -> str:
    """Return the identifier that a message names as its sender."""
    return SENDER[type(message)](message)


def operation_of(message: ProtocolMessage) -> str | None:
    """Return the name of the operation of a message, if it is about one operation."""
    name: str | None = getattr(message, "operation_name", None)
    return name


class CloseReason(StrEnum):
    """Why a connection has ended."""

    LOCAL = "closed by this side"
    REMOTE = "closed by the remote"
    REMOTE_DEAD = "the remote is dead"
    REMOTE_RESTARTED = "the remote has started anew"
    REMOTE_FORGOT = "the remote does not know the connection"
    STOPPED = "this side stops"


# Effects are not frozen: making one that is takes a call for each field, and they are made for every message.


@dataclass(slots=True, kw_only=True)
class Send:
    """Publish a message."""

    remote_identifier: str | None
    """The recipient, or `None` for a broadcast."""
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
    """Whether it replaces earlier messages of its kind to the same topic that still wait."""


@dataclass(slots=True, kw_only=True)
class MessageReceived:
    """Tell the user about a message that has an effect."""

    remote_identifier: str
    message: ProtocolMessage


@dataclass(slots=True, kw_only=True)
class Prepare:
    """Subscribe to `slot.local_topics`, let the user prepare, and report with `prepared` or `preparation_failed`."""

    remote_identifier: str
    slot: Slot
    connection_identifier: str
    """That of the slot when the preparation began. A report with another one is ignored."""


@dataclass(slots=True, kw_only=True)
class Drain:
    """Finish handling the data that has arrived on a connection, and report with `drained`."""

    remote_identifier: str
    slot: Slot


@dataclass(slots=True, kw_only=True)
class Subscribe:
    """Subscribe to the topic on which a close is acknowledged."""

    remote_identifier: str
    topic: str


@dataclass(slots=True, kw_only=True)
class Unsubscribe:
    """Unsubscribe from topics."""

    remote_identifier: str
    topics: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class ConnectionOpened:
    """A pending request has become a connection."""

    remote_identifier: str
    slot: Slot


@dataclass(slots=True, kw_only=True)
class ConnectionClosed:
    """A connection has ended."""

    remote_identifier: str
    slot: Slot
    reason: CloseReason
    data: bytes | None = None
    """The data of the remote's close."""


@dataclass(slots=True, kw_only=True)
class PendingRequestDiscarded:
    """A pending request came to nothing."""

    remote_identifier: str
    slot: Slot


@dataclass(slots=True, kw_only=True)
class ObstacleMet:
    """A plugin does not lend an operation to a core, for a reason that was not reported yet."""

    remote_identifier: str
    obstacle: Obstacle


@dataclass(slots=True, kw_only=True)
class RemoteLost:
    """A remote is dead or was restarted. The next effects close its connections."""

    remote_identifier: str
    reason: CloseReason


@dataclass(slots=True, kw_only=True)
class WatchWill:
    """Start or stop to listen for the will of a remote, on its bus. No other effect waits for this."""

    remote_identifier: str
    is_wanted: bool


@dataclass(slots=True, kw_only=True)
class SuspicionChanged:
    """A remote is suspected to be dead, or is not suspected any more."""

    remote_identifier: str
    is_suspected: bool


@dataclass(slots=True, kw_only=True)
class ComplianceChanged:
    """A core has become compliant, or is not compliant any more."""

    compliant: bool
    remote_identifier: None = None


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
    | ObstacleMet
    | RemoteLost
    | WatchWill
    | SuspicionChanged
    | ComplianceChanged
)
