/** What others may make an orbiter keep and do, as far as its user chooses. */

import * as limits from "../../../generated/typescript/limits.js";
import { shownValue } from "../support/shown.js";

/**
 * What others can use up of an orbiter at most: `new Plugin({ identifier, bus, limits: { knownRemotes: 500 } })`.
 *
 * Each is a number above 0, and memory is in bytes. What is left out has the value of the specification.
 * `docs/reference/limits.md` says what happens beyond each.
 */
export interface Limits {
  /** How many remotes may be known at a time; those with which nothing is shared any more make room for others. */
  readonly knownRemotes: number;
  /** How many handshakes may be under way at a time; the longest unanswered make room for others. */
  readonly pendingRequests: number;
  /** How many bytes of memory may be taken by what remotes have told in these handshakes. */
  readonly pendingBytes: number;
  /** How many bytes may be taken by what remotes have told of connections, except those that the user has named. */
  readonly connectionBytes: number;
  /** How many messages of the protocol are looked at in a second of one remote with which something is shared. */
  readonly remoteEventsPerSecond: number;
  /** How many messages of the protocol are looked at in a second of all others together. */
  readonly strangerEventsPerSecond: number;
  /** How many bytes of schemas are read in a second whose text is not one that was read lately. */
  readonly unfamiliarSchemaBytesPerSecond: number;
  /** How many messages and hooks may wait for earlier ones. */
  readonly waitingWork: number;
  /** How many of these may be of one remote. */
  readonly waitingWorkOfRemote: number;
  /** How many bytes of memory may be taken by the messages that wait so; half of it by those of one remote. */
  readonly waitingWorkBytes: number;
}

const DEFAULTS: Limits = {
  knownRemotes: limits.KNOWN_REMOTES,
  pendingRequests: limits.PENDING_REQUESTS,
  pendingBytes: limits.PENDING_BYTES,
  connectionBytes: limits.CONNECTION_BYTES,
  remoteEventsPerSecond: limits.REMOTE_EVENTS_PER_SECOND,
  strangerEventsPerSecond: limits.STRANGER_EVENTS_PER_SECOND,
  unfamiliarSchemaBytesPerSecond: limits.UNFAMILIAR_SCHEMA_BYTES_PER_SECOND,
  waitingWork: limits.WAITING_WORK,
  waitingWorkOfRemote: limits.WAITING_WORK_OF_REMOTE,
  waitingWorkBytes: limits.WAITING_WORK_BYTES,
};

/**
 * All limits, of which some are given and the others are the specification's.
 *
 * Throws a `TypeError` for a name that no limit has and for what is no number, and a `RangeError` for what is not above 0.
 */
export function limitsOf(given: Partial<Limits> = {}): Limits {
  for (const [name, limit] of Object.entries<unknown>({ ...given })) {
    if (!Object.hasOwn(DEFAULTS, name)) {
      throw new TypeError(`there is no limit '${name}' among ${Object.keys(DEFAULTS).join(", ")}`);
    }
    if (typeof limit !== "number") {
      throw new TypeError(`the limit ${name} must be a number, got ${shownValue(limit)}`);
    }
    if (!(limit > 0)) {
      throw new RangeError(`the limit ${name} must be above 0, got ${String(limit)}`);
    }
  }
  return { ...DEFAULTS, ...given };
}
