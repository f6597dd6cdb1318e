/** Files of the repository, the schemas in them, and values of a schema at random. */

import { readFileSync } from "node:fs";
import fc from "fast-check";

import { camelCase } from "./names.js";
import type { Schema, SchemaObject } from "./plain.js";
import { CODECS } from "../../../generated/typescript/codecs.js";

const ROOT = new URL("../../../", import.meta.url);

/** Return the lines of a file of the repository, each as JSON. */
export function rows<T>(path: string): T[] {
  return textOf(path)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}

/** Return the text of a file of the repository. */
export function textOf(path: string): string {
  return readFileSync(new URL(path, ROOT), "utf8");
}

/** The schema of the envelope, which is no message. */
export const ENVELOPE_SCHEMA = JSON.parse(textOf("schemas/EventEnvelope.avsc")) as SchemaObject;

/** The schema of every message by its name. */
export const MESSAGE_SCHEMAS: ReadonlyMap<string, SchemaObject> = new Map(
  Object.values(CODECS).map((codec) => [codec.messageType, JSON.parse(codec.schema) as SchemaObject]),
);

const TEXTS = fc.oneof(fc.string({ unit: "grapheme", maxLength: 40 }), fc.string({ maxLength: 300 }));
const FIRST_MICRO = -62_135_596_800_000_000n;
const LAST_MICRO = 253_402_300_799_999_999n;

/** Make values of a schema at random; `ofProtocol` says that longs are numbers. */
export function arbitrary(
  schema: Schema,
  ofProtocol: boolean,
  named = new Map<string, SchemaObject>(),
): fc.Arbitrary<unknown> {
  if (typeof schema === "string") {
    const found = named.get(schema);
    return found === undefined ? primitive(schema, ofProtocol) : arbitrary(found, ofProtocol, named);
  }
  if (Array.isArray(schema)) {
    return fc.oneof(...(schema as readonly Schema[]).map((one) => arbitrary(one, ofProtocol, named)));
  }
  const { type, name, fields, items, values, logicalType } = schema as SchemaObject;
  switch (type) {
    case "record":
      named.set(name ?? "", schema as SchemaObject);
      return fc.record(
        Object.fromEntries((fields ?? []).map((one) => [camelCase(one.name), arbitrary(one.type, ofProtocol, named)])),
        { noNullPrototype: true },
      );
    case "array":
      return fc.array(arbitrary(items ?? "null", ofProtocol, named), { maxLength: 3 });
    case "map":
      // Objects, which avsc takes, would put keys that are integers to the front.
      return fc
        .array(
          fc.tuple(
            TEXTS.map((text) => `k${text}`),
            arbitrary(values ?? "null", ofProtocol, named),
          ),
          { maxLength: 3 },
        )
        .map((entries) => new Map(entries));
    default:
      return logicalType === "timestamp-micros"
        ? fc.bigInt({ min: FIRST_MICRO, max: LAST_MICRO })
        : arbitrary(type, ofProtocol, named);
  }
}

function primitive(name: string, ofProtocol: boolean): fc.Arbitrary<unknown> {
  switch (name) {
    case "null":
      return fc.constant(null);
    case "boolean":
      return fc.boolean();
    case "int":
      return fc.integer();
    case "long":
      return ofProtocol ? fc.maxSafeInteger() : fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case "float":
      return fc.float();
    case "double":
      return fc.double();
    case "bytes":
      return fc.uint8Array({ maxLength: 80 });
    case "string":
      return TEXTS;
    default:
      throw new TypeError(`no values of ${name}`);
  }
}
