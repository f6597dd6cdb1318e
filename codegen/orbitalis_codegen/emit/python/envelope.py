"""The envelope's modules: its encodings, and how each is written and read, field by field."""

from __future__ import annotations

from dataclasses import dataclass

from orbitalis_avro.types import Array, AvroType, LogicalType, Primitive, Record, Union
from orbitalis_codegen.emit.python import environment, names
from orbitalis_codegen.emit.python.types import Types
from orbitalis_codegen.model import Model

__all__ = ["emit_envelope", "emit_envelope_codecs"]

_KINDS = ("boolean", "bytes", "double", "int", "long", "string", "strings", "timestamp")
"""Of the values that `orbitalis_avro.values` writes and reads."""
_JSON = ("parse_object", "write_object", *(f"{verb}_{kind}" for kind in _KINDS for verb in ("read", "write")))
_LOCALS_IN_USE = frozenset(
    {
        "at", "content", "data", "envelope", "error", "fault", "isinstance", "item", "located", "path",
        "reason", *_JSON,
    }
)  # fmt: skip
"""What the functions of the module use under a name that a field could have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _FieldView:
    """A field of the envelope."""

    key: str
    name: str
    local: str
    path: str
    kind: str
    is_nullable: bool
    is_header: bool
    """Whether it is left out where it is null."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _VersionView:
    """A version of the envelope."""

    member: str
    """Of the enumeration of encodings."""
    encoding: str
    version: str
    length: int


def emit_envelope(model: Model, types: Types) -> str:
    """Emit the envelope's encodings."""
    return environment.render(
        "envelope.py.jinja2",
        class_name=types.class_names[model.envelope.record or ""],
        fingerprint=model.envelope.fingerprint or "",
        older=_versions(model)[1:],
    )


def _versions(model: Model) -> list[_VersionView]:
    """Return the versions of the envelope, the newest first."""
    newest_first = reversed(model.envelope.versions)
    return [
        _VersionView(
            member=f"AVRO_{one.version.replace('.', '_')}" if index else "AVRO",
            encoding=f"avro:{one.fingerprint}",
            version=one.version,
            length=one.length,
        )
        for index, one in enumerate(newest_first)
    ]


def emit_envelope_codecs(model: Model, types: Types) -> str:
    """Emit what writes and reads the envelope."""
    record = types.named[model.envelope.record or ""]
    if not isinstance(record, Record):
        raise ValueError(f"the envelope {record.name} ({record.source}) is no record")
    fields: list[_FieldView] = []
    local_names = names.unique_names(
        ((field.name, field.name) for field in types.fields(record)),
        taken=(*_LOCALS_IN_USE, *types.class_names.values()),
    )
    for field in types.fields(record):
        type_, is_nullable = _without_null(field.field.type)
        kind = _kind(type_)
        if kind is None:
            raise ValueError(f"the field {field.field.name} of the envelope has a type with no form in JSON")
        fields.append(
            _FieldView(
                key=field.field.name,
                name=field.name,
                local=local_names[field.name],
                path=f".{field.field.name}",
                kind=kind,
                is_nullable=is_nullable,
                is_header=field.field.has_default,
            )
        )
    used = {f"{verb}_{field.kind}" for field in fields for verb in ("read", "write")}
    class_name = types.class_names[record.name]
    return environment.render(
        "_envelope.py.jinja2",
        binary=["READ_FAULTS", "WRITE_FAULTS", "Fault", "located"],
        json=sorted({"parse_object", "write_object", *used}),
        fields=fields,
        arguments=[f"{field.name}={field.local}" for field in fields],
        class_name=class_name,
        function=names.snake_case(class_name),
        versions=_versions(model),
        header_length=2 + len(bytes.fromhex(model.envelope.fingerprint or "")),
    )


def _without_null(type_: AvroType) -> tuple[AvroType, bool]:
    null = Primitive(name="null")
    if isinstance(type_, Union) and len(type_.branches) == 2 and null in type_.branches:
        return next(branch for branch in type_.branches if branch != null), True
    return type_, False


def _kind(type_: AvroType) -> str | None:
    match type_:
        case Primitive(name="boolean" | "bytes" | "double" | "int" | "long" | "string" as name):
            return name
        case LogicalType(name="timestamp-millis" | "timestamp-micros"):
            return "timestamp"
        case Array(items=Primitive(name="string")):
            return "strings"
        case _:
            return None
