"""On which of several buses each remote is, for an orbiter that is on more than one."""

from __future__ import annotations

from typing import Any

from orbitalis.message.event import Event
from orbitalis.protocol.effects import ProtocolMessage, sender_of
from orbitalis.protocol.orbiter import OrbiterProtocol
from orbitalis_wire.messages import AnnounceMessage, DiscoverMessage

__all__ = ["Whereabouts"]

_FIRST_SWEEP = 1000
"""How many remotes are noted before those that nobody knows any more are forgotten."""


class Whereabouts:
    """The bus of each remote: that on which it was heard last, as long as nothing is shared with it.

    From its first offer or request on, what comes from another bus under its identifier is of another remote. The
    identifiers of remotes that are on one bus only are not noted at all.
    """

    def __init__(self, protocol: OrbiterProtocol) -> None:
        self._protocol = protocol
        self._buses: dict[str, str] = {}
        self._sweep_at = _FIRST_SWEEP

    def clear(self) -> None:
        """Know of nobody."""
        self._buses.clear()

    def bus_of(self, remote_identifier: str | None) -> str | None:
        """Return the name of the bus on which a remote is; `None` means all that there are."""
        return None if remote_identifier is None else self._buses.get(remote_identifier)

    def admits(self, message: ProtocolMessage, event: Event[Any]) -> bool:
        """Note where a message comes from; return whether it is of the remote that goes by its sender's name here."""
        identifier = sender_of(message)
        origin, known = event.origin, self._buses.get(identifier)
        if origin is None or origin == known:
            return True
        if known is not None and self._protocol.slots.has_remote(identifier):
            # Who is on several buses itself asks or announces on all, and on this one it came first this time.
            return isinstance(message, AnnounceMessage | DiscoverMessage) and self._is_same_life(identifier, event)
        self._buses[identifier] = origin
        if len(self._buses) >= self._sweep_at:
            self._sweep(identifier)
        return True

    def _is_same_life(self, identifier: str, event: Event[Any]) -> bool:
        remote = self._protocol.acquaintances.get(identifier)
        return (
            remote is not None
            and event.envelope.incarnation is not None
            and (remote.incarnation == event.envelope.incarnation)
        )

    def _sweep(self, newest: str) -> None:
        """Keep those alone that the machine remembers, of whom there are only so many, and the one just heard."""
        acquaintances, slots = self._protocol.acquaintances, self._protocol.slots
        self._buses = {
            identifier: bus
            for identifier, bus in self._buses.items()
            if identifier == newest or acquaintances.get(identifier) is not None or slots.has_remote(identifier)
        }
        self._sweep_at = max(_FIRST_SWEEP, 2 * len(self._buses))
