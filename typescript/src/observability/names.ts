/** All names of spans and attributes: those of OpenTelemetry's messaging conventions, and ours; Python has the same. */

/** Name of the tracer. */
export const SCOPE = "orbitalis";

// What is done: the first word of a span's name, and its `messaging.operation.name`.

export const SEND = "send";
export const REQUEST = "request";
export const PROCESS = "process";
export const HANDSHAKE = "handshake";

// Attributes of the messaging conventions.

export const SYSTEM = "messaging.system";
export const SYSTEM_NAME = "orbitalis";
export const OPERATION_NAME = "messaging.operation.name";
export const OPERATION_TYPE = "messaging.operation.type";
export const DESTINATION_NAME = "messaging.destination.name";
export const DESTINATION_TEMPLATE = "messaging.destination.template";
export const MESSAGE_ID = "messaging.message.id";
export const CONVERSATION_ID = "messaging.message.conversation_id";
export const CLIENT_ID = "messaging.client.id";
export const BATCH_MESSAGE_COUNT = "messaging.batch.message_count";
export const ERROR_TYPE = "error.type";

// Attributes of ours.

export const ORBITER = "orbitalis.orbiter";
export const ROLE = "orbitalis.role";
export const REMOTE = "orbitalis.remote";
export const OPERATION = "orbitalis.operation";
export const CONNECTION = "orbitalis.connection";
