/**
 * What this package throws beside the errors of the wire.
 *
 *     OrbitalisError (an Error)
 *     ├── RemoteProtocolError   a remote broke the protocol
 *     ├── LocalProtocolError    this side would break it: a fault of ours
 *     └── NoConnectionError     the caller needs a connection that does not exist
 */

/** The base of all errors of orbiters. */
export class OrbitalisError extends Error {
  override readonly name: string = "OrbitalisError";
}

/** A remote sent what the protocol does not allow. The message names the remote and what it sent. */
export class RemoteProtocolError extends OrbitalisError {
  override readonly name: string = "RemoteProtocolError";
}

/** This side was about to do what the protocol does not allow: a fault of Orbitalis itself. */
export class LocalProtocolError extends OrbitalisError {
  override readonly name: string = "LocalProtocolError";
}

/** There is no connection of the kind that the caller asks for. */
export class NoConnectionError extends OrbitalisError {
  override readonly name: string = "NoConnectionError";
}
