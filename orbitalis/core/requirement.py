"""What a core needs: :class:`OperationRequirement`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from orbitalis.orbiter.handlers import GivenHandler, as_handler
from orbitalis.orbiter.typed_operation import TypedOperation
from orbitalis.protocol.constraint import Constraint

__all__ = ["OperationRequirement", "RequirementsProviderMixin"]


@dataclass
class OperationRequirement:
    """One operation that a core needs."""

    constraint: Constraint
    """The rules for its connections."""
    override_sink: GivenHandler | None = None
    """Takes the outputs, instead of the sink in `operation_sinks`; can be replaced while there are connections."""
    default_setup_data: bytes | None = None
    """What plugins get when a connection is set up."""

    def __post_init__(self) -> None:
        if self.override_sink is not None:
            self.override_sink = as_handler(self.override_sink)

    @classmethod
    def for_operation(
        cls,
        operation: TypedOperation[Any, Any, Any],
        *,
        minimum: int = 0,
        maximum: int | None = None,
        mandatory: Sequence[str] = (),
        allowlist: Sequence[str] | None = None,
        blocklist: Sequence[str] | None = None,
        override_sink: GivenHandler | None = None,
        default_setup_data: bytes | None = None,
    ) -> Self:
        """Need an operation as a plugin class declares it; the other arguments are those of :class:`Constraint`.

        Raises:
            ValueError: The rules contradict each other.
            TypeError: The annotations of the operation cannot be read.
        """
        constraint = Constraint(
            minimum=minimum,
            maximum=maximum,
            mandatory=list(mandatory),
            allowlist=None if allowlist is None else list(allowlist),
            blocklist=None if blocklist is None else list(blocklist),
            inputs=[operation.input],
            outputs=[operation.output],
        )
        return cls(constraint, override_sink, default_setup_data)


class RequirementsProviderMixin:
    """Something that needs operations."""

    operation_requirements: dict[str, OperationRequirement]
    """What is needed, by operation name; may be edited at any time."""

    def with_requirement(
        self,
        operation: TypedOperation[Any, Any, Any],
        *,
        minimum: int = 0,
        maximum: int | None = None,
        mandatory: Sequence[str] = (),
        allowlist: Sequence[str] | None = None,
        blocklist: Sequence[str] | None = None,
        override_sink: GivenHandler | None = None,
        default_setup_data: bytes | None = None,
    ) -> Self:
        """Need an operation as a plugin class declares it; see :meth:`OperationRequirement.for_operation`.

        Raises:
            ValueError: The rules contradict each other.
            TypeError: The annotations of the operation cannot be read.
        """
        self.operation_requirements[operation.name] = OperationRequirement.for_operation(
            operation,
            minimum=minimum,
            maximum=maximum,
            mandatory=mandatory,
            allowlist=allowlist,
            blocklist=blocklist,
            override_sink=override_sink,
            default_setup_data=default_setup_data,
        )
        return self
