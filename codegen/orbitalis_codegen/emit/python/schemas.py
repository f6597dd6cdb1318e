"""The module `schemas`: what is known of each message without its codec."""

from __future__ import annotations

from dataclasses import dataclass

from orbitalis_codegen.emit.python import environment, text
from orbitalis_codegen.emit.python.types import Types
from orbitalis_codegen.model import Message, Model

__all__ = ["emit_schemas"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _SchemaView:
    """A message in the table of schemas."""

    message_type: str
    class_name: str
    schema: str
    canonical_form: str
    fingerprint: str
    lengths: tuple[str, ...]
    """The entries of the table of versions."""


def emit_schemas(model: Model, types: Types) -> str:
    """Emit the table of schemas."""
    messages = [
        _SchemaView(
            message_type=message.name or message.key,
            class_name=types.class_names[message.record],
            schema=message.schema or "",
            canonical_form=message.canonical_form or "",
            fingerprint=message.fingerprint or "",
            lengths=_lengths(message),
        )
        for message in model.messages.values()
        if message.record is not None
    ]
    return environment.render("schemas.py.jinja2", messages=messages, classes={one.class_name for one in messages})


def _lengths(message: Message) -> tuple[str, ...]:
    if not message.versions:
        return ()
    entries = [f"{text.literal(one.fingerprint)}: {one.length}" for one in message.versions]
    return (f"None: {message.versions[0].length}", *entries)
