"""Operations without input: `output` and the decorator `periodic`. Their plugin sends outputs without being asked."""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine
from typing import Any, Never, NoReturn, Self, TypeAlias, TypeGuard, TypeVar, overload

from orbitalis.message.payload import Publishable
from orbitalis.message.payload_types import PayloadTypes
from orbitalis.operations.handlers import OnResult
from orbitalis.operations.policy import Policy
from orbitalis.operations.typed_operation import (
    C_co,
    I_contra,
    O_co,
    OperationMethod,
    S_co,
    Specification,
    TypedOperation,
)
from orbitalis_wire.topics import OperationInputTopic

__all__ = ["DeclaredOutput", "PeriodicOperation", "is_periodic", "output", "periodic"]

S = TypeVar("S")
O = TypeVar("O", bound=Publishable)  # noqa: E741 - as Output
W = TypeVar("W", bound=Publishable)
X = TypeVar("X", bound=Publishable)
Y = TypeVar("Y", bound=Publishable)
Z = TypeVar("Z", bound=Publishable)

Waiting: TypeAlias = Coroutine[Any, Any, O]
"""The result of calling an `async def` function."""


class DeclaredOutput(TypedOperation[Any, Never, O_co]):
    """An operation that takes no input. Its plugin sends `O_co` when it wants to."""

    def __init__(self, types: tuple[object, ...], specification: Specification, doc: str | None) -> None:
        """Declare an output of these types, which is about to become an attribute."""
        super().__init__("", specification)
        self._types = types
        self._owner = ""
        self.__doc__ = doc

    def __set_name__(self, owner: type, name: str) -> None:
        """Take the name of the attribute."""
        super().__set_name__(owner, name)
        self._owner = f"{owner.__module__}.{owner.__qualname__}"

    @property
    def _place(self) -> str:
        return f"{self._owner}.{self.attribute}" if self._owner else "an output that is no attribute of a class"

    def _read(self) -> bool:
        if not self._owner:
            raise TypeError("cannot be used: write `temperature = output(…)` in the class of a plugin")
        # Raises if the name cannot be in a topic.
        OperationInputTopic.filter(operation_name=self.name)
        results = PayloadTypes.of_list(self._types)
        if results.optional:
            raise TypeError("sends None: name what is sent, at least one type, and leave None out, as that is not sent")
        self._set_types(None, results)
        return True

    def message(self, value: object | None) -> NoReturn:
        """Refuse to make a message: the operation takes none.

        Raises:
            TypeError: Always.
        """
        raise _no_input(self.name)

    def input_handler(self, plugin: object, on_result: OnResult) -> None:
        """Return `None`: there are no inputs."""

    def overridden(self, function: Callable[..., Any]) -> Self:
        """Refuse a method in the place of the output.

        Raises:
            TypeError: Always.
        """
        raise TypeError(
            f"{function.__module__}.{function.__qualname__} hides the output '{self.name}' of a base: decorate it with "
            "@periodic(seconds) to send what it returns, or give it another name"
        )


class PeriodicOperation(OperationMethod[S_co, I_contra, O_co, C_co]):
    """An operation that takes no input, and sends the result of its method at regular times."""

    def __init__(self, function: Callable[..., Any], specification: Specification, seconds: float) -> None:
        """Declare a function that is about to become a method, and is called every `seconds`.

        Raises:
            TypeError: `function` is no function.
        """
        super().__init__(function, specification)
        self.seconds = seconds
        """Time from one call to the next."""

    def _read(self) -> bool:
        if not super()._read():
            return False
        results = self._results
        assert results is not None
        if self._takes_payload or self._connection_parameter is not None:
            raise TypeError("is periodic, and takes something: nobody sends it anything, so let it take self alone")
        if results.is_empty:
            raise TypeError("is periodic, and returns None: nothing would ever be sent, so annotate what is")
        self._set_types(None, results)
        return True

    def message(self, value: object | None) -> NoReturn:
        """Refuse to make a message: the operation takes none.

        Raises:
            TypeError: Always.
        """
        raise _no_input(self.name)

    def input_handler(self, plugin: object, on_result: OnResult) -> None:
        """Return `None`: there are no inputs."""


