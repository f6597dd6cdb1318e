"""Handlers of events: objects with a method, and functions."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, TypeAlias

from orbitalis.message.event import Event
from orbitalis.message.payload import UndecodedPayload

__all__ = ["CallbackEventHandler", "EventCallback", "EventHandler"]

# The topic settles which payload comes, out of a type checker's sight: the subscriber says what to expect.
EventCallback: TypeAlias = Callable[[str, Event[Any]], Awaitable[object] | None]
"""A function, plain or `async`, that takes the topic and the event."""


class EventHandler(ABC):
    """Handles the events of a subscription, one by one or several at the same time, as the subscriber wants."""

    __slots__ = ()
    is_urgent = False
    """Whether :meth:`take_at_once` is asked about every event, and :meth:`dropped` told of those that are dropped."""
    tells_refusals = False
    """Whether an event whose payload cannot be decoded comes nevertheless, where it asks for an answer or is one.

    It has an :class:`~orbitalis.message.payload.UndecodedPayload` then, which says why.
    """

    @abstractmethod
    async def handle(self, topic: str, event: Event[Any]) -> None:
        """Handle an event that was published to `topic`."""

    def begin(self, topic: str, event: Event[Any]) -> Coroutine[Any, Any, object] | None:
        """Begin to handle an event. Return a coroutine to run as a task, or `None` if all is done, in no time.

        Only the task runs in the context (:mod:`contextvars`) of the subscriber.
        """
        return self.handle(topic, event)

    def takes(self, topic: str, message_class: type[object]) -> bool:
        """Return whether this handler wants messages of a class. Most handlers want all.

        Asked before a payload is decoded, which may take long. One of a class that is not taken may come as
        :class:`~orbitalis.message.payload.UndecodedPayload`, or decoded nevertheless.
        """
        return True

    def reader(self, topic: str, payload: UndecodedPayload) -> Callable[[], object] | None:
        """Return what reads a payload of which no message class here has the schema, or that is not taken.

        Asked of large messages, which are read in a thread; most handlers know nothing of the kind. What is returned
        may raise :class:`~orbitalis_avro.errors.DecodeError`.
        """
        return None

    def log_fields(self, topic: str) -> Mapping[str, str]:
        """Return the fields of log lines about events on a topic, such as `operation`."""
        return {}

    def take_at_once(self, topic: str, event: Event[Any]) -> bool:
        """Handle an event that must not wait for earlier ones, and return `True`; or return `False`.

        Called for every event when it arrives, if `is_urgent` says so.
        """
        return False

    def dropped(self, topic: str, event: Event[Any]) -> None:
        """Note that an event was dropped because too many events wait. It is called only if `is_urgent`.

        One that was dropped before it was decoded has an :class:`~orbitalis.message.payload.UndecodedPayload`, and was
        not seen by :meth:`take_at_once`.
        """
        return None


def check_function(given: object) -> None:
    """Raise :class:`TypeError` unless a function can be called with topic and event."""
    if isinstance(given, type) or not callable(given):
        advice = f": write {given.__name__}(…)" if isinstance(given, type) else ""
        raise TypeError(f"a handler must be a function of topic and event, or an EventHandler, got {given!r}{advice}")


class CallbackEventHandler(EventHandler):
    """Hands events to a function."""

    def __init__(self, on_event_callback: EventCallback) -> None:
        """Hand events to `on_event_callback`, a plain or `async` function.

        Raises:
            TypeError: It is not a function.
        """
        check_function(on_event_callback)
        self.on_event_callback = on_event_callback

    async def handle(self, topic: str, event: Event[Any]) -> None:
        """Call the function."""
        outcome = self.on_event_callback(topic, event)
        if inspect.isawaitable(outcome):
            await outcome

    def __repr__(self) -> str:
        """Show the function."""
        return f"{type(self).__name__}({self.on_event_callback!r})"
