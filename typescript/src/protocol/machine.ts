/**
 * The state machine of one orbiter: dispatches messages and deadlines to its parts, and collects their effects.
 *
 * It does no input or output, and has neither clock nor log. Its caller hands in what happens, with the time, and
 * carries out the effects that come back. Times are seconds on any monotonic clock of the caller's.
 *
 * The parts, each of which owns its state:
 *
 * - `peers`: the remotes that are known, their incarnation, and when they were last seen;
 * - `slots`: handshakes under way and connections, with their indexes; `Lifecycle` has the steps that change them;
 * - `Quotas`: every limit on what others can use up;
 * - `Liveness`: keepalives, and remotes that are dead;
 * - `Incarnations`: remotes that have started anew, or are said to have;
 * - `Suspicions`: wills of remotes;
 * - `Namesakes`: two orbiters with one identifier;
 * - `Closing`: graceful and graceless closes;
 * - `Provider` (plugin) or `Requester` (core): the handshake.
 */

import { NoConnectionError, RemoteProtocolError } from "../errors.js";

import { Closing, never } from "./closing.js";
import type { CoreConfig, OrbiterConfig, PluginConfig, RequirementTerms } from "./config.js";
import type { Deadlines } from "./deadlines.js";
import type { Effect } from "./effects.js";
import { Provider } from "./handshake/provider.js";
import { Requester } from "./handshake/requester.js";
import type { Parts, RolePart } from "./handshake/role-part.js";
import { isAbout, type Headers } from "./headers.js";
import { Incarnations } from "./incarnations.js";
import { Lifecycle } from "./lifecycle.js";
import { Liveness } from "./liveness.js";
import { senderOf, type ProtocolMessage } from "./messages.js";
import { Namesakes } from "./namesakes.js";
import { Obstacle, Obstacles } from "./obstacles.js";
import { OrbiterStatistics } from "./orbiter-statistics.js";
import { Outbox } from "./outbox.js";
import { Peers } from "./peers.js";
import { Quotas } from "./quotas.js";
import { SlotTable } from "./slot-table.js";
import type { Slot } from "./slots.js";
import { Suspicions } from "./suspicions.js";
import { admitsCore, hasRoom } from "./terms.js";
import { TopicResolver } from "./topic-resolver.js";
import { SlotState, SlotTrigger, type Role } from "./transitions.js";

/** Where a machine has its identifiers from: it has no chance of its own. */
export interface Identifiers {
  /** Give an identifier that is new each time. */
  newIdentifier(): string;
  /** Give one that nobody can guess, either. */
  newChallenge(): string;
  /** Say whether it is one of these. */
  isOwn(identifier: string): boolean;
}

/** What the caller of `tick` knows of connections. */
export interface Uses {
  /** Whether a connection is in use, so that it is not closed as unused. */
  readonly isInUse?: (slot: Slot) => boolean;
  /** What goes along with a graceful close that the machine begins. */
  readonly closeData?: (slot: Slot) => Uint8Array | null;
}

/** Whose deadline may move: the next look at it is earlier than was said before. */
type Timed = Pick<Deadlines<object>, "hasMoved">;

/**
 * What both kinds of orbiter do.
 *
 * Public methods return the effects of the call. A message that is late, duplicated or foreign has none. One that breaks
 * the protocol throws a `RemoteProtocolError`; the effects that it had until then are returned by `take`, or else by the
 * next call.
 */
export abstract class Machine<Config extends OrbiterConfig = OrbiterConfig> {
  /** Whether the orbiter takes part. */
  running = false;
  /** What has been counted. */
  readonly statistics = new OrbiterStatistics();
  /** All that is shared with remotes, or about to be. */
  readonly slots = new SlotTable();
  /** All remotes that are known. */
  readonly peers: Peers;
  /** What bounds all that others can use up. */
  readonly quotas: Quotas;
  /** What has kept operations from being connected. */
  readonly obstacles: Obstacles;
  /** What is known of two orbiters with one identifier. */
  readonly namesakes: Namesakes;
  /** What the role's part is made of. */
  protected readonly parts: Parts;
  /** The role's part. */
  protected abstract readonly part: RolePart;
  readonly #incarnations: Incarnations;
  readonly #suspicions: Suspicions;
  readonly #closing: Closing;

