/** The remotes that an orbiter knows: their incarnation, where they listen, and when they were last seen. */

import { Encoding } from "../../../generated/typescript/envelope.js";
import * as timings from "../../../generated/typescript/timings.js";

import type { OrbiterConfig } from "./config.js";
import { Deadlines } from "./deadlines.js";
import { SINCE_1_1, type SenderHeaders } from "./headers.js";
import type { ProtocolMessageType } from "./messages.js";
import type { OrbiterStatistics } from "./orbiter-statistics.js";
import { RateLimiter } from "./rate-limiter.js";
import type { Suspicion } from "./suspicions.js";

const NEWEST_FIRST: readonly Encoding[] = Object.values(Encoding).filter((one) => one !== Encoding.JSON);
/** Peers that are looked at to find one to forget. */
const LOOKS = 64;

/** An event whose answer proves an incarnation. */
export interface Challenge {
  /** Identifier of the event. */
  readonly identifier: string;
  /** Its message. */
  readonly type: ProtocolMessageType;
  readonly sentAt: number;
}

/** What is written to a remote that has said what it reads: the newest that both know, `json` without any. */
export function newestEncoding(readable: readonly string[] | null): Encoding {
  return NEWEST_FIRST.find((encoding) => readable?.includes(encoding)) ?? Encoding.JSON;
}

/**
 * What the incarnation of an event is to what is known of its sender.
 *
 * `current`: it is the one that is known, or none is for sure. `unknown`: it claims to be the next one, and has to prove
 * that. `past`: it has ended.
 */
export type IncarnationStatus = "current" | "unknown" | "past";

/** What a peer says of itself in a handshake. The topics are checked, and ready to publish to. */
export interface PeerTopics {
  readonly keepaliveTopic: string;
  readonly keepaliveRequestTopic: string;
  /** Seconds. */
  readonly considersMeDeadAfter: number;
}

/** An unknown incarnation in which a peer was heard, and which is not proven. */
export interface Claim {
  /** `null` if it was heard without headers. */
  readonly incarnation: string | null;
  /** When it was heard last. */
  heardAt: number;
  /** What its discover has told. */
  topics: PeerTopics | null;
  /** The last offers that were sent since the first of these claims. */
  offers: readonly string[];
}

/** One remote orbiter. Times are seconds on the clock of the machine's caller. */
export class Peer {
  /** The current one; `null` for an older peer, which sends none. */
  incarnation: string | null = null;
  /** Those before, the last one at the end. */
  pastIncarnations: readonly string[] = [];
  /** The last events to it alone whose answer proves an incarnation. */
  challenges: readonly Challenge[] = [];
  /** When another incarnation was proven, of late. */
  changedAt: readonly number[] = [];
  /** When a past incarnation last answered what was sent after it was replaced. */
  pastProvenAt: number | null = null;
  /** When it was last asked for a keepalive because of a claim. */
  challengedAt: number | null = null;
  /** Whether it was heard in this incarnation on a topic that it alone may publish to. */
  isIncarnationCertain = false;
  /** The unknown incarnation that was heard last, until it is proven or was not heard for long. */
  claim: Claim | null = null;
  /** The best of what it is known to read in that incarnation. */
  toldEncoding: Encoding = Encoding.JSON;
  keepaliveTopic: string | null = null;
  keepaliveRequestTopic: string | null = null;
  /** Seconds of silence after which it gives this orbiter up. */
  considersMeDeadAfter: number | null = null;
  /** How many connections there are with it; while there are any, it is owed keepalives. */
  connections = 0;
  /** Whether it has been silent for too long, and was not heard since. Nothing is agreed with it then. */
  isDead = false;
  lastKeepaliveSent: number | null = null;
  /** When it was asked for a keepalive, if it has been silent since. */
  probedAt: number | null = null;
  /** When it was last told that it believes in a connection which this orbiter does not know. */
  reconciledAt: number | null = null;
  /** When it is asked for a second keepalive, since the first missed a connection. */
  reconcileAt: number | null = null;
  /** When that incarnation was first heard. */
  incarnationSince = -Infinity;
  /** When a past incarnation was first heard beside it. */
  pastHeardAt: number | null = null;
  /** When it was last asked for a keepalive because of that. */
  doubtedAt: number | null = null;
  /** Whether there are two of that identifier. */
  hasNamesake = false;
  /** Of what comes on topics that it alone may publish to. */
  readonly rate = new RateLimiter();
  #rateInItsName: RateLimiter | null = null;

