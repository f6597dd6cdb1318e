"""Keys that nothing here reads: their values still are what the official schema of AsyncAPI 3 demands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from orbitalis_codegen.check import shapes
from orbitalis_codegen.check.kinds import (
    BOOLEAN,
    EMAIL,
    INTEGER,
    TEXT,
    URI,
    Check,
    a_reference,
    an_object,
    anything,
    check_members,
    choice,
    list_of,
    map_of,
    nullable,
    one_of,
    shaped,
    text_like,
)
from orbitalis_codegen.check.security import SECURITY
from orbitalis_codegen.check.shape import Checker, Shape, View
from orbitalis_codegen.read.node import Node, ObjectNode
from orbitalis_codegen.read.reference import is_reference

__all__ = ["check_unread"]

_SCHEMA: Final = one_of("a schema", ObjectNode, bool)
_LOCATION: Final = text_like(r"\$message\.(?:header|payload)#(?:/[\s\S]*)?", "like $message.header#/name")
_PLACE: Final = shaped(
    Shape(name="location", required=("location",), optional=("description",)),
    {"location": _LOCATION, "description": TEXT},
)
_DOCS: Final = shaped(
    Shape(name="externalDocs", required=("url",), optional=("description",)), {"url": URI, "description": TEXT}
)
_TAG: Final = shaped(shapes.TAG, {"name": TEXT, "description": TEXT, "externalDocs": _DOCS})
_DOCUMENTED: Final[Mapping[str, Check]] = {
    **dict.fromkeys(("title", "summary", "description"), TEXT),
    "tags": list_of(_TAG),
    "externalDocs": _DOCS,
}
_INFO: Final[Mapping[str, Check]] = {
    **_DOCUMENTED,
    "termsOfService": URI,
    "contact": shaped(
        Shape(name="contact", optional=("name", "url", "email")), {"name": TEXT, "url": URI, "email": EMAIL}
    ),
    "license": shaped(Shape(name="license", required=("name",), optional=("url",)), {"name": TEXT, "url": URI}),
}

_PROTOCOLS: Final = shapes.OPERATION_BINDINGS.known
_VERSION: Final = text_like(r"latest|[0-9]+\.[0-9]+\.[0-9]+", "a version of a binding")


def _binding(checker: Checker, what: str, node: Node) -> None:
    """Take an object that says of which version it is, if it says so."""
    an_object(checker, what, node)
    if isinstance(node, ObjectNode):
        check_members(checker, what, node, {"bindingVersion": _VERSION})


def _bindings(**mqtt: Check) -> Check:
    """Bindings, or a reference; those of MQTT have these keys."""
    own = shaped(Shape(name="MQTT binding", optional=(*mqtt, "bindingVersion")), {**mqtt, "bindingVersion": _VERSION})
    return shaped(Shape(name="bindings", optional=_PROTOCOLS), {**dict.fromkeys(_PROTOCOLS, _binding), "mqtt": own})


_NUMBER: Final = one_of("an integer or a schema", int, ObjectNode)
_QUALITY: Final = choice(0, 1, 2)
_WILL: Final[Mapping[str, Check]] = {"topic": TEXT, "qos": _QUALITY, "message": TEXT, "retain": BOOLEAN}
_SERVER_BINDINGS: Final = _bindings(
    clientId=TEXT,
    cleanSession=BOOLEAN,
    lastWill=shaped(Shape(name="lastWill", optional=tuple(_WILL), any_key=True), _WILL),
    keepAlive=INTEGER,
    sessionExpiryInterval=_NUMBER,
    maximumPacketSize=_NUMBER,
)
_CHANNEL_BINDINGS: Final = _bindings()
_OPERATION_BINDINGS: Final = _bindings(qos=_QUALITY, retain=BOOLEAN, messageExpiryInterval=_NUMBER)
_MESSAGE_BINDINGS: Final = _bindings(
    payloadFormatIndicator=choice(0, 1),
    correlationData=an_object,
    contentType=TEXT,
    responseTopic=one_of("a text or a schema", str, ObjectNode),
)

_SERVER: Final[Mapping[str, Check]] = {
    **_DOCUMENTED,
    **dict.fromkeys(("host", "protocol", "protocolVersion", "pathname"), TEXT),
    "security": list_of(SECURITY),
    "bindings": _SERVER_BINDINGS,
}
_PARAMETER: Final[Mapping[str, Check]] = {"description": TEXT, "examples": list_of(TEXT), "location": _LOCATION}
_EXAMPLE: Final = shaped(
    Shape(name="example", optional=("name", "summary", "headers", "payload")),
    {"name": TEXT, "summary": TEXT, "headers": an_object, "payload": anything},
)
_MESSAGE: Final[Mapping[str, Check]] = {
    **_DOCUMENTED,
    **dict.fromkeys(("name", "contentType"), TEXT),
    "bindings": _MESSAGE_BINDINGS,
    "examples": list_of(_EXAMPLE),
    "deprecated": BOOLEAN,
}
_CHANNEL: Final[Mapping[str, Check]] = {
    **_DOCUMENTED,
    "address": nullable(TEXT),
    "messages": map_of(shaped(shapes.MESSAGE, _MESSAGE)),
    "parameters": map_of(shaped(shapes.PARAMETER, _PARAMETER)),
    "servers": list_of(a_reference),
    "bindings": _CHANNEL_BINDINGS,
}
_REPLY: Final[Mapping[str, Check]] = {"address": _PLACE, "channel": a_reference, "messages": list_of(a_reference)}
_OPERATION: Final[Mapping[str, Check]] = {
    **_DOCUMENTED,
    "action": choice("send", "receive"),
    "channel": a_reference,
    "messages": list_of(a_reference),
    "reply": shaped(shapes.REPLY, _REPLY),
    "security": list_of(SECURITY),
    "bindings": _OPERATION_BINDINGS,
}
_OPERATION_TRAIT: Final = shaped(
    Shape(name="operation trait", optional=(*_DOCUMENTED, "security", "bindings")),
    {key: _OPERATION[key] for key in (*_DOCUMENTED, "security", "bindings")},
)
_MESSAGE_TRAIT: Final = shaped(
    Shape(name="message trait", optional=(*_MESSAGE, "headers", "correlationId")),
    {**_MESSAGE, "headers": _SCHEMA, "correlationId": _PLACE},
)
_VARIABLE: Final = shaped(
    Shape(name="server variable", optional=("enum", "default", "description", "examples")),
    {"enum": list_of(TEXT), "default": TEXT, "description": TEXT, "examples": list_of(TEXT)},
)
_COMPONENTS: Final[Mapping[str, Check]] = {
    "schemas": map_of(_SCHEMA),
    "serverBindings": map_of(_SERVER_BINDINGS),
    "channelBindings": map_of(_CHANNEL_BINDINGS),
    "operationBindings": map_of(map_of(_binding)),
    "messageBindings": map_of(_MESSAGE_BINDINGS),
    "operationTraits": map_of(_OPERATION_TRAIT),
    "messageTraits": map_of(_MESSAGE_TRAIT),
    # What nobody uses may use all that AsyncAPI has.
    "replies": map_of(shaped(replace(shapes.REPLY, required=(), optional=tuple(_REPLY), unsupported={}), _REPLY)),
    "servers": map_of(shaped(shapes.SERVER, _SERVER)),
    "channels": map_of(shaped(shapes.CHANNEL, _CHANNEL)),
    "operations": map_of(shaped(shapes.OPERATION, _OPERATION)),
    "securitySchemes": map_of(SECURITY),
    "serverVariables": map_of(_VARIABLE),
    "parameters": map_of(shaped(shapes.PARAMETER, _PARAMETER)),
    "correlationIds": map_of(_PLACE),
    "replyAddresses": map_of(_PLACE),
    "externalDocs": map_of(_DOCS),
    "tags": map_of(_TAG),
}
_READ_OF_CHANNELS: Final = ("address", "messages", "parameters")
_OTHER_PROTOCOLS: Final = tuple(key for key in _PROTOCOLS if key != "mqtt")


def check_unread(checker: Checker, document: View) -> None:
    """Report what the official schema of AsyncAPI 3 does not allow in keys that nothing else reads."""
    check_members(checker, "document", document.node, {"id": URI})
    for key, kinds in (("info", _INFO), ("components", _COMPONENTS)):
        node = document.get(key)
        if isinstance(node, ObjectNode):
            check_members(checker, key, node, kinds)
    for path, name, kinds in (
        (("servers", "*"), "server", _SERVER),
        (("channels", "*"), "channel", {key: kind for key, kind in _CHANNEL.items() if key not in _READ_OF_CHANNELS}),
        (("channels", "*", "parameters", "*"), "parameter", _PARAMETER),
        (("operations", "*"), "operation", {**_DOCUMENTED, "security": list_of(SECURITY)}),
        (("operations", "*", "bindings"), "operation bindings", dict.fromkeys(_OTHER_PROTOCOLS, _binding)),
        (("components", "messages", "*"), "message", _MESSAGE),
    ):
        for node in _found(document.node, path):
            check_members(checker, name, node, kinds)


def _found(node: Node | None, path: tuple[str, ...]) -> Iterator[ObjectNode]:
    """Every object at a path, on which `*` is any key, and which leads through no reference."""
    if not isinstance(node, ObjectNode) or is_reference(node):
        return
    if not path:
        yield node
        return
    members = node.members.values() if path[0] == "*" else (node.members.get(path[0]),)
    for member in members:
        yield from _found(member, path[1:])
