/** The TypeScript SDK of Orbitalis. */

export { DecodeError, EncodeError, TopicError, WireError } from "./support/index.js";
