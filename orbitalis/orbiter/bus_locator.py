"""On which of several buses each remote is, for an orbiter that is on more than one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from orbitalis.message.event import Event
from orbitalis.protocol.effects import ProtocolMessage, sender_of
from orbitalis.protocol.machine import Machine
from orbitalis_wire.messages import AnnounceMessage, DiscoverMessage

__all__ = ["BusLocator"]

_FIRST_SWEEP = 1000
"""How many remotes are noted before those that nobody knows any more are forgotten."""


@dataclass(slots=True, eq=False)
class BusLocator:
    """The bus of each remote: that on which it was heard last, as long as nothing is shared with it.

    From its first offer or request on, what comes from another bus under its identifier is of another remote. The
    identifiers of remotes that are on one bus only are not noted at all.
    """

    _machine: Machine
    buses: dict[str, str] = field(init=False, default_factory=dict[str, str])
    """By remote: the name of its bus."""
    _sweep_at: int = field(init=False, default=_FIRST_SWEEP)

    def clear(self) -> None:
        """Know nobody."""
        self.buses.clear()

    def bus_of(self, remote_identifier: str | None) -> str | None:
        """Return the name of the bus on which a remote is; `None` means all that there are."""
        return None if remote_identifier is None else self.buses.get(remote_identifier)

    def admits(self, message: ProtocolMessage, event: Event[Any]) -> bool:
        """Note where a message comes from; return whether it is of the remote that goes by its sender's name here."""
        identifier = sender_of(message)
        origin, known = event.origin, self.buses.get(identifier)
        if origin is None or origin == known:
            return True
        if known is not None and self._machine.slots.has_remote(identifier):
            # A remote on several buses discovers or announces on all of them. This message arrived here first.
            return isinstance(message, AnnounceMessage | DiscoverMessage) and self._is_same_incarnation(
                identifier, event
            )
        self.buses[identifier] = origin
        if len(self.buses) >= self._sweep_at:
            self._sweep(identifier)
        return True

    def _is_same_incarnation(self, identifier: str, event: Event[Any]) -> bool:
        remote = self._machine.peers.get(identifier)
        return remote is not None and event.incarnation is not None and (remote.incarnation == event.incarnation)

    def _sweep(self, newest: str) -> None:
        """Keep those alone that the machine remembers, of whom there are only so many, and the one just heard."""
        peers, slots = self._machine.peers, self._machine.slots
        self.buses = {
            identifier: bus
            for identifier, bus in self.buses.items()
            if identifier == newest or peers.get(identifier) is not None or slots.has_remote(identifier)
        }
        self._sweep_at = max(_FIRST_SWEEP, 2 * len(self.buses))
