"""Sinks: what takes the outputs of operations, and the decorator that makes a method one."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Coroutine
from typing import Any, Generic, Self, TypeAlias, TypeGuard, TypeVar, cast, overload

from orbitalis.bus.event_handler import CallbackEventHandler, EventHandler
from orbitalis.message.event import Event
from orbitalis.message.payload import Publishable
from orbitalis.message.payload_types import PayloadTypes
from orbitalis.orbiter.connection import Connection
from orbitalis.orbiter.declarations import DeclaredMethod, declarations_of, read_declarations
from orbitalis.orbiter.handlers import ConnectionCallbackHandler, GivenHandler, MethodHandler, as_handler
from orbitalis.orbiter.typed_operation import TypedOperation, is_typed_operation
from orbitalis_wire.topics import OperationOutputTopic

__all__ = ["DeclaredSink", "SinksProviderMixin", "sink"]

S = TypeVar("S")
P = TypeVar("P", bound=Publishable)
P_co = TypeVar("P_co", bound=Publishable, covariant=True)

Waiting: TypeAlias = Coroutine[Any, Any, None]
EventSink: TypeAlias = Callable[[Any, str, Any], Waiting] | Callable[[Any, str, Any, Connection], Waiting]
H = TypeVar("H", bound=EventSink)

_NOTHING = PayloadTypes((), optional=True)


class DeclaredSink(DeclaredMethod):
    """What stands in a class in place of a method that is a sink."""

    def __init__(
        self,
        function: Callable[..., Any],
        name: str | None = None,
        operation: TypedOperation[Any, Any, Any] | None = None,
    ) -> None:
        """Declare a function the sink of the operation `name`, of `operation`, or of one called like the method."""
        super().__init__(function)
        self._name = name
        self._operation = operation
        self._is_for_events = False
        self._takes_payload = True
        self._payloads = _NOTHING
        self._parameter_for_connection: str | None = None

    def __get__(self, instance: object, owner: type[Any] | None = None) -> Any:
        """Return itself of the class, and the method of an instance."""
        return self if instance is None else self.bound_to(instance)

    @property
    def operation_name(self) -> str:
        """Name of the operation."""
        return self._operation.name if self._operation is not None else self._name or self.attribute

    def handler(self, core: object) -> EventHandler:
        """Return what takes the outputs on behalf of a core.

        Raises:
            TypeError: The annotations cannot be read.
        """
        self.need()
        method = self.bound_to(core)
        if not self._is_for_events:
            return MethodHandler(
                method,
                payloads=self._payloads if self._takes_payload else None,
                parameter_for_connection=self._parameter_for_connection,
                results=_NOTHING,
                on_result=None,
            )
        if self._parameter_for_connection is not None:
            return ConnectionCallbackHandler(method, self._parameter_for_connection)
        return CallbackEventHandler(method)

    def _read(self) -> bool:
        # Raises if the name cannot be in a topic.
        OperationOutputTopic.filter(operation_name=self.operation_name)
        self._check_async()
        parameters = self._parameters()
        self._parameter_for_connection = parameters.connection
        self._is_for_events = len(parameters.others) == 2
        if self._is_for_events:
            return True
        if len(parameters.others) > 2:
            raise TypeError(
                f"takes ({', '.join(parameters.others)}): a sink takes the payload, or topic and event, and a "
                "Connection if it likes"
            )
        self._takes_payload = bool(parameters.others)
        overridden = self._overrides
        if _is_sink(overridden) and not overridden._is_for_events:
            if not overridden.is_read and not overridden._read():
                return False
            if self._takes_payload != overridden._takes_payload:
                raise TypeError(f"takes {'a' if self._takes_payload else 'no'} payload, unlike what it overrides")
            self._payloads = overridden._payloads
            return True
        given = self._payload_types(parameters, "return")
        if given is None or not given.is_empty:
            raise TypeError(f"returns {given}: nobody takes what a sink returns, so annotate it '-> None'")
        taken: PayloadTypes | None = _NOTHING
        for name in parameters.others:
            taken = self._payload_types(parameters, name)
        if taken is None:
            return False
        if self._operation is not None:
            self._operation.need()
            output = self._operation.output
            if not output.has_output:
                raise TypeError(f"is the sink of operation '{self.operation_name}', which has no output")
            if not taken.to_input().accepts(output):
                raise TypeError(f"takes {taken}, which is not what operation '{self.operation_name}' gives")
        self._payloads = taken
        return True


def _is_sink(given: object) -> TypeGuard[DeclaredSink]:
    return isinstance(given, DeclaredSink)


class _Decorator:
    """What `sink(…)` returns."""

    def __init__(self, name: str | None = None, operation: TypedOperation[Any, Any, Any] | None = None) -> None:
        self._name = name
        self._operation = operation

    def _declare(self, function: Callable[..., Any]) -> Any:
        return DeclaredSink(function, self._name, self._operation)


class SinkDecorator(_Decorator):
    """Makes a method a sink, whatever it takes."""

    @overload
    def __call__(self, function: H, /) -> H: ...
    @overload
    def __call__(self, function: Callable[[S], Waiting], /) -> Callable[[S], Waiting]: ...
    @overload
    def __call__(self, function: Callable[[S, Connection], Waiting], /) -> Callable[[S, Connection], Waiting]: ...
    @overload
    def __call__(self, function: Callable[[S, P], Waiting], /) -> Callable[[S, P], Waiting]: ...
    @overload
    def __call__(self, function: Callable[[S, P, Connection], Waiting], /) -> Callable[[S, P, Connection], Waiting]: ...
    def __call__(self, function: Callable[..., Any], /) -> Any:
        """Declare the method."""
        return self._declare(function)


class OperationSinkDecorator(_Decorator, Generic[P_co]):
    """Makes a method that takes `P_co` a sink. It need not take `None`: a result of `None` is not sent."""

    @overload
    def __call__(self, function: Callable[[S, P_co], Waiting], /) -> Callable[[S, P_co], Waiting]: ...
    @overload
    def __call__(
        self, function: Callable[[S, P_co, Connection], Waiting], /
    ) -> Callable[[S, P_co, Connection], Waiting]: ...
    @overload
    def __call__(
        self: OperationSinkDecorator[P | None], function: Callable[[S, P], Waiting], /
    ) -> Callable[[S, P], Waiting]: ...
    @overload
    def __call__(
        self: OperationSinkDecorator[P | None], function: Callable[[S, P, Connection], Waiting], /
    ) -> Callable[[S, P, Connection], Waiting]: ...
    @overload
    def __call__(
        self, function: Callable[[S, str, Event[P_co]], Waiting], /
    ) -> Callable[[S, str, Event[P_co]], Waiting]: ...
    @overload
    def __call__(
        self, function: Callable[[S, str, Event[P_co], Connection], Waiting], /
    ) -> Callable[[S, str, Event[P_co], Connection], Waiting]: ...
    def __call__(self, function: Callable[..., Any], /) -> Any:
        """Declare the method."""
        return self._declare(function)


@overload
def sink(function: Callable[[S], Waiting], /) -> Callable[[S], Waiting]: ...
@overload
def sink(function: Callable[[S, Connection], Waiting], /) -> Callable[[S, Connection], Waiting]: ...
@overload
def sink(function: Callable[[S, P], Waiting], /) -> Callable[[S, P], Waiting]: ...
@overload
def sink(function: Callable[[S, P, Connection], Waiting], /) -> Callable[[S, P, Connection], Waiting]: ...
@overload
def sink(operation_name: str) -> SinkDecorator: ...
@overload
def sink(operation_name: TypedOperation[Any, Any, P]) -> OperationSinkDecorator[P]: ...
def sink(operation_name: str | TypedOperation[Any, Any, Any] | Callable[..., Any]) -> Any:
    """Make a method of a core the sink of an operation.

    - `@sink` over `async def lowercase(self, text: str) -> None`: of the operation with the method's name;
    - `@sink("lowercase")`: of the operation with that name; the method takes the payload, or topic and event;
    - `@sink(TextPlugin.lowercase)`: of that operation; type checkers hold the method against what it gives.

    A method gets the connection too if it has a last parameter that is annotated `Connection`.

    Raises:
        TopicError: The name cannot be a level of a topic.
    """
    if is_typed_operation(operation_name):
        return OperationSinkDecorator[Any](operation=operation_name)
    if isinstance(operation_name, str):
        OperationOutputTopic.filter(operation_name=operation_name)
        return SinkDecorator(operation_name)
    return DeclaredSink(cast("Callable[..., Any]", operation_name))


class SinksProviderMixin(ABC):
    """Something that has sinks."""

    operation_sinks: dict[str, GivenHandler]
    """By operation name; may be edited at any time, and counts from the next output on."""

    def __init_subclass__(cls, **arguments: object) -> None:
        """Read what the methods declare.

        Raises:
            TypeError: It is not what it has to be.
        """
        super().__init_subclass__(**arguments)
        read_declarations(cls, _is_sink)

    def with_operation_sink(self, operation_name: str, handler: GivenHandler) -> Self:
        """Add the sink of an operation, or replace it, also while there are connections."""
        self.operation_sinks[operation_name] = as_handler(handler)
        return self

    def _declared_sinks(self) -> dict[str, GivenHandler]:
        """Return the sinks that methods declare, by operation name."""
        return {one.operation_name: one.handler(self) for one in declarations_of(type(self), _is_sink)}
