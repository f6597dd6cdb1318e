"""What the document says about payloads, held against the types that the schema files define."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from orbitalis_avro.types import Array, AvroType, Field, LogicalType, Primitive, Record, Union
from orbitalis_codegen.avro.library import Library
from orbitalis_codegen.check.messages import MessageDraft, Payload
from orbitalis_codegen.check.names import Names, capitalized, folded
from orbitalis_codegen.diagnostic import Position, Report, shown
from orbitalis_codegen.rules import Rule

__all__ = [
    "check_envelope",
    "check_file_names",
    "check_messages",
    "check_unused",
    "class_names",
    "record_of",
]

_FITTING = {
    "uint32": ("long",),
    "int64": ("long",),
    "float32": ("float", "double"),
    "float64": ("double",),
}
"""Types of a field that hold every number of a layout."""

_NULL = Primitive(name="null")
_STRING = Primitive(name="string")
_OPTIONAL_STRING = Union(branches=(_NULL, _STRING))
_KNOWN_TO_EVERY_PEER: dict[str, tuple[AvroType, str]] = {
    "identifier": (_STRING, '"string"'),
    "publisher_identifier": (_STRING, '"string"'),
    "timestamp": (
        LogicalType(name="timestamp-micros", underlying=Primitive(name="long")),
        '{"type": "long", "logicalType": "timestamp-micros"}',
    ),
    "message_type": (_OPTIONAL_STRING, '["null", "string"]'),
    "payload_format_type": (_OPTIONAL_STRING, '["null", "string"]'),
    "serialized_payload": (Union(branches=(_NULL, Primitive(name="bytes"))), '["null", "bytes"]'),
}


def record_of(payload: Payload, library: Library, report: Report) -> Record | None:
    """The record of a payload; `None` if there is none, which is reported."""
    name = library.files.get(payload.file)
    if name is None:
        return None  # The file itself is at fault, and that is reported.
    named = library.types[name]
    if isinstance(named, Record):
        return named
    message = f"the payload is of the type {shown(name)}, which is not a record"
    report.add(Rule.PAYLOAD_RECORD, payload.position, message)
    return None


def check_messages(
    drafts: Iterable[MessageDraft], records: Mapping[str, Record], library: Library, report: Report
) -> None:
    """Hold the messages against their records, which are given by the messages' keys."""
    by_name: dict[str, str] = {}
    for draft in drafts:
        record = records.get(draft.key)
        if draft.name is not None:
            first = by_name.setdefault(draft.name, draft.key)
            position = draft.view.position_of("name")
            if first != draft.key:
                message = f"the name {shown(draft.name)} is that of the message {shown(first)} already"
                report.add(Rule.SHARED_NAME, position, message)
            if record is not None and draft.name != record.name:
                message = f"the message is named {shown(draft.name)}, its record {shown(record.name)}"
                report.add(Rule.MESSAGE_NAME, position, message, "the two are the same")
        if record is not None and record.source not in library.incomplete:
            _check_format(draft, record, report)


def _check_format(draft: MessageDraft, record: Record, report: Report) -> None:
    if draft.payload_format == "avro" and draft.payload_layout is None:
        return
    fitting = _FITTING[draft.payload_layout] if draft.payload_layout is not None else ("string",)
    types = [field.type.name for field in record.fields if isinstance(field.type, Primitive)]
    if [field.name for field in record.fields] == ["value"] and types and types[0] in fitting:
        return
    what = draft.payload_layout or draft.payload_format
    message = f"a payload of {shown(what)} does not fit the record {shown(record.name)}"
    hint = f"that takes a record with one field 'value' of the type {' or '.join(fitting)}"
    report.add(Rule.PAYLOAD_FORMAT, draft.view.position_of("x-payload"), message, hint)


