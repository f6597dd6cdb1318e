/** Schemas as trees: what a schema given as JSON text says, with its names looked up. */

import type { Codec } from "../support/codec.js";
import {
  array,
  bigDecimal,
  bigLong,
  boolean,
  bytes,
  date,
  decimal,
  double,
  duration,
  enumeration,
  field,
  fixed,
  fixedUuid,
  float,
  int,
  lazy,
  localTimestampMicros,
  localTimestampMillis,
  map,
  nullable,
  nullType,
  record,
  type RecordCodec,
  string,
  timedelta,
  timeMicros,
  timeMillis,
  timestampMicros,
  timestampMillis,
  union,
  uuid,
} from "../support/index.js";
import { NESTING_DEPTH } from "../../../generated/typescript/limits.js";

/** A field of a record in a tree. */
export interface FieldNode {
  readonly name: string;
  /** The property that holds its value. */
  readonly property: string;
  readonly aliases: readonly string[];
  readonly type: TypeNode;
  /** Its default as JSON has it, if there is one. */
  readonly default: { readonly json: unknown } | null;
}

/** A type in a tree, with the codec of its values. */
export type TypeNode =
  | {
      readonly kind: "primitive";
      readonly name: string;
      readonly logical: string | null;
      readonly codec: Codec<unknown>;
    }
  | { readonly kind: "array" | "map"; readonly inner: TypeNode; readonly codec: Codec<unknown> }
  | { readonly kind: "union"; readonly branches: readonly TypeNode[]; readonly codec: Codec<unknown> }
  | {
      readonly kind: "enum";
      readonly name: string;
      readonly aliases: readonly string[];
      readonly symbols: readonly string[];
      readonly default: string | null;
      readonly codec: Codec<unknown>;
    }
  | {
      readonly kind: "fixed";
      readonly name: string;
      readonly aliases: readonly string[];
      readonly size: number;
      readonly logical: string | null;
      readonly codec: Codec<unknown>;
    }
  | RecordNode;

/** A record in a tree. */
export interface RecordNode {
  readonly kind: "record";
  readonly name: string;
  readonly aliases: readonly string[];
  /** Empty while the tree is made. */
  readonly fields: FieldNode[];
  readonly codec: Codec<unknown>;
}

type Json = Readonly<Record<string, unknown>>;

const PRIMITIVES: Readonly<Record<string, Codec<unknown>>> = {
  null: nullType,
  boolean: boolean,
  int: int,
  long: bigLong,
  float: float,
  double: double,
  bytes: bytes,
  string: string,
};
/** By the type that is under it and its name: the logical types that have values of their own. */
const LOGICAL: Readonly<Record<string, Codec<unknown>>> = {
  "int date": date,
  "int time-millis": timeMillis,
  "long time-micros": timeMicros,
  "long timestamp-millis": timestampMillis,
  "long timestamp-micros": timestampMicros,
  "long local-timestamp-millis": localTimestampMillis,
  "long local-timestamp-micros": localTimestampMicros,
  "string uuid": uuid,
  "bytes big-decimal": bigDecimal,
  "double dataclasses-avroschema-timedelta": timedelta,
};
/** Types whose values have to be tried first or last in a union, since others take them as well. */
const RANKS: Readonly<Record<string, number>> = { int: 0, long: 0, float: 2, double: 2 };

/** Read a schema; throws a `TypeError` that says what is wrong with it. */
export function treeOf(schema: string): TypeNode {
  let content: unknown;
  try {
    content = JSON.parse(schema);
  } catch (error) {
    throw new TypeError(`expected an Avro schema as JSON text: ${String(error)}`, { cause: error });
  }
  return new Maker().type(content, "");
}

/** The codec of a record in a tree; throws a `TypeError` for what is no record. */
export function recordCodecOf(node: TypeNode): RecordCodec<object> {
  if (node.kind !== "record") {
    throw new TypeError(
      `expected the schema of a record, got that of ${node.kind === "primitive" ? node.name : node.kind}`,
    );
  }
  return node.codec as unknown as RecordCodec<object>;
}

