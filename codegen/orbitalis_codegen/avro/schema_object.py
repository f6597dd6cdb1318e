"""Schemas where they stand in documents: behind references, and in objects that say in which format they are."""

from __future__ import annotations

from dataclasses import dataclass

from orbitalis_codegen.diagnostic import Report
from orbitalis_codegen.read.node import Node, ObjectNode
from orbitalis_codegen.read.reference import LONGEST_CHAIN, Resolver
from orbitalis_codegen.rules import Rule

__all__ = ["SchemaObject", "schema_of"]


@dataclass(frozen=True, slots=True)
class SchemaObject:
    """A schema and its format."""

    node: Node
    """The schema itself."""
    format: Node | None
    """The value of `schemaFormat` of the object around it; `None` without one."""


def schema_of(resolver: Resolver, node: Node, report: Report) -> SchemaObject | None:
    """The schema that `node` is, or that it leads to; `None` if that is not to be had, which is reported."""
    schema_format: Node | None = None
    first = node
    for _ in range(LONGEST_CHAIN):
        target = resolver.follow(node)
        if target is None:
            return None
        node = target.node
        if not isinstance(node, ObjectNode) or "schema" not in node.members or "type" in node.members:
            return SchemaObject(node, schema_format)
        schema_format = node.members.get("schemaFormat", schema_format)
        node = node.members["schema"]
    message = f"the schema leads through more than {LONGEST_CHAIN} others"
    report.add(Rule.REFERENCE_CYCLE, first.position, message)
    return None
