/** Questions about what users have said of operations: whom they admit, how many they take, and what has changed. */

import { sameSet, sameTexts } from "../schema/schema-set.js";

import type { OperationTerms, RequirementTerms } from "./config.js";
import type { Slot } from "./slots.js";

/** Whether one more slot, or plugin that is not mandatory, may be taken while so many are. */
export function hasRoom(terms: { readonly maximum: number | null }, taken: number): boolean {
  return terms.maximum === null || taken < terms.maximum;
}

/** Whether the lists of a policy admit a core. */
export function admitsCore(terms: OperationTerms, coreIdentifier: string): boolean {
  return !terms.blocklist.has(coreIdentifier) && (terms.allowlist === null || terms.allowlist.has(coreIdentifier));
}

/** Whether a plugin may be connected at all. */
export function admitsPlugin(terms: RequirementTerms, pluginIdentifier: string): boolean {
  if (terms.mandatory.includes(pluginIdentifier)) {
    return true;
  }
  if (terms.blocklist?.includes(pluginIdentifier) === true) {
    return false;
  }
  return terms.allowlist?.includes(pluginIdentifier) ?? true;
}

/**
 * Those of an operation's slots that its policy does not allow, newest first.
 *
 * What is about to end counts no more, and handshakes count as newer than connections.
 */
export function disallowed(terms: OperationTerms, slots: readonly Slot[]): Slot[] {
  const since = (slot: Slot): number => slot.openedAt || slot.createdAt;
  const goingOn = slots
    .filter((slot) => !slot.isEnding)
    .sort((one, other) => Number(!one.isConnection) - Number(!other.isConnection) || since(one) - since(other));
  const admitted = goingOn.filter((slot) => admitsCore(terms, slot.remoteIdentifier));
  const kept = new Set(terms.maximum === null ? admitted : admitted.slice(0, terms.maximum));
  return goingOn.filter((slot) => !kept.has(slot)).reverse();
}

/** Whether two snapshots say the same of an operation. */
export function sameOperation(one: OperationTerms | undefined, other: OperationTerms | undefined): boolean {
  if (one === other || one === undefined || other === undefined) {
    return one === other;
  }
  return (
    one.maximum === other.maximum &&
    sameShape(one, other) &&
    sameNames(one.allowlist, other.allowlist) &&
    sameNames(one.blocklist, other.blocklist) &&
    sameTexts(one.exact, other.exact)
  );
}

/** Whether an operation takes and gives the same in two snapshots. */
export function sameShape(one: OperationTerms, other: OperationTerms): boolean {
  return sameSet(one.input, other.input) && sameSet(one.output, other.output);
}

/** Whether two snapshots say the same of a requirement. */
export function sameRequirement(one: RequirementTerms | undefined, other: RequirementTerms | undefined): boolean {
  if (one === other || one === undefined || other === undefined) {
    return one === other;
  }
  return (
    one.minimum === other.minimum &&
    one.maximum === other.maximum &&
    sameSets(one.inputs, other.inputs) &&
    sameSets(one.outputs, other.outputs) &&
    sameTexts(one.mandatory, other.mandatory) &&
    sameLists(one.allowlist, other.allowlist) &&
    sameLists(one.blocklist, other.blocklist) &&
    sameTexts(one.exact, other.exact)
  );
}

function sameSets(one: RequirementTerms["inputs"], other: RequirementTerms["inputs"]): boolean {
  return (
    one.length === other.length &&
    one.every((set, index) => {
      const another = other[index];
      return another !== undefined && sameSet(set, another);
    })
  );
}

/** Whether two lists, of which each may be missing, have the same texts in the same order. */
export function sameLists(one: readonly string[] | null, other: readonly string[] | null): boolean {
  return one === null || other === null ? one === other : sameTexts(one, other);
}

function sameNames(one: ReadonlySet<string> | null, other: ReadonlySet<string> | null): boolean {
  if (one === null || other === null) {
    return one === other;
  }
  return one.size === other.size && [...one].every((name) => other.has(name));
}
