/** The contract of vents.yaml for TypeScript: its messages and its operation. */

import { defineOperation, oneOf, record } from "@orbitalis/sdk";

/** How far to open. */
export interface Opening {
  /** From 0, closed, to 100. */
  readonly percent: number;
}

/** How far the vent is open. */
export interface Position {
  /** From 0, closed, to 100. */
  readonly percent: number;
}

/** Something is in the way of the vent. */
export interface VentJammed {
  /** How far it is open, in percent. */
  readonly stuckAt: number;
}

/** The Avro schema of a record that has one number. */
function schemaOf(name: string, field: string): string {
  return JSON.stringify({ type: "record", name, fields: [{ name: field, type: "double" }] });
}

/** Open or close the vent, as far as it is told. */
export const setOpening = defineOperation({
  name: "set_opening",
  input: record<Opening>(schemaOf("Opening", "percent")),
  output: oneOf(
    record<Position>(schemaOf("Position", "percent")),
    record<VentJammed>(schemaOf("VentJammed", "stuck_at")),
  ),
});
