"""What a core demands of one operation: :class:`Constraint`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from orbitalis.message.schema import Input, Output
from orbitalis.operations.policy import AllowBlockList, check_list, check_number
from orbitalis.protocol.config import RequirementTerms

__all__ = ["Constraint"]


@dataclass(kw_only=True, eq=True)
class Constraint(AllowBlockList):
    """The rules for connections of one operation.

    Plugins in `mandatory` are always admitted, and counted neither in `minimum` nor in `maximum`.

    Raises:
        TypeError: A list is one thing instead of a list of them, or a bound is no number.
        ValueError: Bounds are negative or crossed, inputs or outputs are missing, both lists are given, or a mandatory
            plugin is blocked.
    """

    minimum: int = 0
    """Fewest plugins beside the mandatory ones."""
    maximum: int | None = None
    """Most plugins beside the mandatory ones, requests under way included; `None` for any number."""
    mandatory: list[str] = field(default_factory=list[str])
    """Identifiers of plugins that have to be connected."""
    inputs: list[Input]
    """Alternative inputs; an operation has to accept one of them."""
    outputs: list[Output]
    """Alternative outputs; an operation has to keep to one of them."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("mandatory", "inputs", "outputs"):
            check_list(name, getattr(self, name))
        for name in ("minimum", "maximum"):
            check_number(name, getattr(self, name))
        if self.minimum < 0:
            raise ValueError(f"minimum must not be negative, got {self.minimum}")
        if self.maximum is not None and self.maximum < self.minimum:
            raise ValueError(f"maximum must not be below minimum, got minimum={self.minimum}, maximum={self.maximum}")
        if not self.inputs:
            raise ValueError("inputs is empty: name at least one, Input.no_input() if the operation is never fed")
        if not self.outputs:
            raise ValueError("outputs is empty: name at least one, Output.no_output() if no result is expected")
        blocked = sorted(set(self.mandatory) & set(self.blocklist or ()))
        if blocked:
            raise ValueError(f"mandatory plugins are on the blocklist: {', '.join(blocked)}")

    def terms(self) -> RequirementTerms:
        """Return the rules as they are now."""
        return RequirementTerms(
            inputs=tuple(self.inputs),
            outputs=tuple(self.outputs),
            minimum=self.minimum,
            maximum=self.maximum,
            mandatory=tuple(dict.fromkeys(self.mandatory)),
            allowlist=None if self.allowlist is None else tuple(self.allowlist),
            blocklist=None if self.blocklist is None else tuple(self.blocklist),
        )

    @classmethod
    def of(cls, terms: RequirementTerms) -> Self:
        """Return a constraint with these rules."""
        return cls(
            inputs=list(terms.inputs),
            outputs=list(terms.outputs),
            minimum=terms.minimum,
            maximum=terms.maximum,
            mandatory=list(terms.mandatory),
            allowlist=None if terms.allowlist is None else list(terms.allowlist),
            blocklist=None if terms.blocklist is None else list(terms.blocklist),
        )

    def admits(self, identifier: str) -> bool:
        """Return whether the plugin `identifier` may be connected at all."""
        return identifier in self.mandatory or super().admits(identifier)
