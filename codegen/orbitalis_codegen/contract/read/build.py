"""The contract's messages and operations, put together from what its document says and what its schemas are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from orbitalis_avro.canonical_form import canonical_form_of, fingerprint_of
from orbitalis_avro.types import Array, AvroType, Enumeration, LogicalType, Map, Primitive, Record, Reference, Union
from orbitalis_codegen.avro.library import Library
from orbitalis_codegen.avro.text import SchemaText
from orbitalis_codegen.check.names import capitalized
from orbitalis_codegen.check.shape import Checker
from orbitalis_codegen.contract.model import ContractMessage, ContractOperation, PlainType
from orbitalis_codegen.contract.read.messages import MessageDraft
from orbitalis_codegen.contract.read.notes import ignore
from orbitalis_codegen.contract.read.operations import OperationDraft
from orbitalis_codegen.contract.read.payloads import read_headers, read_payload
from orbitalis_codegen.contract.read.schemas import Schemas
from orbitalis_codegen.diagnostic import Report, shown
from orbitalis_codegen.read.node import Node
from orbitalis_codegen.rules import Rule

__all__ = ["Payload", "build_operations", "messages_of", "read_payloads"]

_PLAIN: Final[dict[str, PlainType]] = {"string": "string", "bytes": "bytes", "long": "long", "double": "double"}


@dataclass(frozen=True, slots=True)
class Payload:
    """What a message carries, a record or something plain, and its headers."""

    record: str | None
    plain: PlainType | None
    headers: str | None

    @property
    def type(self) -> str:
        """The name of its type: two payloads with the same one cannot be told apart."""
        return self.record or self.plain or ""


@dataclass(frozen=True, slots=True)
class _Carried:
    """A message with the Avro schemas of its payload and headers; `None` where it has none that can be used."""

    message: MessageDraft
    payload: Node | None
    headers: Node | None


def messages_of(drafts: Iterable[OperationDraft]) -> Iterator[MessageDraft]:
    """Every message of the operations, each once."""
    seen: set[int] = set()
    for operation in drafts:
        for message in (*operation.inputs, *operation.outputs, *operation.errors):
            if message.identity not in seen:
                seen.add(message.identity)
                yield message


def read_payloads(
    checker: Checker, drafts: Iterable[OperationDraft], schemas: Schemas, content_type: str
) -> dict[int, Payload]:
    """What each message carries that can be used, by its identity; what is wrong with others is reported.

    The `content_type` is that of messages that have none of their own.
    """
    report = checker.report
    carried = [_carried(checker, message, content_type) for message in messages_of(drafts)]
    for one in carried:
        for schema in (one.payload, one.headers):
            if schema is not None:
                schemas.compile(schema)
    schemas.complete()
    payloads = {
        one.message.identity: payload for one in carried if (payload := _payload(one, schemas, report)) is not None
    }
    for operation in drafts:
        _check_errors(operation, payloads, report)
        _check_alternatives(operation.inputs, payloads, report)
        _check_alternatives(operation.outputs, payloads, report)
        _check_alternatives(operation.errors, payloads, report)
        _check_answers(operation, payloads, report)
    return payloads


def _carried(checker: Checker, message: MessageDraft, content_type: str) -> _Carried:
    ignore(message.view, "bindings", "correlationId", "tags", "externalDocs", "examples", "deprecated")
    name = message.key or message.view.text("title") or "without a name"
    payload = read_payload(checker, message.view, name, content_type)
    return _Carried(message, payload, read_headers(checker, message.view))


def _payload(carried: _Carried, schemas: Schemas, report: Report) -> Payload | None:
    message = carried.message
    headers: str | None = None
    if carried.headers is not None:
        type_ = schemas.compile(carried.headers)
        if isinstance(type_, Reference) and isinstance(schemas.library.types.get(type_.name), Record):
            headers = type_.name
        elif type_ is not None and _is_known(type_, schemas.library):
            text = f"the headers of the message {shown(message.key)} are {_kind(type_, schemas.library)}, not a record"
            report.add(Rule.CONTRACT_HEADERS, carried.headers.position, text)
    if carried.payload is None:
        return None
    type_ = schemas.compile(carried.payload)
    if type_ is None or not _is_known(type_, schemas.library):
        return None
    if isinstance(type_, Primitive) and type_.name in _PLAIN:
        return Payload(None, _PLAIN[type_.name], headers)
    if isinstance(type_, Reference) and isinstance(schemas.library.types[type_.name], Record):
        return Payload(type_.name, None, headers)
    kind = _kind(type_, schemas.library)
    text = f"the payload of the message {shown(message.key)} is {kind}, which no event carries by itself"
    hint = "wrap it in a record with one field: type: record, name: ..., fields: [{name: value, type: ...}]"
    if isinstance(type_, Union):
        hint = f"list a message for each of its types; or {hint}"
    report.add(Rule.CONTRACT_PAYLOAD, carried.payload.position, text, hint)
    return None


def _is_known(type_: AvroType, library: Library) -> bool:
    """Whether a type exists; if it does not, that is reported."""
    return not isinstance(type_, Reference) or type_.name in library.types


def _kind(type_: AvroType, library: Library) -> str:
    match type_:
        case Primitive(name=name) | LogicalType(name=name):
            return f"of the type {shown(name)}"
        case Array():
            return "an array"
        case Map():
            return "a map"
        case Union():
            return "a union"
        case Reference(name=name):
            return f"the {'enum' if isinstance(library.types[name], Enumeration) else 'fixed'} {shown(name)}"


def _check_errors(operation: OperationDraft, payloads: Mapping[int, Payload], report: Report) -> None:
    for error in operation.errors:
        payload = payloads.get(error.identity)
        if payload is not None and payload.record is None:
            message = f"the declared error {shown(error.key)} is {payload.plain}, not a record"
            report.add(Rule.CONTRACT_ERROR, error.position, message, "wrap it in a record, which becomes the exception")


def _check_alternatives(messages: tuple[MessageDraft, ...], payloads: Mapping[int, Payload], report: Report) -> None:
    """Note of two messages with the same payload that they are taken for one."""
    seen: set[str] = set()
    for message in messages:
        payload = payloads.get(message.identity)
        if payload is not None and payload.type in seen:
            note = (
                "a message with the payload of another one beside it is taken for that: nobody could tell which it is"
            )
            report.note(Rule.CONTRACT_ALTERNATIVES, message.position, note)
        seen.add("" if payload is None else payload.type)


def _check_answers(operation: OperationDraft, payloads: Mapping[int, Payload], report: Report) -> None:
    """Report a declared error with the payload of another answer."""
    seen: dict[str, MessageDraft] = {}
    for answer in (*operation.outputs, *operation.errors):
        payload = payloads.get(answer.identity)
        if payload is None:
            continue
        first = seen.setdefault(payload.type, answer)
        if first is not answer and answer.is_error:
            message = f"{shown(payload.type)} is the payload of two answers of the operation {shown(operation.key)}"
            hint = "nobody could tell an error from another answer; give it a record of its own"
            report.add(Rule.CONTRACT_ALTERNATIVES, answer.position, message, hint)


def build_operations(
    drafts: Iterable[OperationDraft], payloads: Mapping[int, Payload], texts: Mapping[str, SchemaText]
) -> dict[str, ContractOperation]:
    """The operations of a contract; `texts` are the schemas by the names of records."""
    known: dict[int, ContractMessage] = {}
    taken: set[str] = set()
    operations: dict[str, ContractOperation] = {}

    def built(operation: str, role: str, messages: tuple[MessageDraft, ...]) -> tuple[ContractMessage, ...]:
        found: dict[str, ContractMessage] = {}
        for number, message in enumerate(messages, start=1):
            if message.identity not in known:
                suffix = role if len(messages) == 1 else f"{role}{number}"
                key = message.key or f"{operation}{suffix}"
                # Messages of two channels may have the same key.
                while key in taken:
                    key = f"{operation}{capitalized(key)}"
                taken.add(key)
                known[message.identity] = _message(key, message, payloads[message.identity], texts)
            # Of two with the same payload, nobody could say which it is.
            found.setdefault(payloads[message.identity].type, known[message.identity])
        return tuple(found.values())

    for draft in drafts:
        operations[draft.key] = ContractOperation(
            key=draft.key,
            summary=draft.view.text("summary") or draft.view.text("title"),
            description=draft.view.text("description"),
            has_input=draft.has_input,
            inputs=built(draft.key, "Input", draft.inputs),
            outputs=built(draft.key, "Output", draft.outputs),
            errors=built(draft.key, "Error", draft.errors),
            position=draft.position,
        )
    return operations


def _message(key: str, draft: MessageDraft, payload: Payload, texts: Mapping[str, SchemaText]) -> ContractMessage:
    text = _plain_text(payload.type) if payload.record is None else texts[payload.record]
    return ContractMessage(
        key=key,
        title=draft.view.text("title") or draft.view.text("name") or key,
        summary=draft.view.text("summary"),
        description=draft.view.text("description"),
        payload=payload.record,
        plain=payload.plain,
        schema=text.schema,
        canonical_form=text.canonical_form,
        fingerprint=text.fingerprint,
        headers=payload.headers,
        position=draft.position,
    )


def _plain_text(name: str) -> SchemaText:
    form = canonical_form_of(name)
    return SchemaText(json.dumps(name), form, fingerprint_of(form))
