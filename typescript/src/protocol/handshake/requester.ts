/**
 * The core's side of the handshake: it asks for what it needs, requests what fits of the offers, and takes confirms.
 *
 * A discover asks all plugins, or one that has announced itself, for the operations that are still wanted. An offer that
 * fits becomes a request, after topics are subscribed to and the user has prepared; one that does not is rejected. A
 * confirm opens the connection. The core is compliant while the open connections meet every requirement.
 */

import * as channels from "../../../../generated/typescript/channels.js";
import { Encoding } from "../../../../generated/typescript/envelope.js";
import * as limits from "../../../../generated/typescript/limits.js";
import type { AnnounceMessage, OfferedOperation } from "../../../../generated/typescript/messages.js";
import * as timings from "../../../../generated/typescript/timings.js";
import {
  CloseTopic,
  DirectedDiscoverTopic,
  KeepaliveRequestTopic,
  KeepaliveTopic,
  OperationInputTopic,
  ReplyTopic,
} from "../../../../generated/typescript/topics.js";
import { RemoteProtocolError } from "../../errors.js";
import type { CoreConfig, RequirementTerms } from "../config.js";
import { isAbout, mayAnswer, type Headers } from "../headers.js";
import { Matching, sizeOfForeign, type ExactSchemas, type Fit } from "../matching.js";
import type { MessageOf, ProtocolMessage } from "../messages.js";
import { cameToNothing, Obstacle, UNREAD_SCHEMAS, type ObstacleKind } from "../obstacles.js";
import type { SendOptions } from "../outbox.js";
import type { Peer } from "../peers.js";
import { sizeOf } from "../sizes.js";
import { sizeOfOffer, Slot } from "../slots.js";
import { admitsPlugin, hasRoom, sameRequirement } from "../terms.js";
import { SlotState, SlotTrigger } from "../transitions.js";

import { discoverMessageOf } from "./discover-message.js";
import type { Parts, RolePart } from "./role-part.js";
import { Wanted } from "./wanted.js";

/** Operations that are remembered of an announcement. */
const OPERATIONS_HEARD_OF = 20;

/** Fulfils the requirements of one core. Times are seconds on the clock of the machine's caller. */
export class Requester implements RolePart {
  /** Whether all requirements were met when that was last evaluated. */
  compliant = false;
  hasMoved = false;
  /** What is still wanted. */
  readonly wanted: Wanted;
  /** Plugins that were asked after their announcement, and have not answered: what of the wanted they announced. */
  readonly silent = new Map<string, readonly string[]>();
  /** Those that have answered. */
  readonly heardOf = new Map<string, readonly string[]>();
  readonly #matching: Matching;
  /** Requirements that are not met, without those in `#changed`. */
  readonly #unmet = new Set<string>();
  /** Requirements to evaluate again: they, or their connections, have changed. */
  #changed: Set<string>;
  #runs = false;
  /** When it was last time to discover, also if nothing was wanted then. */
  #discoveredAt: number | null = null;
  /** Whether plugins may remember what this core asked for. */
  #wantsLateOffers = false;
  /** When the directed discovers that are counted began. */
  #directedSince = -Infinity;
  #directedCount = 0;

  constructor(
    private config: CoreConfig,
    private readonly parts: Parts,
  ) {
    this.wanted = new Wanted(config, parts.slots);
    this.#matching = new Matching(parts.quotas);
    this.#changed = new Set(config.requirements.keys());
  }

  // What the user wants

  /** Take a new snapshot: each requirement that has changed is evaluated again. */
  configure(config: CoreConfig): void {
    const before = this.config.requirements;
    this.config = config;
    this.wanted.configure(config);
    this.hasMoved = true;
    for (const name of new Set([...before.keys(), ...config.requirements.keys()])) {
      if (!sameRequirement(before.get(name), config.requirements.get(name))) {
        this.#changed.add(name);
      }
    }
  }

  /** What is required of each operation. */
  get requirements(): CoreConfig["requirements"] {
    return this.config.requirements;
  }

