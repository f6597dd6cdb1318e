"""The bounds of an orbiter that its user can change; those that are not here stand in `orbitalis_wire.limits`."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from orbitalis_wire import limits

__all__ = ["Bounds"]


@dataclass(kw_only=True, eq=False)
class Bounds:
    """How much an orbiter takes from others. What happens beyond is counted in its `statistics`."""

    maximum_known_remotes: int = field(default=limits.KNOWN_REMOTES, repr=False)
    """How many remotes may be known at a time; those with which nothing is shared any more make room for others."""
    maximum_pending_requests: int = field(default=limits.PENDING_REQUESTS, repr=False)
    """How many handshakes may be under way at a time; the longest unanswered make room for others."""
    maximum_pending_bytes: int = field(default=limits.PENDING_BYTES, repr=False)
    """How much memory may be taken by what remotes have told in them."""
    maximum_connection_bytes: int = field(default=limits.CONNECTION_BYTES, repr=False)
    """How much memory may be taken by what remotes have told of connections, those aside that the user has named."""
    maximum_remote_events_per_second: float = field(default=limits.REMOTE_EVENTS_PER_SECOND, repr=False)
    """How many messages of the protocol are looked at of one remote with which something is shared."""
    maximum_stranger_events_per_second: float = field(default=limits.STRANGER_EVENTS_PER_SECOND, repr=False)
    """How many messages of the protocol are looked at of all others together."""
    maximum_unfamiliar_schema_bytes_per_second: float = field(
        default=limits.UNFAMILIAR_SCHEMA_BYTES_PER_SECOND, repr=False
    )
    """How much text of schemas is read that are spelled as none was lately."""
    maximum_waiting_work: int = field(default=limits.WAITING_WORK, repr=False)
    """How many messages and hooks may wait for earlier ones."""
    maximum_waiting_work_of_remote: int = field(default=limits.WAITING_WORK_OF_REMOTE, repr=False)
    """The same for one remote."""
    maximum_waiting_work_bytes: int = field(default=limits.WAITING_WORK_BYTES, repr=False)
    """How much memory may be taken by the messages that wait so; half of it by those of one remote."""

    def _check_bounds(self) -> None:
        """Raise :class:`ValueError` for a bound that would let nothing through."""
        for name in (one.name for one in fields(Bounds)):
            bound = getattr(self, name)
            if not bound > 0:
                raise ValueError(f"{name} must be positive, got {bound}")
