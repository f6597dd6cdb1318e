"""The schemas of a contract: all that its messages refer to, by `$ref` or by name, in the document and beside it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Final

from orbitalis_avro.types import AvroType
from orbitalis_codegen.avro.compiler import Compiler
from orbitalis_codegen.avro.defaults import check_default
from orbitalis_codegen.avro.library import Library, defined_name
from orbitalis_codegen.avro.structure import check_recursion
from orbitalis_codegen.avro.unions import check_unions
from orbitalis_codegen.check.shape import Checker
from orbitalis_codegen.read.files import SCHEMA_SUFFIX, SourceFiles
from orbitalis_codegen.read.node import ListNode, Node, ObjectNode

__all__ = ["Schemas"]

_FOLDERS_ABOVE: Final = 10
"""Of a schema file, which are taken for the top of folders that are namespaces."""


class Schemas:
    """Compiles schemas of messages, and then those that they mention by name."""

    def __init__(self, checker: Checker, files: SourceFiles, looking: SourceFiles, document: Node) -> None:
        self._checker = checker
        self._files = files
        # What is looked through for names is no part of the contract unless it has one: its faults are nobody's.
        self._looking = looking
        self._document = document
        self._compiler = Compiler(checker.report, checker.resolver)
        self._compiled: dict[int, AvroType | None] = {}

    @property
    def library(self) -> Library:
        """All types that have been compiled."""
        return self._compiler.library

    def compile(self, node: Node) -> AvroType | None:
        """The type of a schema; `None` if it has none, which is reported."""
        if id(node) not in self._compiled:
            self._compiled[id(node)] = self._compiler.compile_schema(node)
        return self._compiled[id(node)]

    def complete(self) -> None:
        """Look for the types that are mentioned and nowhere defined, and hold all of them against each other."""
        library = self.library
        looked_for: set[str] = set()
        while wanted := {mention.name for mention in library.mentions} - library.definitions.keys() - looked_for:
            looked_for |= wanted
            for name in sorted(wanted):
                self._find(name)
        self._compiler.check_mentions(())
        self._compiler.check_repeated()
        for default in library.defaults:
            check_default(default, library.types, self._checker.report)
        check_unions(library, self._checker.report)
        check_recursion(library, self._checker.report)

    def _find(self, name: str) -> None:
        """Compile the first schema that defines a type of this name: of the components, then of files beside others."""
        for schema in self._components():
            if name in _defined_names(schema):
                self.compile(schema)
                return
        for file in self._likely_files(name):
            looked_at = self._looking.read(file)
            if looked_at is not None and name in _defined_names(looked_at):
                found = self._files.read(file)
                if found is not None:
                    self.compile(found)
                return

    def _components(self) -> Iterator[Node]:
        match self._document:
            case ObjectNode(members={"components": ObjectNode(members={"schemas": ObjectNode(members=schemas)})}):
                for node in schemas.values():
                    inner = node.members.get("schema") if isinstance(node, ObjectNode) else None
                    yield node if inner is None else inner
            case _:
                pass

    def _likely_files(self, name: str) -> Iterator[str]:
        """Schema files in which a type may be defined, the most likely ones first."""
        namespace, _, simple_name = name.rpartition(".")
        called = (f"{simple_name}{SCHEMA_SUFFIX}", f"{name}{SCHEMA_SUFFIX}")
        folders = sorted({posixpath.dirname(file) for file in self._files.inputs})
        beside = [file for folder in folders for file in self._looking.schemas_beside(posixpath.join(folder, name))]
        yield from (file for file in beside if posixpath.basename(file) in called)
        for folder in folders:
            # Namespaces are often folders, at whose top any of those above may be.
            for _ in range(_FOLDERS_ABOVE):
                file = posixpath.normpath(posixpath.join(folder, *namespace.split("."), called[0]))
                if self._looking.holds(file):
                    yield file
                folder = posixpath.normpath(posixpath.join(folder, ".."))
        yield from (file for file in beside if posixpath.basename(file) not in called)


def _defined_names(schema: Node) -> set[str]:
    """The full names of all types that a schema seems to define."""
    names: set[str] = set()
    pending: list[tuple[Node, str]] = [(schema, "")]
    while pending:
        node, namespace = pending.pop()
        match node:
            case ObjectNode(members):
                name = defined_name(node, namespace)
                if name is not None:
                    names.add(name)
                    namespace = name.rpartition(".")[0]
                pending.extend((member, namespace) for member in members.values())
            case ListNode(items):
                pending.extend((item, namespace) for item in items)
            case _:
                pass
    return names
