"""Whether a payload, or headers, are in Avro, and where their schema stands."""

from __future__ import annotations

import re
from typing import Final

from orbitalis_codegen.avro.schema_object import SchemaObject, schema_of
from orbitalis_codegen.avro.shapes import COMPLEX_TYPES, PRIMITIVES
from orbitalis_codegen.check.shape import Checker, View
from orbitalis_codegen.diagnostic import shown
from orbitalis_codegen.read.files import SCHEMA_SUFFIX
from orbitalis_codegen.read.node import ListNode, Node, ObjectNode, ScalarNode, kind_of
from orbitalis_codegen.rules import Rule

__all__ = ["read_headers", "read_payload"]

_AVRO: Final = re.compile(r"\bavro\b", re.IGNORECASE)
_JSON_SCHEMA: Final = re.compile(r"application/(?:schema|vnd\.aai\.asyncapi)\b", re.IGNORECASE)
_NAMED: Final = ("record", "enum", "fixed")
"""Types that no other schema language has."""
_OF_JSON_SCHEMA: Final = frozenset(
    {
        *("additionalProperties", "allOf", "anyOf", "const", "enum", "format", "not", "oneOf", "pattern"),
        *("patternProperties", "properties", "required"),
    }
)
_WRITE_IT: Final = (
    "write it in Avro: 'payload' has the keys 'schemaFormat' (application/vnd.apache.avro;version=1.12.0) and 'schema' "
    "(type: record, name, fields)"
)


def read_payload(checker: Checker, message: View, name: str, content_type: str) -> Node | None:
    """The Avro schema of a message's payload; `None` if it has none that can be used, which is reported.

    The `name` is what reports call the message, and the `content_type` that which it has if it does not say another.
    """
    node = message.get("payload")
    found = None if node is None else schema_of(checker.resolver, node, checker.report)
    if found is None or not _is_schema(checker, message, "payload", found):
        return None
    if found.format is None:
        if _is_clearly_avro(found.node, message.text("contentType") or content_type):
            _note_missing_format(checker, found)
            return found.node
        outer = message.get("schemaFormat")
        if outer is not None and _names_avro(outer) and not _is_json_schema(found.node):
            note = "'schemaFormat' stands in the message, as AsyncAPI 2 has it; it is taken for that of the payload"
            checker.report.note(Rule.SCHEMA_FORMAT, message.key_position("schemaFormat"), note)
            return found.node
    elif _names_avro(found.format):
        return found.node
    elif not isinstance(found.format, ScalarNode) or not isinstance(found.format.value, str):
        text = f"'schemaFormat' is {kind_of(found.format)}, but a text is expected"
        checker.report.add(Rule.WRONG_KIND, found.format.position, text)
        return None
    elif not _JSON_SCHEMA.match(found.format.value):
        text = f"the message {shown(name)} has a payload in the schema format {shown(found.format.value)}, not in Avro"
        checker.report.add(Rule.SCHEMA_FORMAT, found.format.position, text, _WRITE_IT)
        return None
    text = f"payloads in JSON Schema are not supported: that of the message {shown(name)}"
    checker.report.add(Rule.SCHEMA_FORMAT, found.node.position, text, _WRITE_IT)
    return None


def read_headers(checker: Checker, message: View) -> Node | None:
    """The Avro schema of a message's headers; `None` if it has none, or another one, which is noted."""
    node = message.get("headers")
    found = None if node is None else schema_of(checker.resolver, node, checker.report)
    if found is None or not _is_schema(checker, message, "headers", found):
        return None
    if _names_avro(found.format) or (found.format is None and _is_clearly_avro(found.node, "")):
        if found.format is None:
            _note_missing_format(checker, found)
        note = "headers in Avro become types, but do not travel: an event of Orbitalis has its own"
        checker.report.note(Rule.CONTRACT_HEADERS, message.key_position("headers"), note)
        return found.node
    note = "headers are ignored where they are not in Avro"
    checker.report.note(Rule.CONTRACT_HEADERS, message.key_position("headers"), note)
    return None


def _is_schema(checker: Checker, message: View, key: str, found: SchemaObject) -> bool:
    """Whether what stands there can be a schema; reported if not."""
    match found.node:
        case ObjectNode() | ListNode() | ScalarNode(value=bool()):
            return True
        case ScalarNode(value=str()) if found.format is not None or found.node.position.file.endswith(SCHEMA_SUFFIX):
            return True
        case _:
            pass
    text = f"{shown(key)} of {message.shape.name} is {kind_of(found.node)}, but a schema is expected"
    checker.report.add(Rule.WRONG_KIND, found.node.position, text)
    return False


def _note_missing_format(checker: Checker, found: SchemaObject) -> None:
    note = "a schema without 'schemaFormat' is taken for one of Avro, as it looks"
    checker.report.note(Rule.SCHEMA_FORMAT, found.node.position, note)


def _names_avro(node: Node | None) -> bool:
    return isinstance(node, ScalarNode) and isinstance(node.value, str) and _AVRO.search(node.value) is not None


def _is_clearly_avro(node: Node, content_type: str) -> bool:
    """Whether a schema without a format is meant to be one of Avro.

    It has a type that no other schema language has, or stands in a schema file of Avro, or payloads are said to be in
    Avro and it has one of Avro's types.
    """
    kind = node.members.get("type") if isinstance(node, ObjectNode) else None
    if isinstance(kind, ScalarNode) and kind.value in _NAMED:
        return True
    if _is_json_schema(node):
        return False
    if node.position.file.endswith(SCHEMA_SUFFIX):
        return True
    return (
        isinstance(kind, ScalarNode)
        and _AVRO.search(content_type) is not None
        and (kind.value in PRIMITIVES or kind.value in COMPLEX_TYPES)
    )


def _is_json_schema(node: Node) -> bool:
    match node:
        case ObjectNode(members):
            return "type" not in members or bool(_OF_JSON_SCHEMA & members.keys())
        case ScalarNode(value=value):
            return isinstance(value, bool)
        case _:
            return False
