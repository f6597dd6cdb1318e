/** What arrives on connections: inputs at a plugin, outputs at a core; each is handed to the user at most once. */

import type { BusLocator } from "./bus-locator.js";
import type { Connection } from "./connection.js";
import { Inbox } from "./inbox.js";
import { decodeEvent } from "../../../generated/typescript/envelope.js";
import type { EventEnvelope } from "../../../generated/typescript/messages.js";
import { EVENT_BYTES } from "../../../generated/typescript/limits.js";
import { PROTOCOL_VERSION } from "../../../generated/typescript/version.js";
import { readData, type Data } from "../message/event.js";
import type { PayloadType } from "../message/payload-type.js";
import type { Machine } from "../protocol/machine.js";
import { SequenceWindow } from "../protocol/sequence.js";
import type { Slot } from "../protocol/slots.js";
import { WireError } from "../support/errors.js";

/** An input or output that has arrived. */
export interface Arrival {
  readonly slot: Slot;
  readonly topic: string;
  readonly envelope: EventEnvelope;
  readonly data: Data;
}

/** What a role does with data. */
export interface DataTaker {
  /** The types that this side has declared for an operation. */
  typesOf(operationName: string): readonly PayloadType[];
  concurrencyOf(operationName: string): number;
  /** Take what must not wait for its turn; return whether it was that. */
  takeAtOnce(arrival: Arrival): boolean;
  /** Handle data of a connection. */
  handle(connection: Connection, arrival: Arrival): Promise<void> | undefined;
  /** Whether a connection is in use, beside data that is being handled. */
  isInUse(slot: Slot): boolean;
  /** Take the report that data is not handled, since too much waits or its connection is not what it was. */
  dropped(arrival: Arrival, isTooMuch: boolean): void;
}

/** Takes the data of one orbiter's connections. */
export class Delivery {
  readonly #machine: Machine;
  readonly #taker: DataTaker;
  readonly #now: () => number;
  readonly #connectionOf: (slot: Slot) => Connection | null;
  readonly #locator: BusLocator;
  readonly #complain: (text: string) => void;
  readonly #inboxes = new Map<Slot, Inbox<Arrival>>();
  readonly #toldVersions = new Set<string>();

  constructor(
    machine: Machine,
    taker: DataTaker,
    now: () => number,
    connectionOf: (slot: Slot) => Connection | null,
    locator: BusLocator,
    complain: (text: string) => void,
  ) {
    this.#machine = machine;
    this.#taker = taker;
    this.#now = now;
    this.#connectionOf = connectionOf;
    this.#locator = locator;
    this.#complain = complain;
  }

  /** Read an event; `null` for one that is malformed, or of another version. */
  read(topic: string, data: Uint8Array): EventEnvelope | null {
    if (data.length > EVENT_BYTES) {
      this.#complain(`an event of ${String(data.length)} bytes on topic '${topic}' is ignored: it is too large`);
      return null;
    }
    let envelope: EventEnvelope;
    try {
      envelope = decodeEvent(data).envelope;
    } catch (error) {
      this.#complain(`a malformed event on topic '${topic}' is ignored: ${String(error)}`);
      return null;
    }
    const version = envelope.protocolVersion;
    if (version !== null && version !== PROTOCOL_VERSION) {
      this.#refuseVersion(topic, envelope.publisherIdentifier, version);
      return null;
    }
    return envelope;
  }