  constructor(
    /** What it is the machine of: `core` or `plugin`. */
    readonly role: Role,
    protected config: Config,
    identifiers: Identifiers,
  ) {
    const slots = this.slots;
    const peers = (this.peers = new Peers(config, this.statistics));
    const quotas = (this.quotas = new Quotas(config, slots, this.statistics));
    const obstacles = (this.obstacles = new Obstacles(config, slots));
    const resolver = new TopicResolver(role, config.identifier);
    const outbox = new Outbox(peers, identifiers);
    const lifecycle = new Lifecycle(role, config, slots, peers, outbox);
    const liveness = new Liveness(config, peers, slots, lifecycle, resolver, outbox);
    this.namesakes = liveness.namesakes = new Namesakes(config, outbox, liveness, this.statistics, identifiers);
    this.#incarnations = new Incarnations(config, peers, slots, lifecycle, liveness, outbox);
    this.#suspicions = lifecycle.suspicions = new Suspicions(config, peers, liveness, outbox);
    this.#closing = new Closing(config, slots, lifecycle, liveness, resolver, outbox);
    this.parts = { peers, slots, quotas, obstacles, lifecycle, liveness, resolver, outbox };
  }

  /** Have the other parts tell the role's part; called once it is made. */
  protected connect(part: RolePart): void {
    this.parts.lifecycle.role = this.parts.liveness.role = part;
  }

  /** Whether it begins no new connections, and takes part until its connections have ended. */
  get leaving(): boolean {
    return this.quotas.isClosed;
  }

  // Life

  /** Begin to take part. */
  start(now: number): Effect[] {
    this.running = true;
    this.quotas.isClosed = false;
    this.namesakes.start(now);
    this.part.start(now);
    return this.take();
  }

  /** Close everything gracelessly, with the data that is to go along, and take part no more. */
  stop(closeData: (slot: Slot) => Uint8Array | null = () => null): Effect[] {
    const lifecycle = this.parts.lifecycle;
    for (const slot of this.slots.all()) {
      if (slot.isConnection) {
        lifecycle.sendGracelessClose(slot, closeData(slot));
        lifecycle.release(slot, SlotTrigger.STOPPED, "stopped");
      } else {
        lifecycle.giveUp(slot, SlotTrigger.STOPPED);
      }
    }
    this.part.stop();
    this.obstacles.clear();
    this.running = false;
    this.peers.clear();
    this.#suspicions.clear();
    lifecycle.clear();
    return this.take();
  }

  /** Begin no new connections until the next start, and take back what is under way. */
  leave(): Effect[] {
    this.quotas.isClosed = true;
    this.part.leave?.();
    for (const slot of this.slots.all()) {
      if (!slot.isConnection) {
        this.parts.lifecycle.giveUp(slot, SlotTrigger.STOPPED);
      }
    }
    return this.take();
  }

  /** Return the effects of a call that has thrown. */
  take(): Effect[] {
    return this.parts.outbox.take();
  }

