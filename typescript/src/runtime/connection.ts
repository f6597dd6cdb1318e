/** A connection as users see it, and how data is published on it. */

import type { Bus } from "../bus/bus.js";
import { OPERATION_INPUT, OPERATION_OUTPUT, type Channel } from "../../../generated/typescript/channels.js";
import type { Encoding } from "../../../generated/typescript/envelope.js";
import type { MessageType } from "../../../generated/typescript/messages.js";
import { writeMessage, writePayload, type EventHeaders, type Publisher } from "../message/event.js";
import type { Payload } from "../message/payload-type.js";
import { SentNumbers } from "../protocol/sequence.js";
import type { Slot } from "../protocol/slots.js";

/** An operation shared by a core and a plugin. */
export class Connection {
  readonly #slot: Slot;
  readonly #bus: Bus;
  readonly #who: Publisher;
  readonly #encoding: Encoding;
  readonly #channel: Channel;
  readonly #numbers = new SentNumbers();
  readonly #end = new AbortController();

  constructor(
    slot: Slot,
    bus: Bus,
    who: Publisher,
    encoding: Encoding,
    /** The name of the bus on which the other side is; `null` where there is one bus alone. */
    readonly busName: string | null,
  ) {
    this.#slot = slot;
    this.#bus = bus;
    this.#who = who;
    this.#encoding = encoding;
    this.#channel = slot.role === "core" ? OPERATION_INPUT : OPERATION_OUTPUT;
  }

  /** Identifier of the orbiter on the other side. */
  get remoteIdentifier(): string {
    return this.#slot.remoteIdentifier;
  }

  /** Name of the operation. */
  get operationName(): string {
    return this.#slot.operationName;
  }

  /** What the core calls the connection; it goes with every message about it. */
  get connectionIdentifier(): string {
    return this.#slot.connectionIdentifier;
  }

  /** What the core has given the plugin to set the operation up. */
  get setupData(): Uint8Array | null {
    return this.#slot.setupData;
  }

  /** Whether it may be used. */
  get isOpen(): boolean {
    return this.#slot.isOpen;
  }

  /** Aborted when it ends. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** In which encoding the other side is written to. */
  get encoding(): Encoding {
    return this.#encoding;
  }

  /** The slot that it belongs to: what the state machine knows. */
  get slot(): Slot {
    return this.#slot;
  }

  /** Note that it has ended. */
  end(): void {
    this.#end.abort(new Error(`the connection of '${this.operationName}' with '${this.remoteIdentifier}' has ended`));
  }

  /** Publish data, with the next number; what throws at once has not left. */
  publish(payload: Payload | null, headers: EventHeaders = {}): Promise<void> {
    return this.#send((all) => writePayload(this.#who, payload, all, this.#encoding), headers, true);
  }

  /** Publish a message of the protocol about data, with the next number if it is data itself. */
  publishMessage(type: MessageType, message: object, headers: EventHeaders, isData: boolean): Promise<void> {
    return this.#send((all) => writeMessage(this.#who, type, message, all, this.#encoding), headers, isData);
  }

  async #send(write: (headers: EventHeaders) => Uint8Array, headers: EventHeaders, isData: boolean): Promise<void> {
    const topic = this.#slot.outgoingDataTopic;
    if (topic === null) {
      return;
    }
    const numbered = isData ? { sequenceNumber: this.#numbers.last + 1 } : {};
    const data = write({ connectionIdentifier: this.connectionIdentifier, ...numbered, ...headers });
    const published = this.#bus.publish(topic, data, this.#channel, this.busName);
    if (isData) {
      this.#numbers.next();
    }
    await published;
  }
}
