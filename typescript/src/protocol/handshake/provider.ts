/**
 * The plugin's side of the handshake: it announces itself, offers what is free, and confirms what is requested.
 *
 * A discover asks for operations; what suits and is free is offered, and a slot reserved for it. A request takes an offer
 * up: topics are subscribed to, the user prepares, and a confirm opens the connection. A reject, or the time, gives the
 * slot back. What cannot be offered at once waits (`../waiting-queries.ts`) and is offered late, when a slot becomes free.
 */

import * as limits from "../../../../generated/typescript/limits.js";
import type { DiscoverMessage, DiscoverQuery } from "../../../../generated/typescript/messages.js";
import { KeepaliveRequestTopic, KeepaliveTopic, OfferTopic } from "../../../../generated/typescript/topics.js";
import type { OperationTerms, PluginConfig } from "../config.js";
import type { Headers } from "../headers.js";
import { Matching, offerMessageOf, type Shape } from "../matching.js";
import type { MessageOf, ProtocolMessage } from "../messages.js";
import { cameToNothing, notAllowed, UNREAD_SCHEMAS } from "../obstacles.js";
import { newestEncoding, type Peer } from "../peers.js";
import type { Slot } from "../slots.js";
import { admitsCore, disallowed, hasRoom, sameOperation, sameShape } from "../terms.js";
import { SlotState, SlotTrigger } from "../transitions.js";
import {
  queryAdmits,
  schemasOf,
  sizeOfQuery,
  WaitingQueries,
  type AskingCore,
  type NewQuery,
  type WaitingQuery,
} from "../waiting-queries.js";

import { Lender } from "./lender.js";
import { Requests } from "./requests.js";
import type { Parts, RolePart } from "./role-part.js";

/** What ends an offer so that the core has to ask again before it is repeated. */
const ENDS_WAITING: readonly SlotTrigger[] = [
  SlotTrigger.REJECT_RECEIVED,
  SlotTrigger.EXPIRED,
  SlotTrigger.PREPARATION_FAILED,
];
/** Offers of one slot, or to one claim, that are known again. */
const OFFERS = 8;

/** One query that may be answered. */
interface SizedQuery {
  readonly query: DiscoverQuery;
  readonly size: number;
}

/** Lends the operations of one plugin. Times are seconds on the clock of the machine's caller. */
export class Provider implements RolePart {
  /** What cores have asked for that may be offered later. */
  readonly waitingQueries: WaitingQueries;
  readonly #matching: Matching;
  readonly #lender: Lender;
  readonly #requests: Requests;
  /** Operations that could not be lent and perhaps can be now, in the order in which that happened. */
  readonly #freed = new Set<string>();
  /** The operations that were announced last. */
  #announced: ReadonlyMap<string, OperationTerms> = new Map();
  /** Operations whose policy may be stricter than their connections. */
  #edited = new Set<string>();

  constructor(
    private config: PluginConfig,
    private readonly parts: Parts,
  ) {
    this.#matching = new Matching(parts.quotas);
    this.#lender = new Lender(config, parts);
    this.#requests = new Requests(this.#lender, this.#matching, parts);
    this.waitingQueries = new WaitingQueries(config);
  }

  get hasMoved(): boolean {
    return this.waitingQueries.deadlines.hasMoved;
  }

  set hasMoved(value: boolean) {
    this.waitingQueries.deadlines.hasMoved = value;
  }

  // What the user wants

  /** What is lent of each operation. */
  get operations(): PluginConfig["operations"] {
    return this.config.operations;
  }

  /** Take a new snapshot: what has changed may suit those who wait for it, and not those who have it. */
  configure(config: PluginConfig): void {
    const before = this.config.operations;
    this.config = this.#lender.config = config;
    this.waitingQueries.configure(config);
    if (before === config.operations || (this.waitingQueries.size === 0 && this.parts.slots.size === 0)) {
      return;
    }
    for (const name of new Set([...before.keys(), ...config.operations.keys()])) {
      if (!sameOperation(before.get(name), config.operations.get(name))) {
        this.#freed.add(name);
        this.waitingQueries.operationChanged(name);
        this.#edited.add(name);
        const isGone = !config.operations.has(name);
        for (const slot of isGone ? this.parts.slots.ofOperation(name) : this.#disallowed(name)) {
          if (!slot.isConnection) {
            this.parts.lifecycle.giveUp(slot, SlotTrigger.WITHDRAWN);
          }
        }
      }
    }
  }

