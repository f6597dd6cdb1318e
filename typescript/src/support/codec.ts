/** Codecs of Avro's primitive types: each writes and reads the values of one type. */

import { Fault, unexpected } from "./fault.js";
import type { Reader } from "./reader.js";
import { shownInteger } from "./shown.js";
import type { Writer } from "./writer.js";

/** Writes and reads the values of one type. */
export interface Codec<T> {
  /** How many bytes every value takes at least. */
  readonly minimum: number;
  /** Whether a value, of a union, is one of this type. */
  matches(value: unknown): boolean;
  /** Write a value; throws a `Fault` if it does not fit. */
  write(to: Writer, value: T): void;
  /** Read a value; throws a `Fault` if what comes is malformed. */
  read(from: Reader): T;
}

const INT_BITS = 32;
const LONG_BITS = 64;
const SMALLEST_INT = -0x8000_0000;
const LARGEST_INT = 0x7fff_ffff;
const SMALLEST_LONG = -0x8000_0000_0000_0000n;
const LARGEST_LONG = 0x7fff_ffff_ffff_ffffn;

/** Null, which takes no bytes. */
export const nullType: Codec<null> = {
  minimum: 0,
  matches: (value) => value === null,
  write(_, value) {
    if ((value as unknown) !== null) {
      throw unexpected("null", value);
    }
  },
  read: () => null,
};

/** A boolean. */
export const boolean: Codec<boolean> = {
  minimum: 1,
  matches: (value) => typeof value === "boolean",
  write(to, value) {
    if (typeof value !== "boolean") {
      throw unexpected("a boolean", value);
    }
    to.byte(value ? 1 : 0);
  },
  read(from) {
    const byte = from.byte();
    if (byte > 1) {
      throw new Fault(`expected a boolean, 0 or 1, got ${String(byte)}`);
    }
    return byte === 1;
  },
};

/** An integer of 32 bits, as a number. */
export const int: Codec<number> = {
  minimum: 1,
  matches: isInt,
  write(to, value) {
    if (!isInt(value)) {
      throw Number.isInteger(value) ? tooLarge(INT_BITS, BigInt(value)) : unexpected("an integer", value);
    }
    to.integer(value);
  },
  read(from) {
    const value = from.integer();
    if (!isInt(value)) {
      throw new Fault(`expected an integer of 32 bits, got ${String(value)}`);
    }
    return value;
  },
};

/** An integer of 64 bits, as a number: one that a number does not hold exactly is refused. */
export const long: Codec<number> = {
  minimum: 1,
  matches: (value) => Number.isSafeInteger(value),
  write(to, value) {
    if (!Number.isSafeInteger(value)) {
      throw Number.isInteger(value) ? unsafe(value) : unexpected("an integer", value);
    }
    to.integer(value);
  },
  read(from) {
    const value = from.integer();
    if (typeof value === "bigint") {
      throw unsafe(value);
    }
    return value;
  },
};

/** An integer of 64 bits, as a bigint. */
export const bigLong: Codec<bigint> = {
  minimum: 1,
  matches: (value) => typeof value === "bigint",
  write(to, value) {
    if (typeof value !== "bigint") {
      throw unexpected("a bigint", value);
    }
    if (value < SMALLEST_LONG || value > LARGEST_LONG) {
      throw tooLarge(LONG_BITS, value);
    }
    to.bigInteger(value);
  },
  read(from) {
    return BigInt(from.integer());
  },
};

/** A number of single precision, to which it is rounded. */
export const float: Codec<number> = {
  minimum: 4,
  matches: (value) => typeof value === "number",
  write(to, value) {
    if (typeof value !== "number") {
      throw unexpected("a number", value);
    }
    if (Number.isFinite(value) && !Number.isFinite(Math.fround(value))) {
      throw new Fault(`expected a number of single precision, got ${String(value)}, which is larger`);
    }
    to.float(value);
  },
  read: (from) => from.float(),
};

/** A number of double precision. */
export const double: Codec<number> = {
  minimum: 8,
  matches: (value) => typeof value === "number",
  write(to, value) {
    if (typeof value !== "number") {
      throw unexpected("a number", value);
    }
    to.double(value);
  },
  read: (from) => from.double(),
};

/** Bytes; what is read is a copy. */
export const bytes: Codec<Uint8Array> = {
  minimum: 1,
  matches: (value) => value instanceof Uint8Array,
  write(to, value) {
    if (!(value instanceof Uint8Array)) {
      throw unexpected("a Uint8Array", value);
    }
    to.integer(value.length);
    to.raw(value);
  },
  read: (from) => from.raw(from.length()),
};

/** A text. */
export const string: Codec<string> = {
  minimum: 1,
  matches: (value) => typeof value === "string",
  write(to, value) {
    if (typeof value !== "string") {
      throw unexpected("a string", value);
    }
    to.text(value);
  },
  read: (from) => from.text(),
};

/** Make a codec of values that are written as those of another type. */
export function mapped<T, U>(
  inner: Codec<U>,
  matches: (value: unknown) => boolean,
  lower: (value: T) => U,
  lift: (value: U) => T,
): Codec<T> {
  return {
    minimum: inner.minimum,
    matches,
    write(to, value) {
      inner.write(to, lower(value));
    },
    read: (from) => lift(inner.read(from)),
  };
}

function isInt(value: unknown): value is number {
  return typeof value === "number" && (value | 0) === value && value >= SMALLEST_INT && value <= LARGEST_INT;
}

function unsafe(value: number | bigint): Fault {
  const shown = typeof value === "bigint" ? shownInteger(value).replace("a bigint ", "") : String(value);
  return new Fault(`expected an integer from -(2^53 - 1) to 2^53 - 1, got ${shown}`);
}

function tooLarge(bits: number, value: bigint): Fault {
  const magnitude = value < 0n ? -value - 1n : value;
  const got = magnitude.toString(2).length + 1;
  return new Fault(`expected an integer of ${String(bits)} bits, got one of ${String(got)} bits, the sign included`);
}