  /** Take a new snapshot of what the user wants; it counts from now on. */
  configure(config: Config, now: number): Effect[] {
    this.config = config;
    this.configurePart(config);
    const { peers, quotas, obstacles, lifecycle, liveness } = this.parts;
    const others = [peers, quotas, obstacles, lifecycle, liveness, this.#closing, this.#suspicions, this.namesakes];
    for (const part of [...others, this.#incarnations]) {
      part.configure(config);
    }
    return this.settled(now);
  }

  /** Give the role's part a new snapshot. */
  protected abstract configurePart(config: Config): void;

  /** Return the effects of a call, and of the conclusions that the role draws from it. */
  protected settled(now: number): Effect[] {
    if (this.running) {
      this.part.settle(now);
    }
    return this.take();
  }

  // What arrives

  /** Take a message of the protocol that arrived on a topic; throws a `RemoteProtocolError` if it breaks the rules. */
  handle(topic: string, message: ProtocolMessage, headers: Headers, now: number): Effect[] {
    if (!this.running) {
      return this.take();
    }
    const { outbox, resolver } = this.parts;
    const sender = senderOf(message);
    try {
      const isBound = resolver.checkEvent(topic, sender, headers);
      if (this.quotas.admit(sender, this.peers.get(sender) ?? null, isBound, now)) {
        this.#receive(topic, message, headers, now, isBound);
        if (outbox.effects.length === 0) {
          this.statistics.ignored += 1;
        }
      }
    } catch (error) {
      if (error instanceof RemoteProtocolError) {
        this.statistics.refused += 1;
      }
      throw error;
    }
    return this.take();
  }

  #receive(topic: string, message: ProtocolMessage, headers: Headers, now: number, isBound: boolean): void {
    if (!this.#isForMe(message)) {
      return;
    }
    const sender = senderOf(message);
    const peer = this.peers.get(sender);
    if (sender === this.config.identifier) {
      this.namesakes.heardOwn(message, headers, now);
      return;
    }
    try {
      if (
        peer === undefined ||
        peer.incarnation === headers.incarnation ||
        this.#incarnations.admits(peer, topic, message, headers, now, isBound)
      ) {
        this.#dispatch(topic, message, headers, now);
      }
    } finally {
      this.part.settle(now);
    }
  }

  #isForMe(message: ProtocolMessage): boolean {
    switch (message.type) {
      case "DiscoverMessage":
      case "RequestOperationMessage":
      case "RejectOperationMessage":
        return this.role === "plugin";
      case "AnnounceMessage":
      case "OfferMessage":
      case "ConfirmConnectionMessage":
      case "OperationNoLongerAvailableMessage":
        return this.role === "core";
      default:
        return true;
    }
  }

