"""The versions of a record that has grown: each has the first fields of the newest one."""

from __future__ import annotations

import json

from orbitalis_avro.canonical_form import canonical_form_of, fingerprint_of
from orbitalis_avro.types import Record
from orbitalis_codegen.avro.text import SchemaText
from orbitalis_codegen.model import SchemaVersion

__all__ = ["versions_of"]


def versions_of(text: SchemaText, record: Record, version: str) -> tuple[SchemaVersion, ...]:
    """The versions of a record, the oldest first, given its schema and the `version` of the document."""
    return tuple(_version(text.schema, record, length, version) for length in record.lengths)


def _version(schema: str, record: Record, length: int, version: str) -> SchemaVersion:
    content = json.loads(schema)
    # A type is written out where it is first used, so that the first fields are complete.
    content["fields"] = content["fields"][:length]
    canonical_form = canonical_form_of(content)
    since = record.fields[length - 1].since if length else None
    return SchemaVersion(
        version=since or f"{version.partition('.')[0]}.0",
        length=length,
        schema=json.dumps(content, ensure_ascii=False, separators=(",", ":")),
        canonical_form=canonical_form,
        fingerprint=fingerprint_of(canonical_form),
    )
