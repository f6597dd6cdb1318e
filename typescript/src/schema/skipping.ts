/** Passes over values: what a writer has written and a reader does not read. */

import { nullType, boolean } from "../support/codec.js";
import type { Reader } from "../support/reader.js";

import type { AvroType, NamedType } from "./types.js";

/** Passes over one value. */
export type Skip = (from: Reader) => void;

const SCALARS: Readonly<Record<string, Skip>> = {
  null: (from) => nullType.read(from),
  boolean: (from) => boolean.read(from),
  int: (from) => from.integer(),
  long: (from) => from.integer(),
  float: (from) => from.raw(4),
  double: (from) => from.raw(8),
  string: (from) => from.raw(from.length()),
  bytes: (from) => from.raw(from.length()),
};
/** Bytes that a value takes at least, by its type; one of every other type takes 1. */
const MINIMUM: Readonly<Record<string, number>> = { null: 0, float: 4, double: 8 };

/** Makes what passes over values of the types of one schema, in which no record contains itself. */
export class Skipper {
  readonly #records = new Map<string, { readonly skip: Skip; readonly minimum: number }>();

  constructor(private readonly named: ReadonlyMap<string, NamedType>) {}

  /** Bytes that a value of a type takes at least. */
  minimumOf(type: AvroType): number {
    switch (type.kind) {
      case "primitive":
        return MINIMUM[type.name] ?? 1;
      case "logical":
        return this.minimumOf(type.underlying);
      case "reference": {
        const found = this.named.get(type.name);
        return found?.kind === "fixed" ? found.size : found?.kind === "record" ? this.#record(type.name).minimum : 1;
      }
      case "union":
        return 1 + Math.min(...type.branches.map((branch) => this.minimumOf(branch)));
      default:
        return 1;
    }
  }

  /** What passes over values of a type. */
  skip(type: AvroType): Skip {
    switch (type.kind) {
      case "primitive":
        return SCALARS[type.name] as Skip;
      case "logical":
        return this.skip(type.underlying);
      case "array":
        return skipBlocks(this.skip(type.items), this.minimumOf(type.items));
      case "map": {
        const value = this.skip(type.values);
        const entry: Skip = (from) => {
          from.raw(from.length());
          value(from);
        };
        return skipBlocks(entry, 1 + this.minimumOf(type.values));
      }
      case "union": {
        const branches = type.branches.map((branch) => this.skip(branch));
        return (from) => branches[from.branch(branches.length)]?.(from);
      }
      case "reference":
        return this.#named(type.name);
    }
  }

  #named(name: string): Skip {
    const found = this.named.get(name);
    switch (found?.kind) {
      case "fixed":
        return (from) => from.raw(found.size);
      case "enum":
        return (from) => from.index(found.symbols.length);
      default:
        return this.#record(name).skip;
    }
  }

  #record(name: string): { readonly skip: Skip; readonly minimum: number } {
    let made = this.#records.get(name);
    if (made === undefined) {
      const found = this.named.get(name);
      const types = found?.kind === "record" ? found.fields.map((field) => field.type) : [];
      const minimum = types.reduce((sum, type) => sum + this.minimumOf(type), 0);
      // A record whose least size is 0 always takes 0 bytes: none of its parts takes any.
      const parts = minimum === 0 ? [] : types.map((type) => this.skip(type));
      made = { skip: (from) => parts.forEach((part) => part(from)), minimum };
      this.#records.set(name, made);
    }
    return made;
  }
}

function skipBlocks(item: Skip, minimum: number): Skip {
  return (from) => {
    for (let block = from.block(minimum); block !== null; block = from.block(minimum)) {
      // Those that take no bytes have been counted.
      for (let left = minimum === 0 ? 0 : block.count; left > 0; left--) {
        item(from);
      }
      from.endBlock(block);
    }
  };
}
