"""Operations that a plugin provides: those that its methods declare, and those that are added by hand."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from orbitalis.arguments import check_kind, check_text, did_you_mean
from orbitalis.message.schema import Input, Output
from orbitalis.operations.declared_method import declarations_of, read_declarations
from orbitalis.operations.handlers import GivenHandler, OnResult, as_event_handler
from orbitalis.operations.policy import Policy
from orbitalis.operations.typed_operation import TypedOperation, check_concurrency, is_typed_operation
from orbitalis_wire.topics import OperationInputTopic

__all__ = ["Operation", "OperationsProviderMixin", "declared_operations", "documentation_of"]


@dataclass(kw_only=True)
class Operation:
    """An operation of a plugin: its name, handler, policy, input and output.

    Raises:
        TopicError: The name cannot be a level of a topic.
        ValueError: There is an input but no handler, or `concurrency` is less than 1.
        TypeError: An attribute has the wrong type. Also raised when it is assigned later.
    """

    name: str
    """Name of the operation, unique within the plugin."""
    handler: GivenHandler | None = None
    """Handler of the inputs, or `None` without input. You may replace it at any time."""
    policy: Policy = field(default_factory=Policy.no_constraints)
    """Which cores may use it, and how many."""
    input: Input = field(default_factory=Input.no_input)
    """The input that it accepts."""
    output: Output = field(default_factory=Output.no_output)
    """The output that it may send."""
    concurrency: int = 1
    """How many inputs of one connection are handled at the same time. With 1 they are handled one by one, in the order
    in which they arrived. With more, results come in any order. A change takes effect for connections that are opened
    later."""
    documentation: str = field(default="", repr=False)
    """Description for operators. For a decorated method it is the docstring."""

    def __setattr__(self, name: str, value: object) -> None:
        """Assign an attribute, and refuse what it cannot be."""
        if name in _KINDS:
            check_kind(name, value, _KINDS[name])
        super().__setattr__(name, value)

    def __post_init__(self) -> None:
        # Raises if the name cannot be in a topic.
        OperationInputTopic.filter(operation_name=self.name)
        check_concurrency(self.name, self.concurrency)
        if self.handler is None and self.input.has_input:
            raise ValueError(
                f"operation '{self.name}' has an input, but no handler for it: give a handler, or Input.no_input()"
            )
        if self.handler is not None:
            self.handler = as_event_handler(self.handler)


_KINDS: Final[Mapping[str, type[object]]] = {"policy": Policy, "input": Input, "output": Output}
"""By name of an attribute of :class:`Operation`: of which class it is."""


class OperationsProviderMixin:
    """The operations of a plugin, and the methods that change them."""

    operations: dict[str, Operation]
    """The operations, by name. You may edit them at any time."""

    def with_operation(self, operation_name: str, operation: Operation) -> Self:
        """Add an operation, or replace the one with the same name.

        Raises:
            TypeError: `operation` is not an operation.
        """
        check_kind("operation", operation, Operation)
        self._before_operations_change()
        self.operations[operation_name] = operation
        self._operations_changed()
        return self

    def with_custom_policy(self, operation_name: str | TypedOperation[Any, Any, Any], policy: Policy) -> Self:
        """Replace the policy of an operation, which is given by name or as `Lamp.light`.

        Connections that the policy does not allow are closed gracefully, the newest first.

        Raises:
            KeyError: There is no such operation.
            TypeError: `policy` is not a policy.
        """
        name = operation_name.name if isinstance(operation_name, TypedOperation) else operation_name
        check_text("operation_name", name)
        if name not in self.operations:
            near = did_you_mean(name, self.operations)
            raise KeyError(f"there is no operation '{name}' to give a policy{near}")
        self._before_operations_change()
        self.operations[name].policy = policy
        self._operations_changed()
        return self

    def _known_operations(self) -> str:
        """Name the operations, for errors."""
        return "known: " + (", ".join(f"'{name}'" for name in self.operations) or "none")

    def _before_operations_change(self) -> None:
        """Raise if a method may not change the operations here."""

    def _operations_changed(self) -> None:
        """Take note of operations that were changed by a method."""

    def __init_subclass__(cls, **arguments: object) -> None:
        """Read the operations that the class declares.

        Raises:
            TypeError: A declaration is wrong, or two declare the same operation.
        """
        super().__init_subclass__(**arguments)
        read_declarations(cls, is_typed_operation)


def declared_operations(plugin: object, on_result: OnResult) -> dict[str, Operation]:
    """Return the operations that a plugin's class declares, by name.

    If two operations have the same name, the one of the more derived class counts. `on_result` sends the results that
    methods return.

    Raises:
        TypeError: The annotations of an operation cannot be read.
    """
    return {
        declared.name: Operation(
            name=declared.name,
            handler=declared.input_handler(plugin, on_result),
            policy=copy.deepcopy(declared.default_policy),
            input=declared.input,
            output=declared.output,
            concurrency=declared.concurrency,
            documentation=documentation_of(type(plugin), declared.attribute),
        )
        for declared in declarations_of(type(plugin), is_typed_operation)
    }


def documentation_of(owner: type, attribute: str) -> str:
    """Return the first text that is written for an operation, the most derived declaration being the first one."""
    declared = (vars(base).get(attribute) for base in owner.__mro__)
    return next((inspect.cleandoc(one.__doc__) for one in declared if is_typed_operation(one) and one.__doc__), "")
