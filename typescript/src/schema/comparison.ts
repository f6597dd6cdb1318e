/**
 * How the types of a reader's schema read those of a writer's, by the rules of Avro and some stricter ones.
 *
 * Stricter than Avro: records need the same full name, or an alias, and a field in common; logical types have to agree;
 * and a writer's record may not contain itself. Where only some values cannot be read, such as a branch of a union or a
 * symbol that the reader does not have, the schemas go together, and reading such a value fails.
 */

import { whyNoDefault } from "./defaults.js";
import type { FieldMatch, Match } from "./matches.js";
import { Refusal } from "./refusal.js";
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
/** Branches, symbols and fields that are named in a refusal. */
const SHOWN = 8;

/**
 * How values of a writer's schema are read by a reader's, or why they are not.
 *
 * The writer may be a stranger: its schema may nest up to `deepest` levels, and the work is bounded by
 * `limits.RESOLUTION_PAIRS`.
 */
export function compare(writer: SchemaType, reader: SchemaType, deepest: number): Match | Refusal {
  const budget = new Budget();
  try {
    checkWriter(writer, deepest, budget);
    const found = new Comparison(writer.named, reader.named, deepest, budget).pair(writer.root, reader.root);
    const isInside = found instanceof Refusal && found.path !== "" && reader.root.kind === "reference";
    return isInside ? found.inside(shortName(reader.root.name)) : found;
  } catch (error) {
    if (error instanceof Exceeded) {
      return error.refusal;
    }
    throw error;
  }
}

type Named = ReadonlyMap<string, NamedType>;

/** Compares the types of two schemas; each pair once. */
class Comparison {
  readonly #found = new Map<string, Match | Refusal>();

  constructor(
    private readonly writer: Named,
    private readonly reader: Named,
    private readonly deepest: number,
    private readonly budget: Budget,
  ) {}

  /** How one type is read as another one, or why it is not. */
  pair(writer: AvroType, reader: AvroType): Match | Refusal {
    const key = `${writer.key}\0${reader.key}`;
    let found = this.#found.get(key);
    if (found === undefined) {
      this.budget.spend();
      found = this.#pair(writer, reader);
      this.#found.set(key, found);
    }
    return found;
  }

  #pair(writer: AvroType, reader: AvroType): Match | Refusal {
    if (writer.kind === "union") {
      return this.#union(writer, reader);
    }
    if (reader.kind === "union") {
      return this.#branch(writer, reader);
    }
    if (!this.#fits(writer, reader)) {
      return this.#misfit(writer, reader);
    }
    const logical = logicalDifference(writer, reader);
    if (logical !== null) {
      return logical;
    }
    if (writer.kind === "array" && reader.kind === "array") {
      const inner = this.pair(writer.items, reader.items);
      return inner instanceof Refusal ? inner.inside("[]") : { kind: "array", inner, written: writer.items };
    }
    if (writer.kind === "map" && reader.kind === "map") {
      const inner = this.pair(writer.values, reader.values);
      return inner instanceof Refusal ? inner.inside("{}") : { kind: "map", inner, written: writer.values };
    }
    return this.#whole(writer, reader);
  }

  #union(writer: UnionType, reader: AvroType): Match | Refusal {
    const branches = writer.branches.map((branch) => this.pair(branch, reader));
    const refusals = branches.filter((one) => one instanceof Refusal);
    const fitting = branches.length - refusals.length;
    if (fitting > FITTING_BRANCHES) {
      return this.#differ(`has more than ${FITTING_BRANCHES} branches that fit, and`, writer, reader);
    }
    if (fitting > 0) {
      return { kind: "union", branches: branches.map((one) => (one instanceof Refusal ? null : one)) };
    }
    const telling = refusals.length === 1 ? refusals[0] : refusals.find((one) => one.verb !== "is");
    return telling ?? this.#differ("is", writer, reader);
  }

  /** Take the first branch that fits, as Avro does: by the names of named types, and with promotions. */
  #branch(writer: AvroType, reader: UnionType): Match | Refusal {
    let passed: { readonly kind: string; readonly difference: Refusal } | null = null;
    for (const branch of reader.branches) {
      if (!this.#fits(writer, branch)) {
        continue;
      }
      const kind = kindOf(branch);
      const difference = logicalDifference(writer, branch);
      if (difference !== null) {
        passed ??= { kind, difference };
        continue;
      }
      if (passed !== null && kind !== passed.kind && !(INTEGERS.includes(kind) && INTEGERS.includes(passed.kind))) {
        // Avro would have taken a branch before, which gives another value.
        break;
      }
      return this.pair(writer, branch);
    }
    return (
      passed?.difference ?? this.#misfit(writer, reader.branches.find((one) => this.#isAlike(writer, one)) ?? reader)
    );
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

  /** Why two types are no pair. */
  #misfit(writer: AvroType, reader: AvroType): Refusal {
    const one = baseOf(writer);
    const other = baseOf(reader);
    if (one.kind === "array" && other.kind === "array") {
      return this.#misfit(one.items, other.items).inside("[]");
    }
    if (one.kind === "map" && other.kind === "map") {
      return this.#misfit(one.values, other.values).inside("{}");
    }
    if (one.kind === "reference" && other.kind === "reference") {
      const [from, to] = [this.writer.get(one.name), this.reader.get(other.name)];
      if (from !== undefined && from.kind === to?.kind && !isCalled(from, to)) {
        return new Refusal("is called", one.name, other.name);
      }
      if (from?.kind === "fixed" && to?.kind === "fixed") {
        return new Refusal("has size", String(from.size), String(to.size));
      }
    }
    return this.#differ("is", writer, reader);
  }

  /** Whether people would take two types that are no pair for one. */
  #isAlike(writer: AvroType, reader: AvroType): boolean {
    const one = baseOf(writer);
    const other = baseOf(reader);
    if (one.kind === "array" && other.kind === "array") {
      return this.#isAlike(one.items, other.items);
    }
    if (one.kind === "map" && other.kind === "map") {
      return this.#isAlike(one.values, other.values);
    }
    if (one.kind !== "reference" || other.kind !== "reference") {
      return false;
    }
    const aliases = this.reader.get(other.name)?.aliases ?? [];
    return [other.name, ...aliases].some((name) => shortName(name) === shortName(one.name));
  }

  #differ(verb: string, writer: AvroType, reader: AvroType): Refusal {
    return new Refusal(verb, shownType(writer, this.writer), shownType(reader, this.reader));
  }

  /** How a type that fits is read, if it is neither an array nor a map. */
  #whole(writer: AvroType, reader: AvroType): Match | Refusal {
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
      return enums(one, other);
    }
    return one?.kind === "record" && other?.kind === "record" ? this.#records(one, other) : { kind: "same", reader };
  }

  #records(writer: RecordType, reader: RecordType): Match | Refusal {
    const named = new Map(reader.fields.map((field) => [field.name, field]));
    const called = new Map(reader.fields.flatMap((field) => field.aliases.map((alias) => [alias, field] as const)));
    /** The name of the writer's field, by that of the reader's. */
    const taken = new Map<string, string>();
    const fields: FieldMatch[] = [];
    for (const field of writer.fields) {
      const target = named.get(field.name) ?? called.get(field.name);
      if (target === undefined) {
        fields.push({ writer: field, target: null });
        continue;
      }
      const before = taken.get(target.name);
      if (before !== undefined) {
        return new Refusal("comes twice, as", `${before} and ${field.name}`, target.name, `.${target.name}`);
      }
      taken.set(target.name, field.name);
      const match = this.pair(field.type, target.type);
      if (match instanceof Refusal) {
        return match.inside(`.${target.name}`);
      }
      fields.push({ writer: field, target: { reader: target, match } });
    }
    if (taken.size === 0 && writer.fields.length > 0 && reader.fields.length > 0) {
      return new Refusal("has no field in common:", listed(writer), listed(reader));
    }
    const missing = reader.fields.filter((field) => !taken.has(field.name));
    return this.#lackOf(missing) ?? { kind: "record", reader, fields, missing };
  }

  /** Why nothing can stand for fields that are not written; `null` if all have defaults. */
  #lackOf(missing: readonly FieldType[]): Refusal | null {
    for (const field of missing) {
      const why = field.default === undefined ? "" : whyNoDefault(field.type, this.reader, field.default, this.deepest);
      if (why !== null) {
        const verb = why === "" ? "is missing" : `${why}, and is missing`;
        return new Refusal(verb, null, shownType(field.type, this.reader), `.${field.name}`);
      }
    }
    return null;
  }
}

