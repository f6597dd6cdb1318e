"""What a contract says that means nothing to Orbitalis: one note for each kind of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from orbitalis_codegen.check.shape import View
from orbitalis_codegen.diagnostic import Diagnostic
from orbitalis_codegen.read.node import Node, ScalarNode
from orbitalis_codegen.rules import Rule

__all__ = ["IGNORED", "ignore", "one_of_a_kind"]

_TRAVEL: Final = "how messages travel is decided by Orbitalis"
IGNORED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "servers": f"servers are ignored: {_TRAVEL}",
        "address": f"addresses and their parameters are ignored: {_TRAVEL}",
        "parameters": f"addresses and their parameters are ignored: {_TRAVEL}",
        "bindings": f"bindings are ignored: {_TRAVEL}",
        "security": "security is ignored: the operator of the bus decides who may do what",
        "correlationId": f"correlation ids are ignored: {_TRAVEL}",
        "tags": "tags and external documentation are ignored",
        "externalDocs": "tags and external documentation are ignored",
        "examples": "examples are ignored",
        "deprecated": "marks of what is deprecated are ignored",
    }
)
"""By key of an object what is said about it."""
_OF_ANY_NAME: Final = frozenset({Rule.AVRO_UNKNOWN_ATTRIBUTE, Rule.UNKNOWN_KEY})
"""Rules of which notes differ in a name alone."""


def ignore(view: View, *keys: str) -> None:
    """Note of each of the `keys` that the object has that it is ignored."""
    for key in keys:
        node = view.get(key)
        if node is not None and not _says_nothing(key, node):
            view.report.note(Rule.CONTRACT_IGNORED, view.key_position(key), IGNORED[key])


def _says_nothing(key: str, node: Node) -> bool:
    return key == "address" and isinstance(node, ScalarNode) and node.value is None


def one_of_a_kind(notes: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The first note of each kind, which says in how many more places there is something of it."""
    kinds: dict[tuple[Rule, str], list[Diagnostic]] = {}
    for note in notes:
        kinds.setdefault((note.rule, "" if note.rule in _OF_ANY_NAME else note.message), []).append(note)
    return tuple(
        first if not others else replace(first, message=f"{first.message} (and {_more(first, others)})")
        for first, *others in kinds.values()
    )


def _more(first: Diagnostic, others: list[Diagnostic]) -> str:
    places = f"{len(others)} more place{'' if len(others) == 1 else 's'}"
    return f"in {places}" if all(other.message == first.message for other in others) else f"others in {places}"
