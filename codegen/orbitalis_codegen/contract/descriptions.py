"""From what a plugin says of its operations to a contract."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

from orbitalis_avro.canonical_form import canonical_form_of, fingerprint_of
from orbitalis_avro.types import NamedType, Record, Reference
from orbitalis_codegen.avro.compiler import Compiler
from orbitalis_codegen.avro.defaults import check_default
from orbitalis_codegen.avro.library import Library
from orbitalis_codegen.avro.structure import check_recursion
from orbitalis_codegen.avro.text import schema_text
from orbitalis_codegen.avro.unions import check_unions
from orbitalis_codegen.contract.fingerprint import PLAIN_FORMS
from orbitalis_codegen.contract.model import Contract, ContractMessage, ContractOperation, PlainType
from orbitalis_codegen.diagnostic import Diagnostic, Position, Report, shown
from orbitalis_codegen.read.files import SourceFiles
from orbitalis_codegen.read.json_text import read_json
from orbitalis_codegen.read.node import JsonValue
from orbitalis_codegen.read.reference import Resolver
from orbitalis_codegen.rules import Rule

__all__ = ["OperationDescription", "PayloadDescription", "contract_of"]

_PLAIN: Final[dict[str, PlainType]] = {form: plain for plain, form in PLAIN_FORMS.items()}
_PLAIN_KEYS: Final[dict[PlainType, str]] = {"string": "Text", "bytes": "Bytes", "long": "Integer", "double": "Number"}
"""Keys of messages that are no records."""

_NOWHERE: Final = Position("", 1, 1)
_RAISES: Final = "May raise :class:`"
"""How a paragraph of a docstring begins that names errors."""


class PayloadDescription(Protocol):
    """What an operation takes or gives; nothing at all if no attribute says anything else."""

    @property
    def schemas(self) -> Sequence[str]:
        """Avro schemas as JSON text, one of which a payload has."""
        ...

    @property
    def support_empty_schema(self) -> bool:
        """Whether there may be an empty event."""
        ...

    @property
    def support_undefined_schema(self) -> bool:
        """Whether there may be any payload."""
        ...


class OperationDescription(Protocol):
    """What a plugin says of one operation, wherever it says that."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def documentation(self) -> str:
        """What it is for: a sentence, and after an empty line perhaps more."""
        ...

    @property
    def input(self) -> PayloadDescription:
        """What it takes."""
        ...

    @property
    def output(self) -> PayloadDescription:
        """What it gives, errors included."""
        ...

    @property
    def errors(self) -> Sequence[str]:
        """Those of the schemas of its output that are errors."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """One operation, and where it is described."""

    operation: OperationDescription
    position: Position


def contract_of(
    described: Iterable[Described],
    *,
    title: str,
    version: str,
    description: str = "",
    ignored: Iterable[str] = (),
    position: Position = _NOWHERE,
) -> Contract:
    """The contract of what a plugin describes.

    An operation that a contract cannot say is left out, and a note says which one and why.

    Args:
        described: The operations.
        title: Of the contract.
        version: Of the contract.
        description: Of the contract.
        ignored: What else is left out, each a note.
        position: Where the plugin stands.
    """
    maker = _Maker()
    for text in ignored:
        maker.ignore(position, text)
    operations: dict[str, ContractOperation] = {}
    for one in described:
        try:
            operations[one.operation.name] = maker.operation(one.operation, one.position)
        except _Inexpressible as reason:
            maker.note(one, f"is left out: {reason}")
        else:
            if one.operation.input.support_empty_schema and one.operation.input.schemas:
                maker.note(one, "takes empty events as well, which a contract cannot say beside payloads")
    return Contract(
        title=title,
        version=version,
        description=description,
        operations=operations,
        types=maker.types,
        document="",
        notes=maker.notes,
        inputs={},
    )


class _Inexpressible(Exception):
    """A contract cannot say what an operation does; the text continues `operation 'x' is left out: `."""


class _Maker:
    def __init__(self) -> None:
        self.types: dict[str, NamedType] = {}
        self._report = Report()

    @property
    def notes(self) -> tuple[Diagnostic, ...]:
        return self._report.notes

    def ignore(self, position: Position, text: str) -> None:
        self._report.note(Rule.CONTRACT_IGNORED, position, text)

    def note(self, one: Described, text: str) -> None:
        self.ignore(one.position, f"operation {shown(one.operation.name)} {text}")

    def operation(self, one: OperationDescription, position: Position) -> ContractOperation:
        taken, given = one.input, one.output
        if taken.support_undefined_schema:
            raise _Inexpressible("it takes any payload, and a contract names schemas; name those that it takes")
        if given.support_undefined_schema:
            raise _Inexpressible("it gives any payload, and a contract names schemas; name those that it gives")
        if given.support_empty_schema:
            raise _Inexpressible("it gives empty events, and a contract names schemas; give no output, or a message")
        has_input = taken.support_empty_schema or bool(taken.schemas)
        if not has_input and not given.schemas:
            raise _Inexpressible("it takes and gives nothing")
        reading = _Reading(self.types, position)
        inputs = [reading.message(schema) for schema in taken.schemas]
        errors = set(one.errors)
        outputs = [reading.message(schema) for schema in given.schemas if schema not in errors]
        raised = [reading.message(schema) for schema in given.schemas if schema in errors]
        self.types |= reading.types
        summary, description = _words(one)
        return ContractOperation(
            key=one.name,
            summary=summary,
            description=description,
            has_input=has_input,
            inputs=tuple(inputs),
            outputs=tuple(outputs),
            errors=tuple(raised),
            position=position,
        )


def _words(one: OperationDescription) -> tuple[str, str]:
    """The first paragraph of what is written about an operation, as one line, and the others.

    Emitted methods name their errors, which a contract lists without that.
    """
    paragraphs = one.documentation.strip().split("\n\n")
    if one.errors:
        paragraphs = [paragraph for paragraph in paragraphs if not paragraph.lstrip().startswith(_RAISES)]
    return " ".join("".join(paragraphs[:1]).split()), "\n\n".join(paragraphs[1:]).strip()


class _Reading:
    """Reads the schemas of one operation."""

    def __init__(self, known: dict[str, NamedType], position: Position) -> None:
        self._known = known
        self._position = position
        self.types: dict[str, NamedType] = {}
        """Those that are not known yet."""

    def message(self, schema: str) -> ContractMessage:
        try:
            form = canonical_form_of(json.loads(schema))
        except ValueError as error:
            raise _Inexpressible(f"{shown(schema)} is no Avro schema: {error}") from None
        plain = _PLAIN.get(form)
        if plain is not None:
            return self._message(_PLAIN_KEYS[plain], None, plain, json.dumps(plain))
        name, library, text = _compiled(schema, self._position.file)
        for type_name, named in library.types.items():
            first = self._known.get(type_name) or self.types.setdefault(type_name, named)
            if _meaning(first) != _meaning(named):
                raise _Inexpressible(
                    f"{shown(type_name)} is defined in another way than by an operation before it, or twice; give one "
                    "of them another name or namespace"
                )
        return self._message(name.rpartition(".")[2], name, None, text)

    def _message(self, key: str, payload: str | None, plain: PlainType | None, schema: str) -> ContractMessage:
        canonical_form = canonical_form_of(json.loads(schema))
        return ContractMessage(
            key=key,
            title="",
            summary="",
            description="",
            payload=payload,
            plain=plain,
            schema=schema,
            canonical_form=canonical_form,
            fingerprint=fingerprint_of(canonical_form),
            headers=None,
            position=self._position,
        )


def _compiled(schema: str, file: str) -> tuple[str, Library, str]:
    """The full name of a record, all types of its schema, and that as text."""
    report = Report()
    node = read_json(schema, file, report)
    compiler = Compiler(report, Resolver(SourceFiles(Path(), report), file, report, of_users=True))
    library = compiler.library
    type_ = None if node is None else compiler.compile_schema(node)
    compiler.check_mentions(())
    for default in library.defaults:
        check_default(default, library.types, report, of_users=True)
    check_unions(library, report)
    check_recursion(library, report)
    if not report and isinstance(type_, Reference) and isinstance(library.types[type_.name], Record):
        text = schema_text(library, type_.name, report).schema
        if not report:
            return type_.name, library, text
    tree: JsonValue = json.loads(schema)
    name = tree["name"] if isinstance(tree, dict) and "name" in tree else schema
    if not report:
        raise _Inexpressible(f"the schema {shown(name)} is that of no record; put it into a field of one")
    raise _Inexpressible(f"of the schema {shown(name)}, {report.error().diagnostics[0].message}")


def _meaning(named: NamedType) -> NamedType:
    """A type without its documentation."""
    bare = replace(named, description="", source="")
    if isinstance(bare, Record):
        return replace(bare, fields=tuple(replace(field, description="") for field in bare.fields))
    return bare
