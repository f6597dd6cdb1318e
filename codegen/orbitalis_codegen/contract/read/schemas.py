"""The schemas of a contract: all that its messages refer to, by `$ref` or by name, in the document and beside it."""

from __future__ import annotations

import posixpath
import re
from contextlib import suppress
from functools import cached_property
from typing import Final

from orbitalis_avro.types import AvroType
from orbitalis_codegen.avro.compiler import Compiler
from orbitalis_codegen.avro.defaults import check_default
from orbitalis_codegen.avro.library import Library, defined_name
from orbitalis_codegen.avro.structure import check_recursion
from orbitalis_codegen.avro.unions import check_unions
from orbitalis_codegen.check.shape import Checker
from orbitalis_codegen.contract.languages import Language
from orbitalis_codegen.diagnostic import SpecificationError
from orbitalis_codegen.read.files import SCHEMA_SUFFIX, SourceFiles
from orbitalis_codegen.read.node import ListNode, Node, ObjectNode

__all__ = ["Schemas"]

_NAME: Final = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_]*\.)*[A-Za-z_][A-Za-z0-9_]*")
"""A name that may be that of a file as well."""


class Schemas:
    """Compiles schemas of messages, and then those that they mention by name."""

    def __init__(
        self, checker: Checker, files: SourceFiles, looking: SourceFiles, document: Node, language: Language
    ) -> None:
        self._checker = checker
        self._language = language
        self._files = files
        # What is looked through for names is no part of the contract unless it has one: its faults are nobody's.
        self._looking = looking
        self._document = document
        self._compiler = Compiler(checker.report, checker.resolver)
        self._compiled: dict[int, AvroType | None] = {}
        self._looked_through: set[str] = set()
        self._by_name: dict[str, str] = {}
        self._tops: dict[str, None] = {}
        self._files_at_tops = 0

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
        self._compiler.check_mentions((), "or refer to the file that defines it, with $ref")
        self._compiler.check_repeated()
        for default in library.defaults:
            check_default(default, library.types, self._checker.report, of_users=True)
        # There, a long is no number, but a bigint.
        numbers = ("int", "float", "double") if self._language == "typescript" else ()
        check_unions(library, self._checker.report, numbers=numbers)
        check_recursion(library, self._checker.report)

    def _find(self, name: str) -> None:
        """Compile the first schema that defines a type of this name: of the components, then of files beside others."""
        schema = self._components.get(name)
        if schema is None and _NAME.fullmatch(name):
            file = self._beside(name) or self._in_folder_of_namespace(name)
            schema = None if file is None else self._files.read(file)
        if schema is not None:
            self.compile(schema)

    @cached_property
    def _components(self) -> dict[str, Node]:
        """By the name of a type that it defines each schema of the document's components."""
        match self._document:
            case ObjectNode(members={"components": ObjectNode(members={"schemas": ObjectNode(members=schemas)})}):
                found = [_inner(node) for node in schemas.values()]
                return {name: node for node in found for name in _defined_names(node)}
            case _:
                return {}

    def _beside(self, name: str) -> str | None:
        """The schema file that defines a type, in a folder of a file that has been read."""
        for file in self._files.inputs:
            folder = posixpath.dirname(file)
            if folder not in self._looked_through:
                self._looked_through.add(folder)
                for beside in self._looking.schemas_beside(posixpath.join(folder, "any")):
                    for defined in self._defined_in(beside):
                        self._by_name.setdefault(defined, beside)
        return self._by_name.get(name)

    def _in_folder_of_namespace(self, name: str) -> str | None:
        """The schema file that defines a type, in the folder of its namespace, where namespaces are folders."""
        namespace, _, simple_name = name.rpartition(".")
        for top in self._find_tops():
            file = posixpath.normpath(posixpath.join(top, *namespace.split("."), f"{simple_name}{SCHEMA_SUFFIX}"))
            if self._looking.holds(file) and name in self._defined_in(file):
                return file
        return None

    def _find_tops(self) -> tuple[str, ...]:
        """The folders in which those begin that are called like the namespaces of what is in them."""
        if len(self._files.inputs) != self._files_at_tops:
            self._files_at_tops = len(self._files.inputs)
            self._tops.clear()
            for name, definition in self.library.definitions.items():
                inner = name.rpartition(".")[0].replace(".", "/")
                folder = f"/{posixpath.dirname(definition.position.file)}"
                if inner and folder.endswith(f"/{inner}"):
                    self._tops[folder[1:].removesuffix(inner)] = None
        return tuple(self._tops)

    def _defined_in(self, file: str) -> set[str]:
        with suppress(SpecificationError):
            tree = self._looking.read(file)
            return set() if tree is None else _defined_names(tree)
        return set()


def _inner(node: Node) -> Node:
    """The schema in an object that says its format; itself, if it is none."""
    inner = node.members.get("schema") if isinstance(node, ObjectNode) else None
    return node if inner is None else inner


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
