"""What a client of the bus counts."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BusStatistics"]


@dataclass(slots=True, kw_only=True)
class BusStatistics:
    """Counters of one client, from its making on."""

    published: int = 0
    """Events that were published without an error."""
    received: int = 0
    """Events that arrived for a subscription; one that two subscriptions match counts twice."""
    malformed: int = 0
    """Messages that were no event, or whose payload was not what the event says."""
    oversized: int = 0
    """Messages that were longer than `limits.EVENT_BYTES`."""
    other_versions: int = 0
    """Events of senders that speak another version of the protocol, which were not delivered."""
    dropped: int = 0
    """Events that were received, but found the queue of their subscription full."""
    handler_errors: int = 0
    """Events on which a handler raised."""
    reconnections: int = 0
    """Times the connection was lost and made again."""
