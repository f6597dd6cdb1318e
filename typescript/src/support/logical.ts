/** Codecs of logical types: each value as the primitive that is written for it, and back. */

import { bigLong, bytes, double, int, mapped, string, type Codec } from "./codec.js";
import { fixed } from "./containers.js";
import { Fault, unexpected } from "./fault.js";
import { Reader } from "./reader.js";
import { shown } from "./shown.js";
import type { Decimal, Duration } from "./values.js";
import { Writer } from "./writer.js";

const FIRST_DAY = -719_162;
const LAST_DAY = 2_932_896;
const MILLIS_OF_DAY = 86_400_000;
const FIRST_MILLI = FIRST_DAY * MILLIS_OF_DAY;
const LAST_MILLI = (LAST_DAY + 1) * MILLIS_OF_DAY - 1;
const FIRST_MICRO = BigInt(FIRST_MILLI) * 1000n;
const LAST_MICRO = BigInt(LAST_MILLI) * 1000n + 999n;
const UUID = /^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/;
const LONGEST_SPAN = 999_999_999 * 86_400;
/** Of the digits of a big decimal: making digits of more takes long. */
const MOST_BYTES = 1024;

/** A time in microseconds since 1970 in UTC, between the years 1 and 9999. */
export const timestampMicros: Codec<bigint> = mapped(bigLong, isBigint, checkMicros, checkMicros);

/** A time in microseconds since 1970 without a time zone. */
export const localTimestampMicros: Codec<bigint> = timestampMicros;

/** A time as a Date, between the years 1 and 9999. */
export const timestampMillis: Codec<Date> = mapped(
  bigLong,
  (value) => value instanceof Date,
  (value: Date) => {
    if (!(value instanceof Date)) {
      throw unexpected("a Date", value);
    }
    if (Number.isNaN(value.getTime())) {
      throw new Fault("expected a Date, got an invalid one");
    }
    return checkMillis(BigInt(value.getTime()));
  },
  (millis) => new Date(Number(checkMillis(millis))),
);

/** A time without a time zone as a Date, whose parts in UTC are those of the time. */
export const localTimestampMillis: Codec<Date> = timestampMillis;

/** A day as the days since 1970. */
export const date: Codec<number> = mapped(int, isNumber, checkDay, checkDay);

/** A time of a day as the milliseconds since midnight. */
export const timeMillis: Codec<number> = mapped(
  int,
  isNumber,
  (millis) => checkTime(millis, 1000),
  (millis) => checkTime(millis, 1000),
);

/** A time of a day as the microseconds since midnight. */
export const timeMicros: Codec<number> = mapped(
  bigLong,
  isNumber,
  (micros: number) => {
    if (!Number.isInteger(micros)) {
      throw unexpected("an integer", micros);
    }
    return BigInt(checkTime(micros, 1));
  },
  (micros) => checkTime(Number(micros), 1),
);

/** A time span in seconds. */
export const timedelta: Codec<number> = mapped(double, isNumber, checkSpan, checkSpan);

/** A UUID as text with hyphens, in lower case. */
export const uuid: Codec<string> = mapped(string, isUuid, checkUuid, checkUuid);

/** A UUID as 16 bytes, big-endian; its value is the text. */
export const fixedUuid: Codec<string> = mapped(
  fixed(16),
  isUuid,
  (value: string) => {
    const digits = checkUuid(value).replaceAll("-", "");
    return Uint8Array.from({ length: 16 }, (_, index) => parseInt(digits.slice(2 * index, 2 * index + 2), 16));
  },
  (data) => {
    const digits = Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
    const ends = [0, 8, 12, 16, 20, 32];
    return ends
      .slice(1)
      .map((end, index) => digits.slice(ends[index], end))
      .join("-");
  },
);

/** Three numbers of 32 bits, little-endian. */
export const duration: Codec<Duration> = mapped(
  fixed(12),
  (value) => isObjectWith(value, "months"),
  (value: Duration) => {
    if (!isObjectWith(value, "months")) {
      throw unexpected("a Duration", value);
    }
    const data = new DataView(new ArrayBuffer(12));
    [value.months, value.days, value.milliseconds].forEach((one, index) => {
      if (!Number.isInteger(one) || one < 0 || one > 0xffff_ffff) {
        throw new Fault("expected a Duration of integers from 0 to 4294967295");
      }
      data.setUint32(4 * index, one, true);
    });
    return new Uint8Array(data.buffer);
  },
  (data) => {
    const view = new DataView(data.buffer, data.byteOffset);
    return { months: view.getUint32(0, true), days: view.getUint32(4, true), milliseconds: view.getUint32(8, true) };
  },
);

/** A decimal of at most `precision` digits, `scale` of them behind the point; of a fixed if it has a `size`. */
export function decimal(precision: number, scale: number, size = 0): Codec<Decimal> {
  // A stranger's schema may ask for a precision whose power of ten takes long: it is made when a value comes near.
  const bits = Math.floor(precision * Math.log2(10));
  let largest: bigint | undefined;
  const fits = (unscaled: bigint, length: number): boolean => {
    if (8 * length <= bits) {
      return true;
    }
    largest ??= 10n ** BigInt(precision);
    return unscaled < largest && unscaled > -largest;
  };
  return mapped(
    size === 0 ? bytes : fixed(size),
    (value) => isObjectWith(value, "unscaled"),
    (value: Decimal) => {
      const unscaled = rescaled(value, scale);
      const data = unscaled === undefined ? undefined : bytesOfInteger(unscaled, size);
      if (unscaled === undefined || data === undefined || !fits(unscaled, data.length)) {
        throw new Fault(`expected a Decimal of at most ${String(precision)} digits, ${String(scale)} behind the point`);
      }
      if (size !== 0 && data.length > size) {
        throw new Fault(`expected a Decimal that fits ${String(size)} bytes`);
      }
      return data;
    },
    (data) => {
      // Held against the precision first: making a number of many bytes takes long.
      const unscaled = data.length * 8 > bits + 64 && size === 0 ? undefined : integerOfBytes(data);
      if (unscaled === undefined || !fits(unscaled, data.length)) {
        throw new Fault(`expected a decimal of at most ${String(precision)} digits, got ${String(data.length)} bytes`);
      }
      return { unscaled, scale };
    },
  );
}

