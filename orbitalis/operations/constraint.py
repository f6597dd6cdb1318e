"""The rules of a requirement: :class:`Constraint`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar, Self, cast

from orbitalis.arguments import check_identifiers, check_list, check_number, shown
from orbitalis.message.matching import exact_schemas
from orbitalis.message.schema import Input, Output, is_schema, with_spellings
from orbitalis.operations.policy import AllowBlockList, Check
from orbitalis.protocol.config import RequirementTerms

__all__ = ["Constraint"]


def _check_schemas(expected: type[Input | Output]) -> Check:
    """Return what checks alternative inputs, or outputs."""

    def check(name: str, value: object) -> None:
        check_list(name, _given(name, value))
        for one in cast("Collection[object]", value):
            if not isinstance(one, expected):
                kind = expected.__name__
                raise TypeError(
                    f"{name} must be a list of {kind}, got {one!r} in it: write {kind}.string(), or "
                    f"{kind}.from_message(…) with a message class"
                )

    return check


def _given(name: str, value: object) -> object:
    """Return a value that must not be `None`."""
    if value is None:
        raise TypeError(f"{name} must not be None: leave it out")
    return value


def _check_spellings(name: str, value: object) -> None:
    check_list(name, _given(name, value))
    for one in cast("Collection[object]", value):
        if not isinstance(one, str):
            raise TypeError(f"{name} must be a list of Avro schemas as JSON text, got {shown(one)} in it")
        if not is_schema(one):
            raise ValueError(f"{name} must be a list of Avro schemas as JSON text, and this is none: {shown(one)}")


def _check_mandatory(name: str, value: object) -> None:
    check_identifiers(name, _given(name, value))


def _check_minimum(name: str, value: object) -> None:
    check_number(name, _given(name, value))


@dataclass(kw_only=True, eq=True)
class Constraint(AllowBlockList):
    """The rules of a core for connections of one operation.

    Plugins in `mandatory` are always admitted. They count neither for `minimum` nor for `maximum`.

    Raises:
        TypeError: A list is a single thing instead of a list, or a bound is not a number. Also raised when an attribute
            is assigned later.
        ValueError: Bounds are negative, `minimum` is above `maximum`, inputs or outputs are missing, both lists are
            given, a mandatory plugin is blocked, or a spelling is not a schema.
    """

    _checks: ClassVar[Mapping[str, Check]] = MappingProxyType(
        {
            **AllowBlockList._checks,
            "minimum": _check_minimum,
            "maximum": check_number,
            "mandatory": _check_mandatory,
            "inputs": _check_schemas(Input),
            "outputs": _check_schemas(Output),
            "spellings": _check_spellings,
        }
    )

    minimum: int = 0
    """Minimum number of plugins, not counting mandatory ones."""
    maximum: int | None = None
    """Maximum number of plugins, without mandatory ones, including requests under way. `None`: any number."""
    mandatory: list[str] = field(default_factory=list[str])
    """Identifiers of plugins that have to be connected."""
    inputs: list[Input]
    """Alternative inputs. An operation has to accept one of them."""
    outputs: list[Output]
    """Alternative outputs. The output of an operation has to match one of them."""
    spellings: Collection[str] = ()
    """The exact JSON texts that older plugins have for schemas. The core asks for inputs and outputs with these texts,
    too. A text whose schema is not among the inputs and outputs has no effect."""

    def __post_init__(self) -> None:
        super().__post_init__()
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
            inputs=with_spellings(self.inputs, self.spellings),
            outputs=with_spellings(self.outputs, self.spellings),
            minimum=self.minimum,
            maximum=self.maximum,
            mandatory=tuple(dict.fromkeys(self.mandatory)),
            allowlist=None if self.allowlist is None else tuple(self.allowlist),
            blocklist=None if self.blocklist is None else tuple(self.blocklist),
            exact=(*exact_schemas(self.inputs, are_read=False), *exact_schemas(self.outputs, are_read=True)),
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
