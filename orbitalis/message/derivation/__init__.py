"""Avro schemas of dataclasses, derived from their annotations.

The text of a schema is the one that dataclasses-avroschema makes of the same class, where it makes one: older peers
compare schemas as text, and tests hold the two together. Every type that is not supported is refused with a
`TypeError` that names class and field, and says what to write instead.
"""

from __future__ import annotations

from orbitalis.message.derivation.derive import (
    check_field_types,
    derive_schema,
    read_annotation,
    read_record,
    schema_text,
)
from orbitalis.message.derivation.field_types import (
    DecimalField,
    EnumField,
    FieldType,
    FixedField,
    Json,
    ListField,
    LiteralField,
    MapField,
    RecordField,
    RecordMember,
    ScalarField,
    ScalarKind,
    TupleField,
    UnionField,
)

__all__ = [
    "DecimalField",
    "EnumField",
    "FieldType",
    "FixedField",
    "Json",
    "ListField",
    "LiteralField",
    "MapField",
    "RecordField",
    "RecordMember",
    "ScalarField",
    "ScalarKind",
    "TupleField",
    "UnionField",
    "check_field_types",
    "derive_schema",
    "read_annotation",
    "read_record",
    "schema_text",
]
