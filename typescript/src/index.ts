/** The TypeScript SDK of Orbitalis. */

export { LocalProtocolError, NoConnectionError, OrbitalisError, RemoteProtocolError } from "./errors.js";
export { DecodeError, EncodeError, TopicError, WireError } from "./support/index.js";
