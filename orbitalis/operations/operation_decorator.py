"""The decorator `operation`, which makes a method of a plugin an operation with a type that type checkers know.

There are three styles. With `Input` or `Output` as arguments, the method takes events. With types as arguments, it
takes and returns payloads of these types, or takes events if it has parameters for topic and event. With neither, it
takes and returns payloads of the types in its annotations.
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
"""The result of calling an `async def` function."""


class _Decorator:
    """The result of `operation(…)`."""

    def __init__(self, specification: Specification) -> None:
        self._specification = specification


class InferredDecorator(_Decorator):
    """Makes a method an operation. The annotations say its input and output."""

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
    """Makes a method that takes topic and event an operation. The event has a payload `G`, and it sends `H`."""

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

    - `@operation` over `async def lowercase(self, text: str) -> str`: the annotations say the input and the output. A
      union allows several payloads, and `| None` also allows empty events. A method without a payload parameter takes
      empty events. A result of `None` is not sent.
    - `@operation(input=str, output=str)`: the same, with types as arguments. `(A, B)` and `(A, None)` are unions.
    - `@operation(name="lowercase", input=Input.string(), output=Output.string())` over
      `async def lowercase(self, topic: str, event: Event[StringMessage]) -> None`: the method gets the event, and sends
      results itself. Without `output`, the operation has no output. `input=StringMessage` means the same as
      `input=Input.string()` here.
    - `@operation(cpu_bound=True)` over a static method that is not `async`: like the first style, in another process.

    If the last parameter of a method is annotated `Connection`, the method also gets the connection.

    Args:
        function: The method, if the decorator is used without parentheses.
        name: Name of the operation. The default is the name of the method.
        input: Input of the operation. By default the annotations say it.
        output: Output of the operation. By default the annotations say it.
        default_policy: Which cores may use the operation, and how many, unless the plugin has another policy for it.
            By default all cores may.
        concurrency: How many inputs of one connection are handled at the same time. With 1, the default, they are
            handled one by one, in the order in which they arrived. With more, results come in any order.
        exact: Whether cores need exactly the same schemas, instead of compatible ones.
        cpu_bound: Whether the method keeps a CPU busy, and therefore runs in another process.

    Raises:
        TopicError: The name cannot be a level of a topic.
        ValueError: There is no input, so nothing would ever call the method, or `concurrency` is less than 1.
        TypeError: The arguments contradict each other, a type is not a payload, or `concurrency` is not an `int`.
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
    """Return the input and the output of a method that takes events."""
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
