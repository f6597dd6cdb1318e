"""The module `schemas`: what is known of each message without its codec."""

from __future__ import annotations

from dataclasses import dataclass

from orbitalis_codegen.emit.typescript import environment, names, text
from orbitalis_codegen.model import Message, Model, SchemaVersion

__all__ = ["emit_schemas", "version_table"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _SchemaView:
    """A message in the table of schemas."""

    message_type: str
    constant: str
    schema: str
    canonical_form: str
    fingerprint: str
    versions: list[str]


def emit_schemas(model: Model) -> str:
    """Emit the table of schemas and versions."""
    messages = [message for message in model.messages.values() if message.record is not None]
    constants = names.unique_names(
        ((one.key, f"{names.constant_name(one.key)}_SCHEMA") for one in messages), taken=("SCHEMAS",)
    )
    return environment.render("schemas.ts.jinja2", messages=[_view(one, constants[one.key]) for one in messages])


def version_table(versions: tuple[SchemaVersion, ...]) -> list[str]:
    """Write the entries of a table of versions."""
    rows = ((text.literal(one.version), one.length, text.literal(one.fingerprint)) for one in versions)
    return [
        f"{{ version: {version}, fields: {fields}, fingerprint: {fingerprint} }}"
        for version, fields, fingerprint in rows
    ]


def _view(message: Message, constant: str) -> _SchemaView:
    return _SchemaView(
        message_type=message.name or message.key,
        constant=constant,
        schema=message.schema or "",
        canonical_form=message.canonical_form or "",
        fingerprint=message.fingerprint or "",
        versions=version_table(message.versions),
    )
