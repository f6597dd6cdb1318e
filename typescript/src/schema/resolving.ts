/** Reads what the other side of a connection has written with a schema of its own, by Avro's schema resolution. */

import { NESTING_DEPTH } from "../../../generated/typescript/limits.js";
import { bytes, int, string } from "../support/codec.js";
import { DecodeError } from "../support/errors.js";
import { Fault, keyPart, located } from "../support/fault.js";
import type { JsonValue } from "../support/json.js";
import { Reader } from "../support/reader.js";
import { Writer } from "../support/writer.js";

import { Codecs, propertyOf, type NameProperty } from "./codecs.js";
import { compare } from "./comparison.js";
import { writeDefault } from "./defaults.js";
import type { EnumMatch, Match, PromotionMatch, RecordMatch } from "./matches.js";
import type { SchemaPair } from "./matching.js";
import { Refusal } from "./refusal.js";
import { Skipper } from "./skipping.js";
import { schemaType, type FieldType, type SchemaType } from "./types.js";

type Read = (from: Reader) => unknown;
/** Reads a record from Avro binary; throws a `DecodeError`. */
type Decode = (data: Uint8Array) => object;

const UTF8 = new TextEncoder();
const TEXT = new TextDecoder("utf-8", { fatal: true });
const MADE = new WeakMap<SchemaPair, Decode | null>();

/** Return what reads values of a writer's schema as those of a reader's, made once a pair; `null` if nothing does. */
export function resolvingReader(pair: SchemaPair): Decode | null {
  let made = MADE.get(pair);
  if (made === undefined) {
    made = readerFor(schemaType(pair.writer), schemaType(pair.reader), propertyOf);
    MADE.set(pair, made);
  }
  return made;
}

/** Return what reads values of a writer's schema as those of a reader's, with properties of these names. */
export function readerFor(writer: SchemaType, reader: SchemaType, nameProperty: NameProperty): Decode | null {
  const match = compare(writer, reader, NESTING_DEPTH);
  if (match instanceof Refusal) {
    return null;
  }
  const read = new Maker(writer, reader, nameProperty).read(match);
  const name = match.kind === "record" ? match.reader.name : match.kind;
  return (data) => {
    const from = new Reader(data);
    try {
      const value = read(from) as object;
      if (from.left > 0) {
        throw new Fault(`expected the end of the data, got ${String(from.left)} more bytes`);
      }
      return value;
    } catch (error) {
      throw error instanceof Fault ? new DecodeError(name, error.path, error.reason) : error;
    }
  };
}

/** Makes functions that read, for one pair of schemas. */
class Maker {
  readonly #skipper: Skipper;
  readonly #codecs: Codecs;
  readonly #records = new Map<RecordMatch, Read>();

  constructor(
    writer: SchemaType,
    private readonly reader: SchemaType,
    private readonly nameProperty: NameProperty,
  ) {
    this.#skipper = new Skipper(writer.named);
    this.#codecs = new Codecs(reader, nameProperty);
  }

