/** Schemas as forms and texts go through them: a tree of types with names looked up, and where values go. */

import type { PayloadType } from "../../src/message/payload-type.js";
import { Codecs, propertyOf } from "../../src/schema/codecs.js";
import {
  schemaType,
  type AvroType,
  type LogicalType,
  type NamedType,
  type SchemaType,
} from "../../src/schema/types.js";
import type { Codec } from "../../src/support/codec.js";

/** A field of a record. */
export interface FieldNode {
  readonly name: string;
  /** The property that holds its value. */
  readonly property: string;
  readonly type: TypeNode;
  /** Its default as JSON has it, if there is one. */
  readonly default: { readonly json: unknown } | null;
}

/** A record. */
interface RecordNode {
  readonly kind: "record";
  readonly name: string;
  /** Empty while the tree is made: a record may contain itself. */
  readonly fields: FieldNode[];
  readonly codec: Codec<unknown>;
}

/** A type, with the codec of its values. */
export type TypeNode =
  | {
      readonly kind: "primitive";
      readonly name: string;
      readonly logical: string | null;
      readonly codec: Codec<unknown>;
    }
  | {
      readonly kind: "fixed";
      readonly name: string;
      readonly size: number;
      readonly logical: string | null;
      readonly codec: Codec<unknown>;
    }
  | {
      readonly kind: "enum";
      readonly name: string;
      readonly symbols: readonly string[];
      readonly default: string | null;
      readonly codec: Codec<unknown>;
    }
  | { readonly kind: "array" | "map"; readonly inner: TypeNode; readonly codec: Codec<unknown> }
  | { readonly kind: "union"; readonly branches: readonly TypeNode[]; readonly codec: Codec<unknown> }
  | RecordNode;

const TREES = new WeakMap<PayloadType, TypeNode>();

/** The tree of a schema; throws a `TypeError` that says what is wrong with it. */
export function treeOf(schema: string): TypeNode {
  const type = schemaType(schema);
  return new Maker(type).node(type.root);
}

/** The tree of the schema of a payload, made once. */
export function treeOfPayload(type: PayloadType): TypeNode {
  let tree = TREES.get(type);
  if (tree === undefined) {
    tree = treeOf(type.schema);
    TREES.set(type, tree);
  }
  return tree;
}

/** How many types a value goes through while its lists and maps are empty, at most; what a record has of itself is not counted. */
export function sizeOf(node: TypeNode): number {
  /** By record; 0 while it is counted. */
  const sizes = new Map<TypeNode, number>();
  const count = (one: TypeNode): number => {
    switch (one.kind) {
      case "union":
        return 1 + Math.max(0, ...one.branches.map(count));
      case "record": {
        let size = sizes.get(one);
        if (size === undefined) {
          sizes.set(one, 0);
          size = one.fields.reduce((sum, field) => sum + count(field.type), 1);
          sizes.set(one, size);
        }
        return size;
      }
      default:
        return 1;
    }
  };
  return count(node);
}

class Maker {
  readonly #named: ReadonlyMap<string, NamedType>;
  readonly #codecs: Codecs;
  readonly #records = new Map<string, RecordNode>();

  constructor(schema: SchemaType) {
    this.#named = schema.named;
    this.#codecs = new Codecs(schema);
  }

  node(type: AvroType): TypeNode {
    const codec = this.#codecs.of(type);
    switch (type.kind) {
      case "primitive":
        return { kind: "primitive", name: type.name, logical: null, codec };
      case "logical": {
        const under = this.node(type.underlying);
        return under.kind === "primitive" || under.kind === "fixed"
          ? { ...under, logical: logicalShown(type), codec }
          : under;
      }
      case "array":
        return { kind: "array", inner: this.node(type.items), codec };
      case "map":
        return { kind: "map", inner: this.node(type.values), codec };
      case "union":
        return { kind: "union", branches: type.branches.map((one) => this.node(one)), codec };
      case "reference":
        return this.#reference(type.name, codec);
    }
  }

  #reference(name: string, codec: Codec<unknown>): TypeNode {
    const found = this.#named.get(name);
    switch (found?.kind) {
      case "enum":
        return { kind: "enum", name, symbols: found.symbols, default: found.default, codec };
      case "fixed":
        return { kind: "fixed", name, size: found.size, logical: null, codec };
      case "record": {
        let record = this.#records.get(name);
        if (record === undefined) {
          record = { kind: "record", name, fields: [], codec };
          this.#records.set(name, record);
          for (const one of found.fields) {
            const given = one.default === undefined ? null : { json: one.default };
            const property = propertyOf(one.name);
            record.fields.push({ name: one.name, property, type: this.node(one.type), default: given });
          }
        }
        return record;
      }
      case undefined:
        throw new TypeError(`the schema names the type '${name}', which it does not define`);
    }
  }
}

function logicalShown({ name, precision, scale }: LogicalType): string {
  return name === "decimal" ? `decimal(${precision}, ${scale})` : name;
}
