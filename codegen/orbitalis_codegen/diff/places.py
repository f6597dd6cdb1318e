"""Where a version says something: positions of keys in its document, and of types and fields in its schemas.

What does not change is never looked for, so that files are read a second time only where something has changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from orbitalis_avro.types import NamedType
from orbitalis_codegen.contract.read.boundary import boundary_of
from orbitalis_codegen.diagnostic import Position, Report
from orbitalis_codegen.diff.schemas import Spot
from orbitalis_codegen.read.files import SourceFiles
from orbitalis_codegen.read.node import ListNode, Node, ObjectNode, ScalarNode
from orbitalis_codegen.read.reference import Resolver

__all__ = ["Places"]

_NAMED = ("record", "error", "enum", "fixed")


class Places:
    """The positions of one version, which is known to be right."""

    def __init__(self, root: Path, document: str, types: Mapping[str, NamedType]) -> None:
        """Look in `document` below the folder `root`, and where its `types` are defined."""
        report = Report()
        self._files = SourceFiles(root, report, boundary_of(root / document))
        self._resolver = Resolver(self._files, document, report)
        self._document = document
        self._types = types
        self._definitions: dict[str, dict[str, ObjectNode]] = {}

    def at(self, *keys: str) -> Position:
        """Return where the last of some keys stands that lead through the document, or how far they lead."""
        position = Position(self._document, 1, 1)
        node = self._files.read(self._document)
        for key in keys:
            target = None if node is None else self._resolver.follow(node)
            node = None if target is None else target.node
            match node:
                case ObjectNode(members, key_positions) if key in members:
                    position, node = key_positions[key], members[key]
                case ListNode(items) if key.isdecimal() and int(key) < len(items):
                    node = items[int(key)]
                    position = node.position
                case _:
                    return position
        return position

    def of(self, spot: Spot) -> Position | None:
        """Return where a type or a field is defined; `None` if it has no place, as a plain payload has none."""
        definition = self._definition(spot.type)
        if definition is None:
            return None
        fields = definition.members.get("fields")
        if spot.field is not None and isinstance(fields, ListNode):
            for field in fields.items:
                if isinstance(field, ObjectNode) and _text(field, "name") == spot.field:
                    return field.members["name"].position
        name = definition.members.get("name")
        return definition.position if name is None else name.position

    def _definition(self, name: str) -> ObjectNode | None:
        named = self._types.get(name)
        file = named.source if named is not None and named.source else self._document
        if file not in self._definitions:
            tree = self._files.read(file)
            self._definitions[file] = {} if tree is None else dict(_definitions(tree, ""))
        found = self._definitions[file]
        return found.get(name) or found.get(name.rpartition(".")[2])


def _definitions(tree: Node, around: str) -> Iterator[tuple[str, ObjectNode]]:
    """Yield the definitions of named types in a tree, by their full names; the last of a name counts."""
    pending: list[tuple[Node, str]] = [(tree, around)]
    seen: set[int] = set()
    while pending:
        node, namespace = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        match node:
            case ObjectNode(members):
                name = _text(node, "name")
                if name is not None and _text(node, "type") in _NAMED:
                    given = _text(node, "namespace")
                    namespace = namespace if given is None else given
                    full = name if "." in name or not namespace else f"{namespace}.{name}"
                    namespace = full.rpartition(".")[0]
                    yield full, node
                pending.extend((member, namespace) for member in members.values())
            case ListNode(items):
                pending.extend((item, namespace) for item in items)
            case _:
                pass


def _text(node: ObjectNode, key: str) -> str | None:
    member = node.members.get(key)
    return member.value if isinstance(member, ScalarNode) and isinstance(member.value, str) else None
