"""The model, put together from what has been read and found to be right."""

from __future__ import annotations

from collections.abc import Mapping

from orbitalis_avro.types import NamedType, Record
from orbitalis_codegen.avro.text import SchemaText
from orbitalis_codegen.avro.versions import versions_of
from orbitalis_codegen.check.document import DocumentDraft
from orbitalis_codegen.check.messages import MessageDraft
from orbitalis_codegen.diagnostic import Diagnostic
from orbitalis_codegen.model import Channel, Message, Model

__all__ = ["build_model"]


def build_model(
    draft: DocumentDraft,
    records: Mapping[str, Record],
    envelope: Record,
    types: dict[str, NamedType],
    schemas: Mapping[str, SchemaText],
    notes: tuple[Diagnostic, ...],
    inputs: Mapping[str, bytes],
) -> Model:
    """The model of a document.

    `records` are the payloads' by the keys of the messages; `schemas` are by the names of the records.
    """
    return Model(
        title=draft.title,
        version=draft.version,
        description=draft.description,
        servers=draft.servers,
        channels={
            key: Channel(
                key=key,
                address=channel.address,
                description=channel.description,
                parameters=channel.parameters,
                messages=tuple(channel.messages.values()),
                quality_of_service=draft.bindings[key].quality_of_service,
                retain=draft.bindings[key].retain,
            )
            for key, channel in draft.channels.items()
        },
        operations=draft.operations,
        messages={
            key: _message(message, records.get(key), schemas, draft.version) for key, message in draft.messages.items()
        },
        types=types,
        envelope=Message(
            key=types[envelope.name].class_name,
            name=envelope.name,
            title=envelope.name,
            summary="",
            description=envelope.description,
            record=envelope.name,
            schema=schemas[envelope.name].schema,
            canonical_form=schemas[envelope.name].canonical_form,
            fingerprint=schemas[envelope.name].fingerprint,
            versions=versions_of(schemas[envelope.name], envelope, draft.version),
            payload_format="avro",
            payload_layout=None,
        ),
        timings=draft.timings,
        limits=draft.limits,
        state_charts=draft.state_charts,
        areas=draft.areas,
        requirements=draft.requirements,
        notes=notes,
        inputs=dict(sorted(inputs.items())),
    )


def _message(draft: MessageDraft, record: Record | None, schemas: Mapping[str, SchemaText], version: str) -> Message:
    text = None if record is None else schemas[record.name]
    versions = versions_of(text, record, version) if draft.may_grow and record is not None and text is not None else ()
    return Message(
        key=draft.key,
        name=draft.name,
        title=draft.view.text("title") or draft.key,
        summary=draft.view.text("summary"),
        description=draft.view.text("description"),
        record=None if record is None else record.name,
        schema=None if text is None else text.schema,
        canonical_form=None if text is None else text.canonical_form,
        fingerprint=None if text is None else text.fingerprint,
        versions=versions,
        payload_format=draft.payload_format,
        payload_layout=draft.payload_layout,
    )
