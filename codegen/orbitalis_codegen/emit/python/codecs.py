"""The module `codecs`: the functions of all records and the table of messages; and what they share, `_binary`."""

from __future__ import annotations

import ast

from orbitalis_codegen.emit.errors import EmitError
from orbitalis_codegen.emit.python import environment, text
from orbitalis_codegen.emit.python.codec_functions import BINARY_NAMES, CodecFunctions
from orbitalis_codegen.emit.python.codec_views import MessageView, RecordFunctions
from orbitalis_codegen.emit.python.types import Types
from orbitalis_codegen.model import Message, Model, Record, Reference

__all__ = ["emit_binary", "emit_codecs"]

_STRUCTS = {"uint32": ">I", "int64": ">q", "float32": ">f", "float64": ">d"}


def emit_binary() -> str:
    """Emit what the codecs of all records share."""
    return environment.render("_binary.py.jinja2", exported=BINARY_NAMES)


def emit_codecs(model: Model, types: Types) -> str:
    """Emit the codecs of all records and the table of messages."""
    functions = CodecFunctions(types)
    for name in types.named:
        functions.add(Reference(name=name))
    records = tuple(
        RecordFunctions(
            class_name=types.class_names[name],
            function=functions.record_suffix(name),
            suffix=functions.record_suffix(name),
            guard_argument=", Guard()" if functions.is_guarded(Reference(name=name)) else "",
        )
        for name, named in types.named.items()
        if isinstance(named, Record)
    )
    messages = tuple(
        _message(message, types, functions) for message in model.messages.values() if message.record is not None
    )
    body = "\n\n\n".join(
        environment.render(f"codecs/{view.kind}.jinja2", view=view).strip("\n") for view in functions.views.values()
    )
    rest = environment.render("codecs/records.jinja2", records=records, messages=messages)
    used = {node.id for node in ast.walk(ast.parse(f"{body}\n{rest}")) if isinstance(node, ast.Name)}
    classes = [name for name in types.class_names.values() if name in used]
    return environment.render(
        "codecs.py.jinja2",
        body=body,
        rest=rest,
        binary=[name for name in BINARY_NAMES if name in used or name == "shown"],
        classes=classes,
        abstract=["Callable", "Mapping", *(["Sequence"] if "Sequence" in used else [])],
        datetimes=[name for name in ("date", "datetime") if name in used],
        uses_uuid="UUID" in used,
        uses_struct=any(message.struct for message in messages),
        exported=_exported(records),
    )


def _exported(records: tuple[RecordFunctions, ...]) -> list[str]:
    functions = [f"{verb}_{record.function}" for record in records for verb in ("encode", "decode")]
    return text.sorted_names(["CODECS", "CODEC_BY_CLASS", "CODEC_BY_MESSAGE_TYPE", "MessageCodec", *functions])


def _message(message: Message, types: Types, functions: CodecFunctions) -> MessageView:
    if message.record is None:
        raise EmitError(f"message {message.key} has no payload")
    record = types.named[message.record]
    fields = types.fields(record) if isinstance(record, Record) else ()
    if (message.payload_format != "avro" or message.payload_layout) and len(fields) != 1:
        raise EmitError(
            f"message {message.key}: a payload other than avro is for records of one field, this has {len(fields)}"
        )
    return MessageView(
        constant=functions.record_suffix(message.record).upper(),
        class_name=types.class_names[message.record],
        function=functions.record_suffix(message.record),
        payload_format=message.payload_format,
        payload_field=fields[0].name if fields else "",
        payload_path=fields[0].field.name if fields else "",
        reads_text=message.payload_format == "utf-8",
        struct=_STRUCTS[message.payload_layout] if message.payload_layout else None,
    )
