"""What users give to take events: a handler, or a function in its place."""

from __future__ import annotations

from orbitalis.bus.event_handler import CallbackEventHandler, EventCallback, EventHandler

__all__ = ["as_handler"]


def as_handler(given: EventHandler | EventCallback) -> EventHandler:
    """Return a handler for what may be a function."""
    return given if isinstance(given, EventHandler) else CallbackEventHandler(given)
