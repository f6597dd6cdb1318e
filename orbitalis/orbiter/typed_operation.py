"""Operations as methods of a class: what `TextPlugin.lowercase` is, and what it says about payload and result."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, Protocol, Self, TypeGuard, TypeVar, overload

from orbitalis.bus.event_handler import CallbackEventHandler, EventHandler
from orbitalis.message.event import Event
from orbitalis.message.payload import wrap
from orbitalis.message.payload_types import PayloadTypes
from orbitalis.message.schema import Input, Output
from orbitalis.orbiter.annotations import Parameters
from orbitalis.orbiter.declarations import DeclaredMethod
from orbitalis.orbiter.handlers import ConnectionCallbackHandler, MethodHandler, OnResult
from orbitalis.protocol.policy import Policy
from orbitalis_wire.topics import OperationInputTopic

__all__ = ["EventMethod", "EventOperation", "OperationMethod", "Specification", "TypedOperation", "is_typed_operation"]

S_co = TypeVar("S_co", covariant=True)
I_contra = TypeVar("I_contra", contravariant=True)
O_co = TypeVar("O_co", covariant=True)
C_co = TypeVar("C_co", covariant=True)


@dataclass(frozen=True, kw_only=True)
class Specification:
    """What the decorator was given."""

    name: str | None = None
    """Of the operation; without it, that of the method."""
    default_policy: Policy
    """Whom the operation is lent to, unless the plugin says otherwise."""
    events: tuple[Input, Output] | None = None
    """For a method that takes events, what the operation accepts and sends."""
    payloads: PayloadTypes | None = None
    """For a method that takes payloads, what the operation is declared to accept; else the annotations say it."""
    results: PayloadTypes | None = None
    """For a method that takes payloads, what the operation is declared to give."""


class TypedOperation(DeclaredMethod, Generic[S_co, I_contra, O_co]):
    """An operation of the plugin class `S_co` that takes `I_contra` and gives `O_co`; `None` is for nothing.

    It stands in for its name wherever a core needs or executes an operation, and lets type checkers hold what is sent
    against what is taken.
    """

    def __init__(self, function: Callable[..., Any], specification: Specification) -> None:
        """Declare a function that is about to become a method.

        Raises:
            TypeError: It is no function.
        """
        super().__init__(function)
        self._specification = specification
        self._parameter_for_connection: str | None = None
        self._takes_payload = True
        self._payloads = specification.payloads
        self._results = specification.results

    @property
    def name(self) -> str:
        """Name of the operation."""
        return self._specification.name or self.attribute

    @property
    def operation_name(self) -> str:
        """Name of the operation."""
        return self.name

    @property
    def default_policy(self) -> Policy:
        """Whom the operation is lent to, unless the plugin says otherwise."""
        return self._specification.default_policy

    @property
    def input(self) -> Input:
        """What the operation accepts.

        Raises:
            TypeError: The annotations cannot be read.
        """
        if self._specification.events is not None:
            return self._specification.events[0]
        return self._known_payloads().to_input()

    @property
    def output(self) -> Output:
        """What the operation sends.

        Raises:
            TypeError: The annotations cannot be read.
        """
        if self._specification.events is not None:
            return self._specification.events[1]
        return self._known_results().to_output()

    def message(self, value: object | None) -> object | None:
        """Return the message that the operation is to be sent for a value; `None` for an empty event.

        Raises:
            TypeError: The operation does not accept it.
            EncodeError: It is an integer of more than 64 bits.
        """
        if self._specification.events is not None:
            return wrap(value)
        try:
            return self._known_payloads().message(value)
        except TypeError as error:
            raise TypeError(f"operation '{self.name}': {error}") from None

    def result(self, payload: object | None) -> object | None:
        """Return the value that the operation gives with a message, or with an empty event.

        Raises:
            TypeError: The operation does not give that.
        """
        if self._specification.events is not None:
            return payload
        results = self._known_results()
        value = results.unwrap(payload)
        results.message(value)
        return value

    def handler(self, plugin: object, on_result: OnResult) -> EventHandler:
        """Return what takes the inputs on behalf of a plugin, and hands results to `on_result`.

        Raises:
            TypeError: The annotations cannot be read.
        """
        self.need()
        method = self.bound_to(plugin)
        if self._specification.events is None:
            return MethodHandler(
                method,
                payloads=self._payloads if self._takes_payload else None,
                parameter_for_connection=self._parameter_for_connection,
                results=self._known_results(),
                on_result=on_result,
            )
        if self._parameter_for_connection is not None:
            return ConnectionCallbackHandler(method, self._parameter_for_connection)
        return CallbackEventHandler(method)

    def _known_payloads(self) -> PayloadTypes:
        self.need()
        assert self._payloads is not None
        return self._payloads

    def _known_results(self) -> PayloadTypes:
        self.need()
        assert self._results is not None
        return self._results

    def _read(self) -> bool:
        # Raises if the name cannot be in a topic.
        OperationInputTopic.filter(operation_name=self.name)
        self._check_function()
        parameters = self._parameters()
        self._parameter_for_connection = parameters.connection
        if self._specification.events is not None:
            if len(parameters.others) != 2:
                raise TypeError(
                    f"takes ({', '.join(parameters.others)}): with input=Input… it takes (self, topic, event), and a "
                    "Connection if it likes"
                )
            return True
        return self._read_types(parameters)

    def _check_function(self) -> None:
        self._check_async()

    def _read_types(self, parameters: Parameters) -> bool:
        if len(parameters.others) > 1:
            raise TypeError(
                f"takes ({', '.join(parameters.others)}): without input=Input… it takes one payload at most, and a "
                "Connection if it likes; several values are fields of one message"
            )
        self._takes_payload = bool(parameters.others)
        overridden = self._overrides
        if is_typed_operation(overridden):
            if not overridden.is_read and not overridden._read():
                return False
            self._payloads, self._results = overridden._payloads, overridden._results
            if self._takes_payload != overridden._takes_payload:
                raise TypeError(f"takes {'a' if self._takes_payload else 'no'} payload, unlike what it overrides")
            return True
        name = parameters.others[0] if parameters.others else None
        taken = PayloadTypes((), optional=True) if name is None else self._payload_types(parameters, name)
        given = self._payload_types(parameters, "return")
        if taken is None or given is None:
            return False
        declared, promised = self._specification.payloads, self._specification.results
        if declared is None or promised is None:
            self._payloads, self._results = taken, given
        elif not taken.covers(declared):
            raise TypeError(f"takes {taken}, but is declared with input {declared}: annotate the payload so")
        elif not promised.covers(given):
            raise TypeError(f"returns {given}, but is declared with output {promised}: annotate the result so")
        return True


def is_typed_operation(given: object) -> TypeGuard[TypedOperation[Any, Any, Any]]:
    """Tell whether something is an operation of a plugin class."""
    return isinstance(given, TypedOperation)


class OperationMethod(TypedOperation[S_co, I_contra, O_co], Generic[S_co, I_contra, O_co, C_co]):
    """An operation in the typed style; an instance has it as the method `C_co`."""

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type[Any] | None = None) -> C_co: ...
    def __get__(self, instance: object, owner: type[Any] | None = None) -> Any:
        """Return itself of the class, and the method of an instance."""
        return self if instance is None else self.bound_to(instance)


class EventMethod(Protocol):
    """The method of an instance that takes events; of which payload is a matter of the class, and of each override."""

    def __call__(self, topic: str, event: Event[Any]) -> Coroutine[Any, Any, None]: ...


class EventOperation(TypedOperation[S_co, I_contra, O_co]):
    """An operation whose method takes topic and event."""

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type[Any] | None = None) -> EventMethod: ...
    def __get__(self, instance: object, owner: type[Any] | None = None) -> Any:
        """Return itself of the class, and the method of an instance."""
        return self if instance is None else self.bound_to(instance)