def check_envelope(record: Record, library: Library, report: Report) -> None:
    """Hold the record of the envelope against what every peer reads and writes."""
    if record.source in library.incomplete:
        return
    beginning = {field.name: field for field in record.fields[: len(_KNOWN_TO_EVERY_PEER)]}
    for name, (expected, spelled) in _KNOWN_TO_EVERY_PEER.items():
        field = beginning.get(name)
        if field is None:
            message = f"the field {shown(name)} is not among the first {len(_KNOWN_TO_EVERY_PEER)} of the envelope"
            report.add(Rule.ENVELOPE_FIELD, library.definitions[record.name].position, message)
        elif field.type != expected:
            message = f"the type of the field {shown(name)} of the envelope is another one than peers know"
            position = library.field_positions[record.name, name]
            report.add(Rule.ENVELOPE_FIELD, position, message, f"expected {spelled}")
    for field in record.fields:
        if field.name in _KNOWN_TO_EVERY_PEER:
            continue
        if not _has_form_in_json(field.type):
            message = f"the header {shown(field.name)} of the envelope has a type without a form in JSON"
            hint = "boolean, bytes, double, int, long, string, a list of strings or a timestamp, each also with null"
            report.add(Rule.ENVELOPE_FIELD, library.field_positions[record.name, field.name], message, hint)
        if not _may_be_absent(field):
            message = f"the header {shown(field.name)} of the envelope cannot be absent"
            hint = 'peers may not know it: the type is ["null", ...] and the default null'
            report.add(Rule.ENVELOPE_FIELD, library.field_positions[record.name, field.name], message, hint)


def _has_form_in_json(type_: AvroType) -> bool:
    match type_:
        case Union(branches=(one, other)) if _NULL in (one, other):
            return _has_form_in_json(other if one == _NULL else one)
        case Primitive(name="boolean" | "bytes" | "double" | "int" | "long" | "string"):
            return True
        case LogicalType(name="timestamp-millis" | "timestamp-micros"):
            return True
        case _:
            return type_ == Array(items=_STRING)


def _may_be_absent(field: Field) -> bool:
    is_nullable = isinstance(field.type, Union) and field.type.branches[0] == _NULL
    return is_nullable and field.has_default and field.default is None


def class_names(library: Library, message_keys: Mapping[str, str], report: Report) -> dict[str, str]:
    """What code calls each named type, by its full name; `message_keys` are by records' names.

    A message's record is called by the message's key, any other type by its name. Of types with one name in several
    namespaces, each is called by both. Two that code would still spell alike are reported, and such fields as well.
    """
    found = {name: message_keys.get(name) or capitalized(name.rpartition(".")[2]) for name in library.types}
    spelled = Counter(map(folded, found.values()))
    for name, class_name in found.items():
        if spelled[folded(class_name)] > 1 and name not in message_keys and name not in library.misnamed:
            found[name] = "".join(map(capitalized, name.split(".")))
    names = Names("class", report)
    for name, named in library.types.items():
        names.take(found[name], library.definitions[name].position)
        if isinstance(named, Record):
            fields = Names("field", report)
            for field in named.fields:
                fields.take(field.name, library.field_positions[name, field.name])
    return found


def check_file_names(library: Library, message_keys: Mapping[str, str], report: Report) -> None:
    """Hold the names of schema files against the types they define."""
    by_folded_name: dict[str, str] = {}
    for file, name in library.files.items():
        position = library.definitions[name].position
        stem = PurePosixPath(file).stem
        expected = {name, name.rpartition(".")[2], message_keys.get(name, name)}
        if stem not in expected:
            message = f"the file {file} defines the type {shown(name)}"
            hint = f"call the file {' or '.join(sorted(f'{other}.avsc' for other in expected))}"
            report.add(Rule.SCHEMA_FILE_NAME, position, message, hint)
        other = by_folded_name.setdefault(file.casefold(), file)
        if other != file:
            message = f"{file} and {other} differ in upper and lower case alone"
            report.add(Rule.FILE_COLLISION, Position(file, 1, 1), message)


def check_unused(library: Library, used: Iterable[str], report: Report) -> None:
    """Report the schema files whose types nothing uses."""
    for file in library.files.keys() - {library.types[name].source for name in used}:
        name = library.files[file]
        message = f"no message contains the type {shown(name)}"
        hint = f"refer to it, or delete {file}"
        report.add(Rule.UNUSED_SCHEMA, library.definitions[name].position, message, hint)
