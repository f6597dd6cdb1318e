/**
 * Every limit on what others can use up: messages, handshakes, memory, schemas to read.
 *
 * Strangers share what is left. Remotes that the user has named, and those with a connection, are served first. The
 * limits and what happens beyond them are explained in `docs/reference/limits.md`.
 */

import * as limits from "../../../generated/typescript/limits.js";
import * as timings from "../../../generated/typescript/timings.js";
import { RemoteProtocolError } from "../errors.js";
import { canonicalForm, isFamiliar } from "../schema/forms.js";

import type { OrbiterConfig } from "./config.js";
import type { OrbiterStatistics } from "./orbiter-statistics.js";
import type { Peer } from "./peers.js";
import { RateLimiter } from "./rate-limiter.js";
import type { SlotTable } from "./slot-table.js";
import type { Slot } from "./slots.js";

/** How many times as long as to read a schema it takes to compare it with another one, and to make what reads it. */
const COMPARING = 8;
/** Handshakes that are looked at to find one to give up. */
const LOOKS = 64;

/** Decides what of others is taken, and counts what is not. Times are seconds on the clock of the caller. */
export class Quotas {
  /** Whether no handshake is begun any more. */
  isClosed = false;
  /** How often anything was more than is taken; the statistics have it by kind. */
  overruns = 0;
  readonly #strangers = new RateLimiter();
  readonly #named = new RateLimiter();
  readonly #schemas = new RateLimiter();

  constructor(
    private config: OrbiterConfig,
    private readonly slots: SlotTable,
    private readonly statistics: OrbiterStatistics,
  ) {}

  /** Take a new snapshot. */
  configure(config: OrbiterConfig): void {
    this.config = config;
  }

  // Messages

  /**
   * Whether a message may be looked at, given how many there were.
   *
   * Strangers share a bound, since they can have any number of names; those that the user has named have one more, so
   * that others cannot use theirs up. `isProven` says whether the sender alone may publish to the topic: what anybody
   * may publish in the name of a peer does not count for what the peer alone may.
   */
  admit(sender: string, peer: Peer | null, isProven: boolean, now: number): boolean {
    const config = this.config;
    if (peer !== null && this.slots.hasRemote(sender)) {
      const limiter = isProven ? peer.rate : peer.rateInItsName;
      if (limiter.admits(now, config.limits.remoteEventsPerSecond)) {
        return true;
      }
      this.statistics.tooFast += 1;
      this.overruns += 1;
      return false;
    }
    if (
      this.#strangers.admits(now, config.limits.strangerEventsPerSecond) ||
      (config.named.has(sender) && this.#named.admits(now, config.limits.remoteEventsPerSecond))
    ) {
      return true;
    }
    this.statistics.tooFastStrangers += 1;
    this.overruns += 1;
    return false;
  }

  /** Throw a `RemoteProtocolError` for a message that is about more operations than one may be. */
  checkOperations(remoteIdentifier: string, count: number): void {
    if (count > limits.OPERATIONS_OF_MESSAGE) {
      throw new RemoteProtocolError(
        `remote '${remoteIdentifier}' sent a message about ${count} operations, ` +
          `${limits.OPERATIONS_OF_MESSAGE} are allowed`,
      );
    }
  }

  /**
   * Whether what a remote has named for one operation may be compared, or kept for that.
   *
   * Reading a schema takes long. It is done here, within bounds, and not again while the schema is familiar.
   */
  admitSchemas(schemas: readonly string[], now: number, areCompared = true): boolean {
    const unfamiliar = areCompared ? schemas.filter((text) => !isFamiliar(text)) : [];
    const perSecond = this.config.limits.unfamiliarSchemaBytesPerSecond;
    if (
      lengthOf(schemas) > limits.SCHEMA_BYTES ||
      (unfamiliar.length > 0 && !this.#schemas.admits(now, perSecond, lengthOf(unfamiliar)))
    ) {
      this.statistics.unreadSchemas += 1;
      this.overruns += 1;
      return false;
    }
    unfamiliar.forEach(canonicalForm);
    return true;
  }

  /** Whether schemas of so many characters, which were read, may be compared field by field. */
  admitComparison(size: number, now: number): boolean {
    if (this.#schemas.admits(now, this.config.limits.unfamiliarSchemaBytesPerSecond, COMPARING * size)) {
      return true;
    }
    this.statistics.unreadSchemas += 1;
    this.overruns += 1;
    return false;
  }

  /** Whether one more message of a remote may wait for hooks and the bus, given how much does. */
  admitsWork(ofRemote: number, bytesOfRemote: number, inAll: number, bytesInAll: number): boolean {
    const config = this.config;
    return (
      ofRemote < config.limits.waitingWorkOfRemote &&
      bytesOfRemote < config.limits.waitingWorkBytes / 2 &&
      inAll < config.limits.waitingWork &&
      bytesInAll < config.limits.waitingWorkBytes
    );
  }

  // Handshakes and connections

  /** Whether one more handshake may be begun. */
  hasRoomForPending(): boolean {
    const { config, slots } = this;
    return (
      !this.isClosed &&
      slots.pendingCount < config.limits.pendingRequests &&
      slots.pendingBytes < config.limits.pendingBytes &&
      slots.remoteCount < config.limits.knownRemotes
    );
  }

  /** Whether one more connection with a remote may be opened. */
  hasRoomForConnection(remoteIdentifier: string): boolean {
    return this.slots.connectionBytes < this.config.limits.connectionBytes || this.config.named.has(remoteIdentifier);
  }

  /**
   * Whether there is room for a handshake with a remote; one that goes unanswered may be given up for it.
   *
   * That is the oldest. If it is younger than `CONTESTED_AFTER`, its answer may be on its way, and it stays unless the
   * user has named this remote. Remotes that have a connection, or are named themselves, are spared.
   */
  makeRoomForPending(remoteIdentifier: string, now: number, giveUp: (slot: Slot) => void): boolean {
    if (this.hasRoomForConnection(remoteIdentifier)) {
      if (this.hasRoomForPending()) {
        return true;
      }
      if (this.isClosed) {
        return false;
      }
      if (this.#makesRoom(remoteIdentifier, now, giveUp)) {
        return true;
      }
    }
    this.statistics.turnedAway += 1;
    this.overruns += 1;
    return false;
  }

  #makesRoom(remoteIdentifier: string, now: number, giveUp: (slot: Slot) => void): boolean {
    for (let look = 0; look < LOOKS; look++) {
      const slot = this.slots.oldestUnanswered();
      if (slot === undefined) {
        return false;
      }
      if (this.#isSpared(slot.remoteIdentifier)) {
        this.slots.spare(slot);
        continue;
      }
      const isContested = slot.waitingSince + timings.CONTESTED_AFTER > now;
      if (isContested && !this.config.named.has(remoteIdentifier)) {
        return false;
      }
      giveUp(slot);
      this.statistics.crowdedOut += 1;
      this.overruns += 1;
      if (this.hasRoomForPending()) {
        return true;
      }
    }
    return false;
  }

  #isSpared(remoteIdentifier: string): boolean {
    return (
      this.config.named.has(remoteIdentifier) || this.slots.ofRemote(remoteIdentifier).some((slot) => slot.isConnection)
    );
  }
}

function lengthOf(texts: readonly string[]): number {
  return texts.reduce((length, text) => length + text.length, 0);
}
