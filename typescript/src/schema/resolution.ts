/** Whether payloads that are written with one schema are read by another one; a stranger may have written either. */

import { NESTING_DEPTH, SCHEMA_BYTES } from "../../../generated/typescript/limits.js";

import { compare } from "./comparison.js";
import { canonicalForm, isSchema, parsedSchema } from "./forms.js";
import { Lately } from "./lately.js";
import { readSchema, type SchemaType } from "./types.js";

/** Comparisons that are remembered, and as many old ones. */
const KEPT = 128;
/** Characters of the schemas in these. */
const KEPT_CHARACTERS = 32 * SCHEMA_BYTES;

const COMPARISONS = new Lately<boolean>(KEPT, KEPT_CHARACTERS);

/** Whether a schema is read by another one. */
export function resolves(writer: string, reader: string): boolean {
  const form = canonicalForm(writer);
  return COMPARISONS.get(keyOf(form, reader), () => isReadBy(form, reader));
}

/** Characters of a writer's schema that `resolves` would have to read: 0 if that was done lately. */
export function unfamiliarCharacters(writer: string, reader: string): number {
  const form = canonicalForm(writer);
  return COMPARISONS.has(keyOf(form, reader)) ? 0 : form.length;
}

function isReadBy(writer: string, reader: string): boolean {
  if (!isSchema(writer) || !isSchema(reader)) {
    return false;
  }
  const [one, other] = [readSchema(parsedSchema(writer)), readSchema(parsedSchema(reader))];
  return isRecord(one) && isRecord(other) && compare(one, other, NESTING_DEPTH) !== null;
}

/** Whether a whole schema is a record, as every payload is. */
function isRecord({ root, named }: SchemaType): boolean {
  return root.kind === "reference" && named.get(root.name)?.kind === "record";
}

function keyOf(form: string, reader: string): string {
  return JSON.stringify([form, reader]);
}
