"""Schemas as text: self-contained, in canonical form, and as fingerprint."""

from __future__ import annotations

import json
from dataclasses import dataclass

from fastavro.schema import parse_schema

from orbitalis_avro.canonical_form import canonical_form_of, fingerprint_of
from orbitalis_codegen.avro.library import Definition, Library, defined_name, qualified_name
from orbitalis_codegen.avro.shapes import PRIMITIVES
from orbitalis_codegen.diagnostic import Report, shown
from orbitalis_codegen.read.node import JsonValue, ListNode, Node, ObjectNode, ScalarNode, plain
from orbitalis_codegen.rules import Rule

__all__ = ["DEEPEST_TYPE", "SchemaText", "schema_text"]

DEEPEST_TYPE = 64
"""Types within one another, as a payload nests its values."""


@dataclass(frozen=True, slots=True)
class SchemaText:
    """One schema in the forms in which it is compared and sent."""

    schema: str
    canonical_form: str
    fingerprint: str


_NOT_TO_BE_HAD = SchemaText("", "", "")


def schema_text(library: Library, name: str, report: Report) -> SchemaText:
    """The schema of a named type; empty if it cannot be had, which is reported."""
    expander = _Expander(library)
    definition = library.definitions[name]
    expanded = expander.definition(definition, "", 1)
    if expander.too_deep:
        message = f"with the types it contains, {shown(name)} is nested more than {DEEPEST_TYPE} levels deep"
        report.add(Rule.AVRO_DEEP_TYPE, definition.position, message)
        return _NOT_TO_BE_HAD
    try:
        # A second opinion; the parser leaves marks in what it was given.
        parse_schema(json.loads(json.dumps(expanded)))
        canonical_form = canonical_form_of(expanded)
    except Exception as error:  # Its errors have no common type below this one.
        report.add(Rule.AVRO_REFUSED, definition.position, f"fastavro refuses {shown(name)}: {error}")
        return _NOT_TO_BE_HAD
    text = json.dumps(expanded, ensure_ascii=False, separators=(",", ":"))
    return SchemaText(text, canonical_form, fingerprint_of(canonical_form))


class _Expander:
    """Writes every named type out where it is first used."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._written: set[str] = set()
        self.too_deep = False

    def definition(self, definition: Definition, around: str, depth: int) -> JsonValue:
        """A type that is defined at one place and written out at another, inside of the namespace `around`."""
        self._written.add(definition.name)
        namespace = definition.name.rpartition(".")[0]
        expanded: dict[str, JsonValue] = {}
        for key, value in definition.node.members.items():
            if key == "name":
                expanded["name"] = definition.name
                if around and not namespace:
                    expanded["namespace"] = ""
            elif key == "fields" and isinstance(value, ListNode):
                expanded["fields"] = [self._with_type(item, "type", namespace, depth) for item in value.items]
            elif key != "namespace":
                expanded[key] = plain(value)
        return expanded

    def _with_type(self, node: Node, key: str, namespace: str, depth: int) -> JsonValue:
        """An object of which the value of `key` is a type, and all others are not."""
        if not isinstance(node, ObjectNode):
            return plain(node)
        return {
            name: self._type(member, namespace, depth + 1) if name == key else plain(member)
            for name, member in node.members.items()
        }

    def _type(self, node: Node, namespace: str, depth: int) -> JsonValue:
        if depth > DEEPEST_TYPE:
            self.too_deep = True
            return None
        match node:
            case ScalarNode(value=str(name)):
                return name if name in PRIMITIVES else self._named(qualified_name(name, namespace), namespace, depth)
            case ListNode(items):
                return [self._type(item, namespace, depth) for item in items]
            case ObjectNode():
                defined = defined_name(node, namespace)
                if defined is not None:
                    return self._named(defined, namespace, depth)
                referred = self._library.referred.get(id(node))
                if referred is not None:
                    return self._type(referred, namespace, depth)
                return self._with_type(node, "items" if "items" in node.members else "values", namespace, depth)
            case _:
                return plain(node)

    def _named(self, name: str, namespace: str, depth: int) -> JsonValue:
        if name in self._written:
            return name
        return self.definition(self._library.definitions[name], namespace, depth)
