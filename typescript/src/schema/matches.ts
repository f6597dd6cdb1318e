/** How values of a writer's type become those of a reader's: what a comparison finds, and a reader is made of. */

import type { AvroType, EnumType, FieldType, RecordType } from "./types.js";

/** A value of the same type: it is read as if the reader had written it. */
export interface SameMatch {
  readonly kind: "same";
  readonly reader: AvroType;
}

/** A value of a primitive type that is read as one of another one. */
export interface PromotionMatch {
  readonly kind: "promotion";
  readonly writer: string;
  readonly reader: string;
}

/** An array or a map. */
export interface ContainerMatch {
  readonly kind: "array" | "map";
  readonly inner: Match;
  /** The type of an item, as it is written. */
  readonly written: AvroType;
}

/** A value that is written as a branch of a union: each is read in its own way, or not at all. */
export interface UnionMatch {
  readonly kind: "union";
  readonly branches: readonly (Match | null)[];
}

/** A symbol. */
export interface EnumMatch {
  readonly kind: "enum";
  readonly writer: EnumType;
  readonly reader: EnumType;
}

/** A field that is written. */
export interface FieldMatch {
  readonly writer: FieldType;
  /** Where its value goes; `null` for one that is passed over. */
  readonly target: { readonly reader: FieldType; readonly match: Match } | null;
}

/** A record. */
export interface RecordMatch {
  readonly kind: "record";
  readonly reader: RecordType;
  /** In the order of the wire. */
  readonly fields: readonly FieldMatch[];
  /** Fields of the reader that are not written. */
  readonly missing: readonly FieldType[];
}

/** How a value is read. */
export type Match = SameMatch | PromotionMatch | ContainerMatch | UnionMatch | EnumMatch | RecordMatch;
