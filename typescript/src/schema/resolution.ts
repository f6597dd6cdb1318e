/** Whether payloads that are written with one schema are read by another one. */

import { SCHEMA_BYTES } from "../../../generated/typescript/limits.js";

import { canonicalForm } from "./forms.js";
import { Lately } from "./lately.js";

/** Comparisons that are remembered, and as many old ones. */
const KEPT = 128;
/** Characters of the schemas in these. */
const KEPT_CHARACTERS = 32 * SCHEMA_BYTES;

const COMPARISONS = new Lately<boolean>(KEPT, KEPT_CHARACTERS);

/** Whether a schema is read by another one. */
export function resolves(writer: string, reader: string): boolean {
  const form = canonicalForm(writer);
  return COMPARISONS.get(keyOf(form, reader), () => form === canonicalForm(reader));
}

/** Characters of a writer's schema that `resolves` would have to read: 0 if that was done lately. */
export function unfamiliarCharacters(writer: string, reader: string): number {
  const form = canonicalForm(writer);
  return COMPARISONS.has(keyOf(form, reader)) ? 0 : form.length;
}

function keyOf(form: string, reader: string): string {
  return JSON.stringify([form, reader]);
}
