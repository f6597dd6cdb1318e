"""The base of the role's part of a machine: what the other parts tell it."""

from __future__ import annotations

from collections.abc import Container, Sequence

from orbitalis.protocol.peers import Peer
from orbitalis.protocol.slots import Slot
from orbitalis.protocol.transitions import SlotTrigger

__all__ = ["RolePart"]


class RolePart:
    """The base of `Provider` and `Requester`. A method that is not overridden does nothing."""

    __slots__ = ()

    def leave(self) -> None:
        """Take back what was asked for; the machine takes back what is under way."""

    def do_due(self, now: float) -> None:
        """Do what is due."""

    def give_up(self, slot: Slot) -> None:
        """Tell the remote that a handshake comes to nothing."""

    def opened(self, slot: Slot) -> None:
        """Note that a handshake has become a connection."""

    def closing(self, slot: Slot) -> None:
        """Note that a connection is about to end; until then it takes its slot."""

    def released(self, slot: Slot, trigger: SlotTrigger) -> None:
        """Note that a slot is free."""

    def heard(self, remote_identifier: str) -> None:
        """Note a sign of life of a remote."""

    def remote_restarted(self, peer: Peer, offered: Sequence[Slot], now: float) -> None:
        """Forget what a remote has asked for in past incarnations; `offered` was lost, and is offered to this one."""

    def remote_died(self, remote_identifier: str) -> None:
        """Forget what a remote has asked for."""

    def repeat_unanswered(self, peer: Peer, connection_identifiers: Container[str] | None = None) -> None:
        """Send again what a peer has not answered, or whose answer was lost; with identifiers, for these alone."""