  /** Whether the open connections of an operation meet its requirement, which there has to be. */
  isCompliantFor(operationName: string): boolean {
    const terms = this.config.requirements.get(operationName);
    if (terms === undefined) {
      throw new RangeError(`the operation '${operationName}' is not required`);
    }
    const areConnected = terms.mandatory.every(
      (plugin) => this.parts.slots.get(plugin, operationName)?.isOpen === true,
    );
    return areConnected && this.parts.slots.openCount(operationName) - terms.mandatory.length >= terms.minimum;
  }

  /** Whether all requirements are met. */
  isCompliant(): boolean {
    const changed = this.#changed;
    this.#changed = new Set();
    for (const name of changed) {
      if (this.config.requirements.has(name) && !this.isCompliantFor(name)) {
        this.#unmet.add(name);
      } else {
        this.#unmet.delete(name);
      }
    }
    return this.#unmet.size === 0;
  }

  /** Ask all plugins for operations; without any, nothing is sent. */
  discover(wanted: ReadonlyMap<string, RequirementTerms>, now: number): void {
    this.#discoveredAt = now;
    const all = [...wanted];
    for (let begin = 0; begin < all.length; begin += limits.OPERATIONS_OF_MESSAGE) {
      const eventIdentifier = this.parts.outbox.challengeAll("DiscoverMessage", now);
      this.#sendDiscover(new Map(all.slice(begin, begin + limits.OPERATIONS_OF_MESSAGE)), { eventIdentifier });
    }
  }

  // What happens to the machine

  /** Evaluate compliance, and let the next discover be due at once. */
  start(): void {
    this.#runs = true;
    this.silent.clear();
    this.heardOf.clear();
    this.wanted.older.clear();
    this.#discoveredAt = null;
    this.hasMoved = true;
    this.#directedSince = -Infinity;
    this.compliant = this.isCompliant();
    this.#tellCompliance();
  }

  /** Take back what plugins may remember. */
  leave(): void {
    if (this.#wantsLateOffers) {
      this.#sendDiscover(new Map(), { lateOffers: false });
    }
  }

  /** Be compliant no more, and take back what plugins may remember. */
  stop(): void {
    this.#runs = false;
    this.compliant = false;
    this.leave();
  }

  /** Let the next discover be due at once: the last one may be lost. */
  reconnected(): void {
    this.#discoveredAt = null;
    this.hasMoved = true;
  }

  /** Ask for what is still wanted, if it is time to. */
  turn(now: number): void {
    this.#discoverIfDue(now);
  }

  /** When it is time to discover: soon again while requirements are not met, later while they are. */
  nextDeadline(): number | null {
    if (!this.#runs || this.parts.quotas.isClosed) {
      return null;
    }
    if (this.#discoveredAt === null) {
      return -Infinity;
    }
    const { discoveringInterval, discoveringIntervalWhenCompliant } = this.config;
    return this.#discoveredAt + (this.compliant ? discoveringIntervalWhenCompliant : discoveringInterval);
  }

  /** Take a message that plugins send. */
  receive(_topic: string, message: ProtocolMessage, headers: Headers, now: number): void {
    switch (message.type) {
      case "AnnounceMessage":
        this.#onAnnouncement(message, headers, now);
        break;
      case "OfferMessage":
        this.#onOffer(message, headers, now);
        break;
      case "ConfirmConnectionMessage":
        this.#onConfirm(message, headers, now);
        break;
      case "OperationNoLongerAvailableMessage":
        this.#onNoLongerAvailable(message, headers, now);
        break;
      default: // none of this role
    }
  }

  /** Note that a plugin which was asked has answered, if only that it has nothing to offer. */
  heard(remoteIdentifier: string): void {
    const announced = this.silent.get(remoteIdentifier);
    if (announced !== undefined) {
      this.silent.delete(remoteIdentifier);
      remember(this.heardOf, remoteIdentifier, announced);
    }
  }

  /** Evaluate the requirement of a connection again. */
  opened(slot: Slot): void {
    this.#changed.add(slot.operationName);
    this.parts.obstacles.forget(slot.remoteIdentifier, slot.operationName);
  }

  /** Evaluate the requirement of a connection again. */
  closing(slot: Slot): void {
    this.#changed.add(slot.operationName);
  }

