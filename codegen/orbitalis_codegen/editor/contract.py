"""The JSON Schema of a contract: the few keys that mean something here, beside whatever AsyncAPI has."""

from __future__ import annotations

from typing import Final

from orbitalis_codegen.editor import words
from orbitalis_codegen.editor.words import BOOLEAN, choice, defined, explained
from orbitalis_codegen.read.node import JsonValue

__all__ = ["contract_schema"]

_OPERATION: Final[JsonValue] = {
    "type": "object",
    "properties": {
        "action": choice(("send", "receive")),
        "x-input": explained(choice(("empty",)), "The operation is called with an empty event."),
        "reply": {"type": "object", "properties": {"messages": {"type": "array"}}},
    },
}
_MESSAGE: Final[JsonValue] = {
    "type": "object",
    "properties": {
        "x-error": explained(
            BOOLEAN, "Whether it says that the operation failed: what is a reply becomes an exception."
        ),
    },
}


def contract_schema() -> dict[str, JsonValue]:
    """The schema for editors of a contract: it has something to say of a few keys, and nothing of all others."""
    operations, messages = _each(defined("operation")), _each(defined("message"))
    channels = _each({"type": "object", "properties": {"messages": messages}})
    parts = {"operations": operations, "operationTraits": operations, "messages": messages, "messageTraits": messages}
    return {
        "$schema": words.DIALECT,
        "title": "Contract of a plugin of Orbitalis",
        "type": "object",
        "required": ["asyncapi"],
        "properties": {
            "asyncapi": words.text_like(r"3\.[01]\.[0-9]+"),
            "operations": operations,
            "channels": channels,
            "components": {"type": "object", "properties": {**parts, "channels": channels}},
        },
        "definitions": {"operation": _OPERATION, "message": _MESSAGE},
    }


def _each(schema: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return {"type": "object", "patternProperties": {"^x-": {}}, "additionalProperties": schema}
