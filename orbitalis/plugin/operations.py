"""Operations: what a plugin provides, from its methods and otherwise."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, Self

from orbitalis.message.event import Event
from orbitalis.message.schema import Input, Output
from orbitalis.orbiter.connection import Connection
from orbitalis.orbiter.declarations import declarations_of, read_declarations
from orbitalis.orbiter.handlers import GivenHandler, as_handler
from orbitalis.orbiter.typed_operation import is_typed_operation
from orbitalis.protocol.policy import Policy
from orbitalis_wire.topics import OperationInputTopic

__all__ = ["Operation", "OperationsProviderMixin"]


@dataclass(kw_only=True)
class Operation:
    """A feature of a plugin that cores can use.

    Raises:
        TopicError: The name cannot be a level of a topic.
        ValueError: There is an input, and no handler for it.
    """

    name: str
    """Unique within the plugin."""
    handler: GivenHandler | None = None
    """Takes the inputs; `None` where there are none. Can be replaced at any time, also while there are connections."""
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


class OperationsProviderMixin(ABC):
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

    def __init_subclass__(cls, **arguments: object) -> None:
        """Read what the methods declare.

        Raises:
            TypeError: It is not what it has to be.
        """
        super().__init_subclass__(**arguments)
        read_declarations(cls, is_typed_operation)

    def _declared_operations(self) -> dict[str, Operation]:
        """Return the operations that methods declare, by name; of two with the same name, the more derived one."""
        return {
            declared.name: Operation(
                name=declared.name,
                handler=declared.handler(self, self._send_result),
                policy=copy.deepcopy(declared.default_policy),
                input=declared.input,
                output=declared.output,
            )
            for declared in declarations_of(type(self), is_typed_operation)
        }

    @abstractmethod
    async def _send_result(self, connection: Connection, event: Event[Any], message: object | None) -> None:
        """Send the result of an operation in the typed style; `None` is no result."""
