/** Codecs write what avsc writes and read what it writes; whatever else comes is malformed, and says where. */

import avsc from "avsc";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { forAvsc, type SchemaObject } from "./plain.js";
import { arbitrary, ENVELOPE_SCHEMA, MESSAGE_SCHEMAS } from "./schema.js";
import { camelCase } from "./names.js";
import { CODECS, eventEnvelopeCodec } from "../../../generated/typescript/codecs.js";
import { decodeEvent, encodeEvent, Encoding } from "../../../generated/typescript/envelope.js";
import type { EventEnvelope } from "../../../generated/typescript/messages.js";
import { DecodeError, EncodeError, type RecordCodec } from "../../src/support/index.js";

const SEED = 20_261_123;
const LONG = avsc.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(value);
    return buffer;
  },
  fromJSON: (value: number) => BigInt(value),
  toJSON: (value: bigint) => Number(value),
  isValid: (value: unknown) => typeof value === "bigint",
  compare: (first: bigint, second: bigint) => (first < second ? -1 : first > second ? 1 : 0),
});

interface Target {
  readonly name: string;
  readonly codec: RecordCodec<object>;
  readonly schema: SchemaObject;
  readonly values: fc.Arbitrary<object>;
  readonly judge: avsc.Type;
}

function target(name: string, codec: RecordCodec<object>, schema: SchemaObject, ofProtocol: boolean): Target {
  const judge = avsc.Type.forSchema(bare(schema) as avsc.Schema, { registry: { long: LONG } });
  return { name, codec, schema, values: arbitrary(schema, ofProtocol) as fc.Arbitrary<object>, judge };
}

/** What avsc would need bigints for, or knows otherwise than by the registry. */
function bare(schema: SchemaObject): unknown {
  return JSON.parse(JSON.stringify(schema), (key, value: unknown) => {
    if (key === "default") {
      return undefined;
    }
    const isLong = typeof value === "object" && value !== null && "logicalType" in value && "type" in value;
    return isLong ? value.type : value;
  });
}

const TARGETS = [
  ...Object.values(CODECS).map((codec) =>
    target(
      codec.messageType,
      codec.record as unknown as RecordCodec<object>,
      MESSAGE_SCHEMAS.get(codec.messageType) ?? { type: "null" },
      codec.versions.length > 0,
    ),
  ),
  target("EventEnvelope", eventEnvelopeCodec, ENVELOPE_SCHEMA, true),
];

function options(numRuns: number): { seed: number; numRuns: number } {
  return { seed: SEED, numRuns };
}

function caught(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

describe.each(TARGETS)("$name", ({ codec, schema, values, judge }) => {
  it("writes what avsc writes, and reads it back", () => {
    fc.assert(
      fc.property(values, (value) => {
        const written = codec.encode(value);
        expect(Buffer.from(written)).toEqual(judge.toBuffer(forAvsc(schema, value)));
        expect(codec.decode(written)).toEqual(value);
      }),
      options(40),
    );
  });

  it("calls everything that is cut off malformed, and says where", () => {
    fc.assert(
      fc.property(values, (value) => {
        const written = codec.encode(value);
        for (let end = 0; end < written.length; end += 1 + Math.floor(written.length / 50)) {
          const error = caught(() => codec.decode(written.subarray(0, end)));
          expect(error).toBeInstanceOf(DecodeError);
          expect(error).toMatchObject({ record: codec.name });
          expect((error as DecodeError).path).not.toBe("");
        }
      }),
      options(8),
    );
  });

  it("names every field that is wrong or missing", () => {
    const [value] = fc.sample(values, { seed: SEED, numRuns: 1 });
    for (const field of schema.fields ?? []) {
      for (const wrong of [Symbol("wrong"), undefined]) {
        const error = caught(() => codec.encode({ ...value, [camelCase(field.name)]: wrong }));
        expect(error).toBeInstanceOf(EncodeError);
        expect(error).toMatchObject({ record: codec.name, path: field.name });
      }
    }
  });

  it("refuses what is left at the end", () => {
    const [value] = fc.sample(values, { seed: SEED, numRuns: 1 });
    const written = codec.encode(value ?? {});
    const error = caught(() => codec.decode(Uint8Array.from([...written, 0, 0])));
    expect(error).toMatchObject({ name: "DecodeError", path: "", reason: "2 bytes are left at the end" });
  });
});

describe("the envelope", () => {
  const envelopes = (arbitrary(ENVELOPE_SCHEMA, true) as fc.Arbitrary<EventEnvelope>).filter((envelope) =>
    // JSON has no other numbers.
    Number.isFinite(envelope.answerWithin ?? 0),
  );
  const encodings = fc.constantFrom(...Object.values(Encoding));

  /** What is read of an envelope that was written in an encoding: version 1.0 has fewer fields. */
  const asRead = (envelope: EventEnvelope, encoding: Encoding): EventEnvelope =>
    encoding === Encoding.AVRO_1_0 ? { ...envelope, sequenceNumber: null, answerWithin: null } : envelope;

  it("is read as it was written, in every encoding", () => {
    fc.assert(
      fc.property(envelopes, encodings, (envelope, encoding) => {
        const read = decodeEvent(encodeEvent(envelope, encoding));
        expect(read.encoding).toBe(encoding);
        // JSON has no other zero.
        expect(JSON.stringify(read.envelope, bigints)).toBe(JSON.stringify(asRead(envelope, encoding), bigints));
      }),
      options(200),
    );
  });

  it("is read or malformed, whatever comes", () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 8 }),
      fc
        .constantFrom('"', "{", "[", "null", "1e999", "NaN", "\\ud800", "1.0", "\\u0061")
        .map((one) => Buffer.from(one)),
    );
    fc.assert(
      fc.property(
        envelopes,
        encodings,
        noise,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (envelope, encoding, more, at) => {
          const good = encodeEvent(envelope, encoding);
          const start = Math.floor(at * good.length);
          const data = Buffer.concat([good.subarray(0, start), more, good.subarray(start + (more.length % 5))]);
          const read = caught(() => decodeEvent(data));
          if (read instanceof Error) {
            expect(read).toBeInstanceOf(DecodeError);
          } else {
            expect(read).toMatchObject({ encoding: expect.any(String) as string });
          }
        },
      ),
      options(400),
    );
  });
});

function bigints(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}n` : value;
}
