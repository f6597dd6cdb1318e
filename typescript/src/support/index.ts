/** What generated code calls: errors, topics, codecs and what they are made of. It imports nothing that is generated. */

export { bigLong, boolean, bytes, double, float, int, long, nullType, string, type Codec } from "./codec.js";
export { array, enumeration, fixed, lazy, map, nullable, union } from "./containers.js";
export { DecodeError, EncodeError, TopicError, WireError } from "./errors.js";
export { EventCodec, type Decoded, type EventOptions } from "./event.js";
export {
  jsonBoolean,
  jsonBytes,
  jsonDouble,
  jsonField,
  jsonInt,
  jsonLong,
  jsonString,
  jsonStrings,
  jsonTimestampMicros,
  jsonTimestampMillis,
  type JsonCodec,
  type JsonField,
} from "./json-values.js";
export {
  bigDecimal,
  date,
  decimal,
  duration,
  fixedUuid,
  localTimestampMicros,
  localTimestampMillis,
  timeMicros,
  timeMillis,
  timedelta,
  timestampMicros,
  timestampMillis,
  uuid,
} from "./logical.js";
export { MessageCodec, type NumberLayout, type PayloadFormat } from "./message.js";
export { RecordCodec, field, record, type Field, type RecordOptions } from "./record.js";
export { fieldsOf, type MessageSchema, type SchemaVersion } from "./schema.js";
export { TopicLayout, checkLevel, isUnpublishable, type TopicParameter } from "./topic.js";
export type { Decimal, Duration, Given } from "./values.js";
