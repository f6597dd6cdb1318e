"""The tree that YAML and JSON are read into: scalars, lists and objects with their positions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from orbitalis_codegen.diagnostic import Position

__all__ = ["JsonValue", "ListNode", "Node", "ObjectNode", "ScalarNode", "kind_of", "plain"]

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"


@dataclass(frozen=True, slots=True, eq=False)
class ScalarNode:
    """A text, a number, a boolean or null."""

    value: str | int | float | bool | None
    position: Position


@dataclass(frozen=True, slots=True, eq=False)
class ListNode:
    """Values in an order."""

    items: tuple[Node, ...]
    position: Position


@dataclass(frozen=True, slots=True, eq=False)
class ObjectNode:
    """Values by keys, in the order of the file."""

    members: Mapping[str, Node]
    key_positions: Mapping[str, Position]
    position: Position


Node: TypeAlias = ScalarNode | ListNode | ObjectNode


def plain(node: Node) -> JsonValue:
    """The value without its positions."""
    match node:
        case ScalarNode(value):
            return value
        case ListNode(items):
            return [plain(item) for item in items]
        case ObjectNode(members):
            return {key: plain(member) for key, member in members.items()}


def kind_of(node: Node) -> str:
    """What kind of value it is, in the words of a message: `a text`, `an object`, ..."""
    match node:
        case ListNode():
            return "a list"
        case ObjectNode():
            return "an object"
        case ScalarNode(value=None):
            return "null"
        case ScalarNode(value=bool()):
            return "a boolean"
        case ScalarNode(value=str()):
            return "a text"
        case ScalarNode():
            return "a number"