  constructor(
    readonly identifier: string,
    public lastSeen: number,
  ) {}

  /** Of what comes on topics that everybody may publish to, such as that of discovers. */
  get rateInItsName(): RateLimiter {
    return (this.#rateInItsName ??= new RateLimiter());
  }

  /** Whether it puts headers on its events, as every peer does but an older one. */
  get sendsHeaders(): boolean {
    return this.incarnation !== null;
  }

  /** Whether it knows version 1.1 of the protocol, or a later one: it lists that version of the envelope. */
  get isOfVersion11(): boolean {
    return SINCE_1_1.has(this.toldEncoding);
  }

  /** What to write to it: what its next incarnation reads, too, if there may be one. */
  get encoding(): Encoding {
    return this.claim === null ? this.toldEncoding : Encoding.JSON;
  }

  /** What the incarnation of an event of this peer is to what is known of it. */
  status(headers: Pick<SenderHeaders, "incarnation">): IncarnationStatus {
    const incarnation = headers.incarnation;
    if (this.isDead || !this.isIncarnationCertain || incarnation === this.incarnation) {
      return "current";
    }
    return incarnation !== null && this.pastIncarnations.includes(incarnation) ? "past" : "unknown";
  }
}

/**
 * All peers by identifier, and when each is owed a keepalive, asked for one, or dead.
 *
 * A keepalive is owed to a peer, not to a connection. Hearing from a peer is an assignment: its deadlines only move
 * later, and are worked out anew when they are reached.
 *
 * Peers with which nothing is shared any more, dead ones included, are remembered, since they may believe otherwise.
 * When there are `limits.knownRemotes`, these are forgotten, the longest parted first, unless the user has named them.
 */
export class Peers {
  /** When something is due next. */
  readonly deadlines = new Deadlines<Peer>();
  /** By identifier: peers whose will has come, and no message of the protocol since. */
  readonly suspected = new Map<string, Suspicion>();
  readonly #peers = new Map<string, Peer>();
  readonly #parted = new Set<string>();
  /** Peers whose time has come, which nothing was done about yet. */
  #due: Peer[] = [];
  #deadAfter = Infinity;
  #probeAfter = Infinity;
  #firstLookAfter = Infinity;

  constructor(
    private config: OrbiterConfig,
    private readonly statistics: OrbiterStatistics,
  ) {
    this.#setDurations();
  }

  /** How many peers are known. */
  get size(): number {
    return this.#peers.size;
  }

  /** What is known of a remote, given its identifier; `undefined` for a stranger. */
  get(identifier: string): Peer | undefined {
    return this.#peers.get(identifier);
  }

  /** Every peer that is known. */
  all(): Peer[] {
    return [...this.#peers.values()];
  }

  /** Take a new snapshot; changed durations count for all peers. */
  configure(config: OrbiterConfig): void {
    const before = this.config;
    this.config = config;
    this.#setDurations();
    if (
      before.considerOthersDeadAfter !== config.considerOthersDeadAfter ||
      before.sendKeepaliveBeforeTimelimit !== config.sendKeepaliveBeforeTimelimit
    ) {
      for (const peer of this.#peers.values()) {
        this.deadlines.discard(peer);
        this.#schedule(peer);
      }
    }
  }

  /**
   * Work out after which silence a peer is dead, asked for a keepalive before that, and first looked at.
   *
   * A keepalive is due `sendKeepaliveBeforeTimelimit` before death; half of that is left for an answer. The first look
   * is in time for the keepalive that is owed to a peer with the same durations.
   */
  #setDurations(): void {
    const after = this.config.considerOthersDeadAfter ?? Infinity;
    this.#deadAfter = after;
    this.#probeAfter = Math.max(after - this.config.sendKeepaliveBeforeTimelimit / 2, after / 2);
    this.#firstLookAfter = this.#keepaliveInterval(after);
  }