  read(match: Match): Read {
    switch (match.kind) {
      case "same": {
        const codec = this.#codecs.of(match.reader);
        return (from) => codec.read(from);
      }
      case "promotion":
        return promotion(match);
      case "array":
        return readArray(this.read(match.inner), this.#skipper.minimumOf(match.written));
      case "map":
        return readMap(this.read(match.inner), 1 + this.#skipper.minimumOf(match.written));
      case "union":
        return this.#union(match.branches);
      case "enum":
        return readSymbol(match);
      case "record": {
        let made = this.#records.get(match);
        if (made === undefined) {
          made = this.#record(match);
          this.#records.set(match, made);
        }
        return made;
      }
    }
  }

  #union(branches: readonly (Match | null)[]): Read {
    const reads = branches.map((one) => (one === null ? null : this.read(one)));
    return (from) => {
      const read = reads[from.branch(reads.length)];
      if (read === null || read === undefined) {
        throw new Fault("it is of a branch of the writer's union that the reader's schema does not have");
      }
      return read(from);
    };
  }

  #record(match: RecordMatch): Read {
    const steps = match.fields.map(({ writer, target }) => ({
      part: `.${writer.name}`,
      property: target === null ? null : this.nameProperty(target.reader.name),
      read: target === null ? this.#skipper.skip(writer.type) : this.read(target.match),
    }));
    const missing = match.missing.map((field) => ({
      property: this.nameProperty(field.name),
      make: this.#default(field),
    }));
    return (from) => {
      const value: Record<string, unknown> = {};
      for (const { part, property, read } of steps) {
        try {
          const got = read(from);
          if (property !== null) {
            value[property] = got;
          }
        } catch (error) {
          throw located(error, part);
        }
      }
      for (const { property, make } of missing) {
        value[property] = make();
      }
      return value;
    };
  }

  /** Return what makes the default of a field: it is read as if it had been written. */
  #default(field: FieldType): () => unknown {
    const to = new Writer();
    writeDefault(to, field.type, this.reader.named, field.default as JsonValue, NESTING_DEPTH);
    const data = to.take();
    const codec = this.#codecs.of(field.type);
    return () => codec.read(new Reader(data));
  }
}

function readArray(item: Read, minimum: number): Read {
  return (from) => {
    const items: unknown[] = [];
    for (let block = from.block(minimum); block !== null; block = from.block(minimum)) {
      try {
        for (let left = block.count; left > 0; left--) {
          items.push(item(from));
        }
      } catch (error) {
        throw located(error, `[${String(items.length)}]`);
      }
      from.endBlock(block);
    }
    return items;
  };
}

function readMap(value: Read, minimum: number): Read {
  return (from) => {
    const entries = new Map<string, unknown>();
    for (let block = from.block(minimum); block !== null; block = from.block(minimum)) {
      for (let left = block.count; left > 0; left--) {
        const key = from.text();
        if (entries.has(key)) {
          // Two readers could see different maps.
          throw new Fault("the key comes twice").inside(keyPart(key));
        }
        try {
          entries.set(key, value(from));
        } catch (error) {
          throw located(error, keyPart(key));
        }
      }
      from.endBlock(block);
    }
    return entries;
  };
}

function readSymbol({ writer, reader }: EnumMatch): Read {
  const known = new Set(reader.symbols);
  const otherwise = reader.default !== null && known.has(reader.default) ? reader.default : null;
  return (from) => {
    const symbol = writer.symbols[from.index(writer.symbols.length)] ?? "";
    const read = known.has(symbol) ? symbol : otherwise;
    if (read === null) {
      throw new Fault(`expected a symbol of ${reader.name}, got "${symbol}"`);
    }
    return read;
  };
}

function promotion({ writer, reader }: PromotionMatch): Read {
  switch (`${writer} ${reader}`) {
    case "int long":
      return (from) => BigInt(readInteger(writer, from));
    case "float double":
      return (from) => from.float();
    case "string bytes":
      return (from) => UTF8.encode(string.read(from));
    case "bytes string":
      return (from) => textOf(bytes.read(from));
    default:
      return (from) => promoted(BigInt(readInteger(writer, from)), reader === "float");
  }
}

function promoted(value: bigint, isSingle: boolean): number {
  const number = isSingle ? Math.fround(Number(value)) : Number(value);
  if (BigInt(number) !== value) {
    const precision = isSingle ? "single" : "double";
    throw new Fault(`expected an integer that ${precision} precision can carry, got ${String(value)}`);
  }
  return number;
}

function readInteger(writer: string, from: Reader): number | bigint {
  return writer === "int" ? int.read(from) : from.integer();
}

function textOf(data: Uint8Array): string {
  try {
    return TEXT.decode(data);
  } catch {
    throw new Fault("expected UTF-8");
  }
}
