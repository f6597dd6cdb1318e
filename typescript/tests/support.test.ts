/** Codecs of types that the protocol itself does not use, and what they refuse. */

import avsc from "avsc";
import { describe, expect, it } from "vitest";

import {
  array,
  bigDecimal,
  bigLong,
  boolean,
  bytes,
  date,
  decimal,
  DecodeError,
  double,
  duration,
  EncodeError,
  enumeration,
  field,
  fixed,
  fixedUuid,
  float,
  int,
  lazy,
  localTimestampMicros,
  localTimestampMillis,
  long,
  map,
  nullable,
  nullType,
  record,
  string,
  timedelta,
  timeMicros,
  timeMillis,
  timestampMicros,
  timestampMillis,
  union,
  uuid,
  type Codec,
  type Decimal,
  type RecordCodec,
} from "../src/support/index.js";

/** A record with one field of a type. */
function only<T>(codec: Codec<T>): RecordCodec<{ readonly value: T }> {
  return record("Only", { value: field("value", codec) }, { minimum: codec.minimum });
}

function hex(data: Uint8Array): string {
  return Buffer.from(data).toString("hex");
}

function unhex(digits: string): Uint8Array {
  return Uint8Array.from(Buffer.from(digits.replaceAll(" ", ""), "hex"));
}