  #dispatch(topic: string, message: ProtocolMessage, headers: Headers, now: number): void {
    switch (message.type) {
      case "KeepaliveMessage":
        this.parts.liveness.onKeepalive(message, headers, now);
        break;
      case "KeepaliveRequestMessage":
        this.parts.liveness.onKeepaliveRequest(message, headers, now);
        break;
      case "GracefulCloseConnectionMessage":
      case "GracelessCloneConnectionMessage":
        this.#closing.onClose(topic, message, headers, now);
        break;
      case "CloseConnectionAckMessage":
        this.#closing.onCloseAck(topic, message, headers, now);
        break;
      case "WillMessage":
        this.#suspicions.onWill(message, headers, now);
        break;
      default:
        this.part.receive(topic, message, headers, now);
    }
  }

  /** Whether an output belongs to a request whose confirm is to come: it shows that the plugin has it. */
  isAheadOfConfirm(slot: Slot, headers: Headers): boolean {
    return slot.state === SlotState.REQUESTED && isAbout(headers, slot.connectionIdentifier);
  }

  /** Note an input or output on a connection; returns whether it is to be handed on. */
  data(slot: Slot, headers: Headers, now: number): boolean {
    if (!slot.isConnection || !isAbout(headers, slot.connectionIdentifier)) {
      return false;
    }
    const peer = this.peers.get(slot.remoteIdentifier);
    if (peer !== undefined) {
      if (headers.incarnation !== null && peer.status(headers) !== "current") {
        return false;
      }
      this.peers.seen(peer, now);
    }
    this.touch(slot, now);
    return true;
  }

  /** Take the report that the preparation of a slot is done; `setupData` is what a core's user gave. */
  prepared(slot: Slot, connectionIdentifier: string, now: number, setupData: Uint8Array | null = null): Effect[] {
    if (slot.state === SlotState.PREPARING && slot.connectionIdentifier === connectionIdentifier) {
      if (this.role === "core") {
        slot.setupData = setupData;
      }
      this.part.prepared(slot, now);
    }
    return this.settled(now);
  }

  /** Take the report that the preparation of a slot has failed; `reason` is for people. */
  preparationFailed(slot: Slot, connectionIdentifier: string, now: number, reason = ""): Effect[] {
    if (slot.state === SlotState.PREPARING && slot.connectionIdentifier === connectionIdentifier) {
      this.obstacles.note(new Obstacle(slot.remoteIdentifier, slot.operationName, "preparation", reason));
      this.parts.lifecycle.giveUp(slot, SlotTrigger.PREPARATION_FAILED);
    }
    return this.settled(now);
  }

  /** Take the report that all data of a connection is handled that had come before its remote's close. */
  drained(slot: Slot, now: number): Effect[] {
    this.#closing.drained(slot);
    return this.settled(now);
  }

  /** Take the report that the bus was away: messages of either side may be lost. */
  reconnected(now: number): Effect[] {
    if (this.running) {
      this.parts.liveness.reconnected(now);
      this.part.reconnected(now);
    }
    return this.take();
  }

  /** Take the report that the bus on which remotes are was lost: their wills count no more. */
  cancelSuspicions(remoteIdentifiers: Iterable<string>): Effect[] {
    this.#suspicions.cancel(remoteIdentifiers);
    return this.take();
  }

  // What the user wants

  /** Note that a connection was used. */
  touch(slot: Slot, now: number): void {
    slot.lastUsed = Math.max(slot.lastUsed, now);
  }

  /**
   * Return the connection of a remote and operation, also one that is closing.
   *
   * Throws a `NoConnectionError` if there is none, and so do all methods that take a remote and an operation.
   */
  connection(remoteIdentifier: string, operationName: string): Slot {
    const slot = this.slots.get(remoteIdentifier, operationName);
    if (slot?.isConnection !== true) {
      throw new NoConnectionError(
        `'${this.config.identifier}' has no connection with '${remoteIdentifier}' for operation '${operationName}'`,
      );
    }
    return slot;
  }

  /** Close a connection at once. */
  closeGracelessly(remoteIdentifier: string, operationName: string, data: Uint8Array | null, now: number): Effect[] {
    this.#closing.closeGracelessly(this.connection(remoteIdentifier, operationName), data, now);
    return this.settled(now);
  }

  /**
   * Ask the remote to close a connection; it is closed here when the remote has acknowledged.
   *
   * A connection that is closing already is left alone.
   */
  closeGracefully(remoteIdentifier: string, operationName: string, data: Uint8Array | null, now: number): Effect[] {
    this.#closing.closeGracefully(this.connection(remoteIdentifier, operationName), data, now);
    return this.settled(now);
  }

  /** Close a connection on this side, and tell the remote nothing. */
  closeHere(remoteIdentifier: string, operationName: string, now: number): Effect[] {
    const slot = this.connection(remoteIdentifier, operationName);
    this.parts.lifecycle.release(slot, SlotTrigger.CLOSED_HERE, "local");
    return this.settled(now);
  }

  /** Give a remote a sign of life; throws a `NoConnectionError` if its keepalive topic is not known. */
  sendKeepalive(remoteIdentifier: string, now: number): Effect[] {
    const peer = this.peers.get(remoteIdentifier);
    if (peer?.keepaliveTopic == null) {
      throw new NoConnectionError(`'${this.config.identifier}' knows no keepalive topic of '${remoteIdentifier}'`);
    }
    this.parts.liveness.sendKeepalive(peer, now);
    return this.take();
  }

  /** Ask a remote for a sign of life; throws a `NoConnectionError` if it has not said where. */
  sendKeepaliveRequest(remoteIdentifier: string, now: number): Effect[] {
    const peer = this.peers.get(remoteIdentifier);
    if (peer?.keepaliveRequestTopic == null) {
      throw new NoConnectionError(
        `'${this.config.identifier}' knows no keepalive request topic of '${remoteIdentifier}'`,
      );
    }
    this.parts.liveness.sendKeepaliveRequest(peer, now);
    return this.take();
  }

  // What time brings

  /**
   * Do what is due by now.
   *
   * It forgets what has expired, loses dead remotes, sends keepalives and requests for them, closes gracelessly what was
   * not acknowledged in time and gracefully what is unused; then the role does what it has to.
   */
  tick(now: number, uses: Uses = {}): Effect[] {
    const lifecycle = this.parts.lifecycle;
    this.part.doDue?.(now);
    for (const slot of lifecycle.popExpired(now)) {
      lifecycle.giveUp(slot);
    }
    this.#settle(now);
    this.parts.liveness.loseDeadRemotes(now);
    if (this.#suspicions.recent.size > 0) {
      this.#suspicions.doDue(now);
    }
    this.#settle(now);
    this.parts.liveness.sendDueKeepalives(now);
    for (const slot of lifecycle.popOverdueCloses(now)) {
      if (slot.isConnection) {
        this.#closing.closeGracelessly(slot, slot.closeData, now);
        this.#settle(now);
      }
    }
    const isInUse = uses.isInUse ?? never;
    for (const slot of this.#closing.unusedConnections(now, isInUse)) {
      if (this.#closing.isUnused(slot, now, isInUse)) {
        this.#closing.closeGracefully(slot, uses.closeData?.(slot) ?? null, now);
      }
      this.#settle(now);
    }
    if (this.running) {
      this.part.turn(now);
    }
    return this.take();
  }

  /** Close gracefully, newest first, the open connections that policies do not allow any more. */
  protected closeDisallowed(slots: readonly Slot[], isAllowed: (slot: Slot) => boolean, now: number): void {
    for (const slot of slots) {
      if (!isAllowed(slot)) {
        this.#closing.closeGracefully(slot, null, now);
      }
      this.#settle(now);
    }
  }

  #settle(now: number): void {
    if (this.running) {
      this.part.settle(now);
    }
  }

  /** Whether something may be due earlier than when this was asked last. */
  deadlineHasMoved(): boolean {
    let moved = false;
    for (const one of this.#timed()) {
      moved ||= one.hasMoved;
      one.hasMoved = false;
    }
    return moved;
  }

  #timed(): Timed[] {
    return [this.peers.deadlines, this.parts.lifecycle.deadlines, this.#suspicions.deadlines, this.part];
  }

  /** When the next thing is due, or `null` while nothing is. */
  nextDeadline(): number | null {
    const at = Math.min(
      this.parts.lifecycle.nextDeadline() ?? Infinity,
      this.peers.nextDeadline() ?? Infinity,
      this.part.nextDeadline() ?? Infinity,
      this.#suspicions.deadlines.next() ?? Infinity,
    );
    return at === Infinity ? null : at;
  }
}