  /** Evaluate the requirement of a slot again, and note why a request came to nothing. */
  released(slot: Slot, trigger: SlotTrigger): void {
    this.#changed.add(slot.operationName);
    const obstacle = cameToNothing(slot, trigger);
    if (obstacle !== null) {
      this.parts.obstacles.note(obstacle);
    }
  }

  /** Tell of compliance that was reached or lost; ask anew, if it is time to, when it was lost. */
  settle(now: number): void {
    if (this.#changed.size === 0) {
      return;
    }
    const compliant = this.isCompliant();
    if (compliant !== this.compliant) {
      this.compliant = compliant;
      this.#tellCompliance();
      this.hasMoved = true;
      if (!compliant) {
        this.#discoverIfDue(now);
      }
    }
  }

  #tellCompliance(): void {
    this.parts.outbox.add({ kind: "complianceChanged", remoteIdentifier: null, compliant: this.compliant });
  }

  // Discover

  #discoverIfDue(now: number): void {
    const at = this.nextDeadline();
    if (at === null || at > now) {
      return;
    }
    const isFirst = this.#discoveredAt === null;
    this.#discoveredAt = now;
    const wanted = this.wanted.next();
    if (wanted.size > 0) {
      const eventIdentifier = this.parts.outbox.challengeAll("DiscoverMessage", now);
      this.#sendDiscover(wanted, { eventIdentifier, replacesEarlier: true });
      if (!isFirst && !this.compliant) {
        // They have not answered. An older plugin does not if it believes in a connection.
        this.parts.liveness.olderPeers.ask(this.config.named);
      }
    }
  }

  #sendDiscover(wanted: ReadonlyMap<string, RequirementTerms>, options: SendOptions): void {
    const lateOffers = options.lateOffers ?? this.config.lateOffers;
    this.#wantsLateOffers = lateOffers;
    const fields = discoverMessageOf(this.config, wanted);
    this.parts.outbox.send(
      null,
      this.config.discoverTopic,
      { type: "DiscoverMessage", fields },
      { ...options, channel: channels.DISCOVER, lateOffers },
    );
  }

  // Announcement

  /**
   * Ask a plugin for what it has and is wanted.
   *
   * Anybody can publish an announcement in its name, so this changes nothing here: if the plugin has started anew, its
   * answer says so.
   */
  #onAnnouncement(message: MessageOf<"AnnounceMessage">, headers: Headers, now: number): void {
    const { peers, slots, resolver, outbox } = this.parts;
    const { pluginIdentifier: plugin, operationNames, discoverTopic } = message.fields;
    const peer = peers.get(plugin);
    if (peer === undefined) {
      resolver.checkIdentifier(plugin);
    }
    const topic = resolver.resolve(DirectedDiscoverTopic, plugin, discoverTopic, { isToldToAnybody: true });
    outbox.received(plugin, message);
    if (this.parts.quotas.isClosed) {
      return;
    }
    let without: string | null = null;
    if (slots.hasRemote(plugin) && peer?.status(headers) === "unknown") {
      without = plugin;
    } else {
      if (!operationNames.some((name) => this.#wants(plugin, name))) {
        return;
      }
      const at = this.nextDeadline();
      if (at !== null && at <= now) {
        this.#discoverIfDue(now);
        return;
      }
    }
    this.#sendDirectedDiscover(message.fields, topic, without, headers, now);
  }

  /** Whether an operation is wanted of a plugin that may not have been asked for it. */
  #wants(plugin: string, operationName: string): boolean {
    const wanted = this.wanted.still(operationName);
    return wanted !== null && admitsPlugin(wanted, plugin) && this.parts.slots.get(plugin, operationName) === undefined;
  }

  /** Ask one plugin, unless too many are asked already; first for what it has, if that is not all. */
  #sendDirectedDiscover(
    announcement: AnnounceMessage,
    topic: string,
    without: string | null,
    headers: Headers,
    now: number,
  ): void {
    if (now >= this.#directedSince + timings.DIRECTED_DISCOVERS_INTERVAL) {
      this.#directedSince = now;
      this.#directedCount = 0;
    }
    const plugin = announcement.pluginIdentifier;
    const peer = this.parts.peers.get(plugin);
    if (this.#directedCount >= limits.DIRECTED_DISCOVERS) {
      if (without !== null && peer !== undefined) {
        this.parts.liveness.challengeClaim(peer, now);
      }
      return;
    }
    this.#directedCount += 1;
    const wanted = this.wanted.ofPlugin(plugin, announcement.operationNames, without);
    const announced = announcement.operationNames.filter((name) => wanted.has(name));
    remember(this.silent, plugin, announced.slice(0, OPERATIONS_HEARD_OF));
    const lateOffers = this.config.lateOffers;
    this.#wantsLateOffers ||= lateOffers;
    const message = { type: "DiscoverMessage", fields: discoverMessageOf(this.config, wanted) } as const;
    this.parts.outbox.send(plugin, topic, message, {
      channel: channels.DIRECTED_DISCOVER,
      eventIdentifier: this.parts.outbox.challenge(peer, "DiscoverMessage", now),
      correlationIdentifier: headers.identifier,
      lateOffers,
      encoding: Encoding.JSON,
    });
  }

  // Offer

  /** Request what fits of what a plugin offers, and reject the rest. */
  #onOffer(message: MessageOf<"OfferMessage">, headers: Headers, now: number): void {
    const { peers, slots, resolver, liveness, quotas, outbox } = this.parts;
    const fields = message.fields;
    const plugin = fields.pluginIdentifier;
    quotas.checkOperations(plugin, fields.offeredOperations.length);
    liveness.hear(plugin, headers, now);
    const replyTopic = resolver.resolve(ReplyTopic, plugin, fields.replyTopic);
    const topics = {
      keepaliveTopic: resolver.resolve(KeepaliveTopic, plugin, fields.pluginKeepaliveTopic),
      keepaliveRequestTopic: resolver.resolve(KeepaliveRequestTopic, plugin, fields.pluginKeepaliveRequestTopic),
      considersMeDeadAfter: fields.consideredDeadAfter,
    };
    outbox.received(plugin, message);
    const offers = new Map<string, OfferedOperation>();
    for (const offered of fields.offeredOperations) {
      if (!offers.has(offered.name)) {
        offers.set(offered.name, offered);
      }
    }
    for (const offered of offers.values()) {
      this.#onOffered(plugin, offered, replyTopic, fields.exactSchemas, headers, now);
    }
    if (slots.hasRemote(plugin) || peers.get(plugin) !== undefined) {
      peers.told(peers.meet(plugin, headers, now), topics);
    }
  }

  #onOffered(
    plugin: string,
    offered: OfferedOperation,
    replyTopic: string,
    exact: ExactSchemas,
    headers: Headers,
    now: number,
  ): void {
    let slot = this.parts.slots.get(plugin, offered.name);
    if (slot !== undefined && !slot.isConnection) {
      // The offer crossed the request, or the request was lost. An older peer would take a second one for another.
      if (headers.incarnation !== null) {
        slot.offerIdentifiers = [headers.identifier];
        if (slot.state === SlotState.REQUESTED) {
          this.#sendRequest(slot);
        }
      }
      return;
    }
    if (slot !== undefined && headers.incarnation === null) {
      // An older peer offers nothing that is lent to this core: it has started anew, and cannot say so.
      this.parts.lifecycle.release(slot, SlotTrigger.REPLACED, "forgot");
      slot = undefined;
    }
    let fit = this.#fitOrReason(plugin, offered, slot, exact, headers, now);
    if (typeof fit !== "string") {
      try {
        this.#request(plugin, offered.name, fit, replyTopic, headers, now);
        return;
      } catch (error) {
        if (!(error instanceof RemoteProtocolError)) {
          throw error;
        }
        fit = this.#note(plugin, offered.name, "protocol", error.message);
      }
    }
    this.#sendReject(plugin, offered.name, replyTopic, fit, { correlationIdentifier: headers.identifier });
  }

  /** Return what fits of an offered operation that is to be requested, or why it is not, for people. */
  #fitOrReason(
    plugin: string,
    offered: OfferedOperation,
    slot: Slot | undefined,
    exact: ExactSchemas,
    headers: Headers,
    now: number,
  ): Fit | string {
    const { quotas, lifecycle, obstacles } = this.parts;
    const name = offered.name;
    const terms = this.config.requirements.get(name);
    if (terms === undefined) {
      return "the operation is not required";
    }
    if (slot !== undefined) {
      return "connected already";
    }
    if (!admitsPlugin(terms, plugin)) {
      return this.#note(plugin, name, "constraint", "the plugin is excluded");
    }
    if (!quotas.admitSchemas([...offered.input.schemas, ...offered.output.schemas], now)) {
      return this.#note(plugin, name, "limit", UNREAD_SCHEMAS);
    }
    const fit = this.#matching.fit(terms, offered, headers, exact, now);
    if (fit === null) {
      const there = { inputs: [offered.input], outputs: [offered.output] };
      const sides = { here: terms, there, exact: [...terms.exact, ...(exact.get(name) ?? [])] };
      obstacles.note(this.#matching.obstacle(plugin, name, sides, headers));
      return "input or output does not fit";
    }
    if (!terms.mandatory.includes(plugin) && !hasRoom(terms, this.wanted.taken(name, terms))) {
      return this.#note(plugin, name, "not needed", "not needed anymore");
    }
    if (!quotas.makeRoomForPending(plugin, now, (oldest) => lifecycle.giveUp(oldest))) {
      if (quotas.isClosed) {
        return "the core is leaving";
      }
      return this.#note(plugin, name, "limit", "too many requests are under way");
    }
    return fit;
  }

  /** Note why an offered operation is not requested; returns that. */
  #note(plugin: string, operationName: string, kind: ObstacleKind, reason: string): string {
    this.parts.obstacles.note(new Obstacle(plugin, operationName, kind, reason));
    return reason;
  }

  // Request and reject

  #request(plugin: string, name: string, fit: Fit, replyTopic: string, headers: Headers, now: number): void {
    const { lifecycle, outbox, slots } = this.parts;
    const slot = new Slot({
      role: "core",
      remoteIdentifier: plugin,
      operationName: name,
      input: fit.input,
      output: fit.output,
      inputSchemas: fit.inputSchemas,
      foreign: fit.foreign,
      createdAt: now,
      offerIdentifiers: [headers.identifier],
      peerTopic: replyTopic,
    });
    lifecycle.buildTopics(slot, outbox.newIdentifier());
    slot.size = sizeOfOffer(slot) + sizeOfForeign(fit.foreign);
    lifecycle.begin(slot, SlotTrigger.OFFER_ACCEPTED);
    slots.indexTopics(slot);
    lifecycle.prepare(slot);
  }

  /** Send the request of a slot in state PREPARING. */
  prepared(slot: Slot, now: number): void {
    this.parts.lifecycle.advance(slot, SlotTrigger.PREPARED, now);
    this.#sendRequest(slot);
  }

  #sendRequest(slot: Slot): void {
    const { remoteIdentifier, operationName, connectionIdentifier, outputTopic, setupData, inputSchemas } = slot;
    const eventIdentifier = this.parts.outbox.newIdentifier();
    slot.requestIdentifier = eventIdentifier;
    const fields = {
      coreIdentifier: this.config.identifier,
      operationName,
      responseTopic: this.config.topics.response(remoteIdentifier),
      outputTopic,
      coreSideCloseOperationConnectionTopic: slot.incomingCloseTopic,
      setupData,
      inputSchemas,
    };
    this.parts.outbox.send(
      remoteIdentifier,
      slot.peerTopic,
      { type: "RequestOperationMessage", fields },
      { eventIdentifier, correlationIdentifier: slot.offerIdentifiers.at(-1) ?? null, connectionIdentifier },
    );
  }

  /**
   * Send requests again that a plugin has not answered, or whose answer was lost; it answers each as the first.
   *
   * With `connectionIdentifiers`, those for these alone.
   */
  repeatUnanswered(peer: Peer, connectionIdentifiers?: ReadonlySet<string>): void {
    if (!peer.sendsHeaders) {
      return; // an older peer would take it for another one
    }
    for (const slot of this.parts.slots.ofRemote(peer.identifier)) {
      const isMeant = connectionIdentifiers?.has(slot.connectionIdentifier) ?? true;
      if (isMeant && slot.state === SlotState.REQUESTED) {
        this.#sendRequest(slot);
      }
    }
  }

  #sendReject(plugin: string, operationName: string, topic: string, description: string, options: SendOptions): void {
    const fields = { coreIdentifier: this.config.identifier, operationName, description };
    this.parts.outbox.send(plugin, topic, { type: "RejectOperationMessage", fields }, options);
  }

  /** Tell the plugin that its offer is not taken up. */
  giveUp(slot: Slot): void {
    const { remoteIdentifier, operationName, peerTopic, connectionIdentifier } = slot;
    this.#sendReject(remoteIdentifier, operationName, peerTopic, "the request is taken back", {
      correlationIdentifier: slot.offerIdentifiers.at(-1) ?? null,
      connectionIdentifier,
    });
  }

  // Confirm and no longer available

  /** Open the connection that was requested. */
  #onConfirm(message: MessageOf<"ConfirmConnectionMessage">, headers: Headers, now: number): void {
    const { liveness, slots, resolver, outbox } = this.parts;
    const { pluginIdentifier: plugin, operationName } = message.fields;
    liveness.hear(plugin, headers, now);
    const slot = slots.get(plugin, operationName);
    const levels = slot === undefined ? null : { operationName, connectionIdentifier: slot.connectionIdentifier };
    const told = message.fields.pluginSideCloseOperationConnectionTopic;
    const closeTopic = resolver.resolve(CloseTopic, plugin, told, { levels });
    if (slot !== undefined && isAbout(headers, slot.connectionIdentifier)) {
      if (slot.isConnection) {
        return;
      }
      if (slot.state === SlotState.REQUESTED) {
        if (headers.incarnation === null) {
          this.wanted.older.add(plugin);
        }
        this.#connect(slot, message, closeTopic, now);
        return;
      }
    }
    // Nobody here waits for it, so the plugin must not go on to believe in it.
    const fields = { fromIdentifier: this.config.identifier, operationName, data: null };
    outbox.send(
      plugin,
      closeTopic,
      { type: "GracelessCloneConnectionMessage", fields },
      { correlationIdentifier: headers.identifier, connectionIdentifier: headers.connectionIdentifier },
    );
  }

  #connect(slot: Slot, message: MessageOf<"ConfirmConnectionMessage">, closeTopic: string, now: number): void {
    const { slots, resolver, lifecycle, outbox } = this.parts;
    const { remoteIdentifier: plugin, operationName, connectionIdentifier } = slot;
    const told = message.fields.operationInputTopic;
    if (told !== null) {
      const levels = { operationName, connectionIdentifier };
      slot.inputTopic = resolver.resolve(OperationInputTopic, plugin, told, { levels });
      slots.indexTopics(slot);
    }
    slot.remoteCloseTopic = closeTopic;
    slots.grow(slot, sizeOf(closeTopic) + sizeOf(slot.inputTopic));
    outbox.received(plugin, message);
    lifecycle.open(slot, SlotTrigger.CONFIRM_RECEIVED, now);
  }

  /** Give up a request. */
  #onNoLongerAvailable(message: MessageOf<"OperationNoLongerAvailableMessage">, headers: Headers, now: number): void {
    const { pluginIdentifier: plugin, operationName } = message.fields;
    this.parts.liveness.hear(plugin, headers, now);
    const slot = this.parts.slots.get(plugin, operationName);
    if (
      slot?.state === SlotState.REQUESTED &&
      isAbout(headers, slot.connectionIdentifier) &&
      mayAnswer(headers, [slot.requestIdentifier])
    ) {
      this.parts.outbox.received(plugin, message);
      this.parts.lifecycle.release(slot, SlotTrigger.NO_LONGER_AVAILABLE_RECEIVED, "remote");
    }
  }
}

/** Keep what a plugin has announced, of as many as are asked at a time: the oldest is forgotten. */
function remember(plugins: Map<string, readonly string[]>, plugin: string, operationNames: readonly string[]): void {
  plugins.delete(plugin);
  plugins.set(plugin, operationNames);
  if (plugins.size > limits.DIRECTED_DISCOVERS) {
    for (const oldest of plugins.keys()) {
      plugins.delete(oldest);
      break;
    }
  }
}
