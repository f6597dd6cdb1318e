"""What proves an incarnation in a simulation, worked out from what was sent, and not from what machines remember."""

from __future__ import annotations

from orbitalis.protocol.effects import Send
from orbitalis_wire import timings
from orbitalis_wire.messages import (
    DiscoverMessage,
    KeepaliveMessage,
    KeepaliveRequestMessage,
    OfferMessage,
    RejectOperationMessage,
    RequestOperationMessage,
)
from tests.support.machines import Node, Packet

__all__ = ["Proofs"]

_ANSWERS = {
    (OfferMessage, DiscoverMessage),
    (KeepaliveMessage, DiscoverMessage),
    (KeepaliveMessage, KeepaliveRequestMessage),
    (RequestOperationMessage, OfferMessage),
    (RejectOperationMessage, OfferMessage),
}


class Proofs:
    """Knows all that each node has sent, and when."""

    def __init__(self) -> None:
        self._sent: dict[Node, dict[str, tuple[type[object], str | None, float]]] = {}

    def note(self, node: Node) -> None:
        """Take note of what a node sends in this step."""
        sent = self._sent.setdefault(node, {})
        for send in node.had(Send):
            sent[send.event_identifier] = type(send.message), send.remote_identifier, node.net.now

    def is_proof(self, node: Node, sender: str, packet: Packet) -> bool:
        """Return whether a packet answers what the node has sent of late, to its sender or to everybody."""
        answered = self._sent.get(node, {}).get(packet.envelope.correlation_identifier or "")
        if answered is None:
            return False
        kind, recipient, at = answered
        return (
            (type(packet.message), kind) in _ANSWERS
            and recipient in (None, sender)
            and node.net.now <= at + timings.CHALLENGE_ANSWERED_WITHIN
            and sender in packet.topic.split("/")[2:3]
        )
