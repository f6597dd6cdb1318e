"""What a runtime calls of a core or a plugin."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from orbitalis.message.event import Event
from orbitalis.operations.connection import Connection
from orbitalis.protocol.effects import CloseReason
from orbitalis.protocol.slots import Slot
from orbitalis_avro.errors import DecodeError

__all__ = ["RoleCalls"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleCalls:
    """What a runtime calls of a core or a plugin, at the points that are not hooks of the user.

    Each is a method of the role's class, and gets the orbiter first: so all orbiters of a class have these in common.
    """

    prepare: Callable[[Any, Slot], Awaitable[bytes | None] | bytes | None]
    """Has the user prepare for a connection; gives what the remote is to get, or what has to be awaited for that."""
    handle: Callable[[Any, Connection, str, Event[Any]], Coroutine[Any, Any, object] | None]
    """Takes the data of a connection, and returns the user's handling of it."""
    take_at_once: Callable[[Any, str, Event[Any], Sequence[Slot]], bool]
    """Takes data that must not wait for the handler; says whether it was that."""
    dropped: Callable[[Any, Slot, Event[Any], bool], None]
    """Takes the report that data is not handled, and whether that is since too much waits."""
    unreadable: Callable[[Any, Connection, Event[Any], DecodeError], Coroutine[Any, Any, object] | None]
    """Answers data that cannot be read, if somebody waits for that."""
    concurrency: Callable[[Any, Slot], int]
    """Says how much data of a connection is handled side by side."""
    disconnected: Callable[[Any, Slot, CloseReason], None]
    """Notes at once that a connection is no more, before any hook is called."""
    compliance_changed: Callable[[Any, bool], None]
    """Changes the state of a core at once, before any hook is called."""
    leaves_will: Callable[[Any], bool] = lambda orbiter: orbiter.suspicion_grace is not None
    """Says whether the orbiter is to leave a will with the bus."""
