/**
 * What codecs and topics throw.
 *
 *     WireError (an Error)
 *     ├── EncodeError   a value does not fit its schema: the fault of its maker
 *     ├── DecodeError   bytes are not what their schema says: the fault of their sender
 *     └── TopicError    a text cannot be a level of a topic, or is not a topic of the channel
 *
 * Each says what was expected, what came, and where.
 */

import { shown } from "./shown.js";

/** The base of everything that codecs and topics throw. */
export class WireError extends Error {
  /** Name of the class of the error. */
  override readonly name: string = "WireError";
}

/** A value cannot be written, since it does not fit its schema. */
export class EncodeError extends WireError {
  override readonly name = "EncodeError";

  constructor(
    /** Name of the whole message. */
    readonly record: string,
    /** Path of the field on the wire, such as `queries["turn_on"].inputs[0].schemas`; empty for the message itself. */
    readonly path: string,
    /** What was expected and what came. */
    readonly reason: string,
  ) {
    super(`cannot encode ${place(record, path)}: ${reason}`);
  }
}

/** Bytes cannot be read, since they are not what their schema says. */
export class DecodeError extends WireError {
  override readonly name = "DecodeError";

  constructor(
    /** Name of the whole message. */
    readonly record: string,
    /** Path of the field on the wire, such as `queries["turn_on"].inputs[0].schemas`; empty for the message itself. */
    readonly path: string,
    /** What was expected and what came. */
    readonly reason: string,
  ) {
    super(`cannot decode ${place(record, path)}: ${reason}`);
  }
}

/** A text cannot be a level of a topic, or a topic does not belong to the channel. */
export class TopicError extends WireError {
  override readonly name = "TopicError";

  constructor(
    /** Name of the parameter, or `topic` for the topic as a whole. */
    readonly parameter: string,
    /** The text. */
    readonly value: string,
    /** What is wrong with it. */
    readonly reason: string,
  ) {
    super(`${parameter} ${shown(value)}: ${reason}`);
  }
}

function place(record: string, path: string): string {
  if (path === "") {
    return record;
  }
  return path.startsWith("[") ? record + path : `${record}.${path}`;
}
