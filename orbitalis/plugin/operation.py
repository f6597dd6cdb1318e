"""Operations: what a plugin provides, and the decorator that makes a method one."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from orbitalis.bus.event_handler import EventCallback, EventHandler
from orbitalis.message.schema import Input, Output
from orbitalis.orbiter.declarations import declarations_of, declare
from orbitalis.orbiter.handlers import as_handler
from orbitalis.protocol.policy import Policy
from orbitalis_wire.topics import OperationInputTopic

__all__ = ["Operation", "OperationsProviderMixin", "operation"]

H = TypeVar("H", bound=Callable[[Any, str, Any], Awaitable[None]])


@dataclass(kw_only=True)
class Operation:
    """A feature of a plugin that cores can use.

    Raises:
        TopicError: The name cannot be a level of a topic.
        ValueError: There is an input, and no handler for it.
    """

    name: str
    """Unique within the plugin."""
    handler: EventHandler | EventCallback | None = None
    """Takes the inputs; `None` where there are none."""
    policy: Policy = field(default_factory=Policy.no_constraints)
    """Whom it is lent to."""
    input: Input = field(default_factory=Input.no_input)
    """What it accepts."""
    output: Output = field(default_factory=Output.no_output)
    """What it sends."""

    def __post_init__(self) -> None:
        # Raises if the name cannot be in a topic.
        OperationInputTopic.filter(operation_name=self.name)
        if self.handler is None and self.input.has_input:
            raise ValueError(
                f"operation '{self.name}' has an input, but no handler for it: give a handler, or Input.no_input()"
            )
        if self.handler is not None:
            self.handler = as_handler(self.handler)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Declaration:
    """What :func:`operation` says about a method."""

    name: str
    input: Input
    output: Output
    default_policy: Policy


def operation(
    *,
    name: str,
    input: Input | None = None,
    output: Output | None = None,
    default_policy: Policy | None = None,
) -> Callable[[H], H]:
    """Make a method `async def handler(self, topic, event)` of a plugin an operation.

    Without `input` or `output` there is none; without `default_policy` it is lent to anybody.

    Raises:
        TopicError: The name cannot be a level of a topic.
        ValueError: There is no input, so that nothing would ever call the method.
    """
    OperationInputTopic.filter(operation_name=name)
    declaration = _Declaration(
        name=name,
        input=input or Input.no_input(),
        output=output or Output.no_output(),
        default_policy=default_policy or Policy.no_constraints(),
    )
    if not declaration.input.has_input:
        raise ValueError(
            f"operation '{name}' has no input, so nothing would ever call the method: give an input, "
            "or add an Operation without handler to `operations`"
        )

    def decorate(handler: H) -> H:
        return declare(handler, declaration)

    return decorate


class OperationsProviderMixin:
    """Something that has operations."""

    operations: dict[str, Operation]
    """By name; may be edited at any time."""

    def with_operation(self, operation_name: str, operation: Operation) -> Self:
        """Add an operation, or replace that of the same name."""
        self.operations[operation_name] = operation
        return self

    def with_custom_policy(self, operation_name: str, policy: Policy) -> Self:
        """Replace the policy of an operation.

        Raises:
            KeyError: There is no such operation.
        """
        if operation_name not in self.operations:
            known = ", ".join(f"'{name}'" for name in self.operations) or "none"
            raise KeyError(f"there is no operation '{operation_name}' to give a policy; known: {known}")
        self.operations[operation_name].policy = policy
        return self

    def _declared_operations(self) -> dict[str, Operation]:
        """Return the operations that methods declare, by name; of two with the same name, the more derived one."""
        found: dict[str, Operation] = {}
        for attribute, declaration in declarations_of(type(self), _Declaration).items():
            handler: Callable[[str, Any], Awaitable[None]] = getattr(self, attribute)
            found[declaration.name] = Operation(
                name=declaration.name,
                handler=handler,
                policy=copy.deepcopy(declaration.default_policy),
                input=declaration.input,
                output=declaration.output,
            )
        return found
