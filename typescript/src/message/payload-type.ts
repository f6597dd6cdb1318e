/** What users send: types of values, each with the message that carries it, and sets of them. */

import { MessageCodec } from "../support/message.js";
import { CODECS } from "../../../generated/typescript/codecs.js";
import { canonicalForm, isSchema, fingerprintOfSchema } from "../schema/forms.js";
import { Lately } from "../schema/lately.js";
import type { SchemaSet } from "../schema/schema-set.js";
import { recordCodecOf } from "../schema/codecs.js";
import type { SchemaPair } from "../schema/matching.js";
import { readerFor, resolvingReader } from "../schema/resolving.js";
import { schemaType } from "../schema/types.js";
import { DecodeError } from "../support/errors.js";
import { shownValue } from "../support/shown.js";

/** One type of value, and the message that it travels in. */
export interface PayloadType {
  /** Its schema as JSON text. */
  readonly schema: string;
  /** Name of the message; empty for a schema of which nothing can be made. */
  readonly name: string;
  /** Fingerprint of the schema, as the envelope has it. */
  readonly fingerprint: string;
  /** Writes and reads the message; `null` for a schema of which nothing can be made. */
  readonly codec: MessageCodec<object> | null;
  /** Whether it is one of the protocol's, and not a user's. */
  readonly isOfProtocol: boolean;
  /** Whether a value is of this type. */
  matches(value: unknown): boolean;
  /** Return the message that carries a value. */
  toMessage(value: unknown): object;
  /** Return the value that a message carries. */
  fromMessage(message: object): unknown;
  /** What reads messages that were written with another schema, compared with this one; `null` if nothing does. */
  readonly resolving: (pair: SchemaPair) => ((data: Uint8Array) => object) | null;
}

/** A value with the type that it is to be sent as, where the value alone does not say. */
export class TypedValue {
  constructor(
    /** The type that it is sent as. */
    readonly type: PayloadType,
    /** The value. */
    readonly value: unknown,
  ) {}
}

/** What is to be sent: a message of a type, or `null` for an empty event. */
export interface Payload {
  readonly type: PayloadType;
  readonly message: object;
}

/** A set of types of values, that an operation takes or gives; `T` is any of them. */
export class PayloadSet<T> {
  /** For type checkers alone. */
  declare readonly value: T;

  constructor(
    /** The types of values, besides empty events and anything. */
    readonly types: readonly PayloadType[],
    /** Whether events without a payload belong to it; their value is `undefined`. */
    readonly hasEmpty = false,
    /** Whether everything does. */
    readonly hasAnything = false,
    /** Schemas that match the same schema alone. */
    readonly exact: readonly string[] = [],
  ) {}

  /** The same as the wire has it. */
  get schemas(): SchemaSet {
    return {
      schemas: this.types.map((one) => one.schema),
      supportEmptySchema: this.hasEmpty,
      supportUndefinedSchema: this.hasAnything,
    };
  }

  /** The same set, of which each schema matches the same schema alone, and none by resolution. */
  exactly(): PayloadSet<T> {
    return new PayloadSet<T>(this.types, this.hasEmpty, this.hasAnything, [...this.types.map((one) => one.schema)]);
  }

  /** Return what a value is sent as: `null` is an empty event. Throws a `TypeError` for what does not belong to it. */
  payloadOf(value: unknown): Payload | null {
    if (value instanceof TypedValue) {
      return { type: value.type, message: value.type.toMessage(value.value) };
    }
    if (value === undefined || (value === null && this.hasEmpty)) {
      return null;
    }
    const type = this.types.find((one) => one.matches(value)) ?? (this.hasAnything ? usualTypeOf(value) : undefined);
    if (type === undefined) {
      throw new TypeError(`expected ${this.toString()}, got ${shownValue(value)}`);
    }
    return { type, message: type.toMessage(value) };
  }

