/** Values of the generated codecs by their schema: said as test vectors do, as avsc takes them, and made at random. */

import { readFileSync } from "node:fs";
import fc from "fast-check";

import { camelCase } from "./names.js";
import { CODECS } from "../../../generated/typescript/codecs.js";
import { isoOfMicros } from "../../src/support/moment.js";

export type Schema = string | readonly Schema[] | SchemaObject;

export interface SchemaObject {
  readonly type: Schema;
  readonly name?: string;
  readonly fields?: readonly { readonly name: string; readonly type: Schema; readonly since?: string }[];
  readonly items?: Schema;
  readonly values?: Schema;
  readonly logicalType?: string;
}

type Properties = Readonly<Record<string, unknown>>;

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

/** Walks through a schema and a value of it. */
class Walk {
  readonly #named = new Map<string, SchemaObject>();

  constructor(
    private readonly bytes: (value: Uint8Array) => unknown,
    private readonly micros: (value: bigint) => unknown,
    private readonly long: (value: number | bigint) => unknown,
  ) {}

  /** Convert a value of a schema that holds every type that it names. */
  whole(schema: Schema, value: unknown): unknown {
    this.#collect(schema);
    return this.convert(schema, value);
  }

  #collect(schema: Schema | undefined): void {
    if (Array.isArray(schema)) {
      schema.forEach((one: Schema) => this.#collect(one));
    } else if (typeof schema === "object") {
      const { type, name, fields, items, values } = schema as SchemaObject;
      if (name !== undefined) {
        this.#named.set(name, schema as SchemaObject);
      }
      [type, items, values, ...(fields ?? []).map((one) => one.type)].forEach((one) => this.#collect(one));
    }
  }

  convert(schema: Schema, value: unknown): unknown {
    if (typeof schema === "string") {
      const named = this.#named.get(schema);
      return named === undefined ? this.#primitive(schema, value) : this.convert(named, value);
    }
    if (Array.isArray(schema)) {
      const branch = (schema as readonly Schema[]).find((one) => one !== "null") ?? "null";
      return value === null ? null : this.convert(branch, value);
    }
    const { type, fields, items, values, logicalType } = schema as SchemaObject;
    switch (type) {
      case "record":
        return Object.fromEntries(
          (fields ?? []).map((one) => [one.name, this.convert(one.type, (value as Properties)[camelCase(one.name)])]),
        );
      case "array":
        return (value as readonly unknown[]).map((item) => this.convert(items ?? "null", item));
      case "map":
        return Object.fromEntries(
          Array.from(value as ReadonlyMap<string, unknown>, ([key, item]) => [
            key,
            this.convert(values ?? "null", item),
          ]),
        );
      default:
        return logicalType === "timestamp-micros" ? this.micros(value as bigint) : this.convert(type, value);
    }
  }

  #primitive(name: string, value: unknown): unknown {
    if (name === "bytes") {
      return this.bytes(value as Uint8Array);
    }
    return name === "long" ? this.long(value as number | bigint) : value;
  }
}

/** Say a value as the vectors do. */
export function plain(schema: Schema, value: unknown): unknown {
  return new Walk(
    (bytes) => ({ hex: Buffer.from(bytes).toString("hex") }),
    (micros) => isoOfMicros(micros),
    (long) => Number(long),
  ).whole(schema, value);
}

/** Give a value as avsc takes it, with longs as bigints. */
export function forAvsc(schema: Schema, value: unknown): unknown {
  return new Walk(
    (bytes) => Buffer.from(bytes),
    (micros) => micros,
    (long) => BigInt(long),
  ).whole(schema, value);
}

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
