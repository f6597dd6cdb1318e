"""The requirements of a core: :class:`OperationRequirement`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Self

from orbitalis.arguments import Identifiers, check_identifiers, check_kind
from orbitalis.operations.constraint import Constraint
from orbitalis.operations.handlers import GivenHandler, as_event_handler
from orbitalis.operations.typed_operation import TypedOperation, is_typed_operation, no_operation

__all__ = ["OperationRequirement"]


@dataclass
class OperationRequirement:
    """One operation that a core needs."""

    constraint: Constraint
    """The rules for connections of the operation."""
    override_sink: GivenHandler | None = None
    """A sink that gets the outputs instead of the one in `operation_sinks`. You may replace it at any time."""
    default_setup_data: bytes | None = None
    """Setup data that plugins get when a connection is set up."""

    def __setattr__(self, name: str, value: object) -> None:
        """Assign an attribute, and refuse what it cannot be."""
        if name == "constraint":
            check_kind(name, value, Constraint)
        super().__setattr__(name, value)

    def __post_init__(self) -> None:
        if self.override_sink is not None:
            self.override_sink = as_event_handler(self.override_sink)

    @classmethod
    def for_operation(
        cls,
        operation: TypedOperation[Any, Any, Any],
        *,
        minimum: int = 0,
        maximum: int | None = None,
        mandatory: Identifiers = (),
        allowlist: Identifiers | None = None,
        blocklist: Identifiers | None = None,
        spellings: Collection[str] = (),
        exact: bool = False,
        override_sink: GivenHandler | None = None,
        default_setup_data: bytes | None = None,
    ) -> Self:
        """Return a requirement for an operation of a plugin class. Other arguments are those of :class:`Constraint`.

        With `exact`, plugins need exactly the same schemas, instead of compatible ones.

        Raises:
            ValueError: The rules contradict each other.
            TypeError: `operation` is not an operation of a plugin class, its annotations cannot be read, or a list is
                one identifier instead of a list of identifiers.
        """
        if not is_typed_operation(operation):
            raise no_operation(operation, "an operation of a plugin class")
        for name, given in (("mandatory", mandatory), ("allowlist", allowlist), ("blocklist", blocklist)):
            check_identifiers(name, given)
        constraint = Constraint(
            minimum=minimum,
            maximum=maximum,
            mandatory=list(mandatory),
            allowlist=None if allowlist is None else list(allowlist),
            blocklist=None if blocklist is None else list(blocklist),
            inputs=[operation.input.exactly() if exact else operation.input],
            outputs=[operation.output.exactly() if exact else operation.output],
            spellings=spellings,
        )
        return cls(constraint, override_sink, default_setup_data)