  /** What the incarnation of an event is to what is known of its sender. */
  status(identifier: string, headers: Pick<SenderHeaders, "incarnation">): IncarnationStatus {
    return this.#peers.get(identifier)?.status(headers) ?? "current";
  }

  // Hearing

  /**
   * Return the peer that sent an event, made known if it is not.
   *
   * An event is not certain if anybody may have published it in the peer's name.
   */
  meet(identifier: string, headers: SenderHeaders, now: number, isCertain = true): Peer {
    let peer = this.#peers.get(identifier);
    if (peer === undefined) {
      if (this.#peers.size >= this.config.limits.knownRemotes) {
        this.#makeRoom();
      }
      peer = new Peer(identifier, now);
      this.#peers.set(identifier, peer);
      if (this.#firstLookAfter < Infinity) {
        this.deadlines.set(peer, now + this.#firstLookAfter);
      }
    } else {
      // Not in `seen`: data that is handled now may have waited here since before the will came.
      this.suspected.delete(identifier);
      if (now > peer.lastSeen || peer.isDead) {
        this.seen(peer, now);
      }
    }
    const incarnation = headers.incarnation;
    if (incarnation !== peer.incarnation) {
      peer.incarnation = incarnation;
      // One that has ended lives after all, where the one after it is dead.
      peer.pastIncarnations = peer.pastIncarnations.filter((past) => past !== incarnation);
      peer.incarnationSince = now;
      peer.pastHeardAt = null;
      peer.toldEncoding = Encoding.JSON;
      peer.isIncarnationCertain = false;
    } else if (peer.isIncarnationCertain && peer.toldEncoding === Encoding.AVRO && peer.claim === null) {
      return peer; // nothing better can be known
    }
    if (isCertain || !peer.isIncarnationCertain) {
      peer.isIncarnationCertain = isCertain;
      if (headers.readableEncodings !== null) {
        peer.toldEncoding = newestEncoding(headers.readableEncodings);
      }
    }
    if (isCertain) {
      this.#settleClaim(peer, now);
    }
    return peer;
  }

  /** Take over what a claim has told that is proven now, and forget one that was not heard for long. */
  #settleClaim(peer: Peer, now: number): void {
    const claim = peer.claim;
    if (claim === null) {
      return;
    }
    if (claim.incarnation === peer.incarnation) {
      if (claim.topics !== null) {
        this.told(peer, claim.topics);
      }
      peer.claim = null;
    } else if (claim.heardAt + timings.CHALLENGE_ANSWERED_WITHIN <= now) {
      peer.claim = null;
    }
  }

  /** Note a sign of life. */
  seen(peer: Peer, now: number): void {
    peer.lastSeen = Math.max(peer.lastSeen, now);
    peer.probedAt = null;
    if (peer.isDead) {
      peer.isDead = false;
      this.#schedule(peer);
    }
  }

  /** Take over what a peer says about itself in a handshake. */
  told(peer: Peer, topics: PeerTopics): void {
    peer.keepaliveTopic = topics.keepaliveTopic;
    peer.keepaliveRequestTopic = topics.keepaliveRequestTopic;
    if (peer.considersMeDeadAfter !== topics.considersMeDeadAfter) {
      peer.considersMeDeadAfter = topics.considersMeDeadAfter;
      if (peer.connections > 0) {
        this.#schedule(peer);
      }
    }
  }

  // What is shared

  /** Note that something is shared with a remote, also with one that is not known yet. */
  engaged(identifier: string): void {
    this.#parted.delete(identifier);
  }

  /** Note that nothing is shared with a peer any more. */
  parted(identifier: string): void {
    if (this.#peers.has(identifier)) {
      this.#parted.delete(identifier);
      this.#parted.add(identifier);
    }
  }

  /** Count one more connection with a peer, which is owed keepalives from the first on. */
  connected(identifier: string, now: number): void {
    const peer = this.#peers.get(identifier);
    if (peer !== undefined) {
      peer.connections += 1;
      if (peer.connections === 1) {
        // The handshake has served as a keepalive.
        peer.lastKeepaliveSent = now;
        this.#schedule(peer);
      }
    }
  }

  /** Count one connection less; after the last one the peer is owed nothing. */
  disconnected(identifier: string): void {
    const peer = this.#peers.get(identifier);
    if (peer !== undefined && peer.connections > 0) {
      peer.connections -= 1;
    }
  }