class PeriodicDecorator:
    """The result of `periodic(…)`."""

    def __init__(self, specification: Specification, seconds: float) -> None:
        self._specification = specification
        self._seconds = seconds

    def __call__(
        self, function: Callable[[S], Waiting[O]], /
    ) -> PeriodicOperation[S, Never, O, Callable[[], Waiting[O]]]:
        """Declare the method."""
        return PeriodicOperation(function, self._specification, self._seconds)


@overload
def output(
    one: type[W],
    /,
    *,
    name: str | None = None,
    default_policy: Policy | None = None,
    doc: str | None = None,
    exact: bool = False,
) -> DeclaredOutput[W]: ...
@overload
def output(
    one: type[W],
    two: type[X],
    /,
    *,
    name: str | None = None,
    default_policy: Policy | None = None,
    doc: str | None = None,
    exact: bool = False,
) -> DeclaredOutput[W | X]: ...
@overload
def output(
    one: type[W],
    two: type[X],
    three: type[Y],
    /,
    *,
    name: str | None = None,
    default_policy: Policy | None = None,
    doc: str | None = None,
    exact: bool = False,
) -> DeclaredOutput[W | X | Y]: ...
@overload
def output(
    one: type[W],
    two: type[X],
    three: type[Y],
    four: type[Z],
    /,
    *,
    name: str | None = None,
    default_policy: Policy | None = None,
    doc: str | None = None,
    exact: bool = False,
) -> DeclaredOutput[W | X | Y | Z]: ...
def output(
    *types: object,
    name: str | None = None,
    default_policy: Policy | None = None,
    doc: str | None = None,
    exact: bool = False,
) -> DeclaredOutput[Any]:
    """Return an operation without input. Assign it to an attribute of a plugin class.

    With `temperature = output(float)` in a class `Lamp`, `await self.send(Lamp.temperature, 21.5)` sends an output.
    Several types form a union.

    Args:
        types: Types of the outputs: message classes, `str`, `int`, `float` or `bytes`.
        name: Name of the operation. The default is the name of the attribute.
        default_policy: Which cores may use the operation, and how many, unless the plugin has another policy for it.
            By default all cores may.
        doc: Description of the operation, which becomes `__doc__`.
        exact: Whether cores need exactly the same schemas, instead of compatible ones.

    Raises:
        TopicError: The name cannot be a level of a topic.
        TypeError: One of the types is not a payload. This is raised when the class is made.
    """
    return DeclaredOutput(types, _specification(name, default_policy, exact), doc)


def periodic(
    seconds: float, *, name: str | None = None, default_policy: Policy | None = None, exact: bool = False
) -> PeriodicDecorator:
    """Make a method of a plugin an operation without input that sends its result at regular times.

    With `@periodic(1.0)` over `async def temperature(self) -> float`, the method is called every second while a core is
    connected. Its result goes to all cores that are connected then. A result of `None` is not sent.

    Args:
        seconds: Time from one call to the next. If a call takes longer, the calls that it misses are left out.
        name: Name of the operation. The default is the name of the method.
        default_policy: Which cores may use the operation, and how many, unless the plugin has another policy for it.
            By default all cores may.
        exact: Whether cores need exactly the same schemas, instead of compatible ones.

    Raises:
        TopicError: The name cannot be a level of a topic.
        TypeError: `seconds` is not a number. When the class is made: the method takes an argument or returns nothing.
        ValueError: `seconds` is not positive, or not finite.
    """
    _check_seconds(seconds)
    return PeriodicDecorator(_specification(name, default_policy, exact), float(seconds))


def is_periodic(given: object) -> TypeGuard[PeriodicOperation[Any, Any, Any, Any]]:
    """Tell whether something is a periodic operation of a plugin class."""
    return isinstance(given, PeriodicOperation)


def _specification(name: str | None, default_policy: Policy | None, exact: bool) -> Specification:
    if name is not None:
        OperationInputTopic.filter(operation_name=name)
    return Specification(name=name, default_policy=default_policy or Policy.no_constraints(), exact=exact)


def _check_seconds(given: object) -> None:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise TypeError(f"periodic takes a number of seconds, such as @periodic(1.0), got {given!r}")
    if not 0 < given < math.inf:
        raise ValueError(f"periodic takes a positive and finite number of seconds, got {given}")


def _no_input(operation_name: str) -> TypeError:
    return TypeError(
        f"operation '{operation_name}' takes no input, so it can neither be executed nor requested: its plugin sends "
        "outputs on its own, and a sink takes them"
    )
