/** Values of the generated codecs by their schema: said as test vectors do, and as avsc takes them. */

import { isoOfMicros } from "../../src/support/moment.js";
import { camelCase } from "./names.js";

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
    (long) => (Number.isSafeInteger(Number(long)) ? Number(long) : String(long)),
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
