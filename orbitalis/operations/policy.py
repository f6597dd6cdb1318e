"""Whom an operation is lent to: allow and block lists, and a plugin's :class:`Policy`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from orbitalis.message.schema import Input, Output
from orbitalis.protocol.config import OperationTerms

__all__ = ["AllowBlockList", "Policy", "check_list", "check_number"]


def check_list(name: str, value: object) -> None:
    """Raise :class:`TypeError` for what is neither `None` nor a list; a text would be taken for its letters."""
    if value is not None and (isinstance(value, str | bytes) or not isinstance(value, Iterable)):
        raise TypeError(f"{name} must be a list, got {value!r}: write [{value!r}]")


def check_number(name: str, value: object) -> None:
    """Raise :class:`TypeError` for what is neither `None` nor a whole number."""
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise TypeError(f"{name} must be a whole number, got {value!r}")


@dataclass(kw_only=True, eq=True)
class AllowBlockList:
    """Which remotes are admitted, by identifier.

    Raises:
        TypeError: A list is one identifier instead of a list of them.
        ValueError: Both lists are given.
    """

    allowlist: list[str] | None = None
    """The only remotes admitted; `None` admits any."""
    blocklist: list[str] | None = None
    """Remotes that are not admitted."""

    def __post_init__(self) -> None:
        check_list("allowlist", self.allowlist)
        check_list("blocklist", self.blocklist)
        if self.allowlist is not None and self.blocklist is not None:
            raise ValueError("allowlist and blocklist exclude each other: give one of them, not both")

    def admits(self, identifier: str) -> bool:
        """Return whether the remote `identifier` is admitted."""
        if self.blocklist is not None and identifier in self.blocklist:
            return False
        return self.allowlist is None or identifier in self.allowlist


@dataclass(kw_only=True, eq=True)
class Policy(AllowBlockList):
    """How a plugin lends one operation.

    Raises:
        TypeError: `maximum` is no number, or a list is one identifier instead of a list of them.
        ValueError: `maximum` is negative, or both lists are given.
    """

    maximum: int | None = None
    """Most cores it is lent to at the same time, handshakes under way included; `None` for any number."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("maximum", self.maximum)
        if self.maximum is not None and self.maximum < 0:
            raise ValueError(f"maximum must not be negative, got {self.maximum}")

    @classmethod
    def no_constraints(cls) -> Self:
        """Lend to anybody, any number of times."""
        return cls()

    def terms(self, operation_input: Input, operation_output: Output) -> OperationTerms:
        """Return the terms of an operation with this policy, as they are now."""
        return OperationTerms(
            input=operation_input,
            output=operation_output,
            maximum=self.maximum,
            allowlist=None if self.allowlist is None else frozenset(self.allowlist),
            blocklist=_NOBODY if self.blocklist is None else frozenset(self.blocklist),
        )


_NOBODY: Final[frozenset[str]] = frozenset()