/** The machine of a plugin. */
export class PluginMachine extends Machine<PluginConfig> {
  /** The plugin's side of the handshake. */
  readonly provider: Provider;
  protected readonly part: Provider;

  constructor(config: PluginConfig, identifiers: Identifiers) {
    super("plugin", config, identifiers);
    this.provider = this.part = new Provider(config, this.parts);
    this.connect(this.provider);
  }

  protected configurePart(config: PluginConfig): void {
    this.provider.configure(config);
  }

  /** Take a new snapshot; the connections that a policy has ceased to allow are closed gracefully, newest first. */
  override configure(config: PluginConfig, now: number): Effect[] {
    const effects = super.configure(config, now);
    this.closeDisallowed(this.provider.popDisallowed(), (slot) => this.#isAllowed(slot), now);
    return [...effects, ...this.take()];
  }

  #isAllowed(slot: Slot): boolean {
    const terms = this.config.operations.get(slot.operationName);
    return (
      terms === undefined ||
      (admitsCore(terms, slot.remoteIdentifier) && hasRoom(terms, this.slots.openCount(slot.operationName) - 1))
    );
  }

  /**
   * Offer operations to a core without being asked; those that cannot be lent to it now are left out.
   *
   * Throws a `RemoteProtocolError` if the core's identifier or the topic cannot be used.
   */
  sendOffer(coreIdentifier: string, offerTopic: string, operationNames: readonly string[], now: number): Effect[] {
    if (this.running) {
      this.provider.sendOfferTo(coreIdentifier, offerTopic, operationNames, now);
    }
    return this.take();
  }
}

/** The machine of a core. */
export class CoreMachine extends Machine<CoreConfig> {
  /** The core's side of the handshake. */
  readonly requester: Requester;
  protected readonly part: Requester;

  constructor(config: CoreConfig, identifiers: Identifiers) {
    super("core", config, identifiers);
    this.requester = this.part = new Requester(config, this.parts);
    this.connect(this.requester);
  }

  protected configurePart(config: CoreConfig): void {
    this.requester.configure(config);
  }

  /** Ask all plugins for operations; without any, nothing is sent. */
  discover(wanted: ReadonlyMap<string, RequirementTerms>, now: number): Effect[] {
    if (this.running) {
      this.requester.discover(wanted, now);
    }
    return this.take();
  }
}
