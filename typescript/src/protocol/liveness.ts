/** Signs of life: keepalives sent, asked for and awaited, and what follows where they fail to come. */

import * as timings from "../../../generated/typescript/timings.js";
import { KeepaliveRequestTopic, KeepaliveTopic } from "../../../generated/typescript/topics.js";

import type { OrbiterConfig } from "./config.js";
import type { RolePart } from "./handshake/role-part.js";
import type { Headers, SenderHeaders } from "./headers.js";
import type { Lifecycle } from "./lifecycle.js";
import type { MessageOf } from "./messages.js";
import type { Namesakes } from "./namesakes.js";
import { OlderPeers } from "./older-peers.js";
import type { Outbox } from "./outbox.js";
import type { Peer, Peers, PeerTopics } from "./peers.js";
import type { SlotTable } from "./slot-table.js";
import type { TopicResolver } from "./topic-resolver.js";
import { SlotTrigger } from "./transitions.js";

/** Knows which remotes live, and makes this orbiter known to live. */
export class Liveness {
  /** The role's part of the machine, which sets it. */
  role!: RolePart;
  /** The part that is told of answers; the machine sets it. */
  namesakes!: Namesakes;
  /** What is done for older peers. */
  readonly olderPeers: OlderPeers;

  constructor(
    private config: OrbiterConfig,
    private readonly peers: Peers,
    private readonly slots: SlotTable,
    private readonly lifecycle: Lifecycle,
    private readonly resolver: TopicResolver,
    private readonly outbox: Outbox,
  ) {
    this.olderPeers = new OlderPeers(config, peers, slots, outbox);
  }

  /** Take a new snapshot. */
  configure(config: OrbiterConfig): void {
    this.config = config;
    this.olderPeers.configure(config);
  }

  // Who is heard

  /**
   * Note a sign of life, in its current incarnation, of a remote that is known.
   *
   * Throws a `RemoteProtocolError` if the sender's identifier cannot be a level of a topic.
   */
  hear(remoteIdentifier: string, headers: Headers, now: number): void {
    if (this.peers.get(remoteIdentifier) === undefined) {
      this.resolver.checkIdentifier(remoteIdentifier);
    } else {
      this.peers.meet(remoteIdentifier, headers, now);
    }
    this.role.heard(remoteIdentifier);
  }

  /** Note that a peer was heard in an unknown incarnation, and the topics that it has told in that. */
  claimed(peer: Peer, headers: Pick<SenderHeaders, "incarnation">, topics: PeerTopics | null, now: number): void {
    const incarnation = headers.incarnation;
    const before = peer.claim;
    if (before?.incarnation === incarnation) {
      before.heardAt = now;
      before.topics = topics ?? before.topics;
    } else {
      peer.claim = { incarnation, heardAt: now, topics, offers: before?.offers ?? [] };
    }
  }

  /** Ask a peer that was heard in an unknown incarnation for a keepalive, which shows in which it is. */
  challengeClaim(peer: Peer, now: number): void {
    if (peer.challengedAt === null || peer.challengedAt + timings.RECONCILIATION_DELAY <= now) {
      peer.challengedAt = now;
      const own = KeepaliveRequestTopic.join({
        recipientIdentifier: peer.identifier,
        senderIdentifier: this.config.identifier,
      });
      this.sendKeepaliveRequest(peer, now, peer.claim?.topics?.keepaliveRequestTopic ?? own);
    }
  }

  // What time and the bus bring

  /** Give each remote the sign of life that it is owed, and ask those that owe one. */
  sendDueKeepalives(now: number): void {
    for (const peer of this.peers.popKeepalivesDue(now)) {
      this.sendKeepalive(peer, now);
    }
    for (const peer of this.peers.popProbesDue(now)) {
      if (this.slots.hasRemote(peer.identifier)) {
        this.sendKeepaliveRequest(peer, now);
      }
    }
  }

  /** Close all connections with remotes that have been silent for too long. */
  loseDeadRemotes(now: number): void {
    for (const peer of this.peers.popDead(now)) {
      this.lose(peer);
    }
  }

  /** Take a remote for dead, and close all connections with it. */
  lose(peer: Peer): void {
    peer.isDead = true;
    if (this.slots.hasRemote(peer.identifier)) {
      this.role.remoteDied?.(peer.identifier);
      this.lifecycle.lose(peer.identifier, "dead");
    }
  }

  /** Compare with all remotes what is shared: while the bus was away, messages may have been lost. */
  reconnected(now: number): void {
    for (const identifier of this.slots.remotes()) {
      const peer = this.peers.get(identifier);
      if (peer !== undefined) {
        this.sendKeepalive(peer, now);
        this.sendKeepaliveRequest(peer, now);
        this.role.repeatUnanswered?.(peer);
      }
    }
  }

  // What arrives

