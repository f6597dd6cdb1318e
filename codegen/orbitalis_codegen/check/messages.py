"""Messages of the document, and the payloads that they and the envelope refer to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from orbitalis_codegen.check import shapes
from orbitalis_codegen.check.names import check_class_name
from orbitalis_codegen.check.shape import Checker, View, view_of
from orbitalis_codegen.diagnostic import Position, shown
from orbitalis_codegen.read.files import SCHEMA_SUFFIX
from orbitalis_codegen.read.node import Node, ObjectNode
from orbitalis_codegen.read.reference import Place, Target
from orbitalis_codegen.rules import Rule

__all__ = ["MessageDraft", "Payload", "PayloadFormat", "PayloadLayout", "message_key", "read_messages", "read_payload"]

PayloadFormat = Literal["avro", "utf-8", "bytes"]
PayloadLayout = Literal["uint32", "int64", "float32", "float64"]

_FORMATS: Final[dict[str, PayloadFormat]] = {"avro": "avro", "utf-8": "utf-8", "bytes": "bytes"}
_LAYOUTS: Final[dict[str, PayloadLayout]] = {
    "uint32": "uint32",
    "int64": "int64",
    "float32": "float32",
    "float64": "float64",
}
_JSON_SCHEMA = re.compile(r"application/(?:schema|vnd\.aai\.asyncapi)\b", re.IGNORECASE)
"""Also the format that a document of AsyncAPI has by itself."""
_OF_JSON_SCHEMA = frozenset(
    {
        "type",
        "properties",
        "required",
        "items",
        "enum",
        "const",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "additionalProperties",
    }
)
_AVRO = re.compile(r"application/vnd\.apache\.avro(?:\+json)?;version=1\.(?:8|9|10|11|12)\.[0-9]+")


@dataclass(frozen=True, slots=True)
class Payload:
    """A reference to a schema file."""

    file: str
    position: Position
    """Where the reference stands."""


@dataclass(frozen=True, slots=True)
class MessageDraft:
    """A message whose schema file has not been looked into."""

    key: str
    view: View
    name: str | None
    payload: Payload | None
    """`None` as well if there is one that cannot be used."""
    payload_format: PayloadFormat
    payload_layout: PayloadLayout | None

    @property
    def may_grow(self) -> bool:
        """Whether it is a message of the protocol: what users send says in `x-payload` how it goes out."""
        return "x-payload" not in self.view.node.members


def message_key(target: Target, document: str) -> str | None:
    """The key in `components.messages` of the message that references led to; `None` if it has none."""
    for place in reversed(target.places):
        match place:
            case Place(file, ("components", "messages", key)) if file == document:
                return key
            case _:
                pass
    return None


def read_messages(checker: Checker, messages: View, document: str) -> dict[str, MessageDraft]:
    """The messages of `components.messages`, except those that only refer to another one of them."""
    drafts: dict[str, MessageDraft] = {}
    for key, node in messages.members():
        check_class_name(key, messages.key_position(key), checker.report)
        target = checker.resolver.follow(node, shapes.MESSAGE.name)
        if target is None or message_key(target, document) is not None:
            continue
        view = view_of(target.node, shapes.MESSAGE, checker.report)
        if view is not None:
            drafts[key] = _read_message(checker, key, view)
    return drafts


def _read_message(checker: Checker, key: str, view: View) -> MessageDraft:
    name = view.optional_text("name")
    payload = view.get("payload")
    if payload is None and name is not None:
        message = f"the message {shown(key)} has a name, but no payload"
        hint = "an event without a payload has no message type; take the name away, or add the payload"
        checker.report.add(Rule.MESSAGE_NAME, view.position_of("name"), message, hint)
    if payload is not None and "name" not in view.node.members:
        message = f"the message {shown(key)} has a payload, but no name"
        checker.report.add(Rule.MESSAGE_NAME, view.position, message, "the name is that of the payload's record")
    payload_format, layout = _read_format(checker, view)
    return MessageDraft(
        key=key,
        view=view,
        name=name,
        payload=None if payload is None else read_payload(checker, payload),
        payload_format=payload_format,
        payload_layout=layout,
    )


def _read_format(checker: Checker, message: View) -> tuple[PayloadFormat, PayloadLayout | None]:
    node = message.get("x-payload")
    view = None if node is None else view_of(node, shapes.X_PAYLOAD, checker.report)
    if view is None:
        return "avro", None
    if message.get("payload") is None:
        text = "a message without a payload has no format of one"
        checker.report.add(Rule.PAYLOAD_FORMAT, message.key_position("x-payload"), text)
    payload_format = _FORMATS.get(view.one_of("format", tuple(_FORMATS)) or "")
    layout = _LAYOUTS.get(view.one_of("layout", tuple(_LAYOUTS)) or "")
    if payload_format == "bytes" and layout is None:
        if view.get("layout") is None:
            text = "the format 'bytes' does not say how a number is laid out"
            hint = f"add the key 'layout' with one of {', '.join(_LAYOUTS)}"
            checker.report.add(Rule.PAYLOAD_FORMAT, view.position_of("format"), text, hint)
        return "avro", None
    if payload_format == "utf-8" and layout is not None:
        text = "the format 'utf-8' is a text, which has no layout"
        checker.report.add(Rule.PAYLOAD_FORMAT, view.position_of("layout"), text)
        return "avro", None
    return payload_format or "avro", layout


def read_payload(checker: Checker, node: Node) -> Payload | None:
    """The schema file of a payload; `None` if it does not refer to one, which is reported."""
    target = checker.resolver.follow(node, shapes.SCHEMA.name)
    if target is None:
        return None
    if isinstance(target.node, ObjectNode) and "schemaFormat" not in target.node.members:
        keys = sorted(_OF_JSON_SCHEMA & set(target.node.members))
        if keys and "schema" not in target.node.members:
            message = f"payloads in JSON Schema are not supported: this one has the key {shown(keys[0])}"
            hint = "write it in Avro: schemaFormat and schema, which refers to a schema file"
            checker.report.add(Rule.SCHEMA_FORMAT, target.node.position, message, hint)
            return None
    view = view_of(target.node, shapes.SCHEMA, checker.report)
    if view is None:
        return None
    schema_format = view.optional_text("schemaFormat")
    if schema_format is not None and not _AVRO.fullmatch(schema_format):
        message = f"the schema format {shown(schema_format)} is not Avro's"
        if _JSON_SCHEMA.match(schema_format):
            message = f"payloads in JSON Schema are not supported: {message}"
        hint = "like 'application/vnd.apache.avro+json;version=1.9.0'"
        checker.report.add(Rule.SCHEMA_FORMAT, view.position_of("schemaFormat"), message, hint)
        return None
    schema = view.get("schema")
    target = None if schema is None else checker.resolver.follow(schema)
    if schema is None or target is None:
        return None
    place = target.places[-1] if target.places else None
    if place is None or place.keys or not place.file.endswith(SCHEMA_SUFFIX):
        message = "the schema is not a reference to a schema file as a whole"
        hint = f"like $ref: ./schemas/Name{SCHEMA_SUFFIX}"
        checker.report.add(Rule.PAYLOAD_BY_REFERENCE, schema.position, message, hint)
        return None
    return Payload(place.file, schema.position)
