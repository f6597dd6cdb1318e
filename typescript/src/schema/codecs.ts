/** Codecs of the types of users' schemas. */

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

import type { AvroType, LogicalType, NamedType, RecordType, SchemaType } from "./types.js";

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

/** Gives the property that a field of a record is read into. */
export type NameProperty = (name: string) => string;

/** The codec of the record that a whole schema is; throws a `TypeError` if it is none. */
export function recordCodecOf(schema: SchemaType, nameProperty: NameProperty = propertyOf): RecordCodec<object> {
  const { root, named } = schema;
  const found = root.kind === "reference" ? named.get(root.name) : undefined;
  if (found?.kind !== "record") {
    throw new TypeError(`expected the schema of a record, got that of ${found?.kind ?? nameOf(root)}`);
  }
  return new Codecs(schema, nameProperty).record(found);
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

/** Makes the codecs of the types of one schema; each named type has one. */
export class Codecs {
  readonly #named: ReadonlyMap<string, NamedType>;
  readonly #made = new Map<string, Codec<unknown>>();
  readonly #records = new Map<string, RecordCodec<object>>();
  readonly #underWay = new Set<string>();
  readonly #recursive = new Set<string>();

  constructor(
    schema: SchemaType,
    private readonly nameProperty: NameProperty = propertyOf,
  ) {
    this.#named = schema.named;
  }

  /** The codec of a type; throws a `TypeError` if two fields of a record would be the same property. */
  of(type: AvroType): Codec<unknown> {
    let made = this.#made.get(type.key);
    if (made === undefined) {
      made = this.#make(type);
      this.#made.set(type.key, made);
    }
    return made;
  }

  /** The codec of a record, which is not being made. */
  record({ name, fields }: RecordType): RecordCodec<object> {
    let made = this.#records.get(name);
    if (made === undefined) {
      this.#underWay.add(name);
      const properties: Record<string, ReturnType<typeof field<unknown>>> = {};
      let minimum = 0;
      for (const one of fields) {
        const property = this.nameProperty(one.name);
        if (Object.hasOwn(properties, property)) {
          throw new TypeError(`two fields of ${name} would be the property '${property}'`);
        }
        const codec = this.of(one.type);
        properties[property] = field(one.name, codec);
        minimum += codec.minimum;
      }
      this.#underWay.delete(name);
      made = record(name, properties, this.#recursive.has(name) ? { minimum, deepest: NESTING_DEPTH } : { minimum });
      this.#records.set(name, made);
    }
    return made;
  }

  #make(type: AvroType): Codec<unknown> {
    switch (type.kind) {
      case "primitive":
        return PRIMITIVES[type.name] ?? nullType;
      case "logical":
        return this.#logical(type);
      case "array":
        return array(this.of(type.items));
      case "map":
        return map(this.of(type.values));
      case "union":
        return this.#union(type.branches);
      case "reference":
        return this.#reference(type.name);
    }
  }

  #reference(name: string): Codec<unknown> {
    const found = this.#named.get(name);
    switch (found?.kind) {
      case "enum":
        return enumeration(name, found.symbols);
      case "fixed":
        return fixed(found.size);
      case "record":
        if (this.#underWay.has(name)) {
          this.#recursive.add(name);
          return lazy(() => this.record(found) as unknown as Codec<unknown>, 1);
        }
        return this.record(found);
      case undefined:
        throw new TypeError(`the schema names the type '${name}', which it does not define`);
    }
  }

  #logical({ name, underlying, precision, scale }: LogicalType): Codec<unknown> {
    if (underlying.kind === "primitive") {
      return name === "decimal"
        ? decimal(precision, scale)
        : (LOGICAL[`${underlying.name} ${name}`] ?? this.of(underlying));
    }
    if (name === "decimal") {
      const found = this.#named.get(underlying.name);
      return decimal(precision, scale, found?.kind === "fixed" ? found.size : 0);
    }
    return name === "duration" ? duration : fixedUuid;
  }

  #union(branches: readonly AvroType[]): Codec<unknown> {
    const codecs = branches.map((one) => this.of(one));
    const nullIndex = branches.findIndex((one) => one.key === "null");
    const other = branches.length === 2 && nullIndex >= 0 ? codecs[1 - nullIndex] : undefined;
    if (other !== undefined) {
      return nullable(other, nullIndex === 0 ? 0 : 1);
    }
    const ranks = branches.map((one) => (one.kind === "primitive" ? (RANKS[one.name] ?? 1) : 1));
    const tests = codecs.map((_, index) => index).sort((a, b) => (ranks[a] ?? 1) - (ranks[b] ?? 1) || a - b);
    return union<unknown>(codecs, tests, branches.map(nameOf).join(" or "));
  }
}

function nameOf(type: AvroType): string {
  return "name" in type ? type.name : type.kind;
}
