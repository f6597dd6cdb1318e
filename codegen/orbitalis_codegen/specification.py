"""From the files of a specification to its :class:`~orbitalis_codegen.model.Model`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

from orbitalis_codegen.avro.compiler import Compiler
from orbitalis_codegen.avro.defaults import check_default
from orbitalis_codegen.avro.library import Library
from orbitalis_codegen.avro.structure import check_recursion, dependency_order
from orbitalis_codegen.avro.text import schema_text
from orbitalis_codegen.avro.unions import check_unions
from orbitalis_codegen.build import build_model
from orbitalis_codegen.check.document import DocumentDraft, read_document
from orbitalis_codegen.check.growth import check_growth
from orbitalis_codegen.check.messages import Payload
from orbitalis_codegen.check.payloads import (
    check_envelope,
    check_file_names,
    check_messages,
    check_unused,
    class_names,
    record_of,
)
from orbitalis_codegen.check.shape import Checker
from orbitalis_codegen.diagnostic import Report
from orbitalis_codegen.model import Model
from orbitalis_codegen.read.files import SourceFiles
from orbitalis_codegen.read.reference import Resolver

__all__ = ["load"]


def load(root: Path, document: str = "asyncapi.yaml") -> Model:
    """Read the specification whose `document` stands in the folder `root`.

    Raises SpecificationError, with every problem in the document and in the schema files.
    """
    report = Report()
    files = SourceFiles(root, report)
    tree = files.read(document)
    checker = Checker(report, Resolver(files, document, report))
    draft = None if tree is None else read_document(checker, tree, document)
    if draft is None:
        raise report.error()
    library = _compile_schemas(draft, files, report)
    records = {
        key: record
        for key, message in draft.messages.items()
        if message.payload is not None and (record := record_of(message.payload, library, report)) is not None
    }
    envelope = None if draft.envelope is None else record_of(draft.envelope, library, report)
    keys = {record.name: key for key, record in records.items()}
    check_messages(draft.messages.values(), records, library, report)
    if envelope is not None:
        check_envelope(envelope, library, report)
    check_growth(draft.messages, records, envelope, draft.version, library, report)
    called = class_names(library, keys, report)
    check_file_names(library, keys, report)
    order = dependency_order(library, [record.name for record in (*records.values(), envelope) if record is not None])
    if None not in _payloads(draft) and not library.incomplete:
        check_unused(library, order, report)
    if report or envelope is None:
        raise report.error()
    types = {name: replace(library.types[name], class_name=called[name]) for name in order}
    schemas = {name: schema_text(library, name, report) for name in (*keys, envelope.name)}
    if report:
        raise report.error()
    return build_model(draft, records, envelope, types, schemas, report.notes, files.inputs)


def _payloads(draft: DocumentDraft) -> list[Payload | None]:
    """The payloads of all messages that have one, and of the envelope; `None` for each that cannot be used."""
    carriers = [message for message in draft.messages.values() if message.view.get("payload") is not None]
    return [*(message.payload for message in carriers), draft.envelope]


def _compile_schemas(draft: DocumentDraft, files: SourceFiles, report: Report) -> Library:
    """All types that are defined in the schema files of payloads and in those beside them."""
    names: set[str] = set()
    for payload in _payloads(draft):
        if payload is not None and payload.file not in names:
            names.update([payload.file, *files.schemas_beside(payload.file)])
    nodes = {name: files.read(name) for name in sorted(names)}
    compiler = Compiler(report)
    for node in nodes.values():
        if node is not None:
            compiler.declare_file(node)
    for name, node in nodes.items():
        if node is None:
            compiler.library.incomplete.add(name)
        else:
            compiler.compile_file(name, node)
    compiler.check_mentions({PurePosixPath(name).stem for name, node in nodes.items() if node is None})
    library = compiler.library
    for default in library.defaults:
        check_default(default, library.types, report)
    check_unions(library, report, numbers=("int", "long", "float", "double"))
    check_recursion(library, report)
    return library
