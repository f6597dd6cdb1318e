/**
 * Everything that Orbitalis throws on purpose.
 *
 *     OrbitalisError (an Error)
 *     ├── BusError                    the event bus
 *     │   ├── BusUnavailableError     it cannot be reached, or does not answer; trying again later may help
 *     │   ├── BusRefusedError         it refuses: credentials, identifier, access rights; trying again will not help
 *     │   ├── BusNotConnectedError    the caller has not connected, or has disconnected meanwhile
 *     │   ├── InvalidTopicError       the caller gave a topic that cannot be used
 *     │   └── EventTooLargeError      the caller gave an event that is too large
 *     ├── RemoteProtocolError         a remote broke the protocol
 *     ├── LocalProtocolError          this side would break it: a fault of ours
 *     ├── NoConnectionError           the caller needs a connection that does not exist
 *     ├── DeclaredError               an error that an operation declares, and that reaches the caller as it is
 *     ├── RequestError                a request was not answered as it should
 *     │   ├── OperationFailedError    the remote: its handler threw
 *     │   │   └── OverloadedError     the remote: too much waits there; trying again later may help
 *     │   ├── UnexpectedAnswerError   the answer is no output of the operation
 *     │   ├── RequestTimeoutError     there was no answer in time
 *     │   ├── RemoteLostError         the remote is dead or has started anew
 *     │   ├── ConnectionClosedError   the connection was closed, by either side
 *     │   └── AnswersNotSupportedError    the remote cannot say what it answers
 *     └── OrbiterStateError           the caller asks for what the orbiter's state does not allow
 *
 * Messages and topics that cannot be written or read throw the `WireError` of the codecs.
 */

/** The base of all errors of Orbitalis. */
export class OrbitalisError extends Error {
  /** Name of the class of the error. */
  override get name(): string {
    return this.constructor.name;
  }
}

/** The event bus could not do what it was asked for. */
export class BusError extends OrbitalisError {}

/** The bus cannot be reached or did not answer in time. What was being published may still be delivered. */
export class BusUnavailableError extends BusError {}

/** The bus refuses: wrong credentials, an identifier it does not take, no right to the topic. */
export class BusRefusedError extends BusError {}

/** The client is not connected: `connect()` was not called, or `disconnect()` was. */
export class BusNotConnectedError extends BusError {}

/** A topic cannot be published to, or a topic filter cannot be subscribed to. */
export class InvalidTopicError extends BusError {}

/** An event is longer than the protocol or the broker allows. */
export class EventTooLargeError extends BusError {}

/** A remote sent what the protocol does not allow. The message names the remote and what it sent. */
export class RemoteProtocolError extends OrbitalisError {}

/** This side was about to do what the protocol does not allow: a fault of Orbitalis itself. */
export class LocalProtocolError extends OrbitalisError {}

/** There is no connection of the kind that the caller asks for. */
export class NoConnectionError extends OrbitalisError {}

/** The orbiter's state does not allow what the caller asks for, such as starting it twice. */
export class OrbiterStateError extends OrbitalisError {}

/**
 * An error that an operation declares: thrown by a handler, it reaches the caller with its fields.
 *
 * Its fields are those of a record. See `Operation.errors`.
 */
export class DeclaredError extends OrbitalisError {
  constructor(fields: object = {}) {
    super(
      Object.entries(fields)
        .map(([name, value]) => `${name}=${shownField(value)}`)
        .join(", "),
    );
  }
}

/** A request was not answered as it should. */
export class RequestError extends OrbitalisError {
  constructor(
    /** Identifier of the plugin that was asked. */
    readonly remoteIdentifier: string,
    /** Name of the operation that was requested. */
    readonly operationName: string,
    /** What happened instead of an answer. */
    readonly reason: string,
  ) {
    super(`request of operation '${operationName}' to '${remoteIdentifier}': ${reason}`);
  }
}

/** The plugin's handler threw. The stack stays at the plugin. */
export class OperationFailedError extends RequestError {
  constructor(
    remoteIdentifier: string,
    operationName: string,
    /** Name of the class of what was thrown. */
    readonly errorType: string,
    /** Its text. */
    readonly errorMessage: string,
  ) {
    super(
      remoteIdentifier,
      operationName,
      `failed with ${errorMessage === "" ? errorType : `${errorType}: ${errorMessage}`}`,
    );
  }
}

/** The plugin has dropped the input, since too much waits there. The operation was not executed. */
export class OverloadedError extends OperationFailedError {}

/** The answer is no output of the operation, or not of the type that the caller expects. */
export class UnexpectedAnswerError extends RequestError {}

/** There was no answer in time. The operation may have been executed, or may still be. */
export class RequestTimeoutError extends RequestError {}

/** The plugin is dead, or has started anew. The operation may have been executed. */
export class RemoteLostError extends RequestError {}

/** The connection was closed before the answer, by either side. The operation may have been executed. */
export class ConnectionClosedError extends RequestError {}

/** The plugin sends no headers, so that it cannot say which of its outputs answers what. */
export class AnswersNotSupportedError extends RequestError {}

function shownField(value: unknown): string {
  switch (typeof value) {
    case "bigint":
    case "boolean":
    case "number":
      return String(value);
    case "string":
      return JSON.stringify(value);
    default:
      return value === null ? "null" : "…";
  }
}
