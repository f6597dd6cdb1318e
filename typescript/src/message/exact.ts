/** Which schemas of this side match the same schema alone. */

import type { PayloadSet } from "./payload-type.js";
import { isSchema, fingerprintOfSchema } from "../schema/forms.js";

/** Fingerprints of the schemas of which the user says so. */
export function exactOf(sets: readonly PayloadSet<unknown>[]): string[] {
  return fingerprints(sets.flatMap((one) => one.exact));
}

/** The same of what is read here, and the schemas with which this side can make nothing of what resolves to them. */
export function inputsThatAreRead(sets: readonly PayloadSet<unknown>[]): string[] {
  return fingerprints(
    sets.flatMap((set) =>
      set.types.filter((one) => one.codec === null || set.exact.includes(one.schema)).map((one) => one.schema),
    ),
  );
}

function fingerprints(schemas: readonly string[]): string[] {
  return [...new Set(schemas.filter((one) => isSchema(one)).map((one) => fingerprintOfSchema(one)))];
}
