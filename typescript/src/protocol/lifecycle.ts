/** How slots come and go at either kind of orbiter, with the deadlines and effects that follow. */

import { IDENTIFIER_BYTES } from "../../../generated/typescript/limits.js";
import { RemoteProtocolError } from "../errors.js";
import { expectsSomething } from "../schema/schema-set.js";
import { TopicError } from "../support/errors.js";
import { checkLevel } from "../support/topic.js";

import type { OrbiterConfig } from "./config.js";
import { Deadlines } from "./deadlines.js";
import type { CloseReason } from "./effects.js";
import type { RolePart } from "./handshake/role-part.js";
import type { Outbox } from "./outbox.js";
import type { Peers } from "./peers.js";
import type { SlotTable } from "./slot-table.js";
import type { Slot } from "./slots.js";
import type { Suspicions } from "./suspicions.js";
import { SlotState, SlotTrigger, type Role } from "./transitions.js";

/** The steps that change slots. */
export class Lifecycle {
  /** What is told of each slot that opens, closes or becomes free; the machine sets it. */
  role!: RolePart;
  /** Who is told of connections while wills are listened for; the machine sets it. */
  suspicions!: Suspicions;
  /** When something is due next. */
  readonly deadlines = new Deadlines<Slot>();
  /** Slots whose time has come, which nothing was done about yet. */
  #due: Slot[] = [];
  /** Names of operations that can be a level of a topic. */
  readonly #names = new Set<string>();

  constructor(
    private readonly ownRole: Role,
    private config: OrbiterConfig,
    private readonly slots: SlotTable,
    private readonly peers: Peers,
    private readonly outbox: Outbox,
  ) {}

  /** Take a new snapshot; changed durations count for all slots. */
  configure(config: OrbiterConfig): void {
    const before = this.config;
    this.config = config;
    if (
      before.pendingRequestsExpireAfter !== config.pendingRequestsExpireAfter ||
      before.gracefulCloseTimeout !== config.gracefulCloseTimeout ||
      before.closeConnectionIfUnusedAfter !== config.closeConnectionIfUnusedAfter
    ) {
      for (const slot of this.slots.all()) {
        this.#schedule(slot);
      }
    }
  }

  // Handshake

  /** Take a free slot for a handshake. */
  begin(slot: Slot, trigger: SlotTrigger): void {
    this.slots.add(slot, trigger);
    this.peers.engaged(slot.remoteIdentifier);
    const expiry = this.config.pendingRequestsExpireAfter;
    if (expiry !== null) {
      this.deadlines.set(slot, slot.waitingSince + expiry);
    }
  }

  /** Let a handshake go one step on; its time counts from now. */
  advance(slot: Slot, trigger: SlotTrigger, now: number): void {
    this.slots.advance(slot, trigger);
    slot.waitingSince = now; // its deadline follows when the earlier one is reached
  }

  /**
   * Give a slot the topics on which this side listens for its connection.
   *
   * Throws a `RemoteProtocolError` if a topic cannot hold the name of the operation; nothing has changed then.
   */
  buildTopics(slot: Slot, connectionIdentifier: string): void {
    const { remoteIdentifier: remote, operationName: name } = slot;
    this.#checkName(remote, name);
    const topics = this.config.topics;
    slot.connectionIdentifier = connectionIdentifier;
    slot.incomingCloseTopic = topics.close(remote, name, connectionIdentifier);
    if (this.ownRole === "core") {
      if (expectsSomething(slot.output)) {
        slot.outputTopic = topics.data(remote, name, connectionIdentifier);
      }
    } else if (expectsSomething(slot.input)) {
      slot.inputTopic = topics.data(remote, name, connectionIdentifier);
    }
  }

