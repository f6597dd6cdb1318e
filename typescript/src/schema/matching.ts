/** Whether one side reads what the other side writes, and by what: schemas that are the same, or that resolve. */

import { canonicalForm, fingerprintOfSchema } from "./forms.js";
import { resolves, unfamiliarCharacters } from "./resolution.js";
import { accepts, type SchemaSet } from "./schema-set.js";

/** A schema that is written, and the one by which it is read. */
export interface SchemaPair {
  readonly writer: string;
  readonly reader: string;
  /** Whether both are the same, so that nothing has to be resolved. */
  readonly isExact: boolean;
}

/** Two schemas were not compared, since that would take too much. */
export class NotCompared extends Error {
  override readonly name = "NotCompared";
}

/**
 * By which schema each schema that is written is read, or `null` if there is something that nothing reads.
 *
 * The same schema is preferred, then the first that can read it. `exact` has the fingerprints of schemas, of either side,
 * that match the same schema alone. Empty events, anything and nothing are as `accepts` says. Before two schemas are
 * compared, `admits` is given the length of what has to be read for that; if it says no, a `NotCompared` is thrown.
 */
export function match(
  writes: SchemaSet,
  reads: SchemaSet,
  exact: ReadonlySet<string>,
  admits: (characters: number) => boolean,
): readonly SchemaPair[] | null {
  if (accepts(reads, writes)) {
    return [];
  }
  if (
    reads.supportUndefinedSchema ||
    writes.supportUndefinedSchema ||
    (writes.supportEmptySchema && !reads.supportEmptySchema) ||
    writes.schemas.length === 0
  ) {
    return null;
  }
  const isExact = (schema: string): boolean => exact.size > 0 && exact.has(fingerprintOfSchema(schema));
  const same = new Map(reads.schemas.toReversed().map((schema) => [canonicalForm(schema), schema]));
  const loose = reads.schemas.filter((schema) => !isExact(schema));
  const pairs: SchemaPair[] = [];
  for (const writer of writes.schemas) {
    const equal = same.get(canonicalForm(writer));
    const reader = equal ?? (isExact(writer) ? undefined : loose.find((one) => isRead(writer, one, admits)));
    if (reader === undefined) {
      return null;
    }
    pairs.push({ writer, reader, isExact: equal !== undefined });
  }
  return pairs;
}

function isRead(writer: string, reader: string, admits: (characters: number) => boolean): boolean {
  const characters = unfamiliarCharacters(writer, reader);
  if (characters > 0 && !admits(characters)) {
    throw new NotCompared("two schemas were not compared, since that would take too much");
  }
  return resolves(writer, reader);
}

/** The pairs of which the schemas are not the same, by the fingerprint of what is written; `null` if all are. */
export function foreignSchemas(pairs: readonly SchemaPair[]): ReadonlyMap<string, SchemaPair> | null {
  const foreign = pairs.filter((pair) => !pair.isExact);
  return foreign.length === 0 ? null : new Map(foreign.map((pair) => [fingerprintOfSchema(pair.writer), pair]));
}
