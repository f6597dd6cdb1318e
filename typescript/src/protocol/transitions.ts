/**
 * The one way to change a state: what is not in the tables of the specification cannot happen.
 *
 * A *slot* is what one orbiter knows of one operation shared with one remote: an offer or a request under way, then a
 * connection. While nothing is known the slot is `FREE`.
 */

import {
  CORE_SLOT_TRANSITIONS,
  PLUGIN_SLOT_TRANSITIONS,
  type SlotState,
  type SlotTrigger,
} from "../../../generated/typescript/states.js";
import { LocalProtocolError } from "../errors.js";

export { SlotState, SlotTrigger } from "../../../generated/typescript/states.js";

/** Which side of a connection an orbiter is. */
export type Role = "core" | "plugin";

/** The other side of a connection. */
export function otherRole(role: Role): Role {
  return role === "core" ? "plugin" : "core";
}

/** What `trigger` turns `state` into at an orbiter of that role; throws a `LocalProtocolError` if nothing. */
export function nextSlotState(role: Role, state: SlotState, trigger: SlotTrigger): SlotState {
  const table = role === "core" ? CORE_SLOT_TRANSITIONS : PLUGIN_SLOT_TRANSITIONS;
  const next = table[state][trigger];
  if (next === undefined) {
    throw new LocalProtocolError(`a ${role} has no transition from ${state} on '${trigger}'`);
  }
  return next;
}