  /** Name what belongs to it, as in `StringMessage or empty events`. */
  toString(): string {
    if (this.hasAnything) {
      return "anything";
    }
    const names = this.types.map((one) => one.name);
    return [...names, ...(this.hasEmpty ? ["empty events"] : [])].join(" or ") || "nothing";
  }
}

/** Whether a set of schemas accepts a payload. */
export function acceptsPayload(set: SchemaSet, type: PayloadType | null): boolean {
  if (set.supportUndefinedSchema) {
    return true;
  }
  if (type === null) {
    return set.supportEmptySchema;
  }
  if (set.schemas.includes(type.schema)) {
    return true;
  }
  const form = canonicalForm(type.schema);
  return set.schemas.some((one) => canonicalForm(one) === form);
}

function wrapped(name: keyof typeof CODECS, matches: (value: unknown) => boolean): PayloadType {
  const codec = CODECS[name] as unknown as MessageCodec<object>;
  return {
    schema: codec.schema,
    name,
    fingerprint: codec.fingerprint,
    codec,
    isOfProtocol: true,
    resolving: resolvingReader,
    matches,
    toMessage: (value) => ({ value }),
    fromMessage: (message) => (message as { readonly value: unknown }).value,
  };
}

const isNumber = (value: unknown): boolean => typeof value === "number";
const STRING = wrapped("StringMessage", (value) => typeof value === "string");
const INT32: PayloadType = {
  ...wrapped("Int32Message", (value) => typeof value === "number" && (value | 0) === value),
  // The schema of the message has a long.
  toMessage: (value) => ({ value: typeof value === "number" ? BigInt(value) : value }),
  fromMessage: (message) => {
    const { value } = message as { readonly value: bigint };
    const number = Number(value);
    if (!Number.isSafeInteger(number)) {
      throw new DecodeError("Int32Message", "value", `expected an integer of 32 bits, got ${String(value)}`);
    }
    return number;
  },
};
const INT64 = wrapped("Int64Message", (value) => typeof value === "bigint");
const FLOAT32 = wrapped("Float32Message", isNumber);
const FLOAT64 = wrapped("Float64Message", isNumber);
const BYTES = wrapped("BytesMessage", (value) => value instanceof Uint8Array);
const OF_PROTOCOL: ReadonlyMap<string, PayloadType> = new Map(
  [STRING, INT32, INT64, FLOAT32, FLOAT64, BYTES].map((one) => [one.name, one]),
);

/** The type of a value of the protocol's by the name of its message. */
export function protocolType(name: string): PayloadType | undefined {
  return OF_PROTOCOL.get(name);
}

function usualTypeOf(value: unknown): PayloadType | undefined {
  return [STRING, INT64, FLOAT64, BYTES].find((one) => one.matches(value));
}

/** Texts, as StringMessage. */
export const text = new PayloadSet<string>([STRING]);
/** Whole numbers of 32 bits, as Int32Message. */
export const int32 = new PayloadSet<number>([INT32]);
/** Whole numbers of 64 bits, as Int64Message. */
export const int64 = new PayloadSet<bigint>([INT64]);
/** Numbers of single precision, as Float32Message. */
export const float32 = new PayloadSet<number>([FLOAT32]);
/** Numbers of double precision, as Float64Message. */
export const float64 = new PayloadSet<number>([FLOAT64]);
/** Bytes, as BytesMessage. */
export const bytes = new PayloadSet<Uint8Array>([BYTES]);
/** Events without a payload. */
export const empty = new PayloadSet<undefined>([], true);
/** No value at all: as an input, the operation sends outputs on its own; as an output, it gives nothing back. */
export const nothing = new PayloadSet<never>([]);
/** Any value. What this side cannot read is given as a `Uint8Array`. */
export const anything = new PayloadSet<unknown>([], false, true);

/** Types of records that are kept for the next who names the same schema: in the dashboard, strangers name them. */
const KEPT = 128;
/** Characters of their schemas; what writes and reads a record takes about 64 bytes for each. */
const KEPT_CHARACTERS = 1_048_576;
const RECORDS = new Lately<PayloadType>(KEPT, KEPT_CHARACTERS);

