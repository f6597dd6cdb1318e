"""The decorator `operation`: it makes a method of a plugin an operation, and tells type checkers of which type.

Three styles, told apart by what is given: with an `Input` or `Output` the method takes events; with types it takes and
returns payloads, as declared, or takes events if it has parameters for topic and event; with neither it takes and
returns payloads, as its annotations say.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeGuard, TypeVar, cast, overload

from orbitalis.message.event import Event
from orbitalis.message.payload import Publishable
from orbitalis.message.payload_types import PayloadTypes
from orbitalis.message.schema import Input, Output
from orbitalis.operations.connection import Connection
from orbitalis.operations.cpu_bound import CpuBoundOperation
from orbitalis.operations.policy import Policy
from orbitalis.operations.typed_operation import EventMethod, EventOperation, OperationMethod, Specification
from orbitalis_wire.topics import OperationInputTopic

__all__ = ["operation"]

S = TypeVar("S")
T = TypeVar("T")
I = TypeVar("I", bound=Publishable)  # noqa: E741 - as Input
O = TypeVar("O", bound=Publishable)  # noqa: E741 - as Output

if TYPE_CHECKING:
    # What is not given is `None`. Only type checkers need to know, and it takes long to import what says it.
    import typing_extensions

    A = typing_extensions.TypeVar("A", bound=Publishable, default=None)
    B = typing_extensions.TypeVar("B", bound=Publishable, default=None)
    C = typing_extensions.TypeVar("C", bound=Publishable, default=None)
    X = typing_extensions.TypeVar("X", bound=Publishable, default=None)
    Y = typing_extensions.TypeVar("Y", bound=Publishable, default=None)
    H = typing_extensions.TypeVar("H", default=None)
else:
    A, B, C, X, Y, H = map(TypeVar, "ABCXYH")
G = TypeVar("G")

Waiting: TypeAlias = Coroutine[Any, Any, T]
"""What calling an `async def` gives."""


class _Decorator:
    """What `operation(…)` returns."""

    def __init__(self, specification: Specification) -> None:
        self._specification = specification


class InferredDecorator(_Decorator):
    """Makes a method an operation whose annotations say what it takes and gives."""

    @overload
    def __call__(
        self, function: Callable[[S], Waiting[O]], /
    ) -> OperationMethod[S, None, O, Callable[[], Waiting[O]]]: ...
    @overload
    def __call__(
        self, function: Callable[[S, Connection], Waiting[O]], /
    ) -> OperationMethod[S, None, O, Callable[[Connection], Waiting[O]]]: ...
    @overload
    def __call__(
        self, function: Callable[[S, I, Connection], Waiting[O]], /
    ) -> OperationMethod[S, I, O, Callable[[I, Connection], Waiting[O]]]: ...
    @overload
    def __call__(
        self, function: Callable[[S, I], Waiting[O]], /
    ) -> OperationMethod[S, I, O, Callable[[I], Waiting[O]]]: ...
    def __call__(self, function: Callable[..., Any], /) -> Any:
        """Declare the method."""
        return OperationMethod[Any, Any, Any, Any](function, self._specification)


class DeclaredDecorator(_Decorator, Generic[I, O]):
    """Makes a method that takes `I` and gives `O` an operation."""

    @overload
    def __call__(
        self, function: Callable[[S, I], Waiting[O]], /
    ) -> OperationMethod[S, I, O, Callable[[I], Waiting[O]]]: ...
    @overload
    def __call__(
        self: DeclaredDecorator[None, O], function: Callable[[S], Waiting[O]], /
    ) -> OperationMethod[S, None, O, Callable[[], Waiting[O]]]: ...
    @overload
    def __call__(
        self: DeclaredDecorator[None, O], function: Callable[[S, Connection], Waiting[O]], /
    ) -> OperationMethod[S, None, O, Callable[[Connection], Waiting[O]]]: ...
    @overload
    def __call__(
        self, function: Callable[[S, I, Connection], Waiting[O]], /
    ) -> OperationMethod[S, I, O, Callable[[I, Connection], Waiting[O]]]: ...
    @overload
    def __call__(
        self, function: Callable[[S, str, Event[I]], Waiting[None]], /
    ) -> OperationMethod[S, I, O, EventMethod]: ...
    @overload
    def __call__(
        self, function: Callable[[S, str, Event[I], Connection], Waiting[None]], /
    ) -> OperationMethod[S, I, O, Callable[[str, Event[Any], Connection], Waiting[None]]]: ...
    @overload  # as the first one: of those that do not fit, mypy shows the first one, and pyright the last one
    def __call__(
        self,
        function: Callable[[S, I], Waiting[O]],
        /,
    ) -> OperationMethod[S, I, O, Callable[[I], Waiting[O]]]: ...
    def __call__(self, function: Callable[..., Any], /) -> Any:
        """Declare the method."""
        return OperationMethod[Any, Any, Any, Any](function, self._specification)


class EventDecorator(_Decorator, Generic[G, H]):
    """Makes a method that takes topic and event, with a payload `G`, an operation that sends `H`."""

    @overload
    def __call__(
        self, function: Callable[[S, str, Event[G], Connection], Waiting[None]], /
    ) -> OperationMethod[S, G, H, Callable[[str, Event[Any], Connection], Waiting[None]]]: ...
    @overload
    def __call__(self, function: Callable[[S, str, Event[G]], Waiting[None]], /) -> EventOperation[S, G, H]: ...
    def __call__(self, function: Callable[..., Any], /) -> Any:
        """Declare the method."""
        return EventOperation[Any, Any, Any](function, self._specification)


class CpuBoundDecorator(_Decorator):
    """Makes a static method an operation that runs in another process."""

    @overload
    def __call__(self, function: Callable[[], O], /) -> OperationMethod[Any, None, O, Callable[[], Waiting[O]]]: ...
    @overload
    def __call__(self, function: Callable[[I], O], /) -> OperationMethod[Any, I, O, Callable[[I], Waiting[O]]]: ...
    def __call__(self, function: Callable[..., Any], /) -> Any:
        """Declare the function."""
        return CpuBoundOperation[Any, Any, Any, Any](function, self._specification)


@overload
def operation(function: Callable[[S, I], Waiting[O]], /) -> OperationMethod[S, I, O, Callable[[I], Waiting[O]]]: ...
@overload
def operation(function: Callable[[S], Waiting[O]], /) -> OperationMethod[S, None, O, Callable[[], Waiting[O]]]: ...
@overload
def operation(
    function: Callable[[S, Connection], Waiting[O]], /
) -> OperationMethod[S, None, O, Callable[[Connection], Waiting[O]]]: ...
@overload
def operation(
    function: Callable[[S, I, Connection], Waiting[O]], /
) -> OperationMethod[S, I, O, Callable[[I, Connection], Waiting[O]]]: ...
@overload  # as the first one: of those that do not fit, mypy shows the first one, and pyright the last one
def operation(function: Callable[[S, I], Waiting[O]], /) -> OperationMethod[S, I, O, Callable[[I], Waiting[O]]]: ...
@overload
def operation(
    *,
    name: str,
    input: Input[G],
    output: Output[H] | None = None,
    default_policy: Policy | None = None,
    concurrency: int = 1,
    exact: bool = False,
) -> EventDecorator[G, H]: ...
@overload
def operation(
    *, name: str | None = None, default_policy: Policy | None = None, concurrency: int = 1, exact: bool = False
) -> InferredDecorator: ...
@overload
def operation(
    *,
    name: str | None = None,
    default_policy: Policy | None = None,
    concurrency: int = 1,
    exact: bool = False,
    cpu_bound: Literal[True],
) -> CpuBoundDecorator: ...
@overload
def operation(
    *,
    name: str | None = None,
    input: None = None,
    output: type[X],
    default_policy: Policy | None = None,
    concurrency: int = 1,
    exact: bool = False,
) -> DeclaredDecorator[None, X]: ...
@overload
def operation(
    *,
    name: str | None = None,
    input: type[A] | None = None,
    output: tuple[type[X], type[Y] | None],
    default_policy: Policy | None = None,
    concurrency: int = 1,
    exact: bool = False,
) -> DeclaredDecorator[A, X | Y]: ...
@overload
def operation(
    *,
    name: str | None = None,
    input: tuple[type[A], type[B] | None],
    output: type[X] | None = None,
    default_policy: Policy | None = None,
    concurrency: int = 1,
    exact: bool = False,
) -> DeclaredDecorator[A | B, X]: ...
@overload
def operation(
    *,
    name: str | None = None,
    input: tuple[type[A], type[B] | None],
    output: tuple[type[X], type[Y] | None],
    default_policy: Policy | None = None,
    concurrency: int = 1,
    exact: bool = False,
) -> DeclaredDecorator[A | B, X | Y]: ...
@overload
def operation(
    *,
    name: str | None = None,
    input: tuple[type[A], type[B], type[C] | None],
    output: type[X] | None = None,
    default_policy: Policy | None = None,
    concurrency: int = 1,
    exact: bool = False,
) -> DeclaredDecorator[A | B | C, X]: ...
@overload
def operation(
    *,
    name: str | None = None,
    input: tuple[type[A], type[B], type[C] | None],
    output: tuple[type[X], type[Y] | None],
    default_policy: Policy | None = None,
    concurrency: int = 1,
    exact: bool = False,
) -> DeclaredDecorator[A | B | C, X | Y]: ...
@overload
def operation(
    *,
    name: str | None = None,
    input: type[A],
    output: type[X] | None = None,
    default_policy: Policy | None = None,
    concurrency: int = 1,
    exact: bool = False,
) -> DeclaredDecorator[A, X]: ...
def operation(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    input: object = None,
    output: object = None,
    default_policy: Policy | None = None,
    concurrency: int = 1,
    exact: bool = False,
    cpu_bound: bool = False,
) -> Any:
    """Make a method of a plugin an operation, in one of these styles.

    - `@operation` over `async def lowercase(self, text: str) -> str`: the annotations say what the operation takes and
      gives. A union stands for several payloads, `| None` for empty events too, and a method without payload takes
      empty events. A result of `None` is not sent.
    - `@operation(input=str, output=str)`: the same, declared. `(A, B)` and `(A, None)` stand for unions.
    - `@operation(name="lowercase", input=Input.string(), output=Output.string())` over
      `async def lowercase(self, topic: str, event: Event[StringMessage]) -> None`: the method gets the event, and sends
      results itself. Without `output` the operation has none. `input=StringMessage` says the same as
      `input=Input.string()` there.
    - `@operation(cpu_bound=True)` over a static method that is not `async`: like the first, in another process.

    A method gets the connection too if its last parameter is annotated `Connection`.

    Args:
        function: The method, where the decorator is used without parentheses.
        name: Name of the operation; by default that of the method.
        input: What the operation takes; by default the annotations say it.
        output: What the operation gives; by default the annotations say it.
        default_policy: Which cores may use the operation, and how many, unless the plugin says otherwise; by default
            all.
        concurrency: How many inputs of one connection are handled side by side. With 1, the default, they are handled
            one after the other, in the order in which they came. With more, results come in any order.
        exact: Whether cores need the same schemas, and not others that resolve.
        cpu_bound: Whether the method keeps a CPU busy, and therefore runs in another process.

    Raises:
        TopicError: The name cannot be a level of a topic.
        ValueError: There is no input, so nothing would ever call the method, or `concurrency` is less than 1.
        TypeError: The arguments contradict each other, a type is no payload, or `concurrency` is no `int`.
    """
    if name is not None:
        OperationInputTopic.filter(operation_name=name)
    common = Specification(
        name=name, default_policy=default_policy or Policy.no_constraints(), concurrency=concurrency, exact=exact
    )
    if _is_input(input) or _is_output(output):
        events = _events(name, input, output, cpu_bound)
        return EventDecorator[Any, Any](replace(common, events=events))
    if cpu_bound:
        if input is not None or output is not None:
            raise TypeError(f"operation {name or ''}: with cpu_bound=True the annotations say input and output")
        return CpuBoundDecorator(common)
    if input is None and output is None:
        decorate = InferredDecorator(common)
        return decorate if function is None else decorate(function)
    return DeclaredDecorator[Any, Any](replace(common, payloads=_declared(input), results=_declared(output)))


def _declared(given: object) -> PayloadTypes:
    return PayloadTypes.of_list(cast("tuple[object, ...]", given) if isinstance(given, tuple) else (given,))


def _events(name: str | None, input: object, output: object, cpu_bound: bool) -> tuple[Input, Output]:
    """Return input and output of a method that takes events."""
    if name is None:
        raise TypeError("an operation with input=Input… needs a name: give name='…'")
    accepted = Input.no_input() if input is None else input
    sent = Output.no_output() if output is None else output
    if cpu_bound or not _is_input(accepted) or not _is_output(sent):
        raise TypeError(
            f"operation '{name}': input=Input… and output=Output… go together, and neither with types nor cpu_bound"
        )
    if not accepted.has_input:
        raise ValueError(
            f"operation '{name}' has no input, so nothing would ever call the method: give an input, or declare the "
            f"operation with `{name} = output(…)`, or with @periodic(seconds) over a method that is called in a rhythm"
        )
    return accepted, sent


def _is_input(given: object) -> TypeGuard[Input]:
    return isinstance(given, Input)


def _is_output(given: object) -> TypeGuard[Output]:
    return isinstance(given, Output)
