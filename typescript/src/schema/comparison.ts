/**
 * How the types of a reader's schema read those of a writer's, by the rules of Avro and some stricter ones.
 *
 * Stricter than Avro: records need the same full name, or an alias, and a field in common; logical types have to agree;
 * and a writer's record may not contain itself. Where only some values cannot be read, such as a branch of a union or a
 * symbol that the reader does not have, the schemas go together, and reading such a value fails.
 */

import { isDefaultOf } from "./defaults.js";
import type { FieldMatch, Match } from "./matches.js";
import type { AvroType, EnumType, FieldType, NamedType, RecordType, SchemaType, UnionType } from "./types.js";
import { Budget, checkWriter, Exceeded } from "./writer-bounds.js";

/** What a primitive may be read as, by what is written. */
const PROMOTIONS: Readonly<Record<string, readonly string[]>> = {
  int: ["long", "float", "double"],
  long: ["float", "double"],
  float: ["double"],
  string: ["bytes"],
  bytes: ["string"],
};
/** Of which the same number is the same value. */
const INTEGERS: readonly string[] = ["int", "long"];
/** Branches of a writer's union that a reader may take. */
const FITTING_BRANCHES = 64;

/**
 * How values of a writer's schema are read by a reader's; `null` if they are not.
 *
 * The writer may be a stranger: its schema may nest up to `deepest` levels, and the work is bounded by
 * `limits.RESOLUTION_PAIRS`.
 */
export function compare(writer: SchemaType, reader: SchemaType, deepest: number): Match | null {
  const budget = new Budget();
  try {
    checkWriter(writer, deepest, budget);
    return new Comparison(writer.named, reader.named, deepest, budget).pair(writer.root, reader.root);
  } catch (error) {
    if (error instanceof Exceeded) {
      return null;
    }
    throw error;
  }
}

type Named = ReadonlyMap<string, NamedType>;

/** Compares the types of two schemas; each pair once. */
class Comparison {
  readonly #found = new Map<string, Match | null>();

  constructor(
    private readonly writer: Named,
    private readonly reader: Named,
    private readonly deepest: number,
    private readonly budget: Budget,
  ) {}

  /** How one type is read as another one; `null` if it is not. */
  pair(writer: AvroType, reader: AvroType): Match | null {
    const key = `${writer.key}\0${reader.key}`;
    let found = this.#found.get(key);
    if (found === undefined) {
      this.budget.spend();
      found = this.#pair(writer, reader);
      this.#found.set(key, found);
    }
    return found;
  }

