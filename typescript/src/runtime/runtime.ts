/** Between an orbiter's state machine and its bus: events in, effects out, hooks called where they belong. */

import type { Bus, Receive, Will } from "../bus/bus.js";
import {
  CLOSE,
  CLOSE_ACK,
  OPERATION_INPUT,
  OPERATION_OUTPUT,
  WILL,
  type Channel,
} from "../../../generated/typescript/channels.js";
import { codecOf } from "../../../generated/typescript/codecs.js";
import { Encoding } from "../../../generated/typescript/envelope.js";
import type { EventEnvelope } from "../../../generated/typescript/messages.js";
import { WillTopic } from "../../../generated/typescript/topics.js";
import { BusError, RemoteProtocolError } from "../errors.js";
import { readMessage, writeMessage } from "../message/event.js";
import type { CloseReason, Effect, Prepare, Send } from "../protocol/effects.js";
import type { Machine } from "../protocol/machine.js";
import { senderOf, type ProtocolMessage } from "../protocol/messages.js";
import type { Obstacle } from "../protocol/obstacles.js";
import type { Slot } from "../protocol/slots.js";
import { shortened } from "../schema/difference.js";
import { WireError } from "../support/errors.js";
import { BusLocator } from "./bus-locator.js";
import { Connection } from "./connection.js";
import { Delivery, type DataTaker } from "./delivery.js";
import { ThrottledLog, type Log } from "./log.js";
import { WorkQueues } from "./queues.js";
import type { OrbiterTracing, Tracing } from "./tracing.js";

/** What an orbiter calls when something happens to it; each may be left out. */
export interface Hooks {
  /** Called when a connection is open. */
  onConnected?(connection: Connection): unknown;
  /** Called when a connection has ended, with what the remote's close carried. */
  onClosed?(connection: Connection, reason: CloseReason, data: Uint8Array | null): unknown;
  /** Called when a remote is dead, or has started anew. */
  onRemoteLost?(remoteIdentifier: string, reason: CloseReason): unknown;
  /** Called for each message of the protocol that counts. */
  onMessage?(remoteIdentifier: string, message: ProtocolMessage): unknown;
}

/** What a role adds. */
export interface RoleTaker extends DataTaker {
  /** Prepare for a connection: set the operation up, or give the data for that. */
  prepare(slot: Slot): Promise<Uint8Array | null> | null;
  disconnected(slot: Slot, reason: CloseReason): void;
  complianceChanged(compliant: boolean): unknown;
}

const OWN = "\u0000compliance";
const WILLS = "\u0000wills";

/** Carries between one orbiter, its state machine and its bus. */
export class Runtime {
  readonly queues: WorkQueues;
  readonly delivery: Delivery;
  incarnation = "";
  /** What makes spans, if anything does. */
  readonly tracing: OrbiterTracing | null;
  readonly #complaints: ThrottledLog;
  readonly #log: Log;
  /** By remote of whose will is listened for: the bus on which that is. */
  readonly #watched = new Map<string, string | null>();
  readonly #locator: BusLocator;
  #alarm: ReturnType<typeof setTimeout> | null = null;
  #alarmAt = Infinity;
  #underWay: Effect[] | null = null;
  #isRunning = false;
  #allEnded: (() => void)[] = [];

