"""The module `envelope`: its encodings and versions, and how it is written and read."""

from __future__ import annotations

from dataclasses import dataclass

from orbitalis_avro.types import Array, AvroType, LogicalType, Primitive, Record, Union
from orbitalis_codegen.emit.typescript import environment, text
from orbitalis_codegen.emit.typescript.schemas import version_table
from orbitalis_codegen.emit.typescript.types import Types
from orbitalis_codegen.model import Model

__all__ = ["emit_envelope"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _EncodingView:
    """A version of the envelope in Avro."""

    member: str
    encoding: str
    comment: str


def emit_envelope(model: Model) -> str:
    """Emit the envelope's encodings."""
    types = Types.of(model)
    record = types.named[model.envelope.record or ""]
    if not isinstance(record, Record):
        raise ValueError(f"the envelope {record.name} ({record.source}) is no record")
    fields: list[str] = []
    used: set[str] = set()
    for one in types.fields(record):
        type_, is_nullable = _without_null(one.field.type)
        codec = _codec(type_)
        if codec is None:
            raise ValueError(f"the field {one.field.name} of the envelope has a type with no form in JSON")
        used.add(codec)
        kind = [text.literal("header" if one.field.has_default else "nullable")] if is_nullable else []
        arguments = [text.literal(one.field.name), codec, *kind]
        fields.append(text.bracketed(f"{one.name}: jsonField(", arguments, ")", indent=4))
    type_name = types.type_names[record.name]
    support = ["EventCodec", *used, "type Decoded", "type SchemaVersion", "jsonField"]
    return environment.render(
        "envelope.ts.jinja2",
        type_name=type_name,
        codec=types.codec_names[record.name],
        fingerprint=model.envelope.fingerprint or "",
        versions=version_table(model.envelope.versions),
        encodings=_encodings(model),
        fields=fields,
        support=text.imported("import", support, "../../typescript/src/support/index.js"),
    )


def _encodings(model: Model) -> list[_EncodingView]:
    """Return the versions of the envelope, the newest first."""
    return [
        _EncodingView(
            member=f"AVRO_{one.version.replace('.', '_')}" if index else "AVRO",
            encoding=f"avro:{one.fingerprint}",
            comment=f"The same of version {one.version}, which has the first {one.length} fields."
            if index
            else "Avro's single-object encoding, for peers that say in a header that they read it.",
        )
        for index, one in enumerate(reversed(model.envelope.versions))
    ]


def _without_null(type_: AvroType) -> tuple[AvroType, bool]:
    null = Primitive(name="null")
    if isinstance(type_, Union) and len(type_.branches) == 2 and null in type_.branches:
        return next(branch for branch in type_.branches if branch != null), True
    return type_, False


def _codec(type_: AvroType) -> str | None:
    match type_:
        case Primitive(name="boolean" | "bytes" | "double" | "int" | "long" | "string" as name):
            return f"json{name[0].upper()}{name[1:]}"
        case LogicalType(name="timestamp-millis"):
            return "jsonTimestampMillis"
        case LogicalType(name="timestamp-micros"):
            return "jsonTimestampMicros"
        case Array(items=Primitive(name="string")):
            return "jsonStrings"
        case _:
            return None
