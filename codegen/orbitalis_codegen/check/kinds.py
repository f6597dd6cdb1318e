"""Keys that nothing here reads: their values still are what the official schema of AsyncAPI 3 demands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from orbitalis_codegen.check import shapes
from orbitalis_codegen.check.shape import Checker, Shape, View, view_of
from orbitalis_codegen.read.node import ListNode, Node, ObjectNode, ScalarNode, kind_of
from orbitalis_codegen.read.reference import is_reference
from orbitalis_codegen.rules import Rule

__all__ = ["check_unread"]

_Check = Callable[[Checker, str, Node], None]
"""Reports a value that is not of a kind, given what it is called."""


def _scalar(class_: type, expected: str) -> _Check:
    def check(checker: Checker, what: str, node: Node) -> None:
        if not isinstance(node, ScalarNode) or type(node.value) is not class_:
            _refuse(checker, what, node, expected)

    return check


def _refuse(checker: Checker, what: str, node: Node, expected: str) -> None:
    message = f"{what} is {kind_of(node)}, but {expected} is expected"
    is_unquoted = expected == "a text" and isinstance(node, ScalarNode) and node.value is not None
    # In the words of `View`: what that reads as well is reported once.
    checker.report.add(Rule.WRONG_KIND, node.position, message, "put it in quotes" if is_unquoted else None)


def _any(checker: Checker, what: str, node: Node) -> None:
    """Take everything."""


def _object(checker: Checker, what: str, node: Node) -> None:
    if not isinstance(node, ObjectNode):
        _refuse(checker, what, node, "an object")


def _list(inner: _Check) -> _Check:
    def check(checker: Checker, what: str, node: Node) -> None:
        if not isinstance(node, ListNode):
            _refuse(checker, what, node, "a list")
            return
        for item in node.items:
            inner(checker, f"an item of {what}", item)

    return check


def _map(inner: _Check) -> _Check:
    def check(checker: Checker, what: str, node: Node) -> None:
        if is_reference(node):
            return
        _object(checker, what, node)
        if isinstance(node, ObjectNode):
            for key, member in node.members.items():
                inner(checker, f"{key!r} of {what}", member)

    return check


def _shape(shape: Shape, kinds: Mapping[str, _Check]) -> _Check:
    """An object of a shape, or a reference, whose target is looked at where it stands."""

    def check(checker: Checker, what: str, node: Node) -> None:
        view = None if is_reference(node) else view_of(node, shape, checker.report)
        if view is not None:
            _members(checker, shape.name, view.node, kinds)

    return check


def _reference(checker: Checker, what: str, node: Node) -> None:
    if not is_reference(node):
        _refuse(checker, what, node, "a reference")


def _members(checker: Checker, name: str, node: ObjectNode, kinds: Mapping[str, _Check]) -> None:
    for key, kind in kinds.items():
        member = node.members.get(key)
        if member is not None:
            kind(checker, f"{key!r} of {name}", member)


_TEXT: Final = _scalar(str, "a text")
_BOOLEAN: Final = _scalar(bool, "true or false")
_DOCS: Final = _shape(
    Shape(name="externalDocs", required=("url",), optional=("description",)), {"url": _TEXT, "description": _TEXT}
)
_TAG: Final = _shape(shapes.TAG, {"name": _TEXT, "description": _TEXT, "externalDocs": _DOCS})
_DOCUMENTED: Final[Mapping[str, _Check]] = {
    **dict.fromkeys(("title", "summary", "description"), _TEXT),
    "tags": _list(_TAG),
    "externalDocs": _DOCS,
}
_SECURITY: Final = _shape(Shape(name="security scheme", required=("type",), any_key=True), {"type": _TEXT})
_INFO: Final[Mapping[str, _Check]] = {
    **_DOCUMENTED,
    "termsOfService": _TEXT,
    "contact": _shape(
        Shape(name="contact", optional=("name", "url", "email")), dict.fromkeys(("name", "url", "email"), _TEXT)
    ),
    "license": _shape(
        Shape(name="license", required=("name",), optional=("url",)), dict.fromkeys(("name", "url"), _TEXT)
    ),
}
_SERVER: Final[Mapping[str, _Check]] = {
    **_DOCUMENTED,
    **dict.fromkeys(("protocolVersion", "pathname"), _TEXT),
    "security": _list(_SECURITY),
    "bindings": _map(_object),
}
_CHANNEL: Final[Mapping[str, _Check]] = {**_DOCUMENTED, "servers": _list(_reference), "bindings": _map(_object)}
_PARAMETER: Final[Mapping[str, _Check]] = {"description": _TEXT, "examples": _list(_TEXT), "location": _TEXT}
_OPERATION: Final[Mapping[str, _Check]] = {
    **_DOCUMENTED,
    "security": _list(_SECURITY),
    "bindings": _shape(
        shapes.OPERATION_BINDINGS, {key: _object for key in shapes.OPERATION_BINDINGS.optional if key != "mqtt"}
    ),
}
_EXAMPLE: Final = _shape(
    Shape(name="example", optional=("name", "summary", "headers", "payload")),
    {"name": _TEXT, "summary": _TEXT, "headers": _object, "payload": _any},
)
_MESSAGE: Final[Mapping[str, _Check]] = {
    **_DOCUMENTED,
    "contentType": _TEXT,
    "bindings": _map(_object),
    "examples": _list(_EXAMPLE),
    "deprecated": _BOOLEAN,
}
_LOCATION: Final = _shape(
    Shape(name="location", required=("location",), optional=("description",)),
    {"location": _TEXT, "description": _TEXT},
)
_VARIABLE: Final = _shape(
    Shape(name="server variable", optional=("enum", "default", "description", "examples")),
    {"enum": _list(_TEXT), "default": _TEXT, "description": _TEXT, "examples": _list(_TEXT)},
)
_COMPONENTS: Final[Mapping[str, _Check]] = {
    "schemas": _map(_any),
    **dict.fromkeys(
        (
            *("serverBindings", "channelBindings", "operationBindings", "messageBindings"),
            *("operationTraits", "messageTraits", "replies"),
        ),
        _map(_object),
    ),
    "servers": _map(_shape(shapes.SERVER, _SERVER)),
    "channels": _map(_shape(shapes.CHANNEL, _CHANNEL)),
    "operations": _map(_shape(shapes.OPERATION, _OPERATION)),
    "securitySchemes": _map(_SECURITY),
    "serverVariables": _map(_VARIABLE),
    "parameters": _map(_shape(shapes.PARAMETER, _PARAMETER)),
    "correlationIds": _map(_LOCATION),
    "replyAddresses": _map(_LOCATION),
    "externalDocs": _map(_DOCS),
    "tags": _map(_TAG),
}


def check_unread(checker: Checker, document: View) -> None:
    """Report what the official schema of AsyncAPI 3 does not allow in keys that nothing else reads."""
    _members(checker, "document", document.node, {"id": _TEXT})
    for key, inner in (("info", _INFO), ("components", _COMPONENTS)):
        node = document.get(key)
        if isinstance(node, ObjectNode):
            _members(checker, key, node, inner)
    for keys, name, kinds in (
        (("servers",), "server", _SERVER),
        (("channels",), "channel", _CHANNEL),
        (("operations",), "operation", _OPERATION),
        (("components", "messages"), "message", _MESSAGE),
    ):
        container: Node | None = document.node
        for key in keys:
            container = container.members.get(key) if isinstance(container, ObjectNode) else None
        for member in container.members.values() if isinstance(container, ObjectNode) else ():
            if isinstance(member, ObjectNode) and not is_reference(member):
                _members(checker, name, member, kinds)
    channels = document.get("channels")
    for channel in channels.members.values() if isinstance(channels, ObjectNode) else ():
        parameters = channel.members.get("parameters") if isinstance(channel, ObjectNode) else None
        for member in parameters.members.values() if isinstance(parameters, ObjectNode) else ():
            if isinstance(member, ObjectNode) and not is_reference(member):
                _members(checker, "parameter", member, _PARAMETER)
