"""What the schema files of a specification define and mention, before it is known whether it all fits."""

from __future__ import annotations

from dataclasses import dataclass, field

from orbitalis_avro.types import AvroType, NamedType, Union
from orbitalis_codegen.diagnostic import Position
from orbitalis_codegen.read.node import Node, ObjectNode, ScalarNode

__all__ = ["Definition", "FieldDefault", "Library", "Mention", "defined_name", "qualified_name"]


@dataclass(frozen=True, slots=True)
class Definition:
    """Where a named type is defined."""

    name: str
    """In full."""
    node: ObjectNode
    position: Position
    """Where its name stands."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A name in the place of a type."""

    name: str
    """In full."""
    position: Position


@dataclass(frozen=True, slots=True)
class FieldDefault:
    """A default and the type that it should be of."""

    type: AvroType
    node: Node


@dataclass(slots=True)
class Library:
    """All named types of a specification."""

    types: dict[str, NamedType] = field(default_factory=dict[str, NamedType])
    """By their full names."""
    definitions: dict[str, Definition] = field(default_factory=dict[str, Definition])
    files: dict[str, str] = field(default_factory=dict[str, str])
    """By file the full name of the type that it defines."""
    names: dict[int, str] = field(default_factory=dict[int, str])
    """By the identity of the node that defines a type its full name."""
    referred: dict[int, Node] = field(default_factory=dict[int, Node])
    """By the identity of a reference in the place of a type what it leads to."""
    misnamed: set[str] = field(default_factory=set[str])
    """Types whose name is not one, which is reported."""
    incomplete: set[str] = field(default_factory=set[str])
    """Files with problems, so that no conclusions can be drawn from what they do not say."""
    mentions: list[Mention] = field(default_factory=list[Mention])
    unions: list[tuple[Union, Position]] = field(default_factory=list[tuple[Union, Position]])
    """Every union, with its place."""
    defaults: list[FieldDefault] = field(default_factory=list[FieldDefault])
    field_positions: dict[tuple[str, str], Position] = field(default_factory=dict[tuple[str, str], Position])
    """Where the type of a field stands, by the record's full name and the field's."""
    since_positions: dict[tuple[str, str], Position] = field(default_factory=dict[tuple[str, str], Position])
    """Where it stands since when a field is there, likewise."""

    def defined_at(self, node: ObjectNode) -> str | None:
        """The full name of the type that `node` defines, if it defines one."""
        return self.names.get(id(node))


def defined_name(node: Node, namespace: str) -> str | None:
    """The full name of the type that `node` defines inside of `namespace`; `None` if it defines none that has one."""
    match node:
        case ObjectNode(
            members={
                "type": ScalarNode(value=("record" | "enum" | "fixed")),
                "name": ScalarNode(value=str(name)),
            } as members
        ):
            match members.get("namespace"):
                case ScalarNode(value=str(own)):
                    return qualified_name(name, own)
                case _:
                    return qualified_name(name, namespace)
        case _:
            return None


def qualified_name(name: str, namespace: str) -> str:
    """The full name of what is called `name` inside of `namespace`, which may be empty."""
    return name if "." in name or not namespace else f"{namespace}.{name}"