/** How symbols are read: a reader has one, or a default, for at least one that is written. */
function enums(writer: EnumType, reader: EnumType): Match | Refusal {
  const hasDefault = reader.default !== null && reader.symbols.includes(reader.default);
  return writer.symbols.length === 0 || hasDefault || writer.symbols.some((symbol) => reader.symbols.includes(symbol))
    ? { kind: "enum", writer, reader }
    : new Refusal("has symbols", firstOf(writer.symbols), firstOf(reader.symbols));
}

/** Whether two named types are of one kind, and the name of the writer's is the reader's; of records alone with namespace. */
function areCalledTheSame(writer: NamedType | undefined, reader: NamedType | undefined): boolean {
  if (writer === undefined || writer.kind !== reader?.kind) {
    return false;
  }
  if (writer.kind === "fixed" && reader.kind === "fixed" && writer.size !== reader.size) {
    return false;
  }
  return isCalled(writer, reader);
}

function isCalled(writer: NamedType, reader: NamedType): boolean {
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

/** In what the meaning of two types differs; `null` if it does not. */
function logicalDifference(writer: AvroType, reader: AvroType): Refusal | null {
  const one = writer.kind === "logical" ? writer : null;
  const other = reader.kind === "logical" ? reader : null;
  if (one?.name !== other?.name) {
    return new Refusal("has logical type", one?.name ?? "none", other?.name ?? "none");
  }
  for (const what of ["precision", "scale"] as const) {
    if (one !== null && other !== null && one[what] !== other[what]) {
      return new Refusal(`has ${what}`, String(one[what]), String(other[what]));
    }
  }
  return null;
}

function listed(record: RecordType): string {
  return firstOf(record.fields.map((field) => field.name));
}

function firstOf(names: readonly string[]): string {
  return names.slice(0, SHOWN).join(", ");
}

/** Return a type in few words. */
function shownType(type: AvroType, types: Named, depth = 0): string {
  switch (type.kind) {
    case "primitive":
      return type.name;
    case "logical":
      return `${type.name} (${shownType(type.underlying, types, depth)})`;
    case "reference":
      return `${types.get(type.name)?.kind ?? "record"} ${type.name}`;
    default:
  }
  if (depth > 2) {
    return type.kind;
  }
  if (type.kind === "union") {
    return type.branches
      .slice(0, SHOWN)
      .map((branch) => shownType(branch, types, depth + 1))
      .join(" or ");
  }
  return `${type.kind} of ${shownType(type.kind === "array" ? type.items : type.values, types, depth + 1)}`;
}