/** Records of an Avro schema, given as JSON text; throws a `TypeError` for what is no schema of a record. */
export function record<T extends object>(schema: string): PayloadSet<T> {
  return new PayloadSet<T>([typeOfSchema(schema, true)]);
}

/** Messages of a type that was generated from a schema. */
export function message<T extends object>(codec: MessageCodec<T>): PayloadSet<T> {
  return new PayloadSet<T>([typeOfCodec(codec)]);
}

/** Values of several sets: `oneOf(text, int64)` takes a string or a bigint. */
export function oneOf<Sets extends readonly PayloadSet<unknown>[]>(...sets: Sets): PayloadSet<Sets[number]["value"]> {
  return new PayloadSet(
    sets.flatMap((one) => one.types),
    sets.some((one) => one.hasEmpty),
    sets.some((one) => one.hasAnything),
    sets.flatMap((one) => one.exact),
  );
}

/** The type of a schema: one of the protocol's, or of a record; nothing can be made of any other one. */
export function typeOfSchema(schema: string, isStrict = false): PayloadType {
  const form = canonicalForm(schema);
  for (const one of OF_PROTOCOL.values()) {
    if (canonicalForm(one.schema) === form) {
      return { ...one, schema };
    }
  }
  try {
    return RECORDS.get(schema, () => makeRecord(schema, form));
  } catch (error) {
    if (isStrict || !(error instanceof TypeError)) {
      throw error;
    }
    return opaque(schema);
  }
}

function makeRecord(schema: string, canonical: string): PayloadType {
  const record = recordCodecOf(schemaType(schema));
  const messageType = record.name.slice(record.name.lastIndexOf(".") + 1);
  const fingerprint = fingerprintOfSchema(schema);
  const given = { messageType, schema, canonicalForm: canonical, fingerprint, versions: [] };
  return {
    ...typeOfCodec(new MessageCodec<object>(given, record, "avro")),
    resolving: resolvingReader,
  };
}

function typeOfCodec(codec: MessageCodec<object>): PayloadType {
  return {
    schema: codec.schema,
    name: codec.messageType,
    fingerprint: codec.fingerprint,
    codec,
    isOfProtocol: false,
    resolving: remembered((pair) => resolvingInto(codec, pair)),
    matches: (value) => codec.record.matches(value),
    toMessage: (value) => value as object,
    fromMessage: (message) => message,
  };
}

/** A schema with which nothing can be written or read; an operation may name it all the same. */
function opaque(schema: string): PayloadType {
  return {
    schema,
    name: "",
    fingerprint: isSchema(schema) ? fingerprintOfSchema(schema) : "",
    codec: null,
    isOfProtocol: false,
    resolving: () => null,
    matches: () => false,
    toMessage: () => {
      throw new TypeError(`nothing can be written with the schema ${schema.slice(0, 100)}`);
    },
    fromMessage: (message) => message,
  };
}

function remembered(make: PayloadType["resolving"]): PayloadType["resolving"] {
  const made = new WeakMap<SchemaPair, ReturnType<PayloadType["resolving"]>>();
  return (pair) => {
    let read = made.get(pair);
    if (read === undefined) {
      read = make(pair);
      made.set(pair, read);
    }
    return read;
  };
}

/** Return what reads messages of another schema as what a codec gives, whatever that calls its properties. */
function resolvingInto(codec: MessageCodec<object>, pair: SchemaPair): ((data: Uint8Array) => object) | null {
  const mine = schemaType(codec.schema);
  const plain = recordCodecOf(mine, underscored);
  const read = readerFor(schemaType(pair.writer), mine, underscored);
  return read === null ? null : (data) => codec.decode(plain.encode(read(data)));
}

/** Name a property such that no two fields of a record have the same. */
function underscored(name: string): string {
  return `_${name}`;
}
