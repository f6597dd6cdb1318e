/** Canonical forms and fingerprints of schemas, given as texts that anybody may have written; the last are remembered. */

import { NESTING_DEPTH, SCHEMA_BYTES } from "../../../generated/typescript/limits.js";
import { SCHEMAS } from "../../../generated/typescript/schemas.js";
import { Fault } from "../support/fault.js";
import { isObject, parseJsonObject, valueOf, type JsonValue } from "../support/json.js";
import type { MessageSchema } from "../support/schema.js";
import { utf8Length } from "../support/text.js";

import { canonicalFormOf } from "./canonical-form.js";
import { fingerprintOf } from "./fingerprint.js";
import { Lately } from "./lately.js";

/** Schemas whose canonical form is kept, and as many old ones: strangers may name ever new ones. */
const KEPT = 128;
/** Characters that a canonical form may have while it is made: names gain their namespace wherever they stand. */
const LONGEST_DRAFT = 8 * SCHEMA_BYTES;

/** Canonical forms of the messages of the protocol: they are always at hand. */
const GENERATED: ReadonlyMap<string, string> = new Map(
  Object.values(SCHEMAS).map((one: MessageSchema) => [one.schema, one.canonicalForm]),
);
const FORMS = new Lately<string | null>(KEPT);
const FINGERPRINTS = new Lately<string>(KEPT);

/**
 * The canonical form of a schema given as JSON text: Avro's parsing canonical form, with logical types.
 *
 * Text that is no schema stands for itself, and so does one that is deeper than `limits.NESTING_DEPTH` allows, or is
 * larger than `limits.SCHEMA_BYTES` here or there: it is the same as an equal text and as nothing else.
 */
export function canonicalForm(schema: string): string {
  return knownForm(schema) ?? schema;
}

/** Whether `canonicalForm` takes no time, since this text was asked for lately or is too long. */
export function isFamiliar(schema: string): boolean {
  return GENERATED.has(schema) || schema.length > SCHEMA_BYTES || FORMS.has(schema);
}

/** Whether a text is a schema that can be compared with others. */
export function isSchema(text: string): boolean {
  return knownForm(text) !== null;
}

/** Say why a text is no schema. */
export function whyNot(text: string): string {
  try {
    canonicalFormOf(parsedSchema(text));
  } catch (error) {
    if (error instanceof Fault) {
      return error.reason;
    }
    throw error;
  }
  return `expected at most ${String(SCHEMA_BYTES)} bytes of well-formed text, got ${String(utf8Length(text))}`;
}

/** The fingerprint of a schema, as the envelope has it; text that is no schema has one, too. */
export function fingerprintOfSchema(schema: string): string {
  return FINGERPRINTS.get(schema, () => fingerprintOf(canonicalForm(schema).toWellFormed()));
}

/** Read a schema that `isSchema` takes. */
export function parsedSchema(text: string): JsonValue {
  return parseJsonObject(text, NESTING_DEPTH);
}

function knownForm(schema: string): string | null {
  if (schema.length > SCHEMA_BYTES) {
    return null;
  }
  return GENERATED.get(schema) ?? FORMS.get(schema, () => formOf(schema));
}

/** The canonical form of a schema; `null` if the text is none, or is too large or too deep. */
function formOf(schema: string): string | null {
  try {
    const parsed = parsedSchema(schema);
    const names = schema.split('"').length / 2;
    if (longestNamespace(parsed) * names > LONGEST_DRAFT) {
      return null;
    }
    const form = canonicalFormOf(parsed);
    // JSON can hold names that no text can.
    return form.isWellFormed() && utf8Length(form) <= SCHEMA_BYTES ? form : null;
  } catch (error) {
    if (error instanceof Fault) {
      return null;
    }
    throw error;
  }
}

/** How long the longest namespace is that any name may get. */
function longestNamespace(value: JsonValue): number {
  if (Array.isArray(value)) {
    return Math.max(0, ...(value as readonly JsonValue[]).map(longestNamespace));
  }
  if (!isObject(value)) {
    return 0;
  }
  const name = valueOf(value, "name");
  const namespace = valueOf(value, "namespace");
  return Math.max(
    typeof name === "string" && name.includes(".") ? name.length : 0,
    typeof namespace === "string" ? namespace.length : 0,
    ...Object.values(value).map(longestNamespace),
  );
}
