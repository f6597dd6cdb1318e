"""Handlers: what takes the inputs and outputs of connections, declared by methods or given by users."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Coroutine
from types import CoroutineType, FunctionType, NoneType
from typing import Any, Final, Protocol, TypeAlias, TypeGuard
from weakref import WeakKeyDictionary

from orbitalis.annotations import own_annotations, signature_of
from orbitalis.bus.event_handler import CallbackEventHandler, EventCallback, EventHandler, check_function
from orbitalis.errors import NoConnectionError
from orbitalis.message.event import Event
from orbitalis.message.generated_message import DeclaredError
from orbitalis.message.payload import MESSAGE_OF_VALUE
from orbitalis.message.payload_types import PayloadTypes
from orbitalis.operations.annotations import Names, is_connection
from orbitalis.operations.connection import Connection

__all__ = [
    "ConnectionEventHandler",
    "ConnectionFunctionHandler",
    "FunctionHandler",
    "GivenHandler",
    "Handler",
    "HandlerCache",
    "MethodHandler",
    "OnResult",
    "as_event_handler",
]

ConnectionCallback: TypeAlias = Callable[[str, Event[Any], Connection], Awaitable[object] | None]
"""A function, plain or `async`, that takes the topic, the event, and the connection in a parameter so annotated."""

GivenHandler: TypeAlias = EventHandler | EventCallback | ConnectionCallback
"""What users may give to take the inputs or outputs of an operation."""

OnResult: TypeAlias = Callable[[Connection, Event[Any], object | None], Awaitable[object] | None]
"""Sends the result of a method: takes the connection, the input, and the message or `None`. It may be `async`."""

_NOTHING_OR_COROUTINE: Final = frozenset({NoneType, CoroutineType})
"""Types of what a function returns that can be handed on as it is."""

_connection_parameters: WeakKeyDictionary[FunctionType, str | None] = WeakKeyDictionary()
"""The parameter for the connection, by function; `None` where there is none."""


class Handler(Protocol):
    """Takes the inputs or outputs of connections."""

    def start(self, connection: Connection, topic: str, event: Event[Any]) -> Coroutine[Any, Any, object] | None:
        """Begin to handle an event that came on a connection.

        Returns what has to be awaited until the event is handled, or `None` if it is handled already.

        Raises:
            Exception: What a plain function raises. What an `async` one raises comes from the coroutine.
        """
        ...


class ConnectionEventHandler(EventHandler):
    """Takes events together with the connection that they came on."""

    __slots__ = ()

    @abstractmethod
    def start(self, connection: Connection, topic: str, event: Event[Any]) -> Coroutine[Any, Any, object] | None:
        """Begin to handle an event, as :meth:`Handler.start` says; an `async def` will do."""

    async def handle(self, topic: str, event: Event[Any]) -> None:
        """Refuse an event that comes without a connection.

        Raises:
            NoConnectionError: Always.
        """
        raise NoConnectionError(f"{self!r} takes events of connections; one on topic '{topic}' came without")


class ConnectionFunctionHandler(ConnectionEventHandler):
    """Hands events to a function that asks for the connection."""

    def __init__(self, function: Callable[..., object], parameter: str) -> None:
        """Hand events to `function`, and the connection in its parameter named `parameter`."""
        self._function = function
        self._parameter = parameter

    def start(self, connection: Connection, topic: str, event: Event[Any]) -> Coroutine[Any, Any, object] | None:
        """Call the function."""
        outcome: Any = self._function(topic, event, **{self._parameter: connection})
        handling: Coroutine[Any, Any, object] | None = outcome
        return handling if type(outcome) in _NOTHING_OR_COROUTINE else _coroutine_of(outcome)

    def __repr__(self) -> str:
        """Show the function."""
        return f"{type(self).__name__}({self._function!r})"


class FunctionHandler(CallbackEventHandler):
    """Hands events to a function that does not ask for the connection."""

    def start(self, connection: Connection, topic: str, event: Event[Any]) -> Coroutine[Any, Any, object] | None:
        """Call the function."""
        outcome: Any = self.on_event_callback(topic, event)
        handling: Coroutine[Any, Any, object] | None = outcome
        return handling if type(outcome) in _NOTHING_OR_COROUTINE else _coroutine_of(outcome)


class MethodHandler(ConnectionEventHandler):
    """Calls a method that takes and returns payloads."""

    __slots__ = ("_connection_parameter", "_method", "_on_result", "_payloads", "_results", "_unwraps")

    def __init__(
        self,
        method: Callable[..., Awaitable[object]],
        *,
        payloads: PayloadTypes | None,
        connection_parameter: str | None,
        results: PayloadTypes,
        on_result: OnResult | None,
    ) -> None:
        """Call `method`.

        Args:
            method: What is called.
            payloads: What it takes; `None` if it has no parameter for a payload.
            connection_parameter: Its parameter for the connection, if it has one.
            results: What it may return.
            on_result: What is done with the message for its result, also with `None`.
        """
        self._method = method
        self._payloads = payloads
        # Where the method takes messages alone, they are handed on as they are.
        self._unwraps = payloads is not None and any(one in MESSAGE_OF_VALUE for one in payloads.types)
        self._connection_parameter = connection_parameter
        self._results = results
        self._on_result = on_result

    async def start(self, connection: Connection, topic: str, event: Event[Any]) -> None:
        """Call the method, and `on_result` with the message for its result.

        Raises:
            TypeError: The method returned something else than it is declared to.
            DeclaredError: It came as the output of an operation, and the method does not take it.
            Exception: What the method raises.
        """
        # This is done for each input and output, so it calls as little as possible.
        parameter, payloads = self._connection_parameter, self._payloads
        if payloads is not None:
            payload = event.payload
            if type(payload) not in payloads.message_classes:
                payload = payloads.declared(payload)
                if isinstance(payload, DeclaredError) and type(payload) not in payloads.message_classes:
                    raise payload
            elif self._unwraps:
                payload = payloads.unwrap(payload)
            if parameter is None:
                result = await self._method(payload)
            else:
                result = await self._method(payload, **{parameter: connection})
        elif parameter is None:
            result = await self._method()
        else:
            result = await self._method(**{parameter: connection})
        if result is None and self._results.optional:
            message = None
        else:
            try:
                message = self._results.message(result)
            except TypeError as error:
                name = getattr(self._method, "__qualname__", repr(self._method))
                raise TypeError(f"{name} returned what it is not declared to: {error}") from None
        if self._on_result is not None:
            sending = self._on_result(connection, event, message)
            if sending is not None:
                await sending

    def __repr__(self) -> str:
        """Show the method."""
        return f"{type(self).__name__}({self._method!r})"


class HandlerCache:
    """Makes handlers of what users give for operations, once for each object that is given.

    Users may replace a handler or sink at any time: what is given is compared by identity.
    """

    __slots__ = ("_made",)

    def __init__(self) -> None:
        """Make an empty cache."""
        self._made: dict[str, tuple[GivenHandler, Handler]] = {}
        """By operation name: what was given, and its handler."""

    def find(self, operation_name: str, given: GivenHandler) -> Handler:
        """Return the handler for what is given for an operation now."""
        try:
            known, handler = self._made[operation_name]
            if known is given:
                return handler
        except KeyError:
            pass
        handler = _handler_of(given)
        self._made[operation_name] = given, handler
        return handler

    def forget(self, operation_name: str) -> None:
        """Let go of the handler for an operation; :meth:`find` makes it again."""
        self._made.pop(operation_name, None)


def as_event_handler(given: GivenHandler) -> EventHandler:
    """Return what is given, or a handler for it if it is a function.

    Raises:
        TypeError: It is neither, or a function that cannot be called with topic and event.
    """
    if isinstance(given, EventHandler):
        return given
    check_function(given)
    if hasattr(given, "bound_to"):  # something that a class declares, which is called with an instance first
        raise TypeError(f"a handler must be a function of topic and event, got {given!r}: give a method of an object")
    parameter = _connection_parameter(given)
    _check_parameters(given, parameter)
    if parameter is not None:
        return ConnectionFunctionHandler(given, parameter)
    assert _takes_two(given)
    return FunctionHandler(given)


def _check_parameters(given: Callable[..., object], connection_parameter: str | None) -> None:
    try:
        signature = signature_of(given)
    except ValueError:  # of something that is built in
        return
    named = {} if connection_parameter is None else {connection_parameter: None}
    try:
        signature.bind("topic", None, **named)
    except TypeError as error:
        raise TypeError(
            f"a handler is called with topic and event, which {given!r} cannot be ({error}): let it take (topic, "
            "event), and a parameter annotated Connection if it likes"
        ) from None


class _WithoutConnection:
    """Hands events to a handler that does not ask for the connection."""

    __slots__ = ("_handler",)

    def __init__(self, handler: EventHandler) -> None:
        self._handler = handler

    def start(self, connection: Connection, topic: str, event: Event[Any]) -> Coroutine[Any, Any, object] | None:
        return self._handler.handle(topic, event)


def _handler_of(given: GivenHandler) -> Handler:
    handler = as_event_handler(given)
    return handler if isinstance(handler, ConnectionEventHandler | FunctionHandler) else _WithoutConnection(handler)


def _coroutine_of(outcome: object) -> Coroutine[Any, Any, object] | None:
    """Return what waits for the outcome of a function, if that can be awaited at all."""
    return _wait_for(outcome) if inspect.isawaitable(outcome) else None


async def _wait_for(outcome: Awaitable[object]) -> None:
    await outcome


def _takes_two(given: EventCallback | ConnectionCallback) -> TypeGuard[EventCallback]:
    """Narrow a function that asks for no connection."""
    return callable(given)


def _connection_parameter(given: Callable[..., object]) -> str | None:
    function = getattr(given, "__func__", given)
    if not isinstance(function, FunctionType):
        function = vars(type(given)).get("__call__")
        if not isinstance(function, FunctionType):
            return None
    if function not in _connection_parameters:
        names = Names(function)
        annotated = own_annotations(function).items()
        asking = (name for name, annotation in annotated if name != "return" and is_connection(annotation, names))
        _connection_parameters[function] = next(asking, None)
    return _connection_parameters[function]