function caught(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

interface Case {
  readonly codec: Codec<unknown>;
  readonly value: unknown;
  readonly written: string;
}

function row<T>(codec: Codec<T>, value: T, written: string): Case {
  return { codec, value, written };
}

describe("what is written is read", () => {
  it.each<Case>([
    row(nullType, null, ""),
    row(boolean, true, "01"),
    row(int, -2147483648, "ffffffff0f"),
    row(long, Number.MAX_SAFE_INTEGER, "feffffffffffff1f"),
    row(long, Number.MIN_SAFE_INTEGER, "fdffffffffffff1f"),
    row(bigLong, 2n ** 63n - 1n, "feffffffffffffffff01"),
    row(bigLong, -(2n ** 63n), "ffffffffffffffffff01"),
    row(float, 0.5, "0000003f"),
    row(double, -1.5, "000000000000f8bf"),
    row(bytes, Uint8Array.of(1, 2), "040102"),
    row(fixed(2), Uint8Array.of(1, 2), "0102"),
    row(enumeration("Suit", ["SPADES", "HEARTS"]), "HEARTS", "02"),
    row(array(nullType), [null, null], "0400"),
    row(map(int), new Map([["a", 1]]), "0202610200"),
    row(nullable(string, 1), null, "02"),
    row(nullable(string, 1), "a", "000261"),
    row(timestampMicros, -1n, "01"),
    row(localTimestampMicros, 1n, "02"),
    row(timestampMillis, new Date(-1), "01"),
    row(localTimestampMillis, new Date(1), "02"),
    row(date, -719162, "f3e457"),
    row(timeMillis, 86_399_999, "feefb252"),
    row(timeMicros, 86_399_999_999, "feffbadd8305"),
    row(timedelta, 1.5, "000000000000f83f"),
    row(
      uuid,
      "00112233-4455-6677-8899-aabbccddeeff",
      `48${Buffer.from("00112233-4455-6677-8899-aabbccddeeff").toString("hex")}`,
    ),
    row(fixedUuid, "00112233-4455-6677-8899-aabbccddeeff", "00112233445566778899aabbccddeeff"),
    row(duration, { months: 1, days: 2, milliseconds: 4294967295 }, "0100000002000000ffffffff"),
    row<Decimal>(decimal(4, 2), { unscaled: 128n, scale: 2 }, "040080"),
    row<Decimal>(decimal(4, 2), { unscaled: -128n, scale: 2 }, "0280"),
    row<Decimal>(decimal(4, 2), { unscaled: 0n, scale: 2 }, "0200"),
    row<Decimal>(decimal(4, 2, 3), { unscaled: -1n, scale: 2 }, "ffffff"),
    // Its power of ten takes a minute, and the schema may be a stranger's.
    row<Decimal>(decimal(300_000_000, 2), { unscaled: 128n, scale: 2 }, "040080"),
    row<Decimal>(bigDecimal, { unscaled: 255n, scale: -1 }, "080400ff01"),
  ])("$value as $written", ({ codec, value, written }) => {
    const target = only(codec);
    expect(hex(target.encode({ value }))).toBe(written);
    expect(target.decode(unhex(written))).toEqual({ value });
  });
});

describe("what does not fit is refused", () => {
  const refusals: readonly (readonly [Codec<never>, unknown, string])[] = [
    [nullType as Codec<never>, 0, "expected null, got a number 0"],
    [boolean as Codec<never>, 1, "expected a boolean, got a number 1"],
    [int as Codec<never>, 2 ** 31, "expected an integer of 32 bits, got one of 33 bits, the sign included"],
    [int as Codec<never>, 1.5, "expected an integer, got a number 1.5"],
    [int as Codec<never>, "1", 'expected an integer, got a string "1"'],
    [long as Codec<never>, 2 ** 53, "expected an integer from -(2^53 - 1) to 2^53 - 1, got 9007199254740992"],
    [long as Codec<never>, 1n, "expected an integer, got a bigint 1"],
    [bigLong as Codec<never>, 2n ** 63n, "expected an integer of 64 bits, got one of 65 bits, the sign included"],
    [bigLong as Codec<never>, 1, "expected a bigint, got a number 1"],
    [float as Codec<never>, 1e300, "expected a number of single precision, got 1e+300, which is larger"],
    [double as Codec<never>, null, "expected a number, got null"],
    [bytes as Codec<never>, [1], "expected a Uint8Array, got an array of 1"],
    [string as Codec<never>, "\ud800", "expected text, got the lone surrogate U+D800"],
    [string as Codec<never>, new Date(0), "expected a string, got an object Date"],
    [fixed(2) as Codec<never>, Uint8Array.of(1), "expected 2 bytes, got 1"],
    [enumeration("Suit", ["SPADES"]) as Codec<never>, "HEARTS", 'expected a symbol of Suit, got a string "HEARTS"'],
    [array(nullType) as Codec<never>, Array(1025).fill(null), "more than 1024 items that take no bytes"],
    [map(int) as Codec<never>, { a: 1 }, "expected a Map, got an object Object"],
    [timestampMicros as Codec<never>, 10n ** 18n, "expected a time between the years 1 and 9999"],
    [timestampMillis as Codec<never>, new Date(NaN), "expected a Date, got an invalid one"],
    [timestampMillis as Codec<never>, 5, "expected a Date, got a number 5"],
    [date as Codec<never>, 10_000_000, "expected a day between the years 1 and 9999"],
    [timeMillis as Codec<never>, -1, "expected a time of a day, got -1000 µs since midnight"],
    [timeMicros as Codec<never>, 1.5, "expected an integer, got a number 1.5"],
    [timedelta as Codec<never>, Infinity, "expected a time span in seconds, got Infinity"],
    [uuid as Codec<never>, "x", 'expected a UUID in its form with hyphens, got "x"'],
    [duration as Codec<never>, { months: -1, days: 0, milliseconds: 0 }, "expected a Duration of integers"],
    [
      decimal(4, 2) as Codec<never>,
      { unscaled: 10_000n, scale: 2 },
      "expected a Decimal of at most 4 digits, 2 behind",
    ],
    [decimal(4, 2) as Codec<never>, { unscaled: 1n, scale: 3 }, "expected a Decimal of at most 4 digits, 2 behind"],
    [decimal(9, 0, 1) as Codec<never>, { unscaled: 128n, scale: 0 }, "expected a Decimal that fits 1 bytes"],
    [bigDecimal as Codec<never>, { unscaled: 2n ** 9000n, scale: 0 }, "expected a Decimal whose digits fit 1024 bytes"],
  ];
  it.each(refusals)("case %#", (codec, value, reason) => {
    const error = caught(() => only(codec).encode({ value: value as never }));
    expect(error).toBeInstanceOf(EncodeError);
    expect(error).toMatchObject({ record: "Only" });
    expect((error as EncodeError).reason).toContain(reason);
    expect((error as EncodeError).path.startsWith("value")).toBe(true);
  });
});

describe("what is malformed is refused", () => {
  const malformed: readonly (readonly [Codec<unknown>, string, string, string])[] = [
    [long, "feffffffffffffffff01", "value", "expected an integer from -(2^53 - 1) to 2^53 - 1"],
    [int, "8080808010", "value", "expected an integer of 32 bits, got 2147483648"],
    [bigLong, "ffffffffffffffffffff01", "value", "an integer of more than 10 bytes"],
    [bigLong, "ffffffffffffffffff02", "value", "an integer of more than 64 bits"],
    [enumeration("Suit", ["SPADES"]), "02", "value", "expected an index below 1, got 1"],
    [
      union([nullType, int, string], [0, 1, 2], "null | number | string"),
      "06",
      "value",
      "expected an index below 3, got 3",
    ],
    [nullable(int), "8200", "value", "the index 1 takes one byte, got more"],
    [array(nullType), "8280808004", "value", "more than 1024 items that take no bytes"],
    [array(int), "8000", "value", "a count of 0 items takes one byte, got more"],
    [array(int), "feffffffffffffffff01", "value", "a count of 9223372036854775807 items, but only 0 bytes are left"],
    [map(int), "0402610202610200", 'value["a"]', "the key comes twice"],
    [decimal(2, 0), "0264", "value", "expected a decimal of at most 2 digits"],
    [decimal(2, 0), `c8${"01".repeat(100)}`, "value", "a length"],
    [bigDecimal, "040201", "value", "the data ends too early"],
    [bigDecimal, "0602010002", "value", "1 bytes are left"],
    [uuid, "0261", "value", "expected a UUID"],
  ];
  it.each(malformed)("case %#", (codec, data, path, reason) => {
    const error = caught(() => only(codec).decode(unhex(data)));
    expect(error).toBeInstanceOf(DecodeError);
    expect(`${(error as DecodeError).path} ${(error as DecodeError).reason}`).toContain(reason);
    if ((error as DecodeError).path !== "") {
      expect(error).toMatchObject({ path });
    }
  });
});

interface Tree {
  readonly name: string;
  readonly children: readonly Tree[];
}

const treeCodec: RecordCodec<Tree> = record(
  "Tree",
  { name: field("name", string), children: field("children", array(lazy(() => treeCodec, 2))) },
  { minimum: 2, deepest: 5 },
);

function tree(depth: number): Tree {
  return { name: "", children: depth > 1 ? [tree(depth - 1)] : [] };
}

it("bounds how deep records nest that contain themselves", () => {
  expect(treeCodec.decode(treeCodec.encode(tree(5)))).toEqual(tree(5));
  expect(caught(() => treeCodec.encode(tree(6)))).toMatchObject({ reason: "nested more than 5 levels deep" });
  const deep = unhex("0002".repeat(6) + "00" + "00".repeat(7));
  expect(caught(() => treeCodec.decode(deep))).toMatchObject({
    name: "DecodeError",
    path: "children[0].children[0].children[0].children[0].children[0]",
  });
  // Nothing is left of what was given up.
  expect(treeCodec.decode(treeCodec.encode(tree(5)))).toEqual(tree(5));
});

it("writes a value of a union as the branch that fits best", () => {
  const pair = record<{ readonly left: number }>("Pair", { left: field("left", int) }, { minimum: 1 });
  const codec = only(
    union<null | number | string | Uint8Array | { readonly left: number } | readonly string[]>(
      [nullType, string, double, int, enumeration("Suit", ["SPADES"]), fixed(2), bytes, pair, array(string)],
      [0, 3, 4, 5, 7, 6, 8, 1, 2],
      "one of many",
    ),
  );
  const indexOf = (value: Parameters<typeof codec.encode>[0]["value"]): number => (codec.encode({ value })[0] ?? 0) / 2;
  expect([null, "x", 1.5, 7, "SPADES", Uint8Array.of(1, 2), Uint8Array.of(1), { left: 1 }, ["a"]].map(indexOf)).toEqual(
    [0, 1, 2, 3, 4, 5, 6, 7, 8],
  );
  expect(caught(() => codec.encode({ value: true as never }))).toMatchObject({
    path: "value",
    reason: "expected one of many, got true",
  });
});

it("reads blocks whether they say their size or not", () => {
  const codec = only(array(int));
  expect(codec.decode(unhex("03 04 02 04 02 06 00")).value).toEqual([1, 2, 3]);
  expect(caught(() => codec.decode(unhex("01 02 80 01 00")))).toMatchObject({
    path: "value",
    reason: "a block that is +1 bytes longer than its head says",
  });
});

it("copies the bytes that it reads", () => {
  const data = Buffer.from("040102", "hex");
  const { value } = only(bytes).decode(data);
  data.fill(0);
  expect(Array.from(value)).toEqual([1, 2]);
  expect(value.constructor).toBe(Uint8Array);
});

it("writes texts of every length as avsc does", () => {
  const judge = avsc.Type.forSchema("string");
  const codec = only(string);
  for (const character of ["a", "é", "✓", "😀"]) {
    for (const length of [0, 1, 11, 20, 21, 32, 33, 40, 63, 64, 128, 2700, 2731, 5461, 8191, 8192, 30_000, 400_000]) {
      const value = character.repeat(length);
      const written = codec.encode({ value });
      expect(Buffer.compare(written, judge.toBuffer(value))).toBe(0);
      expect(codec.decode(written).value === value).toBe(true);
    }
  }
});

it("encodes a value that encodes another one while it is read", () => {
  const inner = only(string);
  const value = {
    get value(): string {
      return hex(inner.encode({ value: "inner" }));
    },
  };
  expect(inner.decode(inner.encode(value)).value).toBe(hex(inner.encode({ value: "inner" })));
});
