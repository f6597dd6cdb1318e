"""Orbiters: what cores and plugins share. It only carries: bus events in, effects out, hooks called."""

from __future__ import annotations

from orbitalis.operations.connection import Connection, PendingRequest
from orbitalis.orbiter.connection_added_event import ConnectionAddedEvent
from orbitalis.orbiter.orbiter import Orbiter
from orbitalis.orbiter.serving import run, serve

__all__ = ["Connection", "ConnectionAddedEvent", "Orbiter", "PendingRequest", "run", "serve"]
