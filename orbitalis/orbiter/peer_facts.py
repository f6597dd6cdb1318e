"""What an orbiter knows of its remotes, by identifier, for its user."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar, overload

from orbitalis.protocol.peers import Peer, Peers

__all__ = ["moment", "of_peers"]

T = TypeVar("T")


def of_peers(peers: Peers, read: Callable[[Peer], T | None]) -> dict[str, T]:
    """Return what is known of each peer, of those of which it is."""
    known = ((peer.identifier, read(peer)) for peer in peers.all())
    return {identifier: value for identifier, value in known if value is not None}


@overload
def moment(at: float, now: float) -> datetime: ...
@overload
def moment(at: float | None, now: float) -> datetime | None: ...
def moment(at: float | None, now: float) -> datetime | None:
    """Return in UTC when a time was on the machine's clock, which says `now`."""
    return None if at is None else datetime.now(UTC) - timedelta(seconds=now - at)