  /** Take what has arrived on the topic of a connection. */
  readonly receive = (topic: string, bytes: Uint8Array, origin: string | null): void => {
    const envelope = this.read(topic, bytes);
    if (envelope === null) {
      return;
    }
    for (const slot of this.#slotsOf(topic, envelope, origin)) {
      const data = this.#dataOf(slot, envelope);
      const number = envelope.sequenceNumber;
      if (data !== null && (number === null || envelope.connectionIdentifier === null || this.#admits(slot, number))) {
        this.#take({ slot, topic, envelope, data }, bytes.length);
      }
    }
  };

  /** Whether data of a connection waits or is being handled. */
  isBusy(slot: Slot): boolean {
    return this.#inboxes.get(slot)?.isBusy ?? false;
  }

  /** Wait until no data of a connection waits or is being handled. */
  async handled(slot: Slot): Promise<void> {
    await this.#inboxes.get(slot)?.idle();
  }

  /** Take the report that a request has become a connection. */
  opened(slot: Slot): void {
    const inbox = this.#inboxes.get(slot);
    if (inbox !== undefined) {
      inbox.isPaused = false;
      inbox.pump();
    }
  }

  /** Forget the data of what has ended. */
  ended(slot: Slot): void {
    this.#inboxes.get(slot)?.clear();
    this.#inboxes.delete(slot);
  }

  #slotsOf(topic: string, envelope: EventEnvelope, origin: string | null): Slot[] {
    const identifier = envelope.connectionIdentifier;
    return [...this.#machine.slots.ofTopic(topic)].filter(
      (slot) =>
        slot.dataTopic === topic &&
        (identifier === null || identifier === slot.connectionIdentifier) &&
        (origin === null || origin === this.#locator.busOf(slot.remoteIdentifier)),
    );
  }

  /** Read what is in an event; `null` if it is malformed. */
  #dataOf(slot: Slot, envelope: EventEnvelope): Data | null {
    try {
      const data = readData(envelope, slot, this.#taker.typesOf(slot.operationName));
      if (data.kind === "unreadable") {
        this.#complain(`${whose(slot, data.name)} cannot be held by the schema of this side: ${data.error.message}`);
      }
      return data;
    } catch (error) {
      if (!(error instanceof WireError)) {
        throw error;
      }
      this.#complain(`a malformed ${whose(slot, envelope.messageType ?? "event")} is ignored: ${error.message}`);
      return null;
    }
  }

  #take(arrival: Arrival, size: number): void {
    const { slot, envelope } = arrival;
    if (this.#taker.takeAtOnce(arrival)) {
      return;
    }
    let inbox = this.#inboxes.get(slot);
    if (inbox === undefined) {
      inbox = new Inbox<Arrival>((one) => this.#hand(one), this.#taker.concurrencyOf(slot.operationName));
      this.#inboxes.set(slot, inbox);
    }
    if (this.#machine.isAheadOfConfirm(slot, envelope)) {
      inbox.isPaused = true;
    }
    if (!inbox.put(arrival, size)) {
      this.#complain(`${whose(slot, "an event")} is dropped, since too much waits`);
      this.#taker.dropped(arrival, true);
    }
  }

  #hand(arrival: Arrival): Promise<void> | undefined {
    const { slot, data } = arrival;
    const connection = this.#connectionOf(slot);
    if (data.kind === "refused") {
      this.#complain(`${whose(slot, data.name)} is not what the operation carries, and is ignored`);
    }
    if (data.kind === "refused" || !this.#machine.data(slot, arrival.envelope, this.#now()) || connection === null) {
      this.#taker.dropped(arrival, false);
      return undefined;
    }
    return this.#taker.handle(connection, arrival);
  }

  #admits(slot: Slot, number: number): boolean {
    const statistics = this.#machine.statistics;
    const window = (slot.received ??= new SequenceWindow());
    const before = window.missing;
    if (!window.admits(number)) {
      statistics.duplicates += 1;
      return false;
    }
    statistics.missing += window.missing - before;
    if (window.missing > before && !window.isGapTold) {
      window.isGapTold = true;
      this.#complain(
        `${String(window.missing)} events of operation '${slot.operationName}' from '${slot.remoteIdentifier}' have ` +
          "not come; further gaps of this connection are counted alone",
      );
    }
    return true;
  }

  #refuseVersion(topic: string, publisher: string, version: number): void {
    const sender = publisher.slice(0, 255);
    if (!this.#toldVersions.has(sender) && this.#toldVersions.size < 256) {
      this.#toldVersions.add(sender);
      this.#complain(
        `what '${sender}' sends on topic '${topic}' is ignored: it speaks version ${String(version)} of the protocol, ` +
          `this is version ${String(PROTOCOL_VERSION)}`,
      );
    }
  }
}

function whose(slot: Slot, name: string): string {
  return `${name} of '${slot.remoteIdentifier}' for operation '${slot.operationName}'`;
}