  #checkName(remote: string, name: string): void {
    if (this.#names.has(name)) {
      return;
    }
    try {
      this.#names.add(checkLevel("operation_name", name, IDENTIFIER_BYTES));
    } catch (error) {
      if (error instanceof TopicError) {
        throw new RemoteProtocolError(
          `there can be no connection with '${remote}' for operation '${name}': ${error.message}`,
        );
      }
      throw error;
    }
  }

  /** Have topics subscribed to, and the user prepare for a connection. */
  prepare(slot: Slot): void {
    const { remoteIdentifier, connectionIdentifier } = slot;
    this.outbox.add({ kind: "prepare", remoteIdentifier, slot, connectionIdentifier });
  }

  /** Make a handshake a connection. */
  open(slot: Slot, trigger: SlotTrigger, now: number): void {
    const remoteIdentifier = slot.remoteIdentifier;
    slot.setupData = null; // it has done its work
    this.slots.advance(slot, trigger);
    slot.openedAt = slot.lastUsed = now;
    this.#schedule(slot);
    this.peers.connected(remoteIdentifier, now);
    if (this.config.suspicionGrace !== null) {
      this.suspicions.connected(remoteIdentifier);
    }
    this.outbox.add({ kind: "connectionOpened", remoteIdentifier, slot });
    this.role.opened(slot);
  }

  // End

  /** Let a graceful close of either side begin. */
  beginClosing(slot: Slot, trigger: SlotTrigger, now: number): void {
    this.slots.advance(slot, trigger);
    slot.closingAt = now;
    this.#schedule(slot);
    this.role.closing?.(slot);
  }

  /** Make a slot free, and have user and bus follow. `data` is what the remote's close carried. */
  release(slot: Slot, trigger: SlotTrigger, reason: CloseReason, data: Uint8Array | null = null): void {
    const wasConnection = slot.isConnection;
    const remoteIdentifier = slot.remoteIdentifier;
    const topics = slot.state === SlotState.OFFERED ? [] : [...slot.localTopics];
    if (slot.state === SlotState.CLOSING && slot.ackTopic !== null) {
      topics.push(slot.ackTopic);
    }
    this.slots.advance(slot, trigger);
    this.deadlines.discard(slot);
    if (wasConnection) {
      this.peers.disconnected(remoteIdentifier);
    }
    if (!this.slots.hasRemote(remoteIdentifier)) {
      this.peers.parted(remoteIdentifier);
    }
    this.outbox.add(
      wasConnection
        ? { kind: "connectionClosed", remoteIdentifier, slot, reason, data }
        : { kind: "pendingRequestDiscarded", remoteIdentifier, slot },
    );
    if (topics.length > 0) {
      this.outbox.add({ kind: "unsubscribe", remoteIdentifier, topics });
    }
    if (wasConnection && this.config.suspicionGrace !== null) {
      this.suspicions.disconnected(remoteIdentifier);
    }
    this.role.released(slot, trigger);
  }

  /** Tell the remote that a handshake comes to nothing, and make its slot free. */
  giveUp(slot: Slot, trigger: SlotTrigger = SlotTrigger.EXPIRED): void {
    this.role.giveUp(slot);
    this.release(slot, trigger, "local");
  }

  /** Drop all that is shared with a remote, or some of it, on this side alone. */
  lose(remoteIdentifier: string, reason: CloseReason, slots = this.slots.ofRemote(remoteIdentifier)): void {
    this.outbox.add({ kind: "remoteLost", remoteIdentifier, reason });
    for (const slot of slots) {
      if (reason === "dead" && slot.isConnection) {
        // In case that it lives after all.
        this.sendGracelessClose(slot, null);
      }
      this.release(slot, SlotTrigger.REMOTE_LOST, reason);
    }
  }

  /** Tell the remote that a connection is no more. */
  sendGracelessClose(slot: Slot, data: Uint8Array | null): void {
    const { remoteIdentifier, connectionIdentifier, operationName } = slot;
    const fields = { fromIdentifier: this.config.identifier, operationName, data };
    const message = { type: "GracelessCloneConnectionMessage", fields } as const;
    this.outbox.send(remoteIdentifier, slot.remoteCloseTopic, message, { connectionIdentifier });
  }

  // Deadlines

  /** Return the handshakes that were not answered in time. */
  popExpired(now: number): Slot[] {
    return this.#pop(now, (slot) => !slot.isConnection);
  }

  /** Return the connections whose graceful close was not acknowledged in time, by either side. */
  popOverdueCloses(now: number): Slot[] {
    return this.#pop(now, (slot) => slot.isEnding);
  }

  /** Return the open connections to look at, since they may not have been used for long enough. */
  popPerhapsUnused(now: number): Slot[] {
    return this.#pop(now, (slot) => slot.isOpen);
  }

  /** Have an open connection looked at again at a time. */
  lookAt(slot: Slot, at: number): void {
    this.deadlines.set(slot, at);
  }

  /** When the next slot is due. */
  nextDeadline(): number | null {
    this.#due = this.#due.filter((slot) => this.#isWaiting(slot));
    return this.#due.length > 0 ? -Infinity : this.deadlines.next();
  }

  /** Let nothing be due any more. */
  clear(): void {
    this.deadlines.clear();
    this.#due = [];
  }

  #pop(now: number, isMeant: (slot: Slot) => boolean): Slot[] {
    const due = [...this.#due, ...this.deadlines.popDue(now)];
    const meant: Slot[] = [];
    this.#due = [];
    for (const slot of due) {
      // Its state may have changed since, and with that its deadline.
      if (this.#isWaiting(slot) && (slot.isConnection || !this.#isEarly(slot, now))) {
        (isMeant(slot) ? meant : this.#due).push(slot);
      }
    }
    return meant;
  }

  /** Whether a slot whose time has come still has no other deadline. */
  #isWaiting(slot: Slot): boolean {
    return slot.state !== SlotState.FREE && !this.deadlines.has(slot);
  }

  /** Whether a handshake has gone on since its deadline was set; then it gets another one. */
  #isEarly(slot: Slot, now: number): boolean {
    const expiry = this.config.pendingRequestsExpireAfter;
    if (expiry !== null && slot.waitingSince + expiry <= now) {
      return false;
    }
    this.#schedule(slot);
    return true;
  }

  /** Set the deadline that a slot has in its state, and no other. */
  #schedule(slot: Slot): void {
    const config = this.config;
    let since: number | null = slot.waitingSince;
    let duration = config.pendingRequestsExpireAfter;
    if (slot.isOpen) {
      since = slot.lastUsed;
      duration = config.closeConnectionIfUnusedAfter;
    } else if (slot.isEnding) {
      since = slot.closingAt;
      duration = config.gracefulCloseTimeout;
    }
    if (since === null || duration === null) {
      this.deadlines.discard(slot);
    } else {
      this.deadlines.set(slot, since + duration);
    }
  }
}
