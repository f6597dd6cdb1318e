/** Codecs of messages: their record in each format in which it may be a payload, in each version. */

import { DecodeError, EncodeError } from "./errors.js";
import { Fault, unexpected } from "./fault.js";
import type { RecordCodec } from "./record.js";
import { fieldsOf, type MessageSchema, type SchemaVersion } from "./schema.js";
import { shown, shownValue } from "./shown.js";
import { bytesOfText, textOfBytes } from "./text.js";

/** The formats that payloads have. */
export type PayloadFormat = "avro" | "utf-8" | "bytes";

/** How the only field of a message is laid out as a number, in big-endian order. */
export type NumberLayout = "uint32" | "int64" | "float32" | "float64";

/** Writes and reads one message. */
export class MessageCodec<T extends object, Type extends string = string> implements MessageSchema<Type> {
  readonly messageType: Type;
  readonly schema: string;
  readonly canonicalForm: string;
  readonly fingerprint: string;
  readonly versions: readonly SchemaVersion[];
  readonly #layout: NumberLayout | undefined;

  constructor(
    schema: MessageSchema<Type>,
    /** Writes and reads its record. */
    readonly record: RecordCodec<T>,
    /** Format in which the message goes out. */
    readonly payloadFormat: PayloadFormat,
    /** Layout of format `bytes`, if the message may come in that. */
    layout?: NumberLayout,
  ) {
    this.messageType = schema.messageType;
    this.schema = schema.schema;
    this.canonicalForm = schema.canonicalForm;
    this.fingerprint = schema.fingerprint;
    this.versions = schema.versions;
    this.#layout = layout;
  }

  /** Write Avro binary; throws an `EncodeError`. */
  encode(message: T): Uint8Array {
    return this.record.encode(message);
  }

  /** Read Avro binary; throws a `DecodeError`. */
  decode(data: Uint8Array): T {
    return this.record.decode(data);
  }

  /** Write the format in which the message goes out; throws an `EncodeError`. */
  encodePayload(message: T): Uint8Array {
    if (this.payloadFormat === "avro") {
      return this.record.encode(message);
    }
    const [property, name] = this.#onlyField();
    const value: unknown = (message as Readonly<Record<string, unknown>>)[property];
    try {
      return this.payloadFormat === "utf-8" ? writeWholeText(value) : writeNumber(value, this.#layout ?? "int64");
    } catch (error) {
      throw error instanceof Fault ? new EncodeError(this.record.name, name, error.reason) : error;
    }
  }

  /**
   * Read a payload in any format in which the message may come in, given the fingerprint that came with it.
   *
   * Without one, it is of the oldest version. One that is not known is of a newer version: it has the fields that are
   * known, and more behind them, which is ignored. Throws a `DecodeError` if it is malformed.
   */
  decodePayload(format: string, data: Uint8Array, fingerprint: string | null = null): T {
    if (format === "avro") {
      const grows = this.versions.length > 0;
      return grows ? this.record.decode(data, fieldsOf(this.versions, fingerprint)) : this.record.decode(data);
    }
    const formats = this.payloadFormats;
    if (!(formats as readonly string[]).includes(format)) {
      const reason = `expected the payload format ${formats.join(" or ")}, got ${shown(format)}`;
      throw new DecodeError(this.record.name, "", reason);
    }
    const [property, name] = this.#onlyField();
    try {
      const value = format === "utf-8" ? textOfBytes(data, 0, data.length) : readNumber(data, this.#layout ?? "int64");
      return { [property]: value } as T;
    } catch (error) {
      throw error instanceof Fault ? new DecodeError(this.record.name, name, error.reason) : error;
    }
  }

  /** The formats in which the message may come in. */
  get payloadFormats(): readonly PayloadFormat[] {
    return [
      "avro",
      ...(this.payloadFormat === "utf-8" ? (["utf-8"] as const) : []),
      ...(this.#layout === undefined ? [] : (["bytes"] as const)),
    ];
  }

  #onlyField(): readonly [string, string] {
    const [first] = this.record.names;
    if (first === undefined) {
      throw new TypeError(`${this.record.name} has no field that could be the whole of a payload`);
    }
    return first;
  }
}

const SIZES = { uint32: 4, int64: 8, float32: 4, float64: 8 } as const;

function writeWholeText(value: unknown): Uint8Array {
  if (typeof value !== "string") {
    throw unexpected("a string", value);
  }
  return bytesOfText(value);
}

function writeNumber(value: unknown, layout: NumberLayout): Uint8Array {
  if (typeof value !== "number" && typeof value !== "bigint") {
    throw unexpected("a number", value);
  }
  const data = new DataView(new ArrayBuffer(SIZES[layout]));
  if (!fits(value, layout)) {
    throw new Fault(`expected a number that fits ${String(SIZES[layout])} bytes, got ${shownValue(value)}`);
  }
  switch (layout) {
    case "uint32":
      data.setUint32(0, Number(value));
      break;
    case "int64":
      data.setBigInt64(0, BigInt(value));
      break;
    case "float32":
      data.setFloat32(0, Number(value));
      break;
    case "float64":
      data.setFloat64(0, Number(value));
      break;
  }
  return new Uint8Array(data.buffer);
}

function fits(value: number | bigint, layout: NumberLayout): boolean {
  switch (layout) {
    case "uint32":
      return (typeof value === "bigint" || Number.isInteger(value)) && value >= 0 && value <= 0xffff_ffff;
    case "int64":
      return typeof value === "bigint" ? BigInt.asIntN(64, value) === value : Number.isSafeInteger(value);
    case "float32":
      return !Number.isFinite(Number(value)) || Number.isFinite(Math.fround(Number(value)));
    case "float64":
      return true;
  }
}

function readNumber(data: Uint8Array, layout: NumberLayout): number | bigint {
  if (data.length !== SIZES[layout]) {
    throw new Fault(`expected ${String(SIZES[layout])} bytes, got ${String(data.length)}`);
  }
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  switch (layout) {
    case "uint32":
      return view.getUint32(0);
    case "int64":
      return view.getBigInt64(0);
    case "float32":
      return view.getFloat32(0);
    case "float64":
      return view.getFloat64(0);
  }
}