/** Turn `offer_topic` into `offerTopic`, the name of a property. */
export function propertyOf(name: string): string {
  const [first = "", ...others] = name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1_$2")
    .toLowerCase()
    .split("_")
    .filter((part) => part !== "");
  return first + others.map((part) => part.charAt(0).toUpperCase() + part.slice(1)).join("");
}

class Maker {
  readonly #named = new Map<string, TypeNode>();
  readonly #recursive = new Set<string>();
  #depth = 0;

  type(content: unknown, namespace: string): TypeNode {
    if (++this.#depth > NESTING_DEPTH) {
      throw new TypeError(`the schema is nested deeper than ${String(NESTING_DEPTH)} levels`);
    }
    try {
      if (typeof content === "string") {
        return this.#reference(content, namespace);
      }
      if (Array.isArray(content)) {
        return this.#union(content.map((one) => this.type(one, namespace)));
      }
      if (typeof content !== "object" || content === null) {
        throw new TypeError(`expected a schema, got ${JSON.stringify(content)}`);
      }
      return this.#complex(content as Json, namespace);
    } finally {
      this.#depth -= 1;
    }
  }

  #reference(name: string, namespace: string): TypeNode {
    const primitive = Object.hasOwn(PRIMITIVES, name) ? PRIMITIVES[name] : undefined;
    if (primitive !== undefined) {
      return { kind: "primitive", name, logical: null, codec: primitive };
    }
    const full = fullName(name, namespace);
    const found = this.#named.get(full) ?? this.#named.get(name);
    if (found === undefined) {
      throw new TypeError(`the schema names the type '${name}', which it does not define`);
    }
    if (found.kind === "record") {
      this.#recursive.add(found.name);
    }
    return found;
  }

  #complex(content: Json, namespace: string): TypeNode {
    const kind = content["type"];
    switch (kind) {
      case "record":
      case "error":
        return this.#record(content, namespace);
      case "enum":
        return this.#enumeration(content, namespace);
      case "fixed":
        return this.#fixed(content, namespace);
      case "array": {
        const inner = this.type(content["items"], namespace);
        return { kind, inner, codec: array(inner.codec) };
      }
      case "map": {
        const inner = this.type(content["values"], namespace);
        return { kind, inner, codec: map(inner.codec) };
      }
      default: {
        const inner = this.type(kind, namespace);
        return inner.kind === "primitive" && typeof content["logicalType"] === "string"
          ? this.#logical(inner.name, content["logicalType"], content, inner)
          : inner;
      }
    }
  }

  #logical(name: string, logical: string, content: Json, inner: TypeNode): TypeNode {
    if (name === "bytes" && logical === "decimal") {
      const { precision, scale } = digitsOf(content);
      const shown = `decimal(${String(precision)}, ${String(scale)})`;
      return { kind: "primitive", name, logical: shown, codec: decimal(precision, scale) };
    }
    const codec = LOGICAL[`${name} ${logical}`];
    return codec === undefined ? inner : { kind: "primitive", name, logical, codec };
  }

  #record(content: Json, namespace: string): TypeNode {
    const { name, inside, aliases } = nameOf(content, namespace);
    const properties: Record<string, ReturnType<typeof field<unknown>>> = {};
    const fields: FieldNode[] = [];
    let made: RecordCodec<object> | null = null;
    const codec = lazy(() => made as unknown as Codec<unknown>, 1);
    const node: RecordNode = { kind: "record", name, aliases, fields, codec };
    this.#named.set(name, node);
    let minimum = 0;
    for (const one of listOf(content, "fields") as Json[]) {
      const fieldName = textOf(one, "name");
      const type = this.type(one["type"], inside);
      const property = propertyOf(fieldName);
      const given = "default" in one ? { json: one["default"] } : null;
      fields.push({ name: fieldName, property, aliases: textsOf(one, "aliases"), type, default: given });
      if (Object.hasOwn(properties, property)) {
        throw new TypeError(`two fields of ${name} would be the property '${property}'`);
      }
      properties[property] = field(fieldName, type.codec);
      minimum += type.codec.minimum;
    }
    const isRecursive = this.#recursive.has(name);
    made = record(name, properties, isRecursive ? { minimum, deepest: NESTING_DEPTH } : { minimum });
    const whole: RecordNode = { ...node, codec: made };
    if (!isRecursive) {
      this.#named.set(name, whole);
    }
    return whole;
  }

  #enumeration(content: Json, namespace: string): TypeNode {
    const { name, aliases } = nameOf(content, namespace);
    const symbols = textsOf(content, "symbols");
    const given = content["default"];
    const node: TypeNode = {
      kind: "enum",
      name,
      aliases,
      symbols,
      default: typeof given === "string" ? given : null,
      codec: enumeration(name, symbols),
    };
    this.#named.set(name, node);
    return node;
  }

  #fixed(content: Json, namespace: string): TypeNode {
    const { name, aliases } = nameOf(content, namespace);
    const size = content["size"];
    if (typeof size !== "number" || !Number.isInteger(size) || size < 0) {
      throw new TypeError(`expected the size of ${name}, got ${JSON.stringify(size)}`);
    }
    let logical: string | null = null;
    let codec: Codec<unknown> = fixed(size);
    const given = content["logicalType"];
    if (given === "decimal") {
      const { precision, scale } = digitsOf(content);
      logical = `decimal(${String(precision)}, ${String(scale)})`;
      codec = decimal(precision, scale, size);
    } else if (given === "duration" && size === 12) {
      logical = given;
      codec = duration;
    } else if (given === "uuid" && size === 16) {
      logical = given;
      codec = fixedUuid;
    }
    const node: TypeNode = { kind: "fixed", name, aliases, size, logical, codec };
    this.#named.set(name, node);
    return node;
  }

  #union(branches: readonly TypeNode[]): TypeNode {
    const codecs = branches.map((one) => one.codec);
    const nullIndex = branches.findIndex((one) => one.kind === "primitive" && one.name === "null");
    const other = branches.length === 2 && nullIndex >= 0 ? codecs[1 - nullIndex] : undefined;
    if (other !== undefined) {
      return { kind: "union", branches, codec: nullable(other, nullIndex === 0 ? 0 : 1) };
    }
    const ranks = branches.map((one) =>
      one.kind === "primitive" && one.logical === null ? (RANKS[one.name] ?? 1) : 1,
    );
    const tests = codecs.map((_, index) => index).sort((a, b) => (ranks[a] ?? 1) - (ranks[b] ?? 1) || a - b);
    const expected = branches.map((one) => ("name" in one ? one.name : one.kind)).join(" or ");
    return { kind: "union", branches, codec: union<unknown>(codecs, tests, expected) };
  }
}

