"""Traits: what an operation or a message takes over from objects that it lists, as AsyncAPI 3 merges them."""

from __future__ import annotations

from orbitalis_codegen.check.shape import Checker, Shape, View, view_of
from orbitalis_codegen.contract.read.notes import IGNORED
from orbitalis_codegen.diagnostic import Position
from orbitalis_codegen.read.node import ListNode, Node, ObjectNode, ScalarNode, kind_of
from orbitalis_codegen.read.reference import Resolver, is_reference
from orbitalis_codegen.rules import Rule

__all__ = ["with_traits"]


def with_traits(checker: Checker, node: ObjectNode, trait: Shape) -> ObjectNode:
    """The object with what its `traits`, of the shape `trait`, add to it.

    They are merged in their order as JSON Merge Patch does it, and then the object itself, which they cannot override.
    """
    traits = node.members.get("traits")
    if traits is None:
        return node
    if not isinstance(traits, ListNode):
        message = f"'traits' is {kind_of(traits)}, but a list is expected"
        checker.report.add(Rule.WRONG_KIND, traits.position, message)
        return node
    merged = ObjectNode({}, {}, node.position)
    for item in traits.items:
        target = checker.resolver.follow(item)
        view = None if target is None else view_of(target.node, trait, checker.report)
        if view is not None:
            merged = _merged(checker.resolver, merged, _without_unsupported(view))
    return _merged(checker.resolver, merged, node)


def _without_unsupported(view: View) -> ObjectNode:
    unwanted = view.shape.unsupported
    members = {key: member for key, member in view.node.members.items() if key not in unwanted}
    return ObjectNode(members, {key: view.key_position(key) for key in members}, view.position)


def _merged(resolver: Resolver | None, base: ObjectNode, patch: ObjectNode) -> ObjectNode:
    """The object that a patch makes of another one; with a `resolver`, references in both are followed."""
    members: dict[str, Node] = dict(base.members)
    positions: dict[str, Position] = dict(base.key_positions)
    for key, member in patch.members.items():
        if isinstance(member, ScalarNode) and member.value is None:
            # In a patch, null takes away what the objects before have.
            members.pop(key, None)
            positions.pop(key, None)
            continue
        if key in members and key not in IGNORED:
            one, other = _resolved(resolver, members[key]), _resolved(resolver, member)
            # References further inside may lead back.
            member = _merged(None, one, other) if one is not None and other is not None else member
        members[key] = member
        positions[key] = patch.key_positions[key]
    return ObjectNode(members, positions, patch.position)


def _resolved(resolver: Resolver | None, node: Node) -> ObjectNode | None:
    """The object that `node` is or refers to; `None` if it is something else."""
    target = None if resolver is None or not is_reference(node) else resolver.follow(node)
    found = node if target is None else target.node
    return found if isinstance(found, ObjectNode) and not is_reference(found) else None
