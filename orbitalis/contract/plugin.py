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
    """Make a method of a plugin an operation, like :func:`orbitalis.operation` without arguments for types.

    For type checkers, the method stays a method, so a subclass overrides it without a decorator. At run time, the
    class has the operation instead. `LampsClient.turn_on` is the same operation, also for type checkers.

    Args:
        name: Name of the operation. The default is the name of the method.
        errors: Declared errors of the method. The caller gets them with their class and fields.
        default_policy: Which cores may use the operation, and how many, unless the plugin has another policy for it.
            By default all cores may.
        concurrency: How many inputs of one connection are handled at the same time.
        exact: Whether cores need exactly the same schemas, instead of compatible ones.

    Raises:
        TopicError: The name cannot be a level of a topic.
        TypeError: One of `errors` is not a declared error. When the class is made: the annotations are wrong.
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
    """Return an operation without input that sends one of many types. See :func:`orbitalis.output`.

    The annotation of the attribute tells type checkers the types.

    Raises:
        TopicError: The name cannot be a level of a topic.
        TypeError: One of the types is not a payload. This is raised when the class is made.
    """
    declare: Callable[..., DeclaredOutput[Any]] = output
    return declare(*types, name=name, doc=doc)


def _check_error(given: object) -> None:
    if not (isinstance(given, type) and issubclass(given, DeclaredError)):
        raise TypeError(f"errors takes classes that derive from DeclaredError, got {given!r}")
