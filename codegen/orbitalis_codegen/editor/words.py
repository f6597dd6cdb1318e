"""Words of JSON Schema: small schemas of which larger ones are made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from orbitalis_codegen.read.node import JsonValue

__all__ = [
    "ANYTHING",
    "BOOLEAN",
    "DIALECT",
    "NUMBER",
    "OBJECT",
    "SAYS_SOMETHING",
    "TEXT",
    "choice",
    "defined",
    "explained",
    "list_of",
    "text_like",
]

DIALECT: Final = "http://json-schema.org/draft-07/schema#"
"""The one that editors know best."""

Schema = dict[str, JsonValue]

ANYTHING: Final[Schema] = {}
OBJECT: Final[Schema] = {"type": "object"}
TEXT: Final[Schema] = {"type": "string"}
NUMBER: Final[Schema] = {"type": "number"}
BOOLEAN: Final[Schema] = {"type": "boolean"}
SAYS_SOMETHING: Final[Schema] = {"type": "string", "pattern": r"\S"}


def text_like(pattern: str) -> Schema:
    """A text that a pattern fits as a whole."""
    return {"type": "string", "pattern": f"^(?:{pattern})$"}


def choice(values: Iterable[str | int]) -> Schema:
    """One of some values."""
    return {"enum": list(values)}


def list_of(items: Mapping[str, JsonValue], **more: JsonValue) -> Schema:
    """A list of what another schema describes."""
    return {"type": "array", "items": dict(items), **more}


def defined(name: str) -> Schema:
    """What is defined under a name."""
    return {"$ref": f"#/definitions/{name.replace(' ', '_')}"}


def explained(schema: Mapping[str, JsonValue], text: str) -> Schema:
    """A schema with what an editor says of it; beside a reference nothing may stand."""
    return {"description": text, "allOf": [dict(schema)]} if "$ref" in schema else {"description": text, **schema}