/** A decimal that brings its own scale. */
export const bigDecimal: Codec<Decimal> = mapped(
  bytes,
  (value) => isObjectWith(value, "unscaled"),
  (value: Decimal) => {
    if (!isObjectWith(value, "unscaled") || typeof value.unscaled !== "bigint") {
      throw unexpected("a Decimal", value);
    }
    const digits = bytesOfInteger(value.unscaled, 0);
    if (digits.length > MOST_BYTES) {
      throw new Fault(`expected a Decimal whose digits fit ${String(MOST_BYTES)} bytes`);
    }
    const to = new Writer();
    to.integer(digits.length);
    to.raw(digits);
    int.write(to, value.scale);
    return to.take();
  },
  (data) => {
    const from = new Reader(data);
    const length = from.length();
    if (length > MOST_BYTES) {
      const most = String(MOST_BYTES);
      throw new Fault(`expected a decimal whose digits fit ${most} bytes, got ${String(length)} bytes`);
    }
    const unscaled = integerOfBytes(from.raw(length));
    const scale = int.read(from);
    if (from.left > 0) {
      throw new Fault(`expected the end of a decimal after its scale, got ${String(from.left)} more bytes`);
    }
    return { unscaled, scale };
  },
);

function isBigint(value: unknown): boolean {
  return typeof value === "bigint";
}

function isNumber(value: unknown): boolean {
  return typeof value === "number";
}

function isUuid(value: unknown): boolean {
  return typeof value === "string" && UUID.test(value);
}

function isObjectWith(value: unknown, property: string): boolean {
  return typeof value === "object" && value !== null && property in value;
}

function checkMicros(micros: bigint): bigint {
  if (typeof micros !== "bigint") {
    throw unexpected("a bigint of microseconds since 1970", micros);
  }
  if (micros < FIRST_MICRO || micros > LAST_MICRO) {
    throw new Fault(`expected a time between the years 1 and 9999, got ${String(micros)} µs since 1970`);
  }
  return micros;
}

function checkMillis(millis: bigint): bigint {
  if (millis < FIRST_MILLI || millis > LAST_MILLI) {
    throw new Fault(`expected a time between the years 1 and 9999, got ${String(millis)} ms since 1970`);
  }
  return millis;
}

function checkDay(days: number): number {
  if (days < FIRST_DAY || days > LAST_DAY) {
    throw new Fault(`expected a day between the years 1 and 9999, got ${String(days)} days since 1970`);
  }
  return days;
}

function checkTime(value: number, factor: number): number {
  const micros = value * factor;
  if (micros < 0 || micros >= 1000 * MILLIS_OF_DAY) {
    throw new Fault(`expected a time of a day, got ${String(micros)} µs since midnight`);
  }
  return value;
}

function checkSpan(seconds: number): number {
  if (typeof seconds === "number" && !(Math.abs(seconds) < LONGEST_SPAN)) {
    throw new Fault(`expected a time span in seconds, got ${String(seconds)}`);
  }
  return seconds;
}

function checkUuid(text: string): string {
  if (typeof text !== "string") {
    throw unexpected("a string", text);
  }
  if (!UUID.test(text)) {
    throw new Fault(`expected a UUID in its form with hyphens, got ${shown(text)}`);
  }
  return text.toLowerCase();
}

/** The digits of a decimal with another scale; `undefined` if that loses some of them. */
function rescaled(value: Decimal, scale: number): bigint | undefined {
  if (!isObjectWith(value, "unscaled") || typeof value.unscaled !== "bigint" || !Number.isInteger(value.scale)) {
    throw unexpected("a Decimal", value);
  }
  if (value.scale === scale || value.unscaled === 0n) {
    return value.unscaled;
  }
  // Beyond, no decimal that a schema has room for is left.
  if (Math.abs(scale - value.scale) > 100_000) {
    return undefined;
  }
  const factor = 10n ** BigInt(Math.abs(scale - value.scale));
  if (scale > value.scale) {
    return value.unscaled * factor;
  }
  return value.unscaled % factor === 0n ? value.unscaled / factor : undefined;
}

/** Write a whole number, big-endian: `size` bytes, or as few as it takes if 0 or if it takes more. */
function bytesOfInteger(value: bigint, size: number): Uint8Array {
  const magnitude = value < 0n ? -value - 1n : value;
  const bits = magnitude === 0n ? 0 : magnitude.toString(16).length * 4;
  let length = Math.floor(bits / 8) + 1;
  while (length > 1 && BigInt.asIntN(8 * (length - 1), value) === value) {
    length -= 1;
  }
  length = Math.max(length, size);
  const data = new Uint8Array(length);
  let rest = BigInt.asUintN(8 * length, value);
  for (let index = length - 1; index >= 0; index--) {
    data[index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return data;
}

function integerOfBytes(data: Uint8Array): bigint {
  if (data.length === 0) {
    return 0n;
  }
  const digits = Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return BigInt.asIntN(8 * data.length, BigInt(`0x${digits}`));
}
