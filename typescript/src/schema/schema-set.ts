/** What operations take and give: sets of schemas, and when one accepts what another may carry. */

import type { Input, Output } from "../../../generated/typescript/messages.js";

import { canonicalForm } from "./forms.js";

/** A set of acceptable schemas; no schemas and both flags false accept nothing at all. */
export type SchemaSet = Input & Output;

/** A set that accepts nothing: an operation is never fed, or answers nothing. */
export const NOTHING: SchemaSet = { schemas: [], supportEmptySchema: false, supportUndefinedSchema: false };

/** Whether a set accepts anything, if only an empty event. */
export function expectsSomething(set: SchemaSet): boolean {
  return set.supportUndefinedSchema || set.supportEmptySchema || set.schemas.length > 0;
}

/** Whether everything is accepted that another set may carry; nothing at all only where nothing is expected. */
export function accepts(mine: SchemaSet, theirs: SchemaSet): boolean {
  if (mine.supportUndefinedSchema) {
    return expectsSomething(theirs);
  }
  if (theirs.supportUndefinedSchema || (theirs.supportEmptySchema && !mine.supportEmptySchema)) {
    return false;
  }
  if (theirs.schemas.length === 0) {
    return theirs.supportEmptySchema || !expectsSomething(mine);
  }
  const forms = new Set(mine.schemas.map(canonicalForm));
  return theirs.schemas.every((schema) => forms.has(canonicalForm(schema)));
}

/**
 * The same set with every schema in the words of the first of `others` that has it.
 *
 * Older peers compare schemas as JSON, documentation included, so an answer to one repeats its spelling.
 */
export function spelledLike(set: SchemaSet, others: readonly SchemaSet[]): SchemaSet {
  const theirs = new Map<string, string>();
  for (const schema of others.flatMap((other) => other.schemas)) {
    const form = canonicalForm(schema);
    if (!theirs.has(form)) {
      theirs.set(form, schema);
    }
  }
  const schemas = set.schemas.map((schema) => theirs.get(canonicalForm(schema)) ?? schema);
  return sameTexts(schemas, set.schemas) ? set : { ...set, schemas };
}

/** Whether two sets are written the same. */
export function sameSet(one: SchemaSet, other: SchemaSet): boolean {
  return (
    one === other ||
    (one.supportEmptySchema === other.supportEmptySchema &&
      one.supportUndefinedSchema === other.supportUndefinedSchema &&
      sameTexts(one.schemas, other.schemas))
  );
}

/** Whether two lists have the same texts in the same order. */
export function sameTexts(one: readonly string[], other: readonly string[]): boolean {
  return one === other || (one.length === other.length && one.every((text, index) => text === other[index]));
}
