"""The module `codecs`: the functions of all records and the table of messages."""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from orbitalis_avro import binary, checks, logical, numbers, rare
from orbitalis_avro.source import read_function, write_function
from orbitalis_avro.types import Enumeration, Record
from orbitalis_codegen.emit.python import environment, text
from orbitalis_codegen.emit.python.layouts import Layouts
from orbitalis_codegen.emit.python.types import Types
from orbitalis_codegen.model import Message, Model

__all__ = ["emit_codecs", "enum_constants", "imports_of_codecs"]

_STRUCTS = {"uint32": ">I", "int64": ">q", "float32": ">f", "float64": ">d"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _RecordFunctions:
    """The public functions of a record."""

    class_name: str
    function: str
    suffix: str
    guard_argument: str
    lengths: tuple[int, ...]
    grows: bool
    """Whether data of it may be of a version that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _MessageView:
    """A message in the table of codecs."""

    constant: str
    class_name: str
    function: str
    payload_format: str
    payload_field: str
    payload_path: str
    reads_text: bool
    struct: str | None
    grows: bool


def emit_codecs(model: Model, types: Types) -> str:
    """Emit the codecs of all records and the table of messages."""
    layouts = Layouts(types)
    growing = {message.record for message in (model.envelope, *model.messages.values()) if message.versions}
    named_records = [named for named in types.named.values() if isinstance(named, Record)]
    records = tuple(
        _RecordFunctions(
            class_name=types.class_names[record.name],
            function=layouts.suffixes[record.name],
            suffix=layouts.suffixes[record.name],
            guard_argument=", Guard(NESTING_DEPTH)" if layouts.plan.records[record.name].is_guarded else "",
            lengths=record.lengths,
            grows=record.name in growing,
        )
        for record in named_records
    )
    messages = tuple(
        _message(message, types, layouts) for message in model.messages.values() if message.record is not None
    )
    parts = [enum_constants(named, types, layouts) for named in types.named.values() if isinstance(named, Enumeration)]
    for record in named_records:
        layout = layouts.record(record)
        parts += [write_function(layout), read_function(layout)]
    body = "\n\n\n".join(parts)
    rest = environment.render("codecs/records.jinja2", records=records, messages=messages)
    used = {node.id for node in ast.walk(ast.parse(f"{body}\n{rest}")) if isinstance(node, ast.Name)}
    classes = [name for name in types.class_names.values() if name in used]
    return environment.render(
        "codecs.py.jinja2",
        body=body,
        rest=rest,
        **imports_of_codecs({*used, "shown"}),
        classes=classes,
        abstract=["Callable", "Mapping", *(["Sequence"] if "Sequence" in used else [])],
        uses_guard="NESTING_DEPTH" in used,
        uses_struct=any(message.struct for message in messages),
        exported=_exported(records),
    )


def imports_of_codecs(used: Collection[str]) -> dict[str, Any]:
    """What functions of codecs have to import of the names that they use, as templates take it."""
    return {
        "binary": [name for name in binary.__all__ if name in used],
        "logical": [name for name in logical.__all__ if name in used and name.islower()],
        "checks": [name for name in checks.__all__ if name in used],
        "numbers": [name for name in numbers.__all__ if name in used],
        "rare": [name for name in rare.__all__ if name in used],
        "datetimes": [name for name in ("date", "datetime", "time") if name in used],
        "uses_decimal": "Decimal" in used,
        "uses_uuid": "UUID" in used,
    }


def enum_constants(enumeration: Enumeration, types: Types, layouts: Layouts) -> str:
    """Lay out the constants of an enumeration: its members, and the bytes of each."""
    written, members = layouts.enum_constants(enumeration.name)
    class_name = types.class_names[enumeration.name]
    return "\n".join(
        [
            text.unbroken(f"{members} = tuple({class_name})", indent=0),
            text.unbroken(
                f"{written} = {{member: varint(index << 1) for index, member in enumerate({members})}}", indent=0
            ),
        ]
    )


def _exported(records: tuple[_RecordFunctions, ...]) -> list[str]:
    functions = [f"{verb}_{record.function}" for record in records for verb in ("encode", "decode")]
    return text.sorted_names(["CODECS", "CODEC_BY_CLASS", "CODEC_BY_MESSAGE_TYPE", "MessageCodec", *functions])


def _message(message: Message, types: Types, layouts: Layouts) -> _MessageView:
    if message.record is None:
        raise ValueError(f"message {message.key} has no payload")
    record = types.named[message.record]
    fields = types.fields(record) if isinstance(record, Record) else ()
    return _MessageView(
        constant=layouts.suffixes[message.record].upper(),
        class_name=types.class_names[message.record],
        function=layouts.suffixes[message.record],
        payload_format=message.payload_format,
        payload_field=fields[0].name if fields else "",
        payload_path=fields[0].field.name if fields else "",
        reads_text=message.payload_format == "utf-8",
        struct=_STRUCTS[message.payload_layout] if message.payload_layout else None,
        grows=bool(message.versions),
    )
