/** Codecs of records: their fields in the order of the wire, and their versions. */

import type { Codec } from "./codec.js";
import { DecodeError, EncodeError } from "./errors.js";
import { Fault, located, unexpected } from "./fault.js";
import { Reader } from "./reader.js";
import { Writer } from "./writer.js";

/** A field of a record. */
export interface Field<T> {
  /** Its name on the wire. */
  readonly name: string;
  /** Writes and reads its values. */
  readonly codec: Codec<T>;
}

/** Whether a type is a class of errors: a record may have a `name` and a `message`, too, yet no `stack` that may be missing. */
type IsError<T> = keyof Error extends keyof T ? (Error extends Pick<T, keyof Error & keyof T> ? true : false) : false;

/** The fields of a record among its properties: an error and a tagged message have others beside them. */
export type FieldNames<T> = IsError<T> extends true ? Exclude<keyof T, keyof Error> : Exclude<keyof T, "$type">;

/** The fields of a record, by property. */
export type Fields<T> = { readonly [Name in FieldNames<T>]-?: Field<T[Name]> };

/** What a record is beside its fields. */
export interface RecordOptions<T> {
  /** How many bytes every value takes at least. */
  readonly minimum: number;
  /** Fills in what an older version lacks. */
  readonly complete?: (fields: never) => T;
  /** How deep a record that contains itself may nest. */
  readonly deepest?: number;
  /** What each value has as `$type`, by which it is told from others that have the same fields. */
  readonly tag?: string;
  /** The class of the values, which is made from the fields. */
  readonly class?: new (fields: never) => T;
}

interface Part {
  readonly property: string;
  readonly part: string;
  readonly codec: Codec<unknown>;
}

/** Make a field: its name on the wire and its codec. */
export function field<T>(name: string, codec: Codec<T>): Field<T> {
  return { name, codec };
}

/** Make the codec of a record, whose `fields` are in the order of its schema. */
export function record<T extends object>(name: string, fields: Fields<T>, options: RecordOptions<T>): RecordCodec<T> {
  return new RecordCodec<T>(name, fields, options);
}

/** Writes and reads the values of a record. */
export class RecordCodec<T extends object> implements Codec<T> {
  /** How many bytes every value takes at least. */
  readonly minimum: number;
  /** By property the name that each field has on the wire, in the order of the wire. */
  readonly names: ReadonlyMap<string, string>;
  readonly #parts: readonly Part[];
  readonly #complete: ((fields: never) => T) | undefined;
  readonly #deepest: number | undefined;
  readonly #tag: string | undefined;
  readonly #class: (new (fields: never) => T) | undefined;

  constructor(
    /** Name of the record. */
    readonly name: string,
    fields: Fields<T>,
    options: RecordOptions<T>,
  ) {
    const entries = Object.entries(fields as Readonly<Record<string, Field<unknown>>>);
    this.minimum = options.minimum;
    this.names = new Map(entries.map(([property, one]) => [property, one.name]));
    this.#parts = entries.map(([property, one]) => ({ property, part: `.${one.name}`, codec: one.codec }));
    this.#complete = options.complete;
    this.#deepest = options.deepest;
    this.#tag = options.tag;
    this.#class = options.class;
  }

  /** Whether a value has the fields of this record and no others, or is of its class. */
  matches(value: unknown): boolean {
    if (typeof value !== "object" || value === null) {
      return false;
    }
    if (this.#class !== undefined) {
      return value instanceof this.#class;
    }
    if (value instanceof Error) {
      return false;
    }
    let keys = Object.keys(value);
    if (this.#tag !== undefined) {
      if ((value as { readonly $type?: unknown }).$type !== this.#tag) {
        return false;
      }
      keys = keys.filter((key) => key !== "$type");
    }
    return keys.length === this.#parts.length && keys.every((key) => this.names.has(key));
  }

  /** Write a value, of the version that has so many fields. */
  write(to: Writer, value: T, fields: number = this.#parts.length): void {
    if (typeof value !== "object" || (value as unknown) === null || Array.isArray(value)) {
      throw unexpected(this.name, value);
    }
    const given = value as Readonly<Record<string, unknown>>;
    if (this.#deepest !== undefined) {
      to.enter(this.#deepest);
    }
    let index = 0;
    try {
      for (const { property, codec } of this.#parts) {
        if (index === fields) {
          break;
        }
        const one = given[property];
        if (one === undefined) {
          throw new Fault("the field is missing");
        }
        codec.write(to, one);
        index += 1;
      }
    } catch (error) {
      throw located(error, this.#parts[index]?.part ?? "");
    }
    if (this.#deepest !== undefined) {
      to.leave();
    }
  }

  /** Read a value, of the version that has so many fields; the others have their defaults. */
  read(from: Reader, fields: number = this.#parts.length): T {
    if (this.#deepest !== undefined) {
      from.enter(this.#deepest);
    }
    const value: Record<string, unknown> = this.#tag === undefined ? {} : { $type: this.#tag };
    let index = 0;
    try {
      for (const { property, codec } of this.#parts) {
        if (index === fields) {
          break;
        }
        value[property] = codec.read(from);
        index += 1;
      }
    } catch (error) {
      throw located(error, this.#parts[index]?.part ?? "");
    }
    if (this.#deepest !== undefined) {
      from.leave();
    }
    if (this.#class !== undefined) {
      return new this.#class(value as never);
    }
    return fields < this.#parts.length && this.#complete ? this.#complete(value as never) : (value as T);
  }

  /** Write Avro binary of the version that has so many fields; throws an `EncodeError`. `head` comes before it. */
  encode(value: T, fields?: number, head?: Uint8Array): Uint8Array {
    const to = takeWriter();
    try {
      if (head !== undefined) {
        to.raw(head);
      }
      this.write(to, value, fields);
      return to.take();
    } catch (error) {
      to.clear();
      throw error instanceof Fault ? new EncodeError(this.name, error.path, error.reason) : error;
    } finally {
      spare = to;
    }
  }

  /**
   * Read Avro binary from a position on; throws a `DecodeError`.
   *
   * It has so many fields or, given `null`, all that are known and maybe more, which is ignored.
   */
  decode(data: Uint8Array, fields: number | null = this.#parts.length, position = 0): T {
    const from = new Reader(data, position);
    let value: T;
    try {
      value = this.read(from, fields ?? this.#parts.length);
    } catch (error) {
      throw error instanceof Fault ? new DecodeError(this.name, error.path, error.reason) : error;
    }
    if (from.left > 0 && fields !== null) {
      throw new DecodeError(this.name, "", `${String(from.left)} bytes are left at the end`);
    }
    return value;
  }
}

let spare: Writer | undefined;

/** Take the writer that is kept; a value that encodes another one while it is encoded gets a new one. */
function takeWriter(): Writer {
  const writer = spare ?? new Writer();
  spare = undefined;
  return writer;
}
