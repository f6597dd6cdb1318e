"""Which cores an operation is lent to: allowlists and blocklists, and a plugin's :class:`Policy`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Final, Self, TypeAlias

from orbitalis.arguments import check_identifiers, check_number
from orbitalis.message.matching import exact_schemas
from orbitalis.message.schema import Input, Output
from orbitalis.protocol.config import OperationTerms

__all__ = ["AllowBlockList", "Check", "Policy"]

Check: TypeAlias = Callable[[str, object], None]
"""Raises :class:`TypeError` for what an attribute, given by name, cannot be."""


@dataclass(kw_only=True, eq=True)
class AllowBlockList:
    """Which remotes are admitted, by identifier.

    Raises:
        TypeError: A list is one identifier instead of a list of identifiers. Also raised when it is assigned later.
        ValueError: Both lists are given.
    """

    _checks: ClassVar[Mapping[str, Check]] = MappingProxyType(
        {"allowlist": check_identifiers, "blocklist": check_identifiers}
    )
    """By name of an attribute: what checks a value that is assigned."""

    allowlist: list[str] | None = None
    """Identifiers of the only remotes that are admitted. `None` admits any remote."""
    blocklist: list[str] | None = None
    """Identifiers of remotes that are not admitted."""

    def __setattr__(self, name: str, value: object) -> None:
        """Assign an attribute, and refuse what it cannot be."""
        if name in self._checks:
            self._checks[name](name, value)
        super().__setattr__(name, value)

    def __post_init__(self) -> None:
        if self.allowlist is not None and self.blocklist is not None:
            raise ValueError("allowlist and blocklist exclude each other: give one of them, not both")

    def admits(self, identifier: str) -> bool:
        """Return whether the remote `identifier` is admitted."""
        if self.blocklist is not None and identifier in self.blocklist:
            return False
        return self.allowlist is None or identifier in self.allowlist


@dataclass(kw_only=True, eq=True)
class Policy(AllowBlockList):
    """Says which cores a plugin lends an operation to, and to how many.

    Raises:
        TypeError: `maximum` is not a number, or a list is one identifier instead of a list of identifiers. Also raised
            when an attribute is assigned later.
        ValueError: `maximum` is negative, or both lists are given.
    """

    _checks: ClassVar[Mapping[str, Check]] = MappingProxyType({**AllowBlockList._checks, "maximum": check_number})

    maximum: int | None = None
    """Maximum number of cores at the same time, including handshakes under way. `None` means any number."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.maximum is not None and self.maximum < 0:
            raise ValueError(f"maximum must not be negative, got {self.maximum}")

    @classmethod
    def no_constraints(cls) -> Self:
        """Return a policy that lends to any core, any number of times."""
        return cls()

    @classmethod
    def allow_only(cls, identifier: str) -> Self:
        """Return a policy that lends to only one core."""
        return cls(allowlist=[identifier])

    def terms(self, operation_input: Input, operation_output: Output) -> OperationTerms:
        """Return the terms of an operation with this policy, as they are now."""
        return OperationTerms(
            input=operation_input,
            output=operation_output,
            maximum=self.maximum,
            allowlist=None if self.allowlist is None else frozenset(self.allowlist),
            blocklist=_NOBODY if self.blocklist is None else frozenset(self.blocklist),
            exact=(
                *exact_schemas((operation_input,), are_read=True),
                *exact_schemas((operation_output,), are_read=False),
            ),
        )


_NOBODY: Final[frozenset[str]] = frozenset()
