/**
 * In which incarnation a remote is heard, and what an unknown one has to do to be believed.
 *
 * An incarnation is a random value, so nothing but a proof tells which of two is the one that lives. An unknown one is a
 * claim, and ends nothing. It is proven by an event that answers one which this orbiter has sent a short while ago, and
 * which nobody could know who does not read what is sent to the remote. What proves nothing is dropped, and the remote is
 * asked for a keepalive, whose answer does.
 *
 * Only what was sent since the current incarnation was first heard is a challenge. So an answer of one before, which the
 * bus has held back, does not take the place of the one that lives.
 *
 * Older peers name no incarnation, and their bus client says nothing either: they may have several. Each of their events
 * counts, as long as the remote is not known to send headers. None may be dropped as a claim, since they say things
 * once: an older plugin does not repeat an offer before that has expired.
 */

import * as limits from "../../../generated/typescript/limits.js";
import * as timings from "../../../generated/typescript/timings.js";

import type { OrbiterConfig } from "./config.js";
import { isOfVersion11, type Headers } from "./headers.js";
import type { Lifecycle } from "./lifecycle.js";
import type { Liveness } from "./liveness.js";
import type { ProtocolMessage, ProtocolMessageType } from "./messages.js";
import type { Outbox } from "./outbox.js";
import type { Peer, Peers } from "./peers.js";
import type { SlotTable } from "./slot-table.js";
import { isInOurLayout } from "./topic-resolver.js";
import { SlotState } from "./transitions.js";

/** The messages that prove an incarnation, and what they have to answer for that. */
const ANSWERED: Readonly<Partial<Record<ProtocolMessageType, readonly ProtocolMessageType[]>>> = {
  OfferMessage: ["DiscoverMessage"],
  KeepaliveMessage: ["DiscoverMessage", "KeepaliveRequestMessage"],
  RequestOperationMessage: ["OfferMessage"],
  RejectOperationMessage: ["OfferMessage"],
};

/** Decides whether an event counts, given the incarnation of its sender. Times are seconds. */
export class Incarnations {
  constructor(
    private config: OrbiterConfig,
    private readonly peers: Peers,
    private readonly slots: SlotTable,
    private readonly lifecycle: Lifecycle,
    private readonly liveness: Liveness,
    private readonly outbox: Outbox,
  ) {}

  /** Take a new snapshot. */
  configure(config: OrbiterConfig): void {
    this.config = config;
  }

  /**
   * Whether the part that takes a message is to have it; a proof makes its incarnation the current one.
   *
   * `isBound` says whether the peer alone may publish to the topic. One of another layout, of which nobody can tell that,
   * is as good.
   */
  admits(
    peer: Peer,
    topic: string,
    message: ProtocolMessage,
    headers: Headers,
    now: number,
    isBound: boolean,
  ): boolean {
    const status = peer.status(headers);
    const type = message.type;
    if (status === "current") {
      return true;
    }
    if (type === "WillMessage") {
      return true; // it is of one that may not live, and claims nothing
    }
    const isOpen = type === "AnnounceMessage" || topic === this.config.discoverTopic;
    const isProof = !isOpen && (isBound || !isInOurLayout(topic)) && this.#isProof(peer, type, headers, now);
    if (status === "past") {
      this.#hearPast(peer, type, headers, now, isOpen, isProof);
      return false;
    }
    if (isProof) {
      return this.#believe(peer, headers, now);
    }
    if (type === "AnnounceMessage" || type === "DiscoverMessage") {
      return true; // the answer is a challenge
    }
    this.liveness.claimed(peer, headers, null, now);
    this.liveness.challengeClaim(peer, now);
    // That it is answered ends nothing, and it may be all that the remote waits for.
    return type === "KeepaliveRequestMessage";
  }

  #hearPast(
    peer: Peer,
    type: ProtocolMessageType,
    headers: Headers,
    now: number,
    isOpen: boolean,
    isProof: boolean,
  ): void {
    if (isProof) {
      peer.pastProvenAt = now;
    }
    if (!isOpen) {
      this.liveness.namesakes.heardPast(peer, headers, now);
    } else if (type === "DiscoverMessage") {
      this.liveness.namesakes.doubt(peer, now);
    }
  }

  /** Take a proven incarnation for the current one, unless two alternate; returns whether it is. */
  #believe(peer: Peer, headers: Headers, now: number): boolean {
    const until = this.liveness.namesakes.changeWaitsUntil(peer, now);
    if (until === null) {
      this.#replace(peer, headers, now);
      return true;
    }
    this.peers.reconcileLater(peer, until);
    if (peer.claim !== null) {
      peer.claim.offers = []; // what takes them up is dropped here, so they have to be sent again
    }
    return false;
  }

  /** Whether a message answers an event of late whose answer shows who lives. */
  #isProof(peer: Peer, type: ProtocolMessageType, headers: Headers, now: number): boolean {
    const answered = ANSWERED[type] ?? [];
    const since = Math.max(peer.incarnationSince, now - timings.CHALLENGE_ANSWERED_WITHIN);
    const answers = headers.correlationIdentifier;
    // Peers of version 1.0, which read another envelope, name nothing. One of this version is not believed to be of an
    // earlier one from now on.
    const namesIt = peer.isOfVersion11 || isOfVersion11(headers);
    if (headers.incarnation === null || (answers === null && namesIt)) {
      return false;
    }
    return [...peer.challenges, ...this.outbox.challenges.values()].some(
      (challenge) =>
        answered.includes(challenge.type) &&
        challenge.sentAt >= since &&
        (answers === null || answers === challenge.identifier),
    );
  }

  /**
   * Take an incarnation for the current one: the one before is past, and what was agreed with it is lost.
   *
   * What is only offered to the new one was not agreed with the one before.
   */
  #replace(peer: Peer, headers: Headers, now: number): void {
    const remote = peer.identifier;
    const offers = new Set(peer.claim?.offers ?? []);
    const slots = this.slots.ofRemote(remote);
    const offered = slots.filter((slot) => slot.offerIdentifiers.some((identifier) => offers.has(identifier)));
    const lost = slots.filter((slot) => slot.state !== SlotState.OFFERED || !offered.includes(slot));
    if (lost.length > 0) {
      this.lifecycle.lose(remote, "restarted", lost);
    }
    if (peer.incarnation !== null) {
      peer.pastIncarnations = [...peer.pastIncarnations, peer.incarnation].slice(-limits.PAST_INCARNATIONS);
    }
    peer.challenges = [];
    this.peers.meet(remote, headers, now);
    const free = offered.filter((slot) => slot.state === SlotState.FREE);
    this.liveness.role.remoteRestarted?.(peer, free, now);
    this.liveness.namesakes.changed(peer, now);
  }
}
