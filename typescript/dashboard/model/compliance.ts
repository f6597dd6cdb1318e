/** What a core is missing, worked out of what it and the plugins tell an operator. */

import { shapeShown } from "./shapes.js";
import type { OperationInfo, RequirementInfo } from "../../../generated/typescript/messages.js";
import type { ConnectionsAnswer, InfoAnswer } from "../../src/index.js";
import { sayRemote } from "../../src/runtime/explanation.js";
import { match } from "../../src/schema/matching.js";
import { expectsSomething, type SchemaSet } from "../../src/schema/schema-set.js";

/** A plugin that has an operation which a core is missing. */
export interface Candidate {
  readonly plugin: string;
  /** Of the connection; `null` if there is none. */
  readonly state: string | null;
  /** What is in the way: as both descriptions show it, and as both sides say it. */
  readonly reasons: readonly string[];
}

/** An operation that a core is missing. */
export interface Lack {
  readonly operation: string;
  readonly connected: number;
  readonly minimum: number;
  /** Mandatory plugins that are not connected. */
  readonly missing: readonly string[];
  /** Those of them that do not answer. */
  readonly silent: readonly string[];
  readonly candidates: readonly Candidate[];
}

/** What is known of an orbiter here. */
export interface Known {
  readonly info: InfoAnswer | null;
  readonly connections: ConnectionsAnswer | null;
  readonly isThere: boolean;
}

/** The operations that a core requires and does not have, with the plugins that have them. */
export function lacksOf(core: InfoAnswer, own: ConnectionsAnswer, all: ReadonlyMap<string, Known>): Lack[] {
  const lacks: Lack[] = [];
  for (const [operation, requirement] of [...core.requirements].sort()) {
    const states = new Map(
      own.connections
        .filter((one) => one.operationName === operation)
        .map((one) => [one.remoteIdentifier, one.state] as const),
    );
    const open = [...states].filter(([, state]) => state === "open").map(([remote]) => remote);
    const missing = requirement.mandatory.filter((one) => !open.includes(one));
    const connected = open.filter((one) => !requirement.mandatory.includes(one)).length;
    if (missing.length === 0 && connected >= requirement.minimum) {
      continue;
    }
    const candidates = [...all].flatMap(([plugin, known]): Candidate[] => {
      const offered = known.isThere ? known.info?.operations.get(operation) : undefined;
      if (offered === undefined || known.info === null || open.includes(plugin)) {
        return [];
      }
      const reasons = [
        ...obstacles(core.identifier, requirement, plugin, offered, operation, known.connections),
        ...said(core, operation, plugin),
        ...said(known.info, operation, core.identifier),
      ];
      return [{ plugin, state: states.get(plugin) ?? null, reasons }];
    });
    const silent = missing.filter((one) => all.get(one)?.isThere !== true);
    lacks.push({ operation, connected, minimum: requirement.minimum, missing, silent, candidates });
  }
  return lacks;
}

/** What a core lacks of one operation, in a few words. */
export function lackShown({ connected, minimum, missing }: Lack): string {
  const parts = [
    ...(connected < minimum ? [`has ${connected} of at least ${minimum}`] : []),
    ...(missing.length > 0 ? [`is without mandatory ${missing.join(", ")}`] : []),
  ];
  return parts.join(" and ");
}

/** What keeps an orbiter from being lent an operation, as its policy and connections show it. */
export function policyObstacles(
  core: string,
  plugin: string,
  offered: OperationInfo,
  operation: string,
  connections: ConnectionsAnswer | null,
): string[] {
  const reasons: string[] = [];
  if (isExcluded(core, offered.allowlist, offered.blocklist)) {
    reasons.push(`the policy of ${plugin} excludes ${core}`);
  }
  if (offered.maximum !== null && connections !== null) {
    const holders = connections.connections.filter((one) => one.operationName === operation);
    if (holders.length >= offered.maximum) {
      const names = holders.map((one) => one.remoteIdentifier).join(", ") || "nobody";
      reasons.push(`${plugin} lends it to at most ${offered.maximum}, and ${names} has it`);
    }
  }
  return reasons;
}

function obstacles(
  core: string,
  requirement: RequirementInfo,
  plugin: string,
  offered: OperationInfo,
  operation: string,
  connections: ConnectionsAnswer | null,
): string[] {
  const reasons = policyObstacles(core, plugin, offered, operation, connections);
  const isMandatory = requirement.mandatory.includes(plugin);
  if (!isMandatory && isExcluded(plugin, requirement.allowlist, requirement.blocklist)) {
    reasons.push(`the requirement of ${core} excludes ${plugin}`);
  }
  if (!requirement.inputs.some((one) => reads(one, offered.input))) {
    reasons.push(`${plugin} takes ${shapeShown(offered.input)}, and ${core} sends ${shapesShown(requirement.inputs)}`);
  }
  if (!requirement.outputs.some((one) => reads(offered.output, one))) {
    reasons.push(
      `${plugin} gives ${shapeShown(offered.output)}, and ${core} takes ${shapesShown(requirement.outputs)}`,
    );
  }
  return reasons;
}

/** What came of comparing two sets of schemas, as long as both are known. */
const COMPARED = new WeakMap<SchemaSet, WeakMap<SchemaSet, boolean>>();

function reads(writes: SchemaSet, taken: SchemaSet): boolean {
  const known = COMPARED.get(writes) ?? new WeakMap<SchemaSet, boolean>();
  const found = known.get(taken) ?? compare(writes, taken);
  COMPARED.set(writes, known.set(taken, found));
  return found;
}

function compare(writes: SchemaSet, taken: SchemaSet): boolean {
  if (!expectsSomething(writes) && !expectsSomething(taken)) {
    return true;
  }
  try {
    return match(writes, taken, new Set(), () => true) !== null;
  } catch {
    // A stranger may have written something that is no schema; then nothing reads it.
    return false;
  }
}

function shapesShown(sets: readonly SchemaSet[]): string {
  return sets.map(shapeShown).join(", or ") || "nothing";
}

function isExcluded(who: string, allowlist: readonly string[] | null, blocklist: readonly string[] | null): boolean {
  return (allowlist !== null && !allowlist.includes(who)) || (blocklist?.includes(who) ?? false);
}

/** What an orbiter says of a remote for an operation. */
function said(info: InfoAnswer, operation: string, remote: string): string[] {
  return info.remotes
    .filter((one) => one.operationName === operation && one.remoteIdentifier === remote)
    .map((one) => `${info.identifier} says: ${sayRemote(one)}`);
}
