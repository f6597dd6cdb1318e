/**
 * What is done for older peers, which send no headers: they name neither an incarnation nor a connection.
 *
 * What they share with an orbiter that starts anew they keep, since nothing tells them of the start. Their topics do not
 * depend on what was agreed, so that an orbiter can reach them on the topics of py-orbitalis without a handshake.
 */

import * as timings from "../../../generated/typescript/timings.js";
import { expectsSomething } from "../schema/schema-set.js";

import type { OrbiterConfig } from "./config.js";
import type { Headers } from "./headers.js";
import type { Outbox } from "./outbox.js";
import type { Peers } from "./peers.js";
import { RateLimiter } from "./rate-limiter.js";
import type { SlotTable } from "./slot-table.js";
import type { Slot } from "./slots.js";

/** The topics that a request names. */
export interface ToldTopics {
  /** Where the response goes. */
  readonly response: string;
  /** Where outputs go, if the core takes any. */
  readonly output: string | null;
  /** Where closes go. */
  readonly close: string;
}

/**
 * Whether an older core asks again for what it has, or is about to get.
 *
 * It does as long as it takes any number of plugins, and where it has not got the confirm. After a restart its bus client
 * has another identifier.
 */
export function repeatsRequest(slot: Slot, headers: Headers, told: ToldTopics): boolean {
  if (slot.requestIdentifier === headers.identifier) {
    return true;
  }
  return (
    !slot.isEnding &&
    slot.requestPublisher === headers.publisherIdentifier &&
    slot.peerTopic === told.response &&
    slot.outputTopic === (expectsSomething(slot.output) ? told.output : null) &&
    slot.remoteCloseTopic === told.close
  );
}

/** Has older peers give up what they share with a past incarnation of this orbiter. */
export class OlderPeers {
  readonly #closes = new RateLimiter();

  constructor(
    private config: OrbiterConfig,
    private readonly peers: Peers,
    private readonly slots: SlotTable,
    private readonly outbox: Outbox,
  ) {}

  /** Take a new snapshot. */
  configure(config: OrbiterConfig): void {
    this.config = config;
  }

  /** Ask those of some remotes for a keepalive of which nothing is known: an older one answers. */
  ask(identifiers: Iterable<string>): void {
    const fields = {
      fromIdentifier: this.config.identifier,
      keepaliveTopic: this.config.topics.keepaliveOfAnybody,
    };
    for (const identifier of [...identifiers].sort()) {
      if (this.peers.get(identifier) === undefined) {
        const message = { type: "KeepaliveRequestMessage", fields } as const;
        this.outbox.send(identifier, `$keepalive.${identifier}.request`, message, { replacesEarlier: true });
      }
    }
  }

  /** Note that a connection is closed at once: a keepalive on its way may have crossed that, with its data. */
  closed(remoteIdentifier: string, now: number): void {
    const peer = this.peers.get(remoteIdentifier);
    if (peer !== undefined && !peer.sendsHeaders) {
      peer.reconciledAt = now;
    }
  }

  /**
   * Tell an older peer, which has sent a keepalive, to close what this side does not share with it.
   *
   * Its keepalive does not list what it believes in, so it is told of every operation. Where it has no connection, it
   * does not listen.
   */
  closeUnshared(remoteIdentifier: string, now: number): void {
    const peer = this.peers.get(remoteIdentifier);
    if (peer !== undefined) {
      if (peer.reconciledAt !== null && now < peer.reconciledAt + timings.RECONCILIATION_DELAY) {
        return;
      }
      peer.reconciledAt = now;
    }
    const shared = this.slots.withRemote(remoteIdentifier);
    const unshared = this.config.operationNames.filter((name) => !shared.has(name));
    const perSecond = this.config.limits.strangerEventsPerSecond;
    if (unshared.length === 0 || !this.#closes.admits(now, perSecond, unshared.length)) {
      return;
    }
    for (const operationName of unshared) {
      const fields = { fromIdentifier: this.config.identifier, operationName, data: null };
      const message = { type: "GracelessCloneConnectionMessage", fields } as const;
      const topic = `${operationName}.${remoteIdentifier}.${this.config.identifier}.close`;
      this.outbox.send(remoteIdentifier, topic, message, { replacesEarlier: true });
    }
  }
}
