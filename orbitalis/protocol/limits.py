"""What others may make an orbiter keep and do, as far as its user chooses: :class:`Limits`."""

from __future__ import annotations

from dataclasses import dataclass

from orbitalis.arguments import check_positive
from orbitalis_wire import limits

__all__ = ["Limits"]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What others can use up of an orbiter at most: `Plugin(limits=Limits(known_remotes=500))`.

    The defaults are the specification's. Others are assigned at any time: `plugin.limits = replace(plugin.limits, …)`.
    `docs/reference/limits.md` says what happens beyond each of them.
    """

    known_remotes: int = limits.KNOWN_REMOTES
    """How many remotes may be known at a time; those with which nothing is shared any more make room for others."""
    pending_requests: int = limits.PENDING_REQUESTS
    """How many handshakes may be under way at a time; the longest unanswered make room for others."""
    pending_bytes: int = limits.PENDING_BYTES
    """How much memory may be taken by what remotes have told in them."""
    connection_bytes: int = limits.CONNECTION_BYTES
    """How much memory may be taken by what remotes have told of connections, those aside that the user has named."""
    remote_events_per_second: float = limits.REMOTE_EVENTS_PER_SECOND
    """How many messages of the protocol are looked at of one remote with which something is shared."""
    stranger_events_per_second: float = limits.STRANGER_EVENTS_PER_SECOND
    """How many messages of the protocol are looked at of all others together."""
    unfamiliar_schema_bytes_per_second: float = limits.UNFAMILIAR_SCHEMA_BYTES_PER_SECOND
    """How much text of schemas is read that are spelled as none was lately."""
    waiting_work: int = limits.WAITING_WORK
    """How many messages and hooks may wait for earlier ones."""
    waiting_work_of_remote: int = limits.WAITING_WORK_OF_REMOTE
    """The same for one remote."""
    waiting_work_bytes: int = limits.WAITING_WORK_BYTES
    """How much memory may be taken by the messages that wait so; half of it by those of one remote."""

    def __post_init__(self) -> None:
        """Check that each is a positive number."""
        for name, limit in vars(self).items():
            check_positive(name, limit)
