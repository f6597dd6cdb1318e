/**
 * What the `json` encoding of the envelope is made of, type by type.
 *
 * Bytes and times are objects that say what they are in `__type__`. Readers trust nothing; what does not fit is a `Fault`.
 */

import { base64OfBytes, bytesOfBase64 } from "./base64.js";
import { Fault, unexpected } from "./fault.js";
import { isObject, JsonFloat, valueOf, type JsonValue } from "./json.js";
import { isoOfMicros, microsOfIso } from "./moment.js";
import { shown, shownValue } from "./shown.js";
import { checkText } from "./text.js";

/** Writes and reads the values of one type as JSON. */
export interface JsonCodec<T> {
  /** Write JSON text; throws a `Fault` if the value does not fit. */
  write(value: T): string;
  /** Read what JSON has; throws a `Fault` if it does not fit. */
  read(value: JsonValue): T;
}

/** A field of the envelope as JSON. */
export interface JsonField<T> {
  /** Its key. */
  readonly name: string;
  /** Writes and reads its values. */
  readonly codec: JsonCodec<NonNullable<T>>;
  /** Whether the value may be null: then the key may be absent, too. */
  readonly isNullable: boolean;
  /** Whether it is left out where it is null. */
  readonly isHeader: boolean;
}

const INT_BITS = 32;
const TYPE = "__type__";
const VALUE = "value";

/** Make a field: `required`, `nullable`, or a `header`, which is left out where it is null. */
export function jsonField<T>(
  name: string,
  codec: JsonCodec<NonNullable<T>>,
  kind: "required" | "nullable" | "header" = "required",
): JsonField<T> {
  return { name, codec, isNullable: kind !== "required", isHeader: kind === "header" };
}

/** A boolean. */
export const jsonBoolean: JsonCodec<boolean> = { write: (value) => String(asBoolean(value)), read: asBoolean };

/** An integer of 32 bits. */
export const jsonInt: JsonCodec<number> = { write: (value) => String(asInt(value)), read: asInt };

/** An integer of 64 bits that a number holds exactly. */
export const jsonLong: JsonCodec<number> = { write: (value) => String(asLong(value)), read: asLong };

/** A finite number of double precision. */
export const jsonDouble: JsonCodec<number> = {
  write: (value) => String(asDouble(value)),
  read: (value) =>
    asDouble(value instanceof JsonFloat ? value.value : typeof value === "bigint" ? Number(value) : value),
};

/** A text. */
export const jsonString: JsonCodec<string> = {
  write: (value) => JSON.stringify(asText(value)),
  // Released peers put a time where a text belongs.
  read: (value) => asText(isObject(value) ? tagged(value, "datetime") : value),
};

/** A list of texts. */
export const jsonStrings: JsonCodec<readonly string[]> = {
  write: (value) => JSON.stringify(asTexts(value)),
  read: asTexts,
};

/** Bytes. */
export const jsonBytes: JsonCodec<Uint8Array> = {
  write(value) {
    if (!(value instanceof Uint8Array)) {
      throw unexpected("a Uint8Array", value);
    }
    return `{"${TYPE}":"bytes","${VALUE}":"${base64OfBytes(value)}"}`;
  },
  read: (value) => bytesOfBase64(tagged(value, "bytes")),
};

/** A time in microseconds since 1970. */
export const jsonTimestampMicros: JsonCodec<bigint> = {
  write(value) {
    if (typeof value !== "bigint") {
      throw unexpected("a bigint of microseconds since 1970", value);
    }
    const text = isoOfMicros(value);
    if (microsOfIso(text) !== value) {
      throw new Fault(`expected a time between the years 1 and 9999, got ${String(value)} µs since 1970`);
    }
    return `{"${TYPE}":"datetime","${VALUE}":"${text}"}`;
  },
  read(value) {
    const text = tagged(value, "datetime");
    const micros = microsOfIso(text);
    if (micros === undefined) {
      throw new Fault(`expected a time as in ISO 8601, got ${shown(text)}`);
    }
    return micros;
  },
};

/** A time as a Date. */
export const jsonTimestampMillis: JsonCodec<Date> = {
  write(value) {
    if (!(value instanceof Date) || Number.isNaN(value.getTime())) {
      throw unexpected("a valid Date", value);
    }
    return jsonTimestampMicros.write(BigInt(value.getTime()) * 1000n);
  },
  read: (value) => new Date(Number(jsonTimestampMicros.read(value) / 1000n)),
};

function asBoolean(value: unknown): boolean {
  if (typeof value !== "boolean") {
    throw unexpectedJson("a boolean", value);
  }
  return value;
}

function asInt(value: unknown): number {
  const number = asInteger(value);
  if (typeof number === "bigint" || (number | 0) !== number) {
    const bits = bitsOf(number);
    throw new Fault(
      `expected an integer of ${String(INT_BITS)} bits, got one of ${String(bits)} bits, the sign included`,
    );
  }
  return number;
}

function asLong(value: unknown): number {
  const number = asInteger(value);
  if (typeof number === "bigint") {
    throw new Fault(`expected an integer from -(2^53 - 1) to 2^53 - 1, got one of ${String(bitsOf(number))} bits`);
  }
  return number;
}

function asInteger(value: unknown): number | bigint {
  if (typeof value === "bigint") {
    return value;
  }
  if (typeof value !== "number" || !Number.isInteger(value)) {
    throw unexpectedJson("an integer", value);
  }
  return Number.isSafeInteger(value) ? value : BigInt(value);
}

function bitsOf(value: number | bigint): number {
  const magnitude = value < 0 ? -BigInt(value) - 1n : BigInt(value);
  return magnitude.toString(2).length + 1;
}

function asDouble(value: unknown): number {
  if (typeof value !== "number") {
    throw unexpectedJson("a number", value);
  }
  if (!Number.isFinite(value)) {
    throw new Fault(`expected a finite number, got ${String(value)}`);
  }
  return value;
}

function asText(value: unknown): string {
  if (typeof value !== "string") {
    throw unexpectedJson("a string", value);
  }
  checkText(value);
  return value;
}

function asTexts(value: unknown): string[] {
  if (!Array.isArray(value)) {
    throw unexpectedJson("an array", value);
  }
  const texts: string[] = [];
  for (const item of value as readonly unknown[]) {
    try {
      texts.push(asText(item));
    } catch (error) {
      throw error instanceof Fault ? error.inside(`[${String(texts.length)}]`) : error;
    }
  }
  return texts;
}

/** Take the text out of an object that says what it is. */
function tagged(value: JsonValue, expected: string): string {
  if (!isObject(value)) {
    throw unexpectedJson("an object", value);
  }
  const found = valueOf(value, TYPE);
  if (found !== expected) {
    const came = typeof found === "string" ? shown(found) : found === undefined ? "nothing" : kindOf(found);
    throw new Fault(`expected "${expected}", got ${came}`).inside(`.${TYPE}`);
  }
  const text = valueOf(value, VALUE);
  if (typeof text !== "string") {
    throw unexpectedJson("a string", text).inside(`.${VALUE}`);
  }
  return text;
}

function unexpectedJson(expected: string, value: unknown): Fault {
  return value === undefined ? unexpected(expected, value) : new Fault(`expected ${expected}, got ${kindOf(value)}`);
}

function kindOf(value: unknown): string {
  if (value instanceof JsonFloat) {
    return `a number with a point ${String(value.value)}`;
  }
  return isObject(value) ? `an object of ${String(Object.keys(value).length)} keys` : shownValue(value);
}
