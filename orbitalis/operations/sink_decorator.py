"""The decorator `sink`, which makes a method of a core the sink of an operation."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeAlias, TypeGuard, TypeVar, cast, overload

from orbitalis.message.event import Event
from orbitalis.message.payload import Publishable
from orbitalis.message.payload_types import PayloadTypes
from orbitalis.operations.connection import Connection
from orbitalis.operations.declared_method import DeclaredMethod, declarations_of, read_declarations
from orbitalis.operations.handlers import GivenHandler
from orbitalis.operations.typed_operation import TypedOperation, is_typed_operation
from orbitalis_wire.topics import OperationOutputTopic

__all__ = ["DeclaredSink", "declared_sinks", "read_sinks", "sink"]

S = TypeVar("S")
P = TypeVar("P", bound=Publishable)
P_co = TypeVar("P_co", bound=Publishable, covariant=True)

Waiting: TypeAlias = Coroutine[Any, Any, None]
EventSink: TypeAlias = Callable[[Any, str, Any], Waiting] | Callable[[Any, str, Any, Connection], Waiting]
H = TypeVar("H", bound=EventSink)


class DeclaredSink(DeclaredMethod):
    """A method that is the sink of an operation, as it appears in its class."""

    def __init__(
        self,
        function: Callable[..., Any],
        name: str | None = None,
        operation: TypedOperation[Any, Any, Any] | None = None,
    ) -> None:
        """Declare a function that is about to become a method.

        Args:
            function: The function.
            name: Name of the operation; by default that of the method.
            operation: The operation, if its class is known; then `name` is not used.

        Raises:
            TypeError: `function` is no function.
        """
        super().__init__(function, name if operation is None else operation.name)
        self._operation = operation

    def __get__(self, instance: object, owner: type[Any] | None = None) -> Any:
        """Return itself of the class, and the method of an instance."""
        return self if instance is None else self.bound_to(instance)

    def _read(self) -> bool:
        # Raises if the name cannot be in a topic.
        OperationOutputTopic.filter(operation_name=self.name)
        self._check_async()
        parameters = self._parameters()
        self._connection_parameter = parameters.connection
        self._takes_events = len(parameters.others) == 2
        if self._takes_events:
            return True
        if len(parameters.others) > 2:
            raise TypeError(
                f"takes ({', '.join(parameters.others)}): a sink takes the payload, or topic and event, and a "
                "Connection if it likes"
            )
        self._takes_payload = bool(parameters.others)
        if _is_sink(self._overrides) and not self._overrides._takes_events:
            return self._read_overridden(self._overrides)
        given = self._payload_types(parameters, "return")
        if given is None or not given.is_empty:
            raise TypeError(f"returns {given}: nobody takes what a sink returns, so annotate it '-> None'")
        taken: PayloadTypes | None = given
        for name in parameters.others:
            taken = self._payload_types(parameters, name)
        if taken is None:
            return False
        if self._operation is not None:
            self._operation.need()
            output = self._operation.output
            if not output.has_output:
                raise TypeError(f"is the sink of operation '{self.name}', which has no output")
            results = self._operation._results
            # An error that the operation declares is raised where a sink does not take it.
            if results is not None and not results.is_empty and self._operation.errors:
                output = results.to_output()
            if not taken.to_input().accepts(output):
                what = "" if results is None else f": {results}"
                raise TypeError(f"takes {taken}, which is not what operation '{self.name}' gives{what}")
        self._payloads, self._results = taken, given
        return True


def _is_sink(given: object) -> TypeGuard[DeclaredSink]:
    return isinstance(given, DeclaredSink)


class _Decorator:
    """The result of `sink(…)`."""

    def __init__(self, name: str | None = None, operation: TypedOperation[Any, Any, Any] | None = None) -> None:
        self._name = name
        self._operation = operation

    def _declare(self, function: Callable[..., Any]) -> Any:
        return DeclaredSink(function, self._name, self._operation)


class SinkDecorator(_Decorator):
    """Makes a method a sink. Type checkers do not know the output of the operation."""

    @overload
    def __call__(self, function: H, /) -> H: ...
    @overload
    def __call__(self, function: Callable[[S], Waiting], /) -> Callable[[S], Waiting]: ...
    @overload
    def __call__(self, function: Callable[[S, Connection], Waiting], /) -> Callable[[S, Connection], Waiting]: ...
    @overload
    def __call__(self, function: Callable[[S, P, Connection], Waiting], /) -> Callable[[S, P, Connection], Waiting]: ...
    @overload
    def __call__(self, function: Callable[[S, P], Waiting], /) -> Callable[[S, P], Waiting]: ...
    def __call__(self, function: Callable[..., Any], /) -> Any:
        """Declare the method."""
        return self._declare(function)


class OperationSinkDecorator(_Decorator, Generic[P_co]):
    """Makes a method that takes `P_co` a sink. The method need not take `None`: a result of `None` is not sent."""

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
    @overload  # as the first one: of those that do not fit, mypy shows the first one, and pyright the last one
    def __call__(
        self,
        function: Callable[[S, P_co], Waiting],
        /,
    ) -> Callable[[S, P_co], Waiting]: ...
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

    - `@sink` over `async def lowercase(self, text: str) -> None`: the operation has the name of the method;
    - `@sink("lowercase")`: the operation has this name. The method takes the payload, or topic and event;
    - `@sink(TextPlugin.lowercase)`: this operation. Type checkers compare the method with its output.

    If the last parameter of a method is annotated `Connection`, the method also gets the connection.

    Raises:
        TopicError: The name cannot be a level of a topic.
    """
    if is_typed_operation(operation_name):
        return OperationSinkDecorator[Any](operation=operation_name)
    if isinstance(operation_name, str):
        OperationOutputTopic.filter(operation_name=operation_name)
        return SinkDecorator(operation_name)
    return DeclaredSink(cast("Callable[..., Any]", operation_name))


def read_sinks(core_class: type) -> None:
    """Read the sinks that the methods of a new class declare.

    Raises:
        TypeError: Annotations are wrong, or two methods are sinks of the same operation.
    """
    read_declarations(core_class, _is_sink)


def declared_sinks(core: object) -> dict[str, GivenHandler]:
    """Return the sinks that the methods of a core's class declare, by operation name.

    Raises:
        TypeError: The annotations of a sink cannot be read.
    """
    return {one.name: one.handler(core) for one in declarations_of(type(core), _is_sink)}
