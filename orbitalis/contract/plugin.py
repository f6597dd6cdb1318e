"""How the plugin class of a contract declares its operations."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, cast

from orbitalis.message.generated_message import DeclaredError
from orbitalis.operations.policy import Policy
from orbitalis.operations.typed_operation import OperationMethod, Specification
from orbitalis.operations.without_input import DeclaredOutput, output
from orbitalis_wire.topics import OperationInputTopic

__all__ = ["contract_operation", "one_of"]

F = TypeVar("F", bound=Callable[..., Coroutine[Any, Any, Any]])


def contract_operation(
    *,
    name: str | None = None,
    errors: tuple[type[DeclaredError], ...] = (),
    default_policy: Policy | None = None,
    concurrency: int = 1,
    exact: bool = False,
) -> Callable[[F], F]:
    """Make a method of a plugin an operation, as :func:`orbitalis.operation` does where annotations say the types.

    To type checkers the method stays what it is, so that a subclass overrides it without a decorator. At run time the
    class has the operation in its place, and `LampsClient.turn_on` is the same operation for type checkers, too.

    Args:
        name: Name of the operation; by default that of the method.
        errors: What the method may raise so that it reaches the caller as it is.
        default_policy: Which cores may use the operation, and how many, unless the plugin says otherwise; by default
            all.
        concurrency: How many inputs of one connection are handled side by side.
        exact: Whether cores need the same schemas, and not others that resolve.

    Raises:
        TopicError: The name cannot be a level of a topic.
        TypeError: One of the errors is none; or, when the class is made, the annotations are wrong.
        ValueError: `concurrency` is less than 1.
    """
    if name is not None:
        OperationInputTopic.filter(operation_name=name)
    for one in errors:
        _check_error(one)
    specification = Specification(
        name=name,
        default_policy=default_policy or Policy.no_constraints(),
        concurrency=concurrency,
        exact=exact,
        errors=errors,
    )

    def declare(method: F) -> F:
        return cast("F", OperationMethod[Any, Any, Any, Any](method, specification))

    return declare


def one_of(*types: type[Any], name: str | None = None, doc: str | None = None) -> DeclaredOutput[Any]:
    """Return an operation without input that sends one of many types; see :func:`orbitalis.output`.

    Type checkers are told which by the annotation of the attribute.

    Raises:
        TopicError: The name cannot be a level of a topic.
        TypeError: One of the types is no payload; raised when the class is made.
    """
    declare: Callable[..., DeclaredOutput[Any]] = output
    return declare(*types, name=name, doc=doc)


def _check_error(given: object) -> None:
    if not (isinstance(given, type) and issubclass(given, DeclaredError)):
        raise TypeError(f"errors takes classes that derive from DeclaredError, got {given!r}")