function nameOf(content: Json, namespace: string): { name: string; inside: string; aliases: readonly string[] } {
  const given = content["namespace"];
  const own = typeof given === "string" ? given : namespace;
  const name = fullName(textOf(content, "name"), own);
  const inside = name.includes(".") ? name.slice(0, name.lastIndexOf(".")) : "";
  return { name, inside, aliases: textsOf(content, "aliases").map((one) => fullName(one, inside)) };
}

function fullName(name: string, namespace: string): string {
  return name.includes(".") || namespace === "" ? name : `${namespace}.${name}`;
}

function textOf(content: Json, key: string): string {
  const value = content[key];
  if (typeof value !== "string") {
    throw new TypeError(`expected '${key}' to be a text, got ${JSON.stringify(value)}`);
  }
  return value;
}

function listOf(content: Json, key: string): readonly unknown[] {
  const value = content[key];
  if (!Array.isArray(value)) {
    throw new TypeError(`expected '${key}' to be an array, got ${JSON.stringify(value)}`);
  }
  return value;
}

function textsOf(content: Json, key: string): readonly string[] {
  const value = content[key];
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

function digitsOf(content: Json): { precision: number; scale: number } {
  const { precision, scale } = content;
  if (typeof precision !== "number") {
    throw new TypeError(`expected the precision of a decimal, got ${JSON.stringify(precision)}`);
  }
  return { precision, scale: typeof scale === "number" ? scale : 0 };
}