  /** Take a sign of life, and what its sender believes to share with this orbiter. */
  onKeepalive(message: MessageOf<"KeepaliveMessage">, headers: Headers, now: number): void {
    const remote = message.fields.fromIdentifier;
    this.hear(remote, headers, now);
    if (headers.correlationIdentifier !== null) {
      this.namesakes.answered(headers.correlationIdentifier, now);
    }
    this.outbox.received(remote, message);
    if (headers.incarnation === null) {
      this.olderPeers.closeUnshared(remote, now);
    }
    const peer = this.peers.get(remote);
    const believed = headers.openConnections;
    if (believed === null) {
      return;
    }
    if (peer !== undefined) {
      this.#reconcile(peer, new Set(believed), now);
    } else if (believed.length > 0 && !this.slots.hasRemote(remote)) {
      // It takes this one for a past incarnation, and nobody has told it that this has ended.
      this.publishKeepalive(remote, this.#ownTopicAt(remote));
    }
  }

  /**
   * Answer a remote; one that is not known, or not in that incarnation, on a topic that we know to be its own.
   *
   * It may know this one, and ask whether that has started anew.
   */
  onKeepaliveRequest(message: MessageOf<"KeepaliveRequestMessage">, headers: Headers, now: number): void {
    const remote = message.fields.fromIdentifier;
    const peer = this.peers.get(remote);
    const isCurrent = peer === undefined || peer.status(headers) === "current";
    const isKnown = isCurrent && peer?.isDead === false;
    if (isCurrent) {
      this.hear(remote, headers, now);
    }
    const answerTopic = this.resolver.resolve(KeepaliveTopic, remote, message.fields.keepaliveTopic);
    if (isKnown) {
      this.outbox.received(remote, message);
      if (answerTopic === peer.keepaliveTopic) {
        // One that goes elsewhere may never reach the remote.
        peer.lastKeepaliveSent = now;
      }
    } else if (answerTopic !== this.#ownTopicAt(remote) && answerTopic !== peer?.keepaliveTopic) {
      return;
    }
    this.publishKeepalive(remote, answerTopic, headers.identifier);
  }

  /** Where a remote with topics of our layout takes the keepalives of this orbiter. */
  #ownTopicAt(remoteIdentifier: string): string {
    return KeepaliveTopic.join({ recipientIdentifier: remoteIdentifier, senderIdentifier: this.config.identifier });
  }

  /**
   * Hold what the remote believes to share against what this side does.
   *
   * What only this side believes in is closed once two keepalives, `RECONCILIATION_DELAY` apart, have missed it: one
   * alone may have crossed a handshake. What only the remote believes in it closes in the same way, when it gets
   * keepalives in return.
   */
  #reconcile(peer: Peer, believed: ReadonlySet<string>, now: number): void {
    const mine = new Set<string>();
    for (const slot of this.slots.ofRemote(peer.identifier)) {
      mine.add(slot.connectionIdentifier);
      if (!slot.isConnection || believed.has(slot.connectionIdentifier)) {
        slot.missedAt = null;
      } else if (slot.missedAt === null) {
        slot.missedAt = now;
        this.peers.reconcileLater(peer, now + timings.RECONCILIATION_DELAY);
      } else if (slot.missedAt + timings.RECONCILIATION_DELAY <= now) {
        this.lifecycle.sendGracelessClose(slot, null);
        this.lifecycle.release(slot, SlotTrigger.GRACELESS_CLOSE_SENT, "forgot");
      }
    }
    this.role.repeatUnanswered?.(peer, believed);
    const isLongAgo = peer.reconciledAt === null || peer.reconciledAt + timings.RECONCILIATION_DELAY <= now;
    if (isLongAgo && [...believed].some((identifier) => !mine.has(identifier))) {
      peer.reconciledAt = now;
      this.sendKeepalive(peer, now);
    }
  }

  // Sending

  /** Send a keepalive, if the peer has said where. */
  sendKeepalive(peer: Peer, now: number): void {
    if (peer.keepaliveTopic !== null) {
      peer.lastKeepaliveSent = now;
      this.publishKeepalive(peer.identifier, peer.keepaliveTopic);
    }
  }

  /** Send a keepalive to a remote that may not be known. */
  publishKeepalive(remoteIdentifier: string, topic: string, correlationIdentifier: string | null = null): void {
    const message = { type: "KeepaliveMessage", fields: { fromIdentifier: this.config.identifier } } as const;
    this.outbox.send(remoteIdentifier, topic, message, {
      correlationIdentifier,
      openConnections: this.slots
        .ofRemote(remoteIdentifier)
        .map((slot) => slot.connectionIdentifier)
        .filter((identifier) => identifier !== ""),
      replacesEarlier: correlationIdentifier === null,
    });
  }

  /** Ask a peer for a keepalive, where it has said, or else on a topic. */
  sendKeepaliveRequest(peer: Peer, now: number, otherwise: string | null = null): void {
    const topic = peer.keepaliveRequestTopic ?? otherwise;
    if (topic !== null) {
      const keepaliveTopic = this.config.topics.keepalive(peer.identifier);
      const fields = { fromIdentifier: this.config.identifier, keepaliveTopic };
      const message = { type: "KeepaliveRequestMessage", fields } as const;
      const eventIdentifier = this.outbox.challenge(peer, message.type, now);
      this.outbox.send(peer.identifier, topic, message, { eventIdentifier, replacesEarlier: true });
    }
  }
}
