/** What generated code calls: errors, topics, codecs and what they are made of. It imports nothing that is generated. */

export { DecodeError, EncodeError, TopicError, WireError } from "./errors.js";
export { fieldsOf, type MessageSchema, type SchemaVersion } from "./schema.js";
export { TopicLayout, checkLevel, isUnpublishable, type TopicParameter } from "./topic.js";
export type { Decimal, Duration, Given } from "./values.js";
