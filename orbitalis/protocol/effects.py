"""What a machine wants done: it decides, its caller acts.

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
"""What takes out of each message the field in which it names its sender."""


def sender_of(message: ProtocolMessage) -> str:
    """Return the identifier that the sender of a message gives as its own."""
    return SENDER[type(message)](message)


def operation_of(message: ProtocolMessage) -> str | None:
    """Return the name of the operation that a message is about, if it is about a single one."""
    name: str | None = getattr(message, "operation_name", None)
    return name


class CloseReason(StrEnum):
    """Why a connection is no more."""

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
    """The remote that it is for; `None` for a broadcast."""
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
    """Whether earlier ones of its kind to the same topic need not be sent if they still wait."""


@dataclass(slots=True, kw_only=True)
class MessageReceived:
    """Tell the user of a message that is taken into account."""

    remote_identifier: str
    message: ProtocolMessage


@dataclass(slots=True, kw_only=True)
class Prepare:
    """Subscribe to `slot.local_topics`, let the user prepare, and report with `prepared` or `preparation_failed`."""

    remote_identifier: str
    slot: Slot
    connection_identifier: str
    """Of the slot when preparation began; a report for another one is void."""


@dataclass(slots=True, kw_only=True)
class Drain:
    """Have the data that has come on a connection handled, and report with `drained`."""

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
    """A connection is no more."""

    remote_identifier: str
    slot: Slot
    reason: CloseReason
    data: bytes | None = None
    """What the remote's close carried."""


@dataclass(slots=True, kw_only=True)
class PendingRequestDiscarded:
    """A pending request came to nothing."""

    remote_identifier: str
    slot: Slot


@dataclass(slots=True, kw_only=True)
class ObstacleMet:
    """A plugin does not lend an operation to a core, for a reason that was not told yet."""

    remote_identifier: str
    obstacle: Obstacle


@dataclass(slots=True, kw_only=True)
class RemoteLost:
    """A remote is dead, or has started anew; effects that follow close its connections."""

    remote_identifier: str
    reason: CloseReason


@dataclass(slots=True, kw_only=True)
class WatchWill:
    """Have the will of a remote delivered, on the bus where it is, or no more. No other effect waits for this."""

    remote_identifier: str
    is_wanted: bool


@dataclass(slots=True, kw_only=True)
class SuspicionChanged:
    """A remote is suspected to be dead, or is so no more."""

    remote_identifier: str
    is_suspected: bool


@dataclass(slots=True, kw_only=True)
class ComplianceChanged:
    """A core has become compliant, or ceased to be."""

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
