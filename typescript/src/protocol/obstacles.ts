/**
 * What has kept operations from being connected: an obstacle for each remote and operation, told once, then counted.
 *
 * Obstacles are noted where something is refused or comes to nothing, so that a handshake that succeeds pays nothing.
 */

import * as limits from "../../../generated/typescript/limits.js";
import { shortened } from "../schema/difference.js";
import { misfits, type Difference, type Shapes } from "../schema/misfits.js";
import { sameSet, type SchemaSet } from "../schema/schema-set.js";

import type { OperationTerms, OrbiterConfig } from "./config.js";
import { sizeOfAll } from "./sizes.js";
import type { SlotTable } from "./slot-table.js";
import type { Slot } from "./slots.js";
import { admitsCore } from "./terms.js";
import { SlotTrigger } from "./transitions.js";

/** Obstacles that are looked at to find one to forget. */
const LOOKS = 64;
/** Characters of a detail: remotes and hooks choose some of them. */
const DETAIL = 300;
/** Bytes that an obstacle takes beside its texts. */
const BYTES = 512;
/** Bytes that an input or output takes beside its schemas. */
const SHAPE_BYTES = 128;
/** Remotes that hold an operation, of which is told. */
const HOLDERS = 5;

/** What is said where `Quotas.admitSchemas` says no. */
export const UNREAD_SCHEMAS = "the schemas are too large, or too many new ones came at a time";

/**
 * What kept an operation from being connected.
 *
 * - `schemas`: input or output of the plugin is not what the core asks for;
 * - `policy`: the policy of the plugin's operation excludes the core;
 * - `constraint`: the constraint of the core's requirement excludes the plugin;
 * - `maximum`: as many cores as the policy allows have the operation;
 * - `limit`: a limit on what others can use up is reached;
 * - `preparation`: topics could not be subscribed to, or the user's preparation failed or took too long;
 * - `not needed`: the core has what it needs;
 * - `rejected`: the core did not take the offer, for a reason of its own;
 * - `unavailable`: the plugin has offered the operation and then not lent it, or has ended the connection;
 * - `unanswered`: the other side did not answer an offer or a request in time;
 * - `protocol`: the other side has told what cannot be used.
 */
export type ObstacleKind =
  | "schemas"
  | "policy"
  | "constraint"
  | "maximum"
  | "limit"
  | "preparation"
  | "not needed"
  | "rejected"
  | "unavailable"
  | "unanswered"
  | "protocol";

/** What kept one operation from being connected with one remote when that was last tried. */
export class Obstacle {
  /** How often it was met in a row. */
  count = 1;
  /** Of which kinds was told. */
  told: ReadonlySet<ObstacleKind> = new Set();
  /** For people; empty where the difference says it. */
  readonly detail: string;

  constructor(
    /** The remote with which it was tried. */
    readonly remoteIdentifier: string,
    /** The operation that was tried. */
    readonly operationName: string,
    /** What kind of obstacle it was. */
    readonly kind: ObstacleKind,
    detail: string,
    /** Where schemas differ. */
    readonly difference: Difference | null = null,
  ) {
    this.detail = detail.slice(0, DETAIL);
  }

  /** About how many bytes it takes. */
  get size(): number {
    const there = this.difference?.there;
    const shapes = there === undefined ? [] : [...there.inputs, ...there.outputs];
    const schemas = shapes.flatMap((shape) => shape.schemas);
    const texts = sizeOfAll([this.remoteIdentifier, this.operationName, this.detail, ...schemas]);
    return BYTES + SHAPE_BYTES * shapes.length + texts;
  }

  /** What was in the way, for people; schemas are compared only now. */
  reasons(isPlugin: boolean): readonly string[] {
    return this.difference === null ? [this.detail] : misfits(this.difference, isPlugin);
  }

  /** Whether it is what was met before. */
  isAgain(before: Obstacle): boolean {
    return this.kind === before.kind && sameDifference(this.difference, before.difference);
  }
}

/**
 * The last obstacle of each remote and operation.
 *
 * At most `limits.OBSTACLES` are kept, in `limits.OBSTACLE_BYTES`. For another one the oldest are forgotten, those of
 * strangers first.
 */
export class Obstacles {
  /** How much memory they take. */
  bytes = 0;
  /** By remote and operation, the one that was met last at the end. */
  readonly #found = new Map<string, Obstacle>();

  constructor(
    private config: OrbiterConfig,
    private readonly slots: SlotTable,
  ) {}

  /** Take a new snapshot. */
  configure(config: OrbiterConfig): void {
    this.config = config;
  }

