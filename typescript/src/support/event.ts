/** The envelope in both of its encodings. A receiver tells them by the first byte. */

import { DecodeError, EncodeError } from "./errors.js";
import { Fault, located } from "./fault.js";
import { parseJsonObject, valueOf } from "./json.js";
import type { JsonCodec, JsonField } from "./json-values.js";
import type { RecordCodec } from "./record.js";
import type { SchemaVersion } from "./schema.js";
import { wholeTextOfBytes } from "./text.js";

/** What every single-object encoding begins with (Avro 1.11, "Single-object encoding"). */
const MARKER = [0xc3, 0x01] as const;
const FINGERPRINT_BYTES = 8;
const HEAD_BYTES = MARKER.length + FINGERPRINT_BYTES;
const OPENING_BRACE = 0x7b;
const ENCODER = new TextEncoder();

interface Head {
  readonly bytes: Uint8Array;
  readonly fields: number;
}

/** A field whose type is not known any more. */
type AnyField = Omit<JsonField<null>, "codec"> & { readonly codec: JsonCodec<unknown> };

interface JsonPart {
  readonly property: string;
  readonly field: AnyField;
}

/** An envelope that was read, with the encoding that it came in. */
export interface Decoded<T, Encoding extends string> {
  /** The envelope, with the payload as bytes. */
  readonly envelope: T;
  /** The encoding in which it was written. */
  readonly encoding: Encoding;
}

/** What an envelope is made of in its encodings. */
export interface EventOptions<T> {
  /** Of the versions of the envelope, the oldest first. */
  readonly versions: readonly SchemaVersion[];
  /** Its fields as JSON, in the order of the schema. */
  readonly json: { readonly [Name in keyof T]-?: JsonField<T[Name]> };
  /** How deep JSON may nest. */
  readonly deepest: number;
}

/** Writes and reads the envelope: `json`, and `avro:` with the fingerprint of each version. */
export class EventCodec<T extends object, Encoding extends string> {
  readonly #heads: ReadonlyMap<string, Head>;
  readonly #newest: SchemaVersion;
  readonly #fields: readonly JsonPart[];
  readonly #deepest: number;

  constructor(
    /** Writes and reads its record. */
    readonly record: RecordCodec<T>,
    options: EventOptions<T>,
  ) {
    this.#heads = new Map(
      options.versions.map((one) => [
        `avro:${one.fingerprint}`,
        { bytes: Uint8Array.from([...MARKER, ...bytesOfHex(one.fingerprint)]), fields: one.fields },
      ]),
    );
    const newest = options.versions.at(-1);
    if (newest === undefined) {
      throw new TypeError("an envelope has at least one version");
    }
    this.#newest = newest;
    const fields = Object.entries(options.json as Readonly<Record<string, AnyField>>);
    this.#fields = fields.map(([property, field]) => ({ property, field }));
    this.#deepest = options.deepest;
  }

  /** Write an envelope; throws an `EncodeError`. */
  encode(envelope: T, encoding: Encoding): Uint8Array {
    const head = this.#heads.get(encoding);
    return head === undefined ? this.#encodeJson(envelope) : this.record.encode(envelope, head.fields, head.bytes);
  }

  /**
   * Read an envelope; throws a `DecodeError`.
   *
   * One of a version that is not known has the fields that are, in the newest encoding, and more, which is ignored.
   */
  decode(data: Uint8Array): Decoded<T, Encoding> {
    return data[0] === OPENING_BRACE
      ? { envelope: this.#decodeJson(data), encoding: "json" as Encoding }
      : this.#decodeAvro(data);
  }

  #decodeAvro(data: Uint8Array): Decoded<T, Encoding> {
    if (data.length === 0) {
      throw this.#malformed("expected an event, got no bytes");
    }
    if (data[0] !== MARKER[0] || data[1] !== MARKER[1]) {
      const got = hexOf(data.subarray(0, MARKER.length), " ");
      throw this.#malformed(`expected { or the bytes c3 01 at the beginning, got ${got}`);
    }
    if (data.length < HEAD_BYTES) {
      const got = String(data.length - MARKER.length);
      throw this.#malformed(`expected a schema fingerprint of ${String(FINGERPRINT_BYTES)} bytes, got ${got}`);
    }
    for (const [encoding, head] of this.#heads) {
      if (startsWith(data, head.bytes)) {
        return { envelope: this.record.decode(data, head.fields, HEAD_BYTES), encoding: encoding as Encoding };
      }
    }
    try {
      const envelope = this.record.decode(data, null, HEAD_BYTES);
      return { envelope, encoding: `avro:${this.#newest.fingerprint}` as Encoding };
    } catch (error) {
      if (!(error instanceof DecodeError)) {
        throw error;
      }
      const fingerprint = hexOf(data.subarray(MARKER.length, HEAD_BYTES), "");
      const reason = `${error.reason} (the schema fingerprint ${fingerprint} is not known)`;
      throw new DecodeError(error.record, error.path, reason);
    }
  }

  #encodeJson(envelope: T): Uint8Array {
    const given = envelope as Readonly<Record<string, unknown>>;
    let text = "{";
    let at = "";
    try {
      for (const { property, field } of this.#fields) {
        at = `.${field.name}`;
        const value = given[property];
        const isNull = value === null && field.isNullable;
        if (isNull && field.isHeader) {
          continue;
        }
        const written = isNull ? "null" : field.codec.write(value);
        text += text === "{" ? `"${field.name}":${written}` : `,"${field.name}":${written}`;
      }
    } catch (error) {
      const fault = located(error, at);
      throw fault instanceof Fault ? new EncodeError(this.record.name, fault.path, fault.reason) : fault;
    }
    return ENCODER.encode(`${text}}`);
  }

  #decodeJson(data: Uint8Array): T {
    const envelope: Record<string, unknown> = {};
    let at = "";
    try {
      const content = parseJsonObject(wholeTextOfBytes(data), this.#deepest);
      for (const { property, field } of this.#fields) {
        at = `.${field.name}`;
        const value = valueOf(content, field.name);
        if (field.isNullable && (value === undefined || value === null)) {
          envelope[property] = null;
        } else if (value === undefined) {
          throw new Fault("the field is missing");
        } else {
          envelope[property] = field.codec.read(value);
        }
      }
    } catch (error) {
      const fault = at === "" ? error : located(error, at);
      throw fault instanceof Fault ? new DecodeError(this.record.name, fault.path, fault.reason) : fault;
    }
    return envelope as T;
  }

  #malformed(reason: string): DecodeError {
    return new DecodeError(this.record.name, "", reason);
  }
}

function startsWith(data: Uint8Array, head: Uint8Array): boolean {
  for (let index = MARKER.length; index < HEAD_BYTES; index++) {
    if (data[index] !== head[index]) {
      return false;
    }
  }
  return true;
}

function bytesOfHex(digits: string): number[] {
  return Array.from({ length: digits.length / 2 }, (_, index) => parseInt(digits.slice(2 * index, 2 * index + 2), 16));
}

function hexOf(bytes: Uint8Array, separator: string): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(separator);
}
