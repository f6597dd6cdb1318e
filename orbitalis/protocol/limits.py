"""The limits of an orbiter that its user may choose: :class:`Limits`."""

from __future__ import annotations

from dataclasses import dataclass

from orbitalis.arguments import check_positive
from orbitalis_wire import limits

__all__ = ["Limits"]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits on what other orbiters can use up: `Plugin(limits=Limits(known_remotes=500))`.

    Memory is in bytes. The defaults come from the specification. You may change them while an orbiter runs:
    `plugin.limits = replace(plugin.limits, known_remotes=500)`. `docs/reference/limits.md` says what happens beyond
    each limit.

    Raises:
        TypeError: A limit is not a number.
        ValueError: A limit is not above 0.
    """

    known_remotes: int = limits.KNOWN_REMOTES
    """How many remotes are known at a time; those with which nothing is shared any more make room for others."""
    pending_requests: int = limits.PENDING_REQUESTS
    """How many handshakes are under way at a time; those that were unanswered for longest make room for others."""
    pending_bytes: int = limits.PENDING_BYTES
    """How many bytes of memory the data of these handshakes may take."""
    connection_bytes: int = limits.CONNECTION_BYTES
    """How many bytes of memory the data of connections may take; only remotes that the user has named get more."""
    remote_events_per_second: float = limits.REMOTE_EVENTS_PER_SECOND
    """How many messages of the protocol are read each second from one remote with which something is shared."""
    stranger_events_per_second: float = limits.STRANGER_EVENTS_PER_SECOND
    """How many messages of the protocol are read each second from all other remotes together."""
    unfamiliar_schema_bytes_per_second: float = limits.UNFAMILIAR_SCHEMA_BYTES_PER_SECOND
    """How many bytes of schemas are read each second, without those that were read lately."""
    waiting_work: int = limits.WAITING_WORK
    """How many messages and hooks may wait for earlier ones to finish."""
    waiting_work_of_remote: int = limits.WAITING_WORK_OF_REMOTE
    """The same for one remote."""
    waiting_work_bytes: int = limits.WAITING_WORK_BYTES
    """How many bytes of memory the waiting messages may take; those of one remote may take half of it."""

    def __post_init__(self) -> None:
        """Check that each is a positive number."""
        for name, limit in vars(self).items():
            check_positive(name, limit)
