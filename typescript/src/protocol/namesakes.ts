/**
 * Two orbiters with one identifier: how they, and the remotes that hear both, find out.
 *
 * A remote takes the one that has proven itself last for the one that there is, and ignores what the other sends. If
 * both go on, they are two. Then the remote answers the ignored message with a keepalive, which both get: one of them
 * has not sent what it answers. The one that finds out sends a keepalive to its own identifier, and the other one gets
 * it.
 *
 * After a restart, messages of a past incarnation may still come for a while: they count for nothing.
 *
 * If both start again whenever they are ignored, their incarnations replace each other. Then they are told as two, and
 * the next change waits. One that crashes again and again is no namesake of itself: an incarnation of it that has ended
 * never comes back, and each start counts at once. So after many changes the remote is asked for a keepalive, which both
 * of two get and answer.
 */

import type { OrbiterConfig } from "./config.js";
import type { Headers } from "./headers.js";
import type { Liveness } from "./liveness.js";
import type { ProtocolMessage } from "./messages.js";
import type { OrbiterStatistics } from "./orbiter-statistics.js";
import type { Outbox } from "./outbox.js";
import type { Peer } from "./peers.js";

/** Seconds after a start for which messages of a past incarnation may come: a bus that was away delays them. */
const SETTLING = 15;
/** How often the incarnation of a remote may change within that time. */
const CHANGES = 5;

/** Notes for one orbiter who has the same identifier as another one. Times are seconds. */
export class Namesakes {
  /** Identifiers that two orbiters have, each once, which the caller takes out and reports. */
  readonly untold: string[] = [];
  #startedAt = 0;
  /** The event by which another orbiter of this identifier is told of this one. */
  #sent: string | null = null;

  constructor(
    private config: OrbiterConfig,
    private readonly outbox: Outbox,
    private readonly asking: Pick<Liveness, "sendKeepaliveRequest" | "publishKeepalive">,
    private readonly statistics: OrbiterStatistics,
    private readonly identifiers: { isOwn(identifier: string): boolean },
  ) {}

  /** Take a new snapshot. */
  configure(config: OrbiterConfig): void {
    this.config = config;
  }

  /** Begin another incarnation. */
  start(now: number): void {
    this.#startedAt = now;
    this.#sent = null;
  }

  // Of remotes

  /** Take note of a message in the name of a past incarnation, that anybody may have sent: ask who is there. */
  doubt(peer: Peer, now: number): void {
    if (now < peer.incarnationSince + SETTLING || (peer.doubtedAt !== null && now < peer.doubtedAt + SETTLING)) {
      return;
    }
    peer.doubtedAt = now;
    this.asking.sendKeepaliveRequest(peer, now);
  }

  /** Take note of a message of a past incarnation: if the current one is heard after it as well, they are two. */
  heardPast(peer: Peer, headers: Headers, now: number): void {
    if (now < peer.incarnationSince + SETTLING) {
      return;
    }
    if (peer.pastHeardAt === null || peer.lastSeen <= peer.pastHeardAt) {
      peer.pastHeardAt ??= now;
      this.doubt(peer, now);
      return;
    }
    if (this.#tell(peer) && peer.keepaliveTopic !== null) {
      this.asking.publishKeepalive(peer.identifier, peer.keepaliveTopic, headers.identifier);
    }
  }

  /** Note that another incarnation is proven; returns when it may be current, if two alternate. */
  changeWaitsUntil(peer: Peer, now: number): number | null {
    const recent = peer.changedAt.filter((at) => now < at + SETTLING);
    const [first] = recent;
    if (
      first !== undefined &&
      recent.length >= CHANGES &&
      peer.pastProvenAt !== null &&
      now < peer.pastProvenAt + SETTLING
    ) {
      this.#tell(peer);
      return first + SETTLING;
    }
    peer.changedAt = [...recent.slice(1 - CHANGES), now];
    return null;
  }

  /** Take note that another incarnation is current; after many of late, ask whether one that was lives as well. */
  changed(peer: Peer, now: number): void {
    if (peer.changedAt.length >= CHANGES) {
      this.asking.sendKeepaliveRequest(peer, now);
    }
  }

  /** Count a namesake of a remote; returns whether it is the first time. */
  #tell(peer: Peer): boolean {
    this.statistics.namesakes += 1;
    if (peer.hasNamesake) {
      return false;
    }
    peer.hasNamesake = true;
    this.untold.push(peer.identifier);
    return true;
  }

  // Of this orbiter

  /** Take note of a keepalive that answers an event: if that was not sent here, another one has sent it. */
  answered(correlationIdentifier: string, now: number): void {
    if (now >= this.#startedAt + SETTLING && !this.identifiers.isOwn(correlationIdentifier)) {
      this.#found(null);
    }
  }

  /** Take note of a message in the name of this orbiter, which may be the one that it has sent to itself. */
  heardOwn(message: ProtocolMessage, headers: Headers, now: number): void {
    const isEcho = headers.identifier === this.#sent;
    // A core sends no announcements and a plugin no discovers, so that those are not of a past incarnation. Nor is a
    // keepalive that answers what this one has sent.
    const answers = headers.correlationIdentifier;
    const isLate =
      message.type === "KeepaliveMessage" &&
      now < this.#startedAt + SETTLING &&
      (answers === null || !this.identifiers.isOwn(answers));
    if (!isEcho && !isLate) {
      this.#found(headers.identifier);
    }
  }

  #found(correlationIdentifier: string | null): void {
    this.statistics.namesakes += 1;
    if (this.#sent !== null) {
      return;
    }
    const identifier = this.config.identifier;
    this.untold.push(identifier);
    this.#sent = this.outbox.newIdentifier();
    const message = { type: "KeepaliveMessage", fields: { fromIdentifier: identifier } } as const;
    this.outbox.send(identifier, this.config.topics.keepalive(identifier), message, {
      eventIdentifier: this.#sent,
      correlationIdentifier,
    });
  }
}
