"""The objects of AsyncAPI 3 as contracts have them: what is read of each, and what is accepted beside it."""

from __future__ import annotations

from orbitalis_codegen.check.shape import ASYNCAPI_OF_USERS, Shape

__all__ = [
    "CHANNEL",
    "CHANNELS",
    "CHANNEL_MESSAGES",
    "DOCUMENT",
    "INFO",
    "MESSAGE",
    "MESSAGE_TRAIT",
    "OPERATION",
    "OPERATIONS",
    "OPERATION_TRAIT",
    "REPLY",
]

_TEXTS = ("title", "summary", "description")
_DOCUMENTATION = (*_TEXTS, "tags", "externalDocs")
_OF_OPERATION_TRAIT = (*_DOCUMENTATION, "security", "bindings", "x-input")
_OF_MESSAGE_TRAIT = (
    *(*_DOCUMENTATION, "name", "headers", "correlationId", "contentType", "bindings", "examples", "deprecated"),
    *("schemaFormat", "x-error"),
)
_NOT_IN_TRAITS = "AsyncAPI has it where the trait is used, not in the trait"

DOCUMENT = Shape(
    name="document",
    language=ASYNCAPI_OF_USERS,
    required=("asyncapi", "info"),
    optional=("id", "servers", "defaultContentType", "channels", "operations", "components"),
)
INFO = Shape(
    name="info",
    language=ASYNCAPI_OF_USERS,
    required=("title", "version"),
    optional=("description", "termsOfService", "contact", "license", "tags", "externalDocs"),
)
CHANNELS = Shape(name="channels", language=ASYNCAPI_OF_USERS, any_key=True)
CHANNEL = Shape(
    name="channel",
    language=ASYNCAPI_OF_USERS,
    optional=(*_DOCUMENTATION, "address", "messages", "parameters", "servers", "bindings"),
)
CHANNEL_MESSAGES = Shape(name="messages", language=ASYNCAPI_OF_USERS, any_key=True)
OPERATIONS = Shape(name="operations", language=ASYNCAPI_OF_USERS, any_key=True)
OPERATION = Shape(
    name="operation",
    language=ASYNCAPI_OF_USERS,
    required=("action", "channel"),
    optional=(*_OF_OPERATION_TRAIT, "messages", "reply", "traits"),
)
OPERATION_TRAIT = Shape(
    name="operation trait",
    language=ASYNCAPI_OF_USERS,
    optional=_OF_OPERATION_TRAIT,
    unsupported=dict.fromkeys(("action", "channel", "messages", "reply", "traits"), _NOT_IN_TRAITS),
)
REPLY = Shape(name="reply", language=ASYNCAPI_OF_USERS, optional=("address", "channel", "messages"))
MESSAGE = Shape(
    name="message",
    language=ASYNCAPI_OF_USERS,
    optional=(*_OF_MESSAGE_TRAIT, "payload", "traits"),
    unsupported={"oneOf": "that is AsyncAPI 2; AsyncAPI 3 lists each message in its channel, under a key of its own"},
)
MESSAGE_TRAIT = Shape(
    name="message trait",
    language=ASYNCAPI_OF_USERS,
    optional=_OF_MESSAGE_TRAIT,
    unsupported=dict.fromkeys(("payload", "traits"), _NOT_IN_TRAITS),
)