  /** Return the open connections that a policy has ceased to allow, the newest of each operation first. */
  popDisallowed(): Slot[] {
    const edited = this.#edited;
    this.#edited = new Set();
    return [...edited].flatMap((name) => this.#disallowed(name));
  }

  /** Return the slots of an operation that its policy does not allow any more, newest first. */
  #disallowed(operationName: string): Slot[] {
    const terms = this.config.operations.get(operationName);
    return terms === undefined ? [] : disallowed(terms, this.parts.slots.ofOperation(operationName));
  }

  /** Announce the operations if there is a new one, or one has another input or output. */
  #announceChanges(): void {
    const before = this.#announced;
    this.#announced = this.config.operations;
    if (before === this.#announced) {
      return;
    }
    for (const [name, terms] of this.#announced) {
      const earlier = before.get(name);
      if (earlier === undefined || !sameShape(earlier, terms)) {
        this.#announce();
        return;
      }
    }
  }

  /** Offer operations to a core without being asked; those that cannot be lent to it now are left out. */
  sendOfferTo(core: string, offerTopic: string, operationNames: readonly string[], now: number): void {
    this.parts.resolver.checkIdentifier(core);
    const topic = this.parts.resolver.resolve(OfferTopic, core, offerTopic);
    const offered: Slot[] = [];
    for (const name of operationNames) {
      const terms = this.config.operations.get(name);
      if (
        terms !== undefined &&
        this.parts.slots.get(core, name) === undefined &&
        this.#lender.canLend(core, name, terms)
      ) {
        offered.push(this.#lender.reserve(core, name, terms, 0, now));
      }
    }
    this.#sendOffer(core, topic, offered, now);
  }

  // What happens to the machine

  /** Announce what there is. */
  start(): void {
    this.#announced = this.config.operations;
    this.#announce();
    this.parts.liveness.olderPeers.ask(this.config.named);
  }

  /** Forget those who wait. */
  stop(): void {
    this.waitingQueries.clear();
    this.#freed.clear();
  }

  /** Announce again what there is. */
  reconnected(): void {
    this.#announce();
  }

  /** Forget what was asked for too long ago. */
  doDue(now: number): void {
    this.waitingQueries.discardExpired(now);
  }

  /** Offer what has become free, and announce operations that are new or have changed. */
  turn(now: number): void {
    this.settle(now);
    this.#announceChanges();
  }

  /** When `doDue` has something to do. */
  nextDeadline(): number | null {
    return this.waitingQueries.deadlines.next();
  }

  /** Take a message that cores send. */
  receive(topic: string, message: ProtocolMessage, headers: Headers, now: number): void {
    switch (message.type) {
      case "DiscoverMessage":
        this.#onDiscover(topic, message, headers, now);
        break;
      case "RequestOperationMessage":
        this.#requests.onRequest(message, headers, now);
        break;
      case "RejectOperationMessage":
        this.#requests.onReject(message, headers, now);
        break;
      default: // none of this role
    }
  }

  /** Let a core that seemed dead have its place among those who wait. */
  heard(remoteIdentifier: string): void {
    this.waitingQueries.heard(remoteIdentifier);
  }

  /** Forget what a core asked for in a past incarnation, and hold what is offered to this one. */
  remoteRestarted(peer: Peer, offered: readonly Slot[], now: number): void {
    const core = peer.identifier;
    const asking = this.waitingQueries.ofCore(core);
    if (asking !== undefined && peer.status(asking) !== "current") {
      this.waitingQueries.forget(core);
    }
    for (const slot of offered) {
      const terms = this.config.operations.get(slot.operationName);
      if (terms !== undefined && this.#lender.canLend(core, slot.operationName, terms)) {
        const held = this.#lender.reserve(core, slot.operationName, slot, slot.size, now);
        held.offerIdentifiers = slot.offerIdentifiers;
      }
    }
  }

  /** Forget what a core asked for. */
  remoteDied(remoteIdentifier: string): void {
    this.waitingQueries.forget(remoteIdentifier);
  }

  /** Let the core of a connection wait for its operation no more. */
  opened(slot: Slot): void {
    this.waitingQueries.fulfil(slot.remoteIdentifier, slot.operationName);
    this.parts.obstacles.forget(slot.remoteIdentifier, slot.operationName);
  }

  /** Have a slot that is free offered to those who wait. */
  released(slot: Slot, trigger: SlotTrigger): void {
    const { remoteIdentifier: core, operationName: name } = slot;
    this.#freed.add(name);
    const terms = this.config.operations.get(name);
    if (terms !== undefined && !(admitsCore(terms, core) && this.#lender.isFree(name))) {
      this.#lender.tell(notAllowed(core, name, terms, this.parts.slots));
    } else if (trigger === SlotTrigger.EXPIRED) {
      const obstacle = cameToNothing(slot, trigger);
      if (obstacle !== null) {
        this.parts.obstacles.note(obstacle);
      }
    }
    if (ENDS_WAITING.includes(trigger)) {
      this.waitingQueries.fulfil(core, name);
    } else {
      this.waitingQueries.resume(core, name);
    }
  }

  /** Tell the core that its request comes to nothing. */
  giveUp(slot: Slot): void {
    this.#requests.giveUp(slot);
  }

  /** Open the connection of a slot in state PREPARING, and confirm it. */
  prepared(slot: Slot, now: number): void {
    this.#requests.prepared(slot, now);
  }

  /** Offer what has become free to those who wait for it. */
  settle(now: number): void {
    if (this.#freed.size > 0) {
      if (this.waitingQueries.size > 0) {
        this.#offerFreedSlots(now);
      } else {
        this.#freed.clear();
      }
    }
  }

  // Announcement

  #announce(): void {
    if (!this.parts.quotas.isClosed) {
      const fields = {
        pluginIdentifier: this.config.identifier,
        operationNames: [...this.config.operations.keys()],
        discoverTopic: this.config.topics.discoverOfAnybody,
      };
      this.parts.outbox.send(null, this.config.announceTopic, { type: "AnnounceMessage", fields });
    }
  }

  // Discover

  /** Offer what a core asks for and is free, and remember the rest. */
  #onDiscover(topic: string, message: MessageOf<"DiscoverMessage">, headers: Headers, now: number): void {
    const { peers, liveness, outbox, slots } = this.parts;
    const core = message.fields.coreIdentifier;
    this.parts.quotas.checkOperations(core, message.fields.queries.size);
    const isDirected = topic !== this.config.discoverTopic;
    const peer = peers.get(core);
    const isClaim = peer?.status(headers) === "unknown";
    // What was offered to an earlier incarnation is unknown to this one.
    const hasOffers = peer?.incarnation === headers.incarnation;
    if (isDirected && !isClaim) {
      liveness.hear(core, headers, now);
    } else if (peer === undefined) {
      this.parts.resolver.checkIdentifier(core);
    }
    const asking = this.#askingCore(message.fields, headers, now, isDirected);
    outbox.received(core, message);
    const queries = this.#admittedQueries(core, message.fields.queries, now);
    // A directed discover has perhaps crossed the offer that answers another, and is no reason to repeat that.
    const mine = slots.ofRemote(core);
    const awaited = new Set(
      isDirected && hasOffers
        ? mine.filter((slot) => slot.state === SlotState.OFFERED).map((slot) => slot.operationName)
        : [],
    );
    const offered: Slot[] = [];
    for (const [name, sized] of queries) {
      const slot = awaited.has(name) ? null : this.#answer(asking, name, sized, headers, now);
      if (slot !== null) {
        offered.push(slot);
      }
    }
    this.#remember(asking, headers.lateOffers === true ? queries : new Map(), isClaim);
    if (offered.length > 0 || peers.get(core) !== undefined) {
      this.#meet(asking, now);
    }
    if (offered.length > 0) {
      this.#sendOffer(core, asking.offerTopic, offered, now, headers.identifier);
      return;
    }
    if (isDirected && awaited.size === 0) {
      liveness.publishKeepalive(core, asking.topics.keepaliveTopic, headers.identifier);
    }
    if (isClaim) {
      liveness.challengeClaim(peer, now);
    }
  }

  /** Return the queries that this plugin may answer, with their sizes. */
  #admittedQueries(
    core: string,
    queries: ReadonlyMap<string, DiscoverQuery>,
    now: number,
  ): ReadonlyMap<string, SizedQuery> {
    const admitted = new Map<string, SizedQuery>();
    for (const [name, query] of queries) {
      if (!queryAdmits(query, this.config.identifier)) {
        this.#lender.note(core, name, "constraint", "the core's constraint excludes this plugin");
      } else if (this.parts.quotas.admitSchemas(schemasOf(query), now, this.config.operations.has(name))) {
        admitted.set(name, { query, size: sizeOfQuery(name, query) });
      } else {
        this.#lender.note(core, name, "limit", UNREAD_SCHEMAS);
      }
    }
    return admitted;
  }

  /** Check the topics that a discover tells, and keep what it says of its sender. */
  #askingCore(message: DiscoverMessage, headers: Headers, now: number, isCertain: boolean): AskingCore {
    const { coreIdentifier: core, exactSchemas: exact } = message;
    const resolver = this.parts.resolver;
    const told = { isToldToAnybody: true };
    return {
      coreIdentifier: core,
      incarnation: headers.incarnation,
      readableEncodings: [newestEncoding(headers.readableEncodings)], // not all that a stranger lists
      askedAt: now,
      topics: {
        keepaliveTopic: resolver.resolve(KeepaliveTopic, core, message.coreKeepaliveTopic, told),
        keepaliveRequestTopic: resolver.resolve(KeepaliveRequestTopic, core, message.coreKeepaliveRequestTopic, told),
        considersMeDeadAfter: message.consideredDeadAfter,
      },
      offerTopic: resolver.resolve(OfferTopic, core, message.offerTopic, told),
      isCertain,
      exactSchemas: exact.size === 0 ? exact : new Map([...exact].filter(([name]) => message.queries.has(name))),
      queries: new Map(),
      size: 0,
    };
  }

  /** Know a core, with what its discover told; what an unknown incarnation claims is kept apart. */
  #meet(asking: AskingCore, now: number): void {
    const peers = this.parts.peers;
    const peer = peers.get(asking.coreIdentifier);
    if (peer?.status(asking) === "unknown") {
      this.parts.liveness.claimed(peer, asking, asking.topics, now);
    } else {
      peers.told(peers.meet(asking.coreIdentifier, asking, now, asking.isCertain), asking.topics);
    }
  }

  /** Return the slot to offer in answer to one query, if there is any. */
  #answer(asking: AskingCore, name: string, sized: SizedQuery, headers: Headers, now: number): Slot | null {
    const core = asking.coreIdentifier;
    const slot = this.parts.slots.get(core, name);
    if (slot === undefined) {
      return this.#reserveFor(asking, name, sized, now);
    }
    // A core that has started anew cannot prove it yet, and an older one that has lost a connection cannot say so: both
    // get their operation offered again.
    if (
      slot.state === SlotState.OFFERED ||
      (slot.isOpen && headers.incarnation === null) ||
      this.parts.peers.status(core, headers) === "unknown"
    ) {
      const suited = this.#suited(asking, name, sized.query, now);
      if (suited !== null && slot.state === SlotState.OFFERED) {
        slot.input = suited.input;
        slot.output = suited.output;
      }
      return suited === null ? null : slot;
    }
    return null;
  }

  // Late offers

  /**
   * Remember what a core that wants late offers has asked for and is not connected for.
   *
   * What is open is so with the one before, if the core claims to have started anew.
   */
  #remember(asking: AskingCore, queries: ReadonlyMap<string, SizedQuery>, isClaim: boolean): void {
    const core = asking.coreIdentifier;
    const waiting = new Map<string, NewQuery>();
    for (const [name, { query, size }] of queries) {
      const slot = this.parts.slots.get(core, name);
      if (slot === undefined) {
        const suited = this.#suitedLate(asking, name, query, asking.askedAt);
        waiting.set(name, { query, size, isLookedAt: suited !== null });
      } else if (isClaim || !slot.isOpen) {
        waiting.set(name, { query, size, isLookedAt: false });
      }
    }
    this.waitingQueries.remember(asking, waiting);
    if (waiting.size > 0 && !this.parts.quotas.hasRoomForPending()) {
      for (const name of waiting.keys()) {
        if (this.config.operations.has(name)) {
          this.#freed.add(name);
        }
      }
    }
  }

  #offerFreedSlots(now: number): void {
    const quotas = this.parts.quotas;
    const offers = new Map<string, { readonly asking: AskingCore; readonly offered: Slot[] }>();
    for (const name of [...this.#freed]) {
      if (!quotas.hasRoomForPending()) {
        break; // the rest has to wait for that, too
      }
      this.#freed.delete(name);
      for (
        let query = this.waitingQueries.first(name);
        query !== undefined && this.#lender.isFree(name);
        query = this.waitingQueries.first(name)
      ) {
        if (!quotas.hasRoomForPending()) {
          this.#freed.add(name);
          break;
        }
        const slot = this.#reserveLate(query, name, now);
        if (slot !== null) {
          const core = query.core.coreIdentifier;
          const offer = offers.get(core) ?? { asking: query.core, offered: [] };
          offers.set(core, offer);
          offer.offered.push(slot);
        }
      }
    }
    for (const { asking, offered } of offers.values()) {
      this.#meet(asking, now);
      this.#sendOffer(asking.coreIdentifier, asking.offerTopic, offered, now);
    }
  }

  /** Take a slot for the next query that waits; one that gets none lets others be the next. */
  #reserveLate(query: WaitingQuery, name: string, now: number): Slot | null {
    const core = query.core.coreIdentifier;
    if (this.parts.peers.status(core, query.core) === "past") {
      this.waitingQueries.forget(core);
      return null;
    }
    // Those who may be dead come behind all others.
    if (this.#isSilent(query.core, now) && this.waitingQueries.putOff(query)) {
      return null;
    }
    const terms = this.config.operations.get(name);
    const suited = this.#suitedLate(query.core, name, query.query, now);
    let slot: Slot | null = null;
    if (terms !== undefined && suited !== null && this.#lender.canLend(core, name, terms)) {
      slot = this.#lender.reserve(core, name, suited, query.size, now);
    }
    this.waitingQueries.setAside(query);
    return slot;
  }

  /**
   * Do as `#suited`, for a core that the policy admits and that has no offer.
   *
   * If that gives nothing, it gives nothing until the offer has ended, or operation or policy have changed.
   */
  #suitedLate(asking: AskingCore, name: string, query: DiscoverQuery, now: number): Shape | null {
    const core = asking.coreIdentifier;
    const terms = this.config.operations.get(name);
    if (terms === undefined || !admitsCore(terms, core) || this.parts.slots.get(core, name) !== undefined) {
      return null;
    }
    return this.#suited(asking, name, query, now);
  }

  #isSilent(asking: AskingCore, now: number): boolean {
    const after = this.config.considerOthersDeadAfter ?? Infinity;
    const lastSeen = this.parts.peers.get(asking.coreIdentifier)?.lastSeen ?? -Infinity;
    return Math.max(lastSeen, asking.askedAt) + after <= now;
  }

  // Offer

  /** Return input and output of an operation as they are offered, if they are what a query asks for. */
  #suited(asking: AskingCore, name: string, query: DiscoverQuery, now: number): Shape | null {
    const terms = this.config.operations.get(name);
    return terms === undefined ? null : this.#matching.shapeFor(terms, name, query, asking, now);
  }

  /**
   * Take a slot for an offer that answers a query, if the operation suits it and can be lent.
   *
   * An offer that has gone unanswered may be given up for it.
   */
  #reserveFor(asking: AskingCore, name: string, { query, size }: SizedQuery, now: number): Slot | null {
    const { slots, quotas, lifecycle } = this.parts;
    const core = asking.coreIdentifier;
    const terms = this.config.operations.get(name);
    if (terms === undefined) {
      return null;
    }
    if (!hasRoom(terms, slots.count(name)) || !admitsCore(terms, core)) {
      this.#lender.tell(notAllowed(core, name, terms, slots));
      return null;
    }
    const suited = this.#matching.shapeFor(terms, name, query, asking, now);
    if (suited === null) {
      const here = { inputs: [terms.input], outputs: [terms.output] };
      const exact = [...terms.exact, ...(asking.exactSchemas.get(name) ?? [])];
      this.#lender.tell(this.#matching.obstacle(core, name, { here, there: query, exact }, asking));
      return null;
    }
    if (!quotas.makeRoomForPending(core, now, (slot) => lifecycle.giveUp(slot))) {
      if (!quotas.isClosed) {
        this.#lender.note(core, name, "limit", "too many handshakes are under way");
      }
      return null;
    }
    return this.#lender.reserve(core, name, suited, size, now);
  }

  #sendOffer(
    core: string,
    offerTopic: string,
    offered: readonly Slot[],
    now: number,
    correlationIdentifier: string | null = null,
  ): void {
    const { peers, outbox } = this.parts;
    const peer = peers.get(core);
    for (let begin = 0; begin < offered.length; begin += limits.OPERATIONS_OF_MESSAGE) {
      const eventIdentifier = outbox.challenge(peer, "OfferMessage", now);
      if (peer?.claim != null) {
        peer.claim.offers = [...peer.claim.offers.slice(1 - OFFERS), eventIdentifier];
      }
      const slots = offered.slice(begin, begin + limits.OPERATIONS_OF_MESSAGE);
      for (const slot of slots) {
        slot.offerIdentifiers = [...slot.offerIdentifiers.slice(1 - OFFERS), eventIdentifier];
      }
      const fields = offerMessageOf(this.config, core, slots);
      outbox.send(core, offerTopic, { type: "OfferMessage", fields }, { eventIdentifier, correlationIdentifier });
    }
  }
}
