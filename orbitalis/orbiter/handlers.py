"""What takes events: handlers and functions that users give, and methods that are declared, with their connection."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from types import FunctionType
from typing import Any, TypeAlias, TypeGuard
from weakref import WeakKeyDictionary

from orbitalis.bus.event_handler import CallbackEventHandler, EventCallback, EventHandler
from orbitalis.errors import NoConnectionError
from orbitalis.message.event import Event
from orbitalis.message.payload_types import PayloadTypes
from orbitalis.orbiter.annotations import Names, is_connection
from orbitalis.orbiter.connection import Connection

__all__ = [
    "ConnectionCallbackHandler",
    "ConnectionEventHandler",
    "GivenHandler",
    "MethodHandler",
    "OnResult",
    "as_handler",
    "deliver",
]

ConnectionCallback: TypeAlias = Callable[[str, Event[Any], Connection], Awaitable[object] | None]
"""A function, plain or `async`, that takes the topic, the event, and the connection in a parameter so annotated."""

GivenHandler: TypeAlias = EventHandler | EventCallback | ConnectionCallback
"""What may be given to take the data of connections."""

OnResult: TypeAlias = Callable[[Connection, Event[Any], object | None], Awaitable[None]]
"""What is done with the result of a method: takes the connection, the event, and the message or `None`."""

_asking: WeakKeyDictionary[FunctionType, str | None] = WeakKeyDictionary()
"""The parameter for the connection, by function; `None` where there is none."""


class ConnectionEventHandler(EventHandler):
    """Takes the events of connections, each together with its connection."""

    @abstractmethod
    async def handle_on(self, connection: Connection, topic: str, event: Event[Any]) -> None:
        """Do something about an event that came on `connection`."""

    async def handle(self, topic: str, event: Event[Any]) -> None:
        """Refuse an event that comes from elsewhere.

        Raises:
            NoConnectionError: Always.
        """
        raise NoConnectionError(f"{self!r} takes events of connections; one on topic '{topic}' came without")


class ConnectionCallbackHandler(ConnectionEventHandler):
    """Hands events to a function that asks for the connection."""

    def __init__(self, callback: Callable[..., object], parameter: str) -> None:
        """Hand events to `callback`, and the connection in its `parameter`."""
        self._callback = callback
        self._parameter = parameter

    async def handle_on(self, connection: Connection, topic: str, event: Event[Any]) -> None:
        """Call the function."""
        outcome = self._callback(topic, event, **{self._parameter: connection})
        if inspect.isawaitable(outcome):
            await outcome

    def __repr__(self) -> str:
        """Show the function."""
        return f"{type(self).__name__}({self._callback!r})"


class MethodHandler(ConnectionEventHandler):
    """Hands payloads to a method that takes and returns payloads, and what it returns to `on_result`."""

    def __init__(
        self,
        method: Callable[..., Awaitable[object]],
        *,
        payloads: PayloadTypes | None,
        parameter_for_connection: str | None,
        results: PayloadTypes,
        on_result: OnResult | None,
    ) -> None:
        """Hand payloads to `method`, unless `payloads` is `None`: then it has no parameter for them."""
        self._method = method
        self._payloads = payloads
        self._parameter_for_connection = parameter_for_connection
        self._results = results
        self._on_result = on_result

    async def handle_on(self, connection: Connection, topic: str, event: Event[Any]) -> None:
        """Call the method.

        Raises:
            TypeError: It returned something else than it is declared to.
        """
        arguments = () if self._payloads is None else (self._payloads.unwrap(event.payload),)
        if self._parameter_for_connection is None:
            result = await self._method(*arguments)
        else:
            result = await self._method(*arguments, **{self._parameter_for_connection: connection})
        try:
            message = self._results.message(result)
        except TypeError as error:
            raise TypeError(f"{self._method!r} returned what it is not declared to: {error}") from None
        if self._on_result is not None:
            await self._on_result(connection, event, message)

    def __repr__(self) -> str:
        """Show the method."""
        return f"{type(self).__name__}({self._method!r})"


def as_handler(given: GivenHandler) -> EventHandler:
    """Return a handler for what may be a function."""
    if isinstance(given, EventHandler):
        return given
    parameter = _parameter_for_connection(given)
    if parameter is not None:
        return ConnectionCallbackHandler(given, parameter)
    assert _takes_two(given)
    return CallbackEventHandler(given)


async def deliver(given: GivenHandler, connection: Connection, topic: str, event: Event[Any]) -> None:
    """Hand an event to what was given, with the connection that it came on if that is asked for."""
    handler = as_handler(given)
    if isinstance(handler, ConnectionEventHandler):
        await handler.handle_on(connection, topic, event)
    else:
        await handler.handle(topic, event)


def _takes_two(given: EventCallback | ConnectionCallback) -> TypeGuard[EventCallback]:
    """Narrow a function that asks for no connection; how many parameters it has shows when it is called."""
    return callable(given)


def _parameter_for_connection(given: Callable[..., object]) -> str | None:
    function = getattr(given, "__func__", given)
    if not isinstance(function, FunctionType):
        function = vars(type(given)).get("__call__")
        if not isinstance(function, FunctionType):
            return None
    if function not in _asking:
        names = Names(function)
        annotated = inspect.get_annotations(function).items()
        asking = (name for name, annotation in annotated if name != "return" and is_connection(annotation, names))
        _asking[function] = next(asking, None)
    return _asking[function]
