"""All names of spans, metrics and attributes: those of OpenTelemetry's messaging conventions, and ours.

The conventions call theirs unstable, so they stand here as text, and no package decides on them. Ours begin with
`orbitalis`. TypeScript has the same in `typescript/src/observability/names.ts`; a test holds all of them together.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "BATCH_MESSAGE_COUNT",
    "CLIENT_ID",
    "CONNECTION",
    "CONVERSATION_ID",
    "CORE",
    "DESTINATION_NAME",
    "DESTINATION_TEMPLATE",
    "ERROR_TYPE",
    "HANDSHAKE",
    "MESSAGE_ID",
    "OPERATION",
    "OPERATION_NAME",
    "OPERATION_TYPE",
    "ORBITER",
    "PLUGIN",
    "PROCESS",
    "REMOTE",
    "REQUEST",
    "ROLE",
    "SCOPE",
    "SEND",
    "SYSTEM",
    "SYSTEM_NAME",
]

SCOPE: Final = "orbitalis"
"""Name of the tracer and of the meter."""

# What is done: the first word of a span's name, and its `messaging.operation.name`.

SEND: Final = "send"
REQUEST: Final = "request"
PROCESS: Final = "process"
HANDSHAKE: Final = "handshake"

# Attributes of the messaging conventions.

SYSTEM: Final = "messaging.system"
SYSTEM_NAME: Final = "orbitalis"
OPERATION_NAME: Final = "messaging.operation.name"
OPERATION_TYPE: Final = "messaging.operation.type"
DESTINATION_NAME: Final = "messaging.destination.name"
DESTINATION_TEMPLATE: Final = "messaging.destination.template"
MESSAGE_ID: Final = "messaging.message.id"
CONVERSATION_ID: Final = "messaging.message.conversation_id"
CLIENT_ID: Final = "messaging.client.id"
BATCH_MESSAGE_COUNT: Final = "messaging.batch.message_count"
ERROR_TYPE: Final = "error.type"

# Attributes of ours: the words that the fields of the log have, too.

ORBITER: Final = "orbitalis.orbiter"
ROLE: Final = "orbitalis.role"
CORE: Final = "core"
PLUGIN: Final = "plugin"
REMOTE: Final = "orbitalis.remote"
OPERATION: Final = "orbitalis.operation"
CONNECTION: Final = "orbitalis.connection"