  #pair(writer: AvroType, reader: AvroType): Match | null {
    if (writer.kind === "union") {
      const branches = writer.branches.map((branch) => this.pair(branch, reader));
      const fitting = branches.filter((one) => one !== null).length;
      return fitting > 0 && fitting <= FITTING_BRANCHES ? { kind: "union", branches } : null;
    }
    if (reader.kind === "union") {
      return this.#branch(writer, reader);
    }
    if (!this.#fits(writer, reader) || !meanTheSame(writer, reader)) {
      return null;
    }
    if (writer.kind === "array" && reader.kind === "array") {
      const inner = this.pair(writer.items, reader.items);
      return inner === null ? null : { kind: "array", inner, written: writer.items };
    }
    if (writer.kind === "map" && reader.kind === "map") {
      const inner = this.pair(writer.values, reader.values);
      return inner === null ? null : { kind: "map", inner, written: writer.values };
    }
    return this.#whole(writer, reader);
  }

  /** Take the first branch that fits, as Avro does: by the names of named types, and with promotions. */
  #branch(writer: AvroType, reader: UnionType): Match | null {
    let passed: string | null = null;
    for (const branch of reader.branches) {
      if (!this.#fits(writer, branch)) {
        continue;
      }
      const kind = kindOf(branch);
      if (!meanTheSame(writer, branch)) {
        passed ??= kind;
        continue;
      }
      if (passed !== null && kind !== passed && !(INTEGERS.includes(kind) && INTEGERS.includes(passed))) {
        // Avro would have taken a branch before, which gives another value.
        return null;
      }
      return this.pair(writer, branch);
    }
    return null;
  }

  /** Whether Avro holds two types for a pair, without looking into records. */
  #fits(writer: AvroType, reader: AvroType): boolean {
    this.budget.spend();
    const one = baseOf(writer);
    const other = baseOf(reader);
    if (one.kind === "union" || other.kind === "union") {
      return true;
    }
    if (one.kind === "primitive" && other.kind === "primitive") {
      return one.name === other.name || PROMOTIONS[one.name]?.includes(other.name) === true;
    }
    if (one.kind === "array" && other.kind === "array") {
      return this.#fits(one.items, other.items);
    }
    if (one.kind === "map" && other.kind === "map") {
      return this.#fits(one.values, other.values);
    }
    if (one.kind === "reference" && other.kind === "reference") {
      return areCalledTheSame(this.writer.get(one.name), this.reader.get(other.name));
    }
    return false;
  }

  /** How a type that fits is read, if it is neither an array nor a map. */
  #whole(writer: AvroType, reader: AvroType): Match | null {
    const [from, to] = [baseOf(writer), baseOf(reader)];
    if (from.kind === "primitive" && to.kind === "primitive" && from.name !== to.name) {
      return { kind: "promotion", writer: from.name, reader: to.name };
    }
    if (writer.kind !== "reference" || reader.kind !== "reference") {
      return { kind: "same", reader };
    }
    const one = this.writer.get(writer.name);
    const other = this.reader.get(reader.name);
    if (one?.kind === "enum" && other?.kind === "enum") {
      return haveSymbolsInCommon(one, other) ? { kind: "enum", writer: one, reader: other } : null;
    }
    return one?.kind === "record" && other?.kind === "record" ? this.#records(one, other) : { kind: "same", reader };
  }

  #records(writer: RecordType, reader: RecordType): Match | null {
    const named = new Map(reader.fields.map((field) => [field.name, field]));
    const called = new Map(reader.fields.flatMap((field) => field.aliases.map((alias) => [alias, field] as const)));
    const taken = new Set<string>();
    const fields: FieldMatch[] = [];
    for (const field of writer.fields) {
      const target = named.get(field.name) ?? called.get(field.name);
      if (target === undefined) {
        fields.push({ writer: field, target: null });
        continue;
      }
      if (taken.has(target.name)) {
        return null;
      }
      taken.add(target.name);
      const match = this.pair(field.type, target.type);
      if (match === null) {
        return null;
      }
      fields.push({ writer: field, target: { reader: target, match } });
    }
    if (taken.size === 0 && writer.fields.length > 0 && reader.fields.length > 0) {
      return null;
    }
    const missing = reader.fields.filter((field) => !taken.has(field.name));
    return missing.every((field) => this.#hasDefault(field)) ? { kind: "record", reader, fields, missing } : null;
  }

  #hasDefault(field: FieldType): boolean {
    return field.default !== undefined && isDefaultOf(field.type, this.reader, field.default, this.deepest);
  }
}

/** Whether a reader has a symbol, or a default, for at least one that is written. */
function haveSymbolsInCommon(writer: EnumType, reader: EnumType): boolean {
  const hasDefault = reader.default !== null && reader.symbols.includes(reader.default);
  return writer.symbols.length === 0 || hasDefault || writer.symbols.some((symbol) => reader.symbols.includes(symbol));
}

/** Whether two named types are of one kind, and the name of the writer's is the reader's; of records alone with namespace. */
function areCalledTheSame(writer: NamedType | undefined, reader: NamedType | undefined): boolean {
  if (writer === undefined || writer.kind !== reader?.kind) {
    return false;
  }
  if (writer.kind === "fixed" && reader.kind === "fixed" && writer.size !== reader.size) {
    return false;
  }
  return (
    writer.name === reader.name ||
    reader.aliases.includes(writer.name) ||
    (writer.kind !== "record" && shortName(writer.name) === shortName(reader.name))
  );
}

function shortName(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

function baseOf(type: AvroType): Exclude<AvroType, { readonly kind: "logical" }> {
  return type.kind === "logical" ? type.underlying : type;
}

/** Which class of values is written for a type. */
function kindOf(type: AvroType): string {
  const base = baseOf(type);
  return base.kind === "primitive" || base.kind === "reference" ? base.name : `(${base.kind})`;
}

/** Whether the logical types of two types agree. */
function meanTheSame(writer: AvroType, reader: AvroType): boolean {
  const one = writer.kind === "logical" ? writer : null;
  const other = reader.kind === "logical" ? reader : null;
  return one?.name === other?.name && one?.precision === other?.precision && one?.scale === other?.scale;
}
