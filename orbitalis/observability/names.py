"""All names of spans, metrics and attributes: those of OpenTelemetry's messaging conventions, and ours.

The conventions call theirs unstable, so they stand here as text, and no package decides on them. Ours begin with
`orbitalis`. TypeScript has the same in `typescript/src/observability/names.ts`; a test holds all of them together.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "BATCH_MESSAGE_COUNT",
    "BUS_METRIC",
    "CLIENT_ID",
    "COMPLIANT_METRIC",
    "CONNECTION",
    "CONNECTIONS_METRIC",
    "CONVERSATION_ID",
    "CORE",
    "DESTINATION_NAME",
    "DESTINATION_TEMPLATE",
    "DROPPED_ANSWERS_METRIC",
    "ERROR_TYPE",
    "HANDLER_TIME_METRIC",
    "HANDSHAKE",
    "MESSAGE_ID",
    "OPERATION",
    "OPERATION_METRIC",
    "OPERATION_NAME",
    "OPERATION_TYPE",
    "ORBITER",
    "ORBITER_METRIC",
    "PLUGIN",
    "PROCESS",
    "REMOTE",
    "REQUEST",
    "ROLE",
    "RUNNING_METRIC",
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

# Metrics. The beginnings below stand before the names that `orbitalis stats` shows.

OPERATION_METRIC: Final = "orbitalis.operation."
"""Beginning of the names of counters of an operation."""
HANDLER_TIME_METRIC: Final = "orbitalis.operation.handler.time"
ORBITER_METRIC: Final = "orbitalis.orbiter."
"""Beginning of the names of counters of an orbiter."""
BUS_METRIC: Final = "orbitalis.bus."
"""Beginning of the names of counters of an orbiter's client of the bus."""
DROPPED_ANSWERS_METRIC: Final = "orbitalis.core.dropped_answers"
CONNECTIONS_METRIC: Final = "orbitalis.connections"
RUNNING_METRIC: Final = "orbitalis.running"
COMPLIANT_METRIC: Final = "orbitalis.core.compliant"