  /** Know a peer no more. */
  forget(identifier: string): void {
    const peer = this.#peers.get(identifier);
    if (peer !== undefined) {
      this.#peers.delete(identifier);
      this.deadlines.discard(peer);
    }
    this.#parted.delete(identifier);
  }

  /** Know nobody. */
  clear(): void {
    this.#peers.clear();
    this.#parted.clear();
    this.suspected.clear();
    this.deadlines.clear();
    this.#due = [];
  }

  // Deadlines

  /** Have a peer asked for a keepalive at a time. */
  reconcileLater(peer: Peer, at: number): void {
    peer.reconcileAt = at;
    this.#schedule(peer);
  }

  /** Return the peers that have been silent for too long, and take them for dead from now on. */
  popDead(now: number): Peer[] {
    const dead = this.#allDue(now).filter((peer) => !peer.isDead && peer.lastSeen + this.#deadAfter <= now);
    for (const peer of dead) {
      peer.isDead = true;
    }
    return dead;
  }

  /** Return the peers that are owed a keepalive; the caller is to note when each got it. */
  popKeepalivesDue(now: number): Peer[] {
    return this.#allDue(now).filter(
      (peer) =>
        peer.connections > 0 &&
        peer.lastKeepaliveSent !== null &&
        peer.lastKeepaliveSent + this.#keepaliveInterval(peer.considersMeDeadAfter) <= now,
    );
  }

  /** Return the peers to ask for a keepalive: once in each silence, and for a reconciliation. */
  popProbesDue(now: number): Peer[] {
    return this.#allDue(now).filter((peer) => {
      let isMissed = !peer.isDead && peer.probedAt === null && peer.lastSeen + this.#probeAfter <= now;
      if (isMissed) {
        peer.probedAt = now;
      }
      if (peer.reconcileAt !== null && peer.reconcileAt <= now) {
        peer.reconcileAt = null;
        isMissed = true;
      }
      return isMissed;
    });
  }

  /** When the next of all these is due. */
  nextDeadline(): number | null {
    this.#settleDue();
    return this.deadlines.next();
  }

  #allDue(now: number): Peer[] {
    this.#settleDue();
    this.#due = this.deadlines.popDue(now);
    return this.#due;
  }

  /** Work out when those are due again whose time had come. */
  #settleDue(): void {
    const due = this.#due;
    this.#due = [];
    for (const peer of due) {
      if (this.#peers.get(peer.identifier) === peer) {
        this.#schedule(peer);
      }
    }
  }

  /** Set the next deadline of a peer, if it is earlier than the one that is set. */
  #schedule(peer: Peer): void {
    let at = Infinity;
    if (!peer.isDead) {
      at = peer.lastSeen + (peer.probedAt === null ? this.#probeAfter : this.#deadAfter);
    }
    if (peer.connections > 0 && peer.lastKeepaliveSent !== null) {
      at = Math.min(at, peer.lastKeepaliveSent + this.#keepaliveInterval(peer.considersMeDeadAfter));
    }
    if (peer.reconcileAt !== null) {
      at = Math.min(at, peer.reconcileAt);
    }
    if (at < (this.deadlines.dueAt(peer) ?? Infinity)) {
      this.deadlines.set(peer, at);
    }
  }

  /** Forget of those with whom nothing is shared as many as have to make room for one more. */
  #makeRoom(): void {
    let looks = 0;
    for (const identifier of this.#parted) {
      if (this.#peers.size < this.config.limits.knownRemotes || looks === LOOKS) {
        return;
      }
      looks += 1;
      if (this.config.named.has(identifier)) {
        this.parted(identifier);
      } else {
        this.forget(identifier);
        this.statistics.forgotten += 1;
      }
    }
  }

  /** How often a peer is owed a keepalive that gives this orbiter up after so much silence. */
  #keepaliveInterval(after: number | null): number {
    if (after === null || !(after > 0 && after < Infinity)) {
      return Infinity;
    }
    const beforeLimit = this.config.sendKeepaliveBeforeTimelimit;
    return beforeLimit < after ? after - beforeLimit : after / 2;
  }
}
