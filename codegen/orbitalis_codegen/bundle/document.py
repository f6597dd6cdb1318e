"""The document of a specification, with all that it refers to in other files written out in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast
from urllib.parse import quote

from orbitalis_codegen.bundle.schemas import FORMAT, Schemas
from orbitalis_codegen.bundle.tables import tables
from orbitalis_codegen.bundle.yaml_text import yaml_text
from orbitalis_codegen.check import shapes
from orbitalis_codegen.diagnostic import Report
from orbitalis_codegen.model import Model
from orbitalis_codegen.read.files import SourceFiles
from orbitalis_codegen.read.node import JsonValue, ListNode, Node, ObjectNode, ScalarNode, plain
from orbitalis_codegen.read.reference import DATA_KEYS, Place, Resolver, is_reference
from orbitalis_codegen.rules import Rule

__all__ = ["bundle"]

_DOCUMENT: Final = "asyncapi.yaml"
_CONTAINERS: Final = (*shapes.COMPONENTS.known, "properties")
"""Keys of objects whose keys are names."""
_SAFE: Final = "/~!$&'()*+,;=:@-._"
"""Characters that the fragment of a URL may hold as they are."""


def bundle(root: Path, model: Model) -> str:
    """The specification in the folder `root`, whose `model` was read from there, as one AsyncAPI document in YAML.

    Raises SpecificationError if something cannot be written out.
    """
    report = Report()
    files = SourceFiles(root, report)
    tree = files.read(_DOCUMENT)
    if tree is None:
        raise report.error()
    schemas = Schemas(model)
    by_file = {named.source: name for name, named in model.types.items()}
    writer = _Writer(Resolver(files, _DOCUMENT, report), report, schemas, by_file)
    document = cast("dict[str, JsonValue]", writer.value(tree))
    if report:
        raise report.error()
    _describe(document, model)
    _list_types(document, model, schemas)
    return yaml_text(document)


@dataclass(slots=True)
class _Writer:
    """Writes nodes as values, without references to other files."""

    resolver: Resolver
    report: Report
    schemas: Schemas
    by_file: Mapping[str, str]
    """By schema file the name of the type that it defines."""
    inside: list[Place] = field(default_factory=list[Place])
    """What is being written out in the place of references to it."""

    def value(self, node: Node, *, has_names: bool = False) -> JsonValue:
        """A node as a value; if it `has_names`, its keys are names of the document's choice."""
        match node:
            case ObjectNode() if is_reference(node):
                return self._reference(node)
            case ObjectNode(members):
                written = {
                    key: plain(member)
                    if key in DATA_KEYS and not has_names
                    else self.value(member, has_names=key in _CONTAINERS and not has_names)
                    for key, member in members.items()
                }
                return {**written, "schemaFormat": FORMAT} if _is_avro(node) else written
            case ListNode(items):
                return [self.value(item) for item in items]
            case ScalarNode(value):
                return value

    def _reference(self, node: ObjectNode) -> JsonValue:
        target = self.resolver.follow(node)
        if target is None:
            return None
        place = target.places[0]
        if place.file == _DOCUMENT:
            return {"$ref": f"#{quote(str(place)[1:], safe=_SAFE)}"}
        last = target.places[-1]
        if last.file in self.by_file and not last.keys:
            return self.schemas.schema(self.by_file[last.file])
        if last in self.inside:
            message = f"{last} of {last.file} contains itself, and cannot be written out"
            hint = "move it into the document, where it can refer to itself"
            self.report.add(Rule.REFERENCE_CYCLE, node.members["$ref"].position, message, hint)
            return None
        self.inside.append(last)
        written = self.value(target.node)
        self.inside.pop()
        return written


def _is_avro(node: ObjectNode) -> bool:
    format_ = node.members.get("schemaFormat")
    return isinstance(format_, ScalarNode) and "avro" in str(format_.value) and "schema" in node.members


def _describe(document: dict[str, JsonValue], model: Model) -> None:
    """Say in the description of the document what else only the keys of ours say."""
    info = cast("dict[str, JsonValue]", document["info"])
    info["description"] = "\n\n".join(part for part in (model.description, tables(model)) if part) + "\n"


def _list_types(document: dict[str, JsonValue], model: Model, schemas: Schemas) -> None:
    """Give each type that is no payload by itself a place of its own, where tools show it."""
    components = cast("dict[str, JsonValue]", document["components"])
    listed = cast("dict[str, JsonValue]", components.setdefault("schemas", {}))
    payloads = {message.record for message in model.messages.values()}
    for name in sorted(model.types.keys() - payloads):
        key = name
        while key in listed:
            key += "_"
        listed[key] = {"schemaFormat": FORMAT, "schema": schemas.schema(name)}
