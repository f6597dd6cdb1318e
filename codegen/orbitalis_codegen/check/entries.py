"""Objects that hold other objects by names of the document's choice: channels, operations, timings, ..."""

from __future__ import annotations

from collections.abc import Iterator

from orbitalis_codegen.check.names import Names, check_key
from orbitalis_codegen.check.shape import Checker, Shape, View, view_of
from orbitalis_codegen.diagnostic import Position
from orbitalis_codegen.read.node import Node

__all__ = ["entries"]


def entries(
    checker: Checker, node: Node | None, container: Shape, shape: Shape, names: Names | None = None
) -> Iterator[tuple[str, Position, View]]:
    """The objects of a container, each with its key and where that stands.

    `names` keeps the keys apart that generated code is to carry.
    """
    view = None if node is None else view_of(node, container, checker.report)
    if view is None:
        return
    for key, member in view.members():
        position = view.key_position(key)
        if names is not None and check_key(key, position, checker.report):
            names.take(key, position)
        entry = checker.view(member, shape)
        if entry is not None:
            yield key, position, entry
