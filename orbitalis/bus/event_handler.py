"""What takes events: an object with a method, or a function in one."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from orbitalis.message.event import Event

__all__ = ["CallbackEventHandler", "EventCallback", "EventHandler"]

# Which payload comes is settled by the topic, out of a type checker's sight: whoever subscribes says what to expect.
EventCallback: TypeAlias = Callable[[str, Event[Any]], Awaitable[object] | None]
"""A function, plain or `async`, that takes the topic and the event."""


class EventHandler(ABC):
    """Takes the events of a subscription, one after the other."""

    @abstractmethod
    async def handle(self, topic: str, event: Event[Any]) -> None:
        """Do something about an event that was published to `topic`."""

    def takes(self, topic: str, message_class: type[object]) -> bool:
        """Return whether messages of a class are of any use here; most handlers take all.

        Asked before a payload is decoded, which may take long. One of a class that is not taken may come as
        :class:`~orbitalis.message.payload.UndecodedPayload`, or decoded nevertheless.
        """
        return True

    def take_at_once(self, topic: str, event: Event[Any]) -> bool:
        """Take an event that must not wait for the handling of those before it; return whether it was taken.

        Called for every event when it arrives. Most handlers have none to take.
        """
        return False


class CallbackEventHandler(EventHandler):
    """Hands events to a function."""

    def __init__(self, on_event_callback: EventCallback) -> None:
        """Hand events to `on_event_callback`; what an `async` function returns is awaited."""
        self.on_event_callback = on_event_callback

    async def handle(self, topic: str, event: Event[Any]) -> None:
        """Call the function."""
        outcome = self.on_event_callback(topic, event)
        if inspect.isawaitable(outcome):
            await outcome

    def __repr__(self) -> str:
        """Show the function."""
        return f"{type(self).__name__}({self.on_event_callback!r})"
