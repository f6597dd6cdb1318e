/**
 * Reads events and payloads, a line each, and prints what it has read or why it has not.
 *
 * A line is JSON: `hex` has the bytes, and `message` the name of the message, or null for an event. A payload has its
 * `format` and `fingerprint`. It needs no package, so that tests in another language can run it.
 */

import { readFileSync } from "node:fs";

import { CODECS, codecOf } from "../../../generated/typescript/codecs.js";
import { decodeEvent } from "../../../generated/typescript/envelope.js";
import { DecodeError } from "../../src/support/index.js";
import { plain, type SchemaObject } from "./plain.js";

interface Line {
  readonly hex: string;
  readonly message: string | null;
  readonly format: string;
  readonly fingerprint: string | null;
}

const envelopeSchema = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as SchemaObject;
const schemas = new Map(
  Object.values(CODECS).map((codec) => [codec.messageType as string, JSON.parse(codec.schema) as SchemaObject]),
);

function read({ hex, message, format, fingerprint }: Line): unknown {
  const data = Uint8Array.from(Buffer.from(hex, "hex"));
  if (message === null) {
    const { envelope, encoding } = decodeEvent(data);
    return { encoding, value: plain(envelopeSchema, envelope) };
  }
  return { value: plain(schemas.get(message) ?? "null", codecOf(message)?.decodePayload(format, data, fingerprint)) };
}

function result(line: Line): unknown {
  try {
    return read(line);
  } catch (error) {
    if (!(error instanceof DecodeError)) {
      throw error;
    }
    return { record: error.record, path: error.path, reason: error.reason };
  }
}

for (const line of readFileSync(0, "utf8").split("\n")) {
  if (line !== "") {
    console.log(JSON.stringify(result(JSON.parse(line) as Line)));
  }
}
