/** Whether payloads that are written with one schema are read by another one; a stranger may have written either. */

import { NESTING_DEPTH, SCHEMA_BYTES } from "../../../generated/typescript/limits.js";

import { isObject, valueOf, type JsonValue } from "../support/json.js";
import { compare } from "./comparison.js";
import { canonicalForm, isSchema, parsedSchema } from "./forms.js";
import { Lately } from "./lately.js";
import { Refusal } from "./refusal.js";
import { readSchema } from "./types.js";

/** Comparisons that are remembered, and as many old ones. */
const KEPT = 128;
/** Characters of the schemas in these. */
const KEPT_CHARACTERS = 32 * SCHEMA_BYTES;

const COMPARISONS = new Lately<Refusal | null>(KEPT, KEPT_CHARACTERS);

/** Whether a schema is read by another one. */
export function resolves(writer: string, reader: string): boolean {
  return refusalOf(writer, reader) === null;
}

/** Why a schema is not read by another one; `null` if it is. */
export function refusalOf(writer: string, reader: string): Refusal | null {
  const form = canonicalForm(writer);
  return COMPARISONS.get(keyOf(form, reader), () => compared(form, reader));
}

/** Characters of a writer's schema that `resolves` would have to read: 0 if that was done lately. */
export function unfamiliarCharacters(writer: string, reader: string): number {
  const form = canonicalForm(writer);
  return COMPARISONS.has(keyOf(form, reader)) ? 0 : form.length;
}

function compared(writer: string, reader: string): Refusal | null {
  if (!isSchema(writer)) {
    return new Refusal("is none that can be compared", "", null);
  }
  if (!isSchema(reader)) {
    return new Refusal("is", "a schema", "none that can be compared");
  }
  const [one, other] = [parsedSchema(writer), parsedSchema(reader)];
  const kinds = [kindOf(one), kindOf(other)] as const;
  if (!kinds.every((kind) => kind === "record" || kind === "error")) {
    return new Refusal("is", ...kinds);
  }
  const found = compare(readSchema(one), readSchema(other), NESTING_DEPTH);
  return found instanceof Refusal ? found : null;
}

/** What a whole schema is; every payload is a record. */
function kindOf(schema: JsonValue | undefined): string {
  if (isObject(schema)) {
    return kindOf(valueOf(schema, "type"));
  }
  return typeof schema === "string" ? schema : "union";
}

function keyOf(form: string, reader: string): string {
  return JSON.stringify([form, reader]);
}
