"""From the files of a contract to its :class:`~orbitalis_codegen.contract.model.Contract`."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from orbitalis_codegen.avro.library import Library
from orbitalis_codegen.avro.structure import dependency_order
from orbitalis_codegen.avro.text import SchemaText, schema_text
from orbitalis_codegen.check.document import check_version
from orbitalis_codegen.check.payloads import class_names
from orbitalis_codegen.check.shape import Checker, View, view_of
from orbitalis_codegen.contract.languages import Language
from orbitalis_codegen.contract.model import Contract
from orbitalis_codegen.contract.read import shapes
from orbitalis_codegen.contract.read.boundary import boundary_of
from orbitalis_codegen.contract.read.build import build_operations, read_payloads
from orbitalis_codegen.contract.read.messages import Messages
from orbitalis_codegen.contract.read.notes import ignore, one_of_a_kind
from orbitalis_codegen.contract.read.operations import read_operations
from orbitalis_codegen.contract.read.schemas import Schemas
from orbitalis_codegen.diagnostic import Report, shown
from orbitalis_codegen.read.files import READERS_OF_USERS, SourceFiles
from orbitalis_codegen.read.node import Node
from orbitalis_codegen.read.reference import Resolver
from orbitalis_codegen.rules import Rule

__all__ = ["load_contract"]

_UNDERSTOOD: Final = re.compile(r"3\.[0-9]+\.[0-9]+(?:-.+)?")
"""Versions of AsyncAPI: those to come add keys, which are ignored as others are that nobody knows."""
_MOST_CHARACTERS: Final = 20_000_000
"""Of the schemas of all messages."""


def load_contract(root: Path, document: str, language: Language = "python") -> Contract:
    """Read the contract that an AsyncAPI 3 document describes.

    Args:
        root: Folder that the paths of all files are relative to, in the contract and in what is reported.
        document: Path of the document, with `/`; it and what it refers to may also stand outside of `root`, but not
            outside of the project of the document, which is the folder with `.git` or else with `pyproject.toml`.
        language: What is to be made from it: not everything can be told apart in every language.

    Raises:
        SpecificationError: Something cannot be used; with every problem in the document and in what it refers to.
    """
    report = Report()
    boundary = boundary_of(root / document)
    files = SourceFiles(root, report, boundary, READERS_OF_USERS)
    document = posixpath.normpath(document)
    tree = files.read(document)
    checker = Checker(report, Resolver(files, document, report, of_users=True))
    view = None if tree is None else _view(checker, tree)
    if tree is None or view is None:
        raise report.error()
    info = _info(checker, view)
    drafts = read_operations(checker, Messages(checker), view)
    schemas = Schemas(checker, files, SourceFiles(root, Report(), boundary, READERS_OF_USERS), tree, language)
    payloads = read_payloads(checker, drafts, schemas, view.text("defaultContentType"))
    library = schemas.library
    roots = [name for payload in payloads.values() for name in (payload.record, payload.headers) if name is not None]
    order = dependency_order(library, roots)
    used = replace(library, types={name: library.types[name] for name in order})
    called = class_names(used, {}, report)
    if report or info is None:
        raise report.error()
    texts = _texts(library, roots, view, report)
    if report:
        raise report.error()
    return Contract(
        title=info.text("title"),
        version=info.text("version"),
        description=info.text("description"),
        operations=build_operations(drafts, payloads, texts),
        types={name: replace(named, class_name=called[name]) for name, named in used.types.items()},
        document=document,
        notes=one_of_a_kind(report.notes),
        inputs=dict(sorted(files.inputs.items())),
    )


def _texts(library: Library, names: Iterable[str], document: View, report: Report) -> dict[str, SchemaText]:
    """The schemas of records, by their names."""
    texts: dict[str, SchemaText] = {}
    characters = 0
    for name in names:
        if name not in texts:
            texts[name] = schema_text(library, name, report)
            characters += len(texts[name].schema)
        if characters > _MOST_CHARACTERS:
            message = f"with all types written out in each, the schemas have more than {_MOST_CHARACTERS} characters"
            report.add(Rule.MANY_VALUES, document.position, message)
            break
    return texts


def _view(checker: Checker, tree: Node) -> View | None:
    """The document, if it is one of a version that is understood; of another one every line would be wrong."""
    if not check_version(checker.report, tree, _UNDERSTOOD):
        return None
    view = view_of(tree, shapes.DOCUMENT, checker.report)
    if view is None or "asyncapi" not in view.node.members:
        return None
    ignore(view, "servers")
    return view


def _info(checker: Checker, document: View) -> View | None:
    node = document.get("info")
    target = None if node is None else checker.resolver.follow(node)
    info = None if target is None else view_of(target.node, shapes.INFO, checker.report)
    if info is None:
        return None
    ignore(info, "tags", "externalDocs")
    info.optional_text("version")
    title = info.optional_text("title")
    if title is not None and not any(character.isascii() and character.isalpha() for character in title):
        message = f"the title {shown(title)} names classes, and cannot be a name of one"
        checker.report.add(Rule.UNUSABLE_KEY, info.position_of("title"), message, "give it a letter from A to Z")
    return info
