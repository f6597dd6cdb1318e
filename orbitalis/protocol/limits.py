"""What others may make an orbiter keep and do, as far as its user chooses: :class:`Limits`."""

from __future__ import annotations

from dataclasses import dataclass

from orbitalis.arguments import check_positive
from orbitalis_wire import limits

__all__ = ["Limits"]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What others can use up of an orbiter at most: `Plugin(limits=Limits(known_remotes=500))`.

    Memory is in bytes. The defaults are the specification's. An orbiter that runs takes others, too:
    `plugin.limits = replace(plugin.limits, known_remotes=500)`. `docs/reference/limits.md` says
    what happens beyond each.

    Raises:
        TypeError: One of them is no number.
        ValueError: One of them is not above 0.
    """

    known_remotes: int = limits.KNOWN_REMOTES
    """How many remotes may be known at a time; those with which nothing is shared any more make room for others."""
    pending_requests: int = limits.PENDING_REQUESTS
    """How many handshakes may be under way at a time; the longest unanswered make room for others."""
    pending_bytes: int = limits.PENDING_BYTES
    """How much memory may be taken by what remotes have told in these handshakes."""
    connection_bytes: int = limits.CONNECTION_BYTES
    """How much memory may be taken by what remotes have told of connections, except those that the user has named."""
    remote_events_per_second: float = limits.REMOTE_EVENTS_PER_SECOND
    """How many messages of the protocol are looked at in a second of one remote with which something is shared."""
    stranger_events_per_second: float = limits.STRANGER_EVENTS_PER_SECOND
    """How many messages of the protocol are looked at in a second of all others together."""
    unfamiliar_schema_bytes_per_second: float = limits.UNFAMILIAR_SCHEMA_BYTES_PER_SECOND
    """How many bytes of schemas are read in a second whose text is not one that was read lately."""
    waiting_work: int = limits.WAITING_WORK
    """How many messages and hooks may wait for earlier ones."""
    waiting_work_of_remote: int = limits.WAITING_WORK_OF_REMOTE
    """How many of these may be of one remote."""
    waiting_work_bytes: int = limits.WAITING_WORK_BYTES
    """How much memory may be taken by the messages that wait so; half of it by those of one remote."""

    def __post_init__(self) -> None:
        """Check that each is a positive number."""
        for name, limit in vars(self).items():
            check_positive(name, limit)