  constructor(
    readonly identifier: string,
    readonly bus: Bus,
    readonly machine: Machine,
    readonly taker: RoleTaker,
    readonly hooks: Hooks,
    log: Log,
    tracing?: Tracing,
  ) {
    this.tracing = tracing?.of({ identifier, role: machine.role, clientIdentifier: bus.identifier }) ?? null;
    this.#log = log;
    this.#complaints = new ThrottledLog(log);
    this.queues = new WorkQueues((error) => log.error(`${identifier}: ${describe(error)}`));
    this.#locator = new BusLocator(machine);
    this.delivery = new Delivery(machine, taker, now, connectionOf, this.#locator, (text) => this.complain(text));
  }

  /** Begin another incarnation. */
  begin(incarnation: string): void {
    this.incarnation = incarnation;
    this.#isRunning = true;
    this.#watched.clear();
  }

  /** Have nothing happen any more. */
  end(): void {
    this.#isRunning = false;
    this.#silence();
    this.queues.clear();
  }

  /** The will to leave with the bus. */
  makeWill(): Will {
    const data = writeMessage(this.#who, "WillMessage", { fromIdentifier: this.identifier }, {}, Encoding.JSON);
    return { topic: WillTopic.build({ senderIdentifier: this.identifier }), data, channel: WILL };
  }

  /** Log what a stranger can cause. */
  complain(text: string): void {
    this.#complaints.warn(() => `${this.identifier}: ${text}`);
  }

  get #who(): { publisherIdentifier: string; incarnation: string } {
    return { publisherIdentifier: this.bus.identifier, incarnation: this.incarnation };
  }

  // In

  /** Return what takes the messages of a channel. */
  receiver(channel: Channel): Receive {
    return (topic, data, origin) => this.guard(() => this.#arrived(channel, topic, data, origin));
  }

  /** Take what has arrived on the topic of a connection. */
  readonly receiveData: Receive = (topic, data, origin) => {
    this.guard(() => this.delivery.receive(topic, data, origin));
  };

  /** Read an event; `null` for one that is malformed or of another version, or has come by another bus. */
  read(topic: string, data: Uint8Array, origin: string | null): EventEnvelope | null {
    const envelope = this.delivery.read(topic, data);
    return envelope === null || this.#locator.isCopy(topic, envelope, origin) ? null : envelope;
  }

  /** Do something while the orbiter runs, of which a failure must end nothing else. */
  guard(work: () => void): void {
    if (!this.#isRunning) {
      return;
    }
    try {
      work();
    } catch (error) {
      this.#log.error(`${this.identifier}: ${describe(error)}`);
    }
  }

  #arrived(channel: Channel, topic: string, data: Uint8Array, origin: string | null): void {
    const envelope = this.read(topic, data, origin);
    if (envelope === null) {
      return;
    }
    try {
      const message = isOf(channel, envelope) ? readMessage(envelope) : null;
      if (message === null) {
        this.machine.statistics.misplaced += 1;
        this.complain(`${envelope.messageType ?? "an empty event"} on topic '${topic}' is no message of that channel`);
        return;
      }
      this.#receive(topic, message as ProtocolMessage, envelope, origin);
    } catch (error) {
      if (!(error instanceof WireError)) {
        throw error;
      }
      this.complain(`a malformed event on topic '${topic}' is ignored: ${error.message}`);
    }
  }

  #receive(topic: string, message: ProtocolMessage, envelope: EventEnvelope, origin: string | null): void {
    const sender = senderOf(message);
    if (!this.#locator.admits(message, envelope, origin)) {
      this.machine.statistics.misled += 1;
      this.complain(
        `a message on topic '${topic}' of a second '${sender}', on bus ${String(origin)}, is ignored: it has to do with ` +
          `the one on bus ${String(this.#locator.busOf(sender))}`,
      );
      return;
    }
    const queues = this.queues;
    if (
      queues.waiting > 0 &&
      !this.machine.quotas.admitsWork(queues.length(sender), queues.bytes(sender), queues.waiting, queues.waitingBytes)
    ) {
      this.machine.statistics.overloaded += 1;
      this.complain(`a message on topic '${topic}' of '${sender}' is ignored: too much is still to be done`);
      return;
    }
    if (message.type === "GracefulCloseConnectionMessage" || message.type === "CloseConnectionAckMessage") {
      const slot = this.machine.slots.get(sender, message.fields.operationName);
      // An open connection drains in a state of its own.
      if (slot !== undefined && !slot.isOpen && this.delivery.isBusy(slot)) {
        void this.delivery.handled(slot).then(() => this.guard(() => this.#handle(topic, message, envelope)));
        return;
      }
    }
    this.#handle(topic, message, envelope);
  }

  #handle(topic: string, message: ProtocolMessage, envelope: EventEnvelope): void {
    let effects: Effect[];
    try {
      effects = this.machine.handle(topic, message, envelope, now());
    } catch (error) {
      if (!(error instanceof RemoteProtocolError)) {
        throw error;
      }
      this.complain(`a message on topic '${topic}' is ignored: ${error.message}`);
      effects = this.machine.take();
    }
    this.submit(effects, envelope.traceparent);
  }

  /** Take the report that the bus was away. */
  reconnected(): void {
    this.guard(() => this.submit(this.machine.reconnected(now())));
  }

  /** Take the report that the connection with a bus is lost: it may have sent all wills because it ends. */
  lost(bus: string | null): void {
    this.guard(() => {
      const suspected = [...this.machine.peers.suspected.keys()];
      this.submit(
        this.machine.cancelSuspicions(suspected.filter((remote) => (this.#watched.get(remote) ?? null) === bus)),
      );
    });
  }

  // Time

  /** Do what is due. */
  tick(): void {
    const isInUse = (slot: Slot): boolean => this.delivery.isBusy(slot) || this.taker.isInUse(slot);
    this.guard(() => this.submit(this.machine.tick(now(), { isInUse })));
  }

  #lookAgain(): void {
    const due = this.machine.nextDeadline();
    const at = due ?? Infinity;
    if (!this.#isRunning || at === Infinity || (this.#alarm !== null && this.#alarmAt <= at)) {
      return;
    }
    this.#silence();
    this.#alarmAt = at;
    const delay = Math.min(Math.max((at - now()) * 1000, 1), 2 ** 31 - 1);
    this.#alarm = setTimeout(() => {
      this.#alarm = null;
      this.#alarmAt = Infinity;
      this.tick();
      this.#lookAgain();
    }, delay);
  }

  #silence(): void {
    if (this.#alarm !== null) {
      clearTimeout(this.#alarm);
      this.#alarm = null;
      this.#alarmAt = Infinity;
    }
  }

  // Out

  /**
   * Carry effects out, each now or in its turn; what has to be known at once is noted now.
   *
   * `cause` is the trace context of the message that they follow from, if it has one.
   */
  submit(effects: readonly Effect[], cause: string | null = null): void {
    // No other effect waits for these, and users that are told of a connection may count on the will of its remote.
    for (const effect of effects) {
      if (effect.kind === "watchWill") {
        this.#watch(effect.remoteIdentifier, effect.isWanted);
      }
    }
    if (this.#underWay !== null) {
      this.#underWay.push(...effects);
      return;
    }
    const all = (this.#underWay = [...effects]);
    try {
      for (const effect of all) {
        // It grows.
        this.tracing?.note(effect, cause);
        this.#note(effect);
        const key = effect.kind === "complianceChanged" ? OWN : (effect.remoteIdentifier ?? "");
        const bus = this.#locator.busOf(effect.remoteIdentifier);
        const kind = effect.kind === "send" && effect.replacesEarlier ? `${effect.channel.key} ${effect.topic}` : null;
        this.queues.submit(
          key,
          () => this.#carryOut(effect, bus),
          () => sizeOf(effect),
          kind,
        );
      }
    } finally {
      this.#underWay = null;
    }
    this.#lookAgain();
  }

  #note(effect: Effect): void {
    switch (effect.kind) {
      case "connectionOpened":
        this.#open(effect.slot);
        break;
      case "connectionClosed": {
        const { slot, reason } = effect;
        connectionOf(slot)?.end();
        this.delivery.ended(slot);
        this.taker.disconnected(slot, reason);
        if (this.machine.slots.connectionCount === 0) {
          for (const call of this.#allEnded.splice(0)) {
            call();
          }
        }
        break;
      }
      case "pendingRequestDiscarded":
        this.delivery.ended(effect.slot);
        break;
      case "obstacleMet":
        this.#tell(effect.obstacle);
        break;
      default:
    }
  }

  /** Log why an operation is not lent; not where the core's user wants it so, since this side can do nothing about it. */
  #tell(obstacle: Obstacle): void {
    const { operationName, remoteIdentifier, kind } = obstacle;
    if (kind !== "constraint") {
      const what = `does not lend operation ${shortened(operationName)} to ${shortened(remoteIdentifier)}`;
      const isPlugin = this.machine.role === "plugin";
      this.#complaints.warn(() => `${this.identifier} ${what}: ${obstacle.reasons(isPlugin).join("; ")}`);
    }
  }

