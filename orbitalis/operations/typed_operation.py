"""Typed operations, such as `TextPlugin.lowercase`: they know the types of their payload and result."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import wraps
from types import FunctionType, MethodType
from typing import Any, Generic, Protocol, Self, TypeGuard, TypeVar, overload

from orbitalis.arguments import check_kind
from orbitalis.message.event import Event
from orbitalis.message.generated_message import DeclaredError
from orbitalis.message.payload import MESSAGE_OF_VALUE, kind_of, wrap
from orbitalis.message.payload_types import PayloadTypes
from orbitalis.message.schema import Input, Output
from orbitalis.operations.annotations import Parameters
from orbitalis.operations.declared_method import Declaration, DeclaredMethod
from orbitalis.operations.handlers import GivenHandler, OnResult
from orbitalis.operations.policy import Policy
from orbitalis_wire.topics import OperationInputTopic

__all__ = [
    "EventMethod",
    "EventOperation",
    "OperationMethod",
    "Sends",
    "Specification",
    "TypedMethod",
    "TypedOperation",
    "check_concurrency",
    "is_typed_operation",
    "no_operation",
]

S_co = TypeVar("S_co", covariant=True)
I_contra = TypeVar("I_contra", contravariant=True)
O_co = TypeVar("O_co", covariant=True)
C_co = TypeVar("C_co", covariant=True)
P_contra = TypeVar("P_contra", contravariant=True)


@dataclass(frozen=True, kw_only=True)
class Specification:
    """The arguments of the decorator."""

    name: str | None = None
    """Name of the operation. `None` means the name of the method."""
    default_policy: Policy
    """Which cores may use the operation, and how many, unless the plugin has another policy for it."""
    concurrency: int = 1
    """How many inputs of one connection are handled at the same time."""
    exact: bool = False
    """Whether cores need exactly the same schemas, instead of compatible ones."""
    events: tuple[Input, Output] | None = None
    """Input and output of the operation, if its method takes events."""
    payloads: PayloadTypes | None = None
    """Input of the operation. `None` if the annotations say it, or if the method takes events."""
    results: PayloadTypes | None = None
    """Output of the operation. `None` if the annotations say it, or if the method takes events."""
    errors: tuple[type[DeclaredError], ...] = ()
    """Errors of the method that reach the caller with their class and fields."""

    def __post_init__(self) -> None:
        check_concurrency(self.name, self.concurrency)
        check_kind("default_policy", self.default_policy, Policy)


def check_concurrency(operation_name: str | None, given: object) -> None:
    """Check the number of inputs of one connection that an operation handles side by side.

    Raises:
        TypeError: The number is no `int`.
        ValueError: The number is less than 1.
    """
    whose = "" if operation_name is None else f"operation '{operation_name}': "
    if isinstance(given, bool) or not isinstance(given, int):
        raise TypeError(f"{whose}concurrency must be an int, such as concurrency=4, got {given!r}")
    if given < 1:
        raise ValueError(
            f"{whose}concurrency must be at least 1, got {given}: write concurrency=1 to handle the inputs of a "
            "connection one after the other"
        )


class Sends(Protocol[P_contra]):
    """An operation whose plugin may send `P_contra`.

    For a :class:`TypedOperation`, `P_contra` is exactly its output, so type checkers refuse any other payload.
    """

    @property
    def output_message(self) -> Callable[[P_contra], object | None]:
        """What makes a message of a payload."""
        ...


class TypedOperation(Declaration, Generic[S_co, I_contra, O_co]):
    """An operation of the plugin class `S_co` that takes `I_contra` and gives `O_co`.

    `None` means an empty event. An operation that takes `Never` has no input, and sends outputs without being asked.
    Use it instead of the name when a core requires or executes an operation. Then type checkers compare the data with
    the input of the operation.
    """

    def __init__(self, attribute: str, specification: Specification) -> None:
        """Declare an operation by an attribute of a class."""
        super().__init__(attribute, specification.name)
        self._specify(specification)

    def _specify(self, specification: Specification) -> None:
        self._specification = specification
        self._input = Input.no_input()
        self._output = Output.no_output()
        self._result_messages = frozenset[type]()
        self._error_types: PayloadTypes | None = None
        """The message classes among the results."""

    @property
    def errors(self) -> tuple[type[DeclaredError], ...]:
        """What the method may raise so that it reaches the caller as it is."""
        return self._specification.errors

    @property
    def default_policy(self) -> Policy:
        """Whom the operation is lent to, unless the plugin says otherwise."""
        return self._specification.default_policy

    @property
    def concurrency(self) -> int:
        """How many inputs of one connection are handled side by side; with 1 they are handled in order."""
        return self._specification.concurrency

    @property
    def input(self) -> Input:
        """The input of the operation.

        Raises:
            TypeError: The annotations cannot be read.
        """
        if not self.is_read:
            self.need()
        return self._input

    @property
    def output(self) -> Output:
        """The output of the operation.

        Raises:
            TypeError: The annotations cannot be read.
        """
        if not self.is_read:
            self.need()
        return self._output

    def message(self, value: object | None) -> object | None:
        """Return the message that carries a value to the operation. `None` means an empty event.

        Raises:
            TypeError: The operation does not accept the value, or the annotations cannot be read.
            EncodeError: The value is an integer of more than 64 bits.
        """
        if not self.is_read:
            self.need()
        if self._payloads is None:
            return wrap(value)
        try:
            return self._payloads.message(value)
        except TypeError as error:
            raise TypeError(f"operation '{self.name}': {error}") from None

    def result(self, payload: object | None) -> object | None:
        """Return the result that a message, or an empty event, from the operation stands for.

        Raises:
            TypeError: The operation does not give that payload, or the annotations cannot be read.
            DeclaredError: The message is one of the errors that the operation declares.
        """
        if not self.is_read:
            self.need()
        if self._results is None or type(payload) in self._result_messages:
            return payload
        if self._error_types is not None:
            error = self._error_types.declared(payload)
            if isinstance(error, self.errors):
                raise error
        value = self._results.unwrap(payload)
        if value is payload:
            # Nothing, or a message of another class, which may have the same schema.
            self._results.message(payload)
        return value

    @property
    def output_message(self) -> Callable[[O_co], object | None]:
        """What makes the message of an output that is not omitted.

        It raises a :class:`TypeError` for what the operation does not give.
        """
        return self._output_message

    def _output_message(self, value: object | None) -> object | None:
        if not self.output.has_output:
            raise TypeError(f"operation '{self.name}' has no output: declare one to send something")
        try:
            if self._results is not None:
                return self._results.message(value)
            message = wrap(value)
        except TypeError as error:
            raise TypeError(f"operation '{self.name}': {error}") from None
        if not self._output.accepts_payload(message):
            raise TypeError(f"operation '{self.name}': expected {self._output}, got {kind_of(message)}")
        return message

    def omits(self, value: object | None) -> bool:
        """Return whether an output is not sent: `None`, where the method may return that."""
        return value is None and self.output.has_output and self._results is not None and self._results.optional

    def input_handler(self, plugin: object, on_result: OnResult) -> GivenHandler | None:
        """Return what takes the inputs at a plugin, and calls `on_result` with results; `None` without input.

        Raises:
            TypeError: The annotations are wrong, or cannot be read.
        """
        raise NotImplementedError

    def _set_types(self, payloads: PayloadTypes | None, results: PayloadTypes) -> None:
        """Let the operation take and give these; without payloads it has no input."""
        self._payloads, self._results = payloads, results
        self._error_types = PayloadTypes(self.errors, optional=False) if self.errors else None
        sent = results.to_output() if not self.errors else self._answers(results).to_output()
        self._set_shape(Input.no_input() if payloads is None else payloads.to_input(), sent)
        self._result_messages = frozenset(one for one in results.types if one not in MESSAGE_OF_VALUE)

    def _answers(self, results: PayloadTypes) -> PayloadTypes:
        """Return what answers an input: a result, or one of the errors."""
        return PayloadTypes((*results.types, *self.errors), optional=results.optional)

    def _set_shape(self, accepted: Input, sent: Output) -> None:
        """Let the operation accept and send these."""
        is_exact = self._specification.exact
        self._input, self._output = (accepted.exactly(), sent.exactly()) if is_exact else (accepted, sent)


def is_typed_operation(given: object) -> TypeGuard[TypedOperation[Any, Any, Any]]:
    """Tell whether something is an operation of a plugin class."""
    return isinstance(given, TypedOperation)


class TypedMethod(DeclaredMethod, TypedOperation[S_co, I_contra, O_co]):
    """An operation that a method makes."""

    def __init__(self, function: Callable[..., Any], specification: Specification) -> None:
        """Declare a function that is about to become a method.

        Raises:
            TypeError: `function` is no function.
        """
        super().__init__(function, specification.name)
        self._specify(specification)

    def input_handler(self, plugin: object, on_result: OnResult) -> GivenHandler | None:
        """Return what calls the method of a plugin, and `on_result` with its result."""
        return self.handler(plugin, on_result)

    def _called(self, instance: object) -> tuple[Callable[..., Any], PayloadTypes | None]:
        method, results = super()._called(instance)
        if not self.errors or results is None:
            return method, results
        return _returning(method, self.errors), self._answers(results)

    def _read(self) -> bool:
        # Raises if the name cannot be in a topic.
        OperationInputTopic.filter(operation_name=self.name)
        self._check_function()
        parameters = self._parameters()
        self._connection_parameter = parameters.connection
        events = self._specification.events
        if events is None and len(parameters.others) == 2 and self._specification.payloads is not None:
            events = self._events_of_types(self._specification.payloads, self._specification.results)
        if events is not None:
            if len(parameters.others) != 2:
                raise TypeError(
                    f"takes ({', '.join(parameters.others)}): with input=Input… it takes (self, topic, event), and a "
                    "Connection if it likes"
                )
            self._takes_events = True
            self._set_shape(*events)
            return True
        if not self._read_types(parameters):
            return False
        assert self._results is not None
        self._set_types(self._payloads, self._results)
        return True

    def _events_of_types(self, payloads: PayloadTypes, results: PayloadTypes | None) -> tuple[Input, Output]:
        """Return input and output of a method that takes events where types declare them."""
        if payloads.is_empty:
            raise TypeError("takes (topic, event) and has no input: write input=…, such as input=Input.empty()")
        values = [
            one.__name__ for one in (*payloads.types, *(results.types if results else ())) if one in MESSAGE_OF_VALUE
        ]
        if values:
            raise TypeError(f"takes (topic, event), and an event carries a message, not {values[0]}: name its class")
        return payloads.to_input(), Output.no_output() if results is None else results.to_output()

    def _check_function(self) -> None:
        self._check_async()

    def _read_types(self, parameters: Parameters) -> bool:
        if len(parameters.others) > 1:
            raise TypeError(
                f"takes ({', '.join(parameters.others)}): without input=… it takes one payload at most, and a "
                "Connection if it likes; several values are fields of one message"
            )
        self._takes_payload = bool(parameters.others)
        if self._overrides is not None:
            return self._read_overridden(self._overrides)
        name = parameters.others[0] if parameters.others else None
        taken = PayloadTypes((), optional=True) if name is None else self._payload_types(parameters, name)
        given = self._payload_types(parameters, "return")
        if taken is None or given is None:
            return False
        declared, promised = self._specification.payloads, self._specification.results
        if declared is None or promised is None:
            self._payloads, self._results = taken, given
            return True
        if not taken.covers(declared):
            raise TypeError(f"takes {taken}, but is declared with input {declared}: annotate the payload so")
        if not promised.covers(given):
            raise TypeError(f"returns {given}, but is declared with output {promised}: annotate the result so")
        self._payloads, self._results = declared, promised
        return True


def _returning(
    method: Callable[..., Coroutine[Any, Any, object]], errors: tuple[type[DeclaredError], ...]
) -> Callable[..., Coroutine[Any, Any, object]]:
    """Return what calls a method, and returns those errors that it raises."""

    @wraps(method)
    async def call(*arguments: object, **named: object) -> object:
        try:
            return await method(*arguments, **named)
        except errors as error:
            return error

    return call


def no_operation(
    given: object, expected: str = "the name of an operation, or an operation of a plugin class"
) -> TypeError:
    """Return an error about something that is given where an operation is expected."""
    advice = "such as TextPlugin.lowercase"
    if isinstance(given, MethodType):
        name, owner = given.__name__, type(given.__self__)
        declared = getattr(owner, name, None)
        advice = (
            f"write {owner.__name__}.{name}, of the class and not of the object"
            if is_typed_operation(declared)
            else f"decorate {owner.__name__}.{name} with @operation"
        )
    elif isinstance(given, FunctionType):
        advice = f"decorate {given.__qualname__} with @operation"
    return TypeError(f"expected {expected}, got {given!r}: {advice}")


class OperationMethod(TypedMethod[S_co, I_contra, O_co], Generic[S_co, I_contra, O_co, C_co]):
    """An operation in the typed style; an instance has it as the method `C_co`."""

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type[Any] | None = None) -> C_co: ...
    def __get__(self, instance: object, owner: type[Any] | None = None) -> Any:
        """Return itself of the class, and the method of an instance."""
        return self if instance is None else self.bound_to(instance)


class EventMethod(Protocol):
    """A method of an instance that takes events. Overrides may take other payloads, so it says nothing about them."""

    def __call__(self, topic: str, event: Event[Any]) -> Coroutine[Any, Any, None]: ...


class EventOperation(TypedMethod[S_co, I_contra, O_co]):
    """An operation whose method takes topic and event."""

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type[Any] | None = None) -> EventMethod: ...
    def __get__(self, instance: object, owner: type[Any] | None = None) -> Any:
        """Return itself of the class, and the method of an instance."""
        return self if instance is None else self.bound_to(instance)