  /** All obstacles, the one that was met last at the end. */
  all(): Obstacle[] {
    return [...this.#found.values()];
  }

  /** The obstacles of an operation, the newest first. */
  ofOperation(operationName: string): Obstacle[] {
    return this.all()
      .filter((one) => one.operationName === operationName)
      .reverse();
  }

  /** Keep an obstacle; returns whether it is another one than was met before, so that it is to be told. */
  note(obstacle: Obstacle): boolean {
    const key = keyOf(obstacle.remoteIdentifier, obstacle.operationName);
    const before = this.#found.get(key);
    let isNew = true;
    if (before !== undefined) {
      this.forget(obstacle.remoteIdentifier, obstacle.operationName);
      isNew = !before.told.has(obstacle.kind);
      if (obstacle.isAgain(before)) {
        obstacle.count = before.count + 1;
      } else if (obstacle.kind === "schemas") {
        isNew = true;
      }
      obstacle.told = before.told;
    }
    obstacle.told = new Set([...obstacle.told, obstacle.kind]);
    const size = obstacle.size;
    if (size <= limits.SCHEMA_BYTES + BYTES) {
      this.#makeRoom(size);
      this.#found.set(key, obstacle);
      this.bytes += size;
    }
    return isNew;
  }

  /** Forget the obstacle of a remote and operation, which has been overcome. */
  forget(remoteIdentifier: string, operationName: string): void {
    if (this.#found.size === 0) {
      return;
    }
    const key = keyOf(remoteIdentifier, operationName);
    const obstacle = this.#found.get(key);
    if (obstacle !== undefined) {
      this.#found.delete(key);
      this.bytes -= obstacle.size;
    }
  }

  /** Forget all. */
  clear(): void {
    this.#found.clear();
    this.bytes = 0;
  }

  #makeRoom(size: number): void {
    let spared = 0;
    for (const [key, oldest] of this.#found) {
      if (this.#found.size < limits.OBSTACLES && this.bytes + size <= limits.OBSTACLE_BYTES) {
        return;
      }
      const remote = oldest.remoteIdentifier;
      if (spared < LOOKS && (this.config.named.has(remote) || this.slots.hasRemote(remote))) {
        spared += 1;
        this.#found.delete(key);
        this.#found.set(key, oldest);
      } else {
        this.forget(remote, oldest.operationName);
      }
    }
  }
}

function keyOf(remoteIdentifier: string, operationName: string): string {
  return JSON.stringify([remoteIdentifier, operationName]);
}

function sameDifference(one: Difference | null, other: Difference | null): boolean {
  if (one === null || other === null) {
    return one === other;
  }
  return (
    sameShapes(one.here, other.here) &&
    sameShapes(one.there, other.there) &&
    (one.exact === null) === (other.exact === null) &&
    [...(one.exact ?? [])].every((fingerprint) => other.exact?.has(fingerprint) === true) &&
    one.exact?.size === other.exact?.size
  );
}

function sameShapes(one: Shapes, other: Shapes): boolean {
  return areSame(one.inputs, other.inputs) && areSame(one.outputs, other.outputs);
}

function areSame(some: readonly SchemaSet[], others: readonly SchemaSet[]): boolean {
  return (
    some.length === others.length &&
    some.every((one, index) => {
      const other = others[index];
      return other !== undefined && sameSet(one, other);
    })
  );
}

/** What of a policy is against lending an operation to a core. */
export function notAllowed(
  coreIdentifier: string,
  operationName: string,
  terms: OperationTerms,
  slots: SlotTable,
): Obstacle {
  if (terms.blocklist.has(coreIdentifier)) {
    const detail = "the core is on the blocklist of the operation's policy";
    return new Obstacle(coreIdentifier, operationName, "policy", detail);
  }
  if (!admitsCore(terms, coreIdentifier)) {
    const detail = "the core is not on the allowlist of the operation's policy";
    return new Obstacle(coreIdentifier, operationName, "policy", detail);
  }
  const holders = slots.ofOperation(operationName).map((slot) => slot.remoteIdentifier);
  const named = holders.slice(0, HOLDERS).map((holder) => shortened(holder));
  const more = holders.length > HOLDERS ? ` and ${holders.length - HOLDERS} more` : "";
  const detail =
    `the maximum of ${terms.maximum ?? Infinity} is reached: ` +
    `it is lent or offered to ${named.join(", ") || "nobody"}${more}`;
  return new Obstacle(coreIdentifier, operationName, "maximum", detail);
}

/** Why a handshake came to nothing, or a core's connection ended, if what happened to its slot says that. */
export function cameToNothing(slot: Slot, trigger: SlotTrigger): Obstacle | null {
  const isCore = slot.role === "core";
  const obstacle = (kind: ObstacleKind, detail: string): Obstacle =>
    new Obstacle(slot.remoteIdentifier, slot.operationName, kind, detail);
  switch (trigger) {
    case SlotTrigger.DRAINED:
    case SlotTrigger.GRACELESS_CLOSE_RECEIVED:
      return isCore ? obstacle("unavailable", "the plugin has closed the connection") : null;
    case SlotTrigger.REMOTE_LOST:
      return isCore ? obstacle("unavailable", "the plugin was lost: it is dead, or has started anew") : null;
    case SlotTrigger.NO_LONGER_AVAILABLE_RECEIVED:
      return obstacle("unavailable", "the plugin said that it is no longer available");
    case SlotTrigger.EXPIRED:
      if ((slot.requestIdentifier === null) === isCore) {
        return obstacle("preparation", "its preparation did not end in time");
      }
      return isCore
        ? obstacle("unanswered", "the plugin did not answer the request in time")
        : obstacle("unanswered", "the core did not answer the offer in time");
    default:
      return null;
  }
}