  #open(slot: Slot): void {
    const peer = this.machine.peers.get(slot.remoteIdentifier);
    const encoding = peer?.encoding ?? Encoding.JSON;
    slot.view = new Connection(slot, this.bus, this.#who, encoding, this.#locator.busOf(slot.remoteIdentifier));
    this.delivery.opened(slot);
  }

  /** Wait until there is no connection, for so many seconds; return whether that is so. */
  async allEnded(seconds: number): Promise<boolean> {
    if (this.machine.slots.connectionCount > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000 * seconds);
        this.#allEnded.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return this.machine.slots.connectionCount === 0;
  }

  #carryOut(effect: Effect, bus: string | null): Promise<unknown> | undefined {
    switch (effect.kind) {
      case "send":
        this.#send(effect, bus);
        return undefined;
      case "prepare":
        return this.#prepare(effect, bus);
      case "drain":
        this.#drain(effect.slot);
        return undefined;
      case "subscribe":
        return this.#attempt(this.bus.subscribe(effect.topic, CLOSE_ACK, this.receiver(CLOSE_ACK), bus));
      case "unsubscribe":
        return this.#unsubscribe(effect.topics);
      case "connectionOpened": {
        const connection = connectionOf(effect.slot);
        return connection === null ? undefined : asked(() => this.hooks.onConnected?.(connection));
      }
      case "connectionClosed": {
        const connection = connectionOf(effect.slot);
        effect.slot.view = null;
        return connection === null
          ? undefined
          : asked(() => this.hooks.onClosed?.(connection, effect.reason, effect.data));
      }
      case "remoteLost":
        return asked(() => this.hooks.onRemoteLost?.(effect.remoteIdentifier, effect.reason));
      case "messageReceived":
        return asked(() => this.hooks.onMessage?.(effect.remoteIdentifier, effect.message));
      case "complianceChanged":
        return asked(() => this.taker.complianceChanged(effect.compliant));
      default:
        return undefined;
    }
  }

  #send(effect: Send, bus: string | null): void {
    const { message, topic, channel } = effect;
    try {
      const data = writeMessage(
        this.#who,
        message.type,
        message.fields,
        {
          identifier: effect.eventIdentifier,
          correlationIdentifier: effect.correlationIdentifier,
          connectionIdentifier: effect.connectionIdentifier,
          openConnections: effect.openConnections,
          lateOffers: effect.lateOffers,
          traceparent: this.tracing?.traceparentOf(effect) ?? null,
        },
        effect.encoding,
      );
      // What follows to the same remote goes out behind it, and need not wait until the bus has it.
      this.bus.publish(topic, data, channel, bus).catch((error: unknown) => this.#couldNotSend(effect, error));
    } catch (error) {
      this.#couldNotSend(effect, error);
    }
  }

  #couldNotSend(effect: Send, error: unknown): void {
    if (this.#isRunning) {
      const whom = effect.remoteIdentifier ?? "everybody";
      this.complain(`could not send a ${effect.message.type} to ${whom}: ${describe(error)}`);
    }
  }

  // Preparation and end

  async #prepare(effect: Prepare, bus: string | null): Promise<void> {
    const { slot } = effect;
    if (slot.state !== "preparing") {
      return; // it has come to nothing while this waited
    }
    try {
      const topic = slot.dataTopic;
      const channel = slot.role === "core" ? OPERATION_OUTPUT : OPERATION_INPUT;
      await Promise.all([
        topic === null ? null : this.bus.subscribe(topic, channel, this.receiveData, bus),
        this.bus.subscribe(slot.incomingCloseTopic, CLOSE, this.receiver(CLOSE), bus),
      ]);
    } catch (error) {
      if (!(error instanceof BusError)) {
        throw error;
      }
      this.#preparationFailed(effect, error);
      return;
    }
    // The user may take long, and what is for the same remote must not wait for that.
    void this.#haveUserPrepare(effect);
  }

  async #haveUserPrepare(effect: Prepare): Promise<void> {
    const { slot, connectionIdentifier } = effect;
    let data: Uint8Array | null;
    try {
      const prepare = (): Promise<Uint8Array | null> | null => this.taker.prepare(slot);
      const under = this.tracing === null ? prepare() : this.tracing.prepare(slot, prepare);
      data = under === null ? null : await under;
    } catch (error) {
      this.#log.warn(
        `${this.identifier}: '${slot.operationName}' is not connected with '${slot.remoteIdentifier}', since its ` +
          `preparation failed: ${describe(error)}`,
      );
      this.#preparationFailed(effect, error);
      return;
    }
    if (this.#isRunning) {
      this.submit(this.machine.prepared(slot, connectionIdentifier, now(), data));
    }
  }

  #preparationFailed(effect: Prepare, error: unknown): void {
    if (this.#isRunning) {
      const { slot, connectionIdentifier } = effect;
      this.submit(this.machine.preparationFailed(slot, connectionIdentifier, now(), describe(error)));
    }
  }

  #drain(slot: Slot): void {
    if (this.delivery.isBusy(slot)) {
      void this.delivery.handled(slot).then(() => {
        this.guard(() => this.submit(this.machine.drained(slot, now())));
      });
    } else {
      this.submit(this.machine.drained(slot, now()));
    }
  }

  #unsubscribe(topics: readonly string[]): Promise<unknown> | undefined {
    // A layout of the user's own may have one topic for several connections.
    const unused = topics.filter((topic) =>
      [...this.machine.slots.ofTopic(topic)].every((slot) => !slot.localTopics.includes(topic)),
    );
    return unused.length === 0 ? undefined : this.#attempt(this.bus.unsubscribe(unused));
  }

  #watch(remote: string, isWanted: boolean): void {
    if (!this.bus.hasWills || isWanted === this.#watched.has(remote)) {
      return;
    }
    const topic = WillTopic.join({ senderIdentifier: remote });
    const bus = this.#locator.busOf(remote);
    if (isWanted) {
      this.#watched.set(remote, bus);
    } else {
      this.#watched.delete(remote);
    }
    const change = (): Promise<void> =>
      isWanted ? this.bus.subscribe(topic, WILL, this.receiver(WILL), bus) : this.bus.unsubscribe([topic]);
    this.queues.submit(WILLS, () => this.#attempt(change()));
  }

  async #attempt(under: Promise<void>): Promise<void> {
    try {
      await under;
    } catch (error) {
      if (this.#isRunning) {
        this.complain(describe(error));
      }
    }
  }
}

/** Seconds on a clock that never goes back. */
export function now(): number {
  return performance.now() / 1000;
}

/** The connection of a slot, if it is one. */
export function connectionOf(slot: Slot): Connection | null {
  return slot.view instanceof Connection ? slot.view : null;
}

/** Say what was thrown. */
export function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function isOf(channel: Channel, envelope: EventEnvelope): boolean {
  return (channel.messages as readonly (string | null)[]).includes(envelope.messageType);
}

/** How many bytes an effect takes while it waits: those of its message. */
function sizeOf(effect: Effect): number {
  if (effect.kind !== "send" && effect.kind !== "messageReceived") {
    return 0;
  }
  const { type, fields } = effect.message;
  try {
    return codecOf(type)?.encode(fields).length ?? 0;
  } catch {
    return 0; // what cannot be written is not sent in its turn, either
  }
}

/** Call a hook; return what has to be waited for. */
function asked(call: () => unknown): Promise<unknown> | undefined {
  const result = call();
  return result instanceof Promise ? result : undefined;
}
