"""Every limit on what others can use up: messages, handshakes, memory, schemas to read.

Remotes that the user has named, and remotes with a connection, are served first. Strangers share the rest.
`docs/reference/limits.md` explains the limits, and what happens beyond them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from orbitalis.errors import RemoteProtocolError
from orbitalis.message.schema import canonical_form, is_familiar
from orbitalis.protocol.config import OrbiterConfig
from orbitalis.protocol.orbiter_statistics import OrbiterStatistics
from orbitalis.protocol.slots import Slot, SlotTable
from orbitalis_wire import limits, timings

if TYPE_CHECKING:
    from orbitalis.protocol.peers import Peer

__all__ = ["Quotas", "RateLimiter"]

_COMPARING = 8
"""How many times as long as to read a schema it takes to compare it with another one, and to make what reads it."""
_LOOKS = 64
"""Handshakes that are looked at to find one to give up."""
_NOTHING: Final = -math.inf


class RateLimiter:
    """Admits amounts at a rate. `timings.BURST` seconds of that rate may come at once.

    Times are seconds on the clock of the machine's caller.
    """

    __slots__ = ("_paid_until",)

    def __init__(self) -> None:
        self._paid_until = _NOTHING

    def admits(self, now: float, per_second: float, amount: float = 1) -> bool:
        """Return whether an amount may pass. If so, it is subtracted."""
        begin = self._paid_until
        if begin < now:
            begin = now
        elif begin - now >= timings.BURST:
            return False
        self._paid_until = begin + amount / per_second
        return True


@dataclass(slots=True, eq=False)
class Quotas:
    """Decides what is accepted from others, and counts the rest. Times are seconds on the clock of the caller."""

    _config: OrbiterConfig
    _slots: SlotTable
    _statistics: OrbiterStatistics
    _strangers: RateLimiter = field(init=False, default_factory=RateLimiter)
    _named: RateLimiter = field(init=False, default_factory=RateLimiter)
    _schemas: RateLimiter = field(init=False, default_factory=RateLimiter)
    is_closed: bool = field(init=False, default=False)
    """Whether no handshake is begun any more."""
    overruns: int = field(init=False, default=0)
    """How often anything was more than is taken; the statistics have it by kind."""

    def configure(self, config: OrbiterConfig) -> None:
        """Take a new snapshot."""
        self._config = config

    # Messages

    def admit(self, sender: str, peer: Peer | None, *, is_proven: bool, now: float) -> bool:
        """Return whether a message may be handled, given how many there were.

        Strangers share a limit, because they can have any number of names. Remotes that the user has named also have
        their own limit, which others cannot use up. `is_proven` says whether only the sender may publish to the topic.
        Messages that anybody may publish in the name of a peer have a separate limit.
        """
        config = self._config
        if peer is not None and self._slots.has_remote(sender):
            if is_proven:
                limiter = peer.rate
            else:
                limiter = peer.rate_in_its_name = peer.rate_in_its_name or RateLimiter()
            if limiter.admits(now, config.limits.remote_events_per_second):
                return True
            self._statistics.too_fast += 1
            self.overruns += 1
            return False
        if self._strangers.admits(now, config.limits.stranger_events_per_second) or (
            sender in config.named and self._named.admits(now, config.limits.remote_events_per_second)
        ):
            return True
        self._statistics.too_fast_strangers += 1
        self.overruns += 1
        return False

    def check_operations(self, remote_identifier: str, count: int) -> None:
        """Raise :class:`RemoteProtocolError` for a message that is about more operations than one may be."""
        if count > limits.OPERATIONS_OF_MESSAGE:
            raise RemoteProtocolError(
                f"remote '{remote_identifier}' sent a message about {count} operations, "
                f"{limits.OPERATIONS_OF_MESSAGE} are allowed"
            )

    def admit_schemas(self, schemas: Sequence[str], now: float, *, are_compared: bool = True) -> bool:
        """Return whether the schemas that a remote has named for one operation may be compared, or kept.

        Reading a schema takes long. It is done here, within bounds, and only once while the schema is familiar.
        """
        unfamiliar = [text for text in schemas if not is_familiar(text)] if are_compared else []
        per_second = self._config.limits.unfamiliar_schema_bytes_per_second
        if sum(map(len, schemas)) > limits.SCHEMA_BYTES or (
            unfamiliar and not self._schemas.admits(now, per_second, sum(map(len, unfamiliar)))
        ):
            self._statistics.unread_schemas += 1
            self.overruns += 1
            return False
        for text in unfamiliar:
            canonical_form(text)
        return True

    def admit_comparison(self, size: int, now: float) -> bool:
        """Return whether schemas of so many characters, which were read, may be compared field by field."""
        per_second = self._config.limits.unfamiliar_schema_bytes_per_second
        if self._schemas.admits(now, per_second, _COMPARING * size):
            return True
        self._statistics.unread_schemas += 1
        self.overruns += 1
        return False

    def admits_work(self, of_remote: int, bytes_of_remote: int, in_all: int, bytes_in_all: int) -> bool:
        """Return whether one more message of a remote may wait for hooks and the bus, given how much does."""
        config = self._config
        return (
            of_remote < config.limits.waiting_work_of_remote
            and bytes_of_remote < config.limits.waiting_work_bytes / 2
            and in_all < config.limits.waiting_work
            and bytes_in_all < config.limits.waiting_work_bytes
        )

    # Handshakes and connections

    def has_room_for_pending(self) -> bool:
        """Return whether one more handshake may be begun."""
        config, slots = self._config, self._slots
        return (
            not self.is_closed
            and slots.pending_count < config.limits.pending_requests
            and slots.pending_bytes < config.limits.pending_bytes
            and slots.remote_count() < config.limits.known_remotes
        )

    def has_room_for_connection(self, remote_identifier: str) -> bool:
        """Return whether one more connection with a remote may be opened."""
        config = self._config
        return self._slots.connection_bytes < config.limits.connection_bytes or remote_identifier in config.named

    def make_room_for_pending(self, remote_identifier: str, now: float, give_up: Callable[[Slot], None]) -> bool:
        """Return whether there is room for a handshake with a remote; one that goes unanswered may be given up for it.

        That is the oldest. If it is younger than `contested_after`, its answer may be on its way, and it stays unless
        the user has named this remote. Remotes that have a connection, or are named themselves, are spared.
        """
        if self.has_room_for_connection(remote_identifier):
            if self.has_room_for_pending():
                return True
            if self.is_closed:
                return False
            for _ in range(_LOOKS):
                slot = self._slots.oldest_unanswered()
                if slot is None:
                    break
                if self._is_spared(slot.remote_identifier):
                    self._slots.spare(slot)
                    continue
                is_contested = slot.waiting_since + timings.CONTESTED_AFTER > now
                if is_contested and remote_identifier not in self._config.named:
                    break
                give_up(slot)
                self._statistics.crowded_out += 1
                self.overruns += 1
                if self.has_room_for_pending():
                    return True
        self._statistics.turned_away += 1
        self.overruns += 1
        return False

    def _is_spared(self, remote_identifier: str) -> bool:
        return remote_identifier in self._config.named or any(
            slot.is_connection for slot in self._slots.with_remote(remote_identifier).values()
        )
