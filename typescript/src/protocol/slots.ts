/** What an orbiter knows of one operation shared with one remote. */

import type { SchemaPair } from "../schema/matching.js";
import type { SchemaSet } from "../schema/schema-set.js";

import type { SequenceWindow } from "./sequence.js";
import { sizeOfAll } from "./sizes.js";
import { SlotState, type Role } from "./transitions.js";

/** A graceful close of the remote's that is to be acknowledged. */
export interface RemoteClose {
  readonly eventIdentifier: string;
  readonly ackTopic: string;
  readonly data: Uint8Array | null;
}

/** What a slot is made of. */
export type GivenSlot = Pick<Slot, "role" | "remoteIdentifier" | "operationName" | "input" | "output" | "createdAt"> &
  Partial<Pick<Slot, "inputSchemas" | "foreign" | "offerIdentifiers" | "peerTopic" | "size">>;

/** A handshake under way, then a connection. Times are seconds on the clock of the machine's caller. */
export class Slot {
  /** Which side this is: `core` or `plugin`. */
  readonly role: Role;
  /** The other side. */
  readonly remoteIdentifier: string;
  /** The operation that is shared. */
  readonly operationName: string;
  /** What the core may send: what the plugin accepts, with the schemas of this side. */
  input: SchemaSet;
  /** What the plugin may send, with the schemas of this side. */
  output: SchemaSet;
  /** Core: the schemas with which it writes inputs, if these are not those that were offered. */
  readonly inputSchemas: readonly string[];
  /** The schemas with which the remote writes, as far as they are none of this side, by fingerprint. */
  foreign: ReadonlyMap<string, SchemaPair> | null;
  /** When the handshake began. */
  readonly createdAt: number;
  /** When the last message of the handshake was sent or received: from then on the next one is waited for. */
  waitingSince: number;
  /** Chosen by the core; empty before its request. */
  connectionIdentifier = "";
  /** How far it has come. */
  state: SlotState = SlotState.FREE;
  /** When the connection was opened; 0 before that. */
  openedAt = 0;
  /** When an input or output was sent or has come last; 0 before that. */
  lastUsed = 0;
  /** When this side's graceful close was sent, or the remote's was received. */
  closingAt: number | null = null;
  /** When a keepalive of the remote first failed to list this connection. */
  missedAt: number | null = null;
  /** Identifiers of the last events with an offer for this slot, sent (plugin) or received (core), newest last. */
  offerIdentifiers: readonly string[];
  /** Identifier of the event with the request, received (plugin) or sent (core). */
  requestIdentifier: string | null = null;
  /** Plugin: the bus client that published the request, where the core is an older one. */
  requestPublisher: string | null = null;
  /** Where the handshake's next message goes: requests and rejects (core) or confirms (plugin). */
  peerTopic: string;
  /** Where inputs go; `null` if there are none. */
  inputTopic: string | null = null;
  /** Where outputs go; `null` if there are none. */
  outputTopic: string | null = null;
  /** Where closes from the remote arrive. */
  incomingCloseTopic = "";
  /** Where closes for the remote go. */
  remoteCloseTopic = "";
  /** Where the acknowledgement of this side's graceful close arrives. */
  ackTopic: string | null = null;
  /** What the core has given the plugin to set the operation up. */
  setupData: Uint8Array | null = null;
  /** What this side's graceful close carried. */
  closeData: Uint8Array | null = null;
  /** The remote's graceful close, while this side is draining. */
  remoteClose: RemoteClose | null = null;
  /** Bytes of the messages that it keeps parts of; counted by `SlotTable`. */
  size: number;
  /** Which numbered inputs (plugin) or outputs (core) of the connection have come; `null` before the first. */
  received: SequenceWindow | null = null;
  /** What the machine's caller keeps beside it. */
  view: unknown = null;

  constructor(given: GivenSlot) {
    this.role = given.role;
    this.remoteIdentifier = given.remoteIdentifier;
    this.operationName = given.operationName;
    this.input = given.input;
    this.output = given.output;
    this.createdAt = this.waitingSince = given.createdAt;
    this.inputSchemas = given.inputSchemas ?? [];
    this.foreign = given.foreign ?? null;
    this.offerIdentifiers = given.offerIdentifiers ?? [];
    this.peerTopic = given.peerTopic ?? "";
    this.size = given.size ?? 0;
  }

  /** Whether this is a connection that may be used. */
  get isOpen(): boolean {
    return this.state === SlotState.OPEN;
  }

  /** Whether this is a connection, also one that is closing. */
  get isConnection(): boolean {
    return this.isOpen || this.isEnding;
  }

  /** Whether this is a connection that a graceful close, of either side, is about to end. */
  get isEnding(): boolean {
    return this.state === SlotState.CLOSING || this.state === SlotState.DRAINING;
  }

  /** Whether this is a connection that may be used, or a plugin's of which the core waits for the last outputs. */
  get isAnswerable(): boolean {
    return this.isOpen || (this.state === SlotState.DRAINING && this.role === "plugin");
  }

  /** The topic on which inputs (plugin) or outputs (core) arrive here, if there are any. */
  get dataTopic(): string | null {
    return this.role === "core" ? this.outputTopic : this.inputTopic;
  }

  /** The topic to which inputs (core) or outputs (plugin) go from here, if there are any. */
  get outgoingDataTopic(): string | null {
    return this.role === "core" ? this.inputTopic : this.outputTopic;
  }

  /** The topics that this side is subscribed to for this slot, without that of the acknowledgement. */
  get localTopics(): readonly string[] {
    const data = this.dataTopic;
    return data === null ? [this.incomingCloseTopic] : [data, this.incomingCloseTopic];
  }
}

/** About how many bytes a slot takes that it has from a request: identifiers, topics and setup data. */
export function sizeOfRequest(slot: Slot): number {
  return sizeOfAll([
    slot.connectionIdentifier,
    slot.requestIdentifier,
    slot.requestPublisher,
    slot.peerTopic,
    slot.outputTopic,
    slot.remoteCloseTopic,
    slot.inputTopic,
    slot.incomingCloseTopic,
    slot.setupData,
  ]);
}

/** About how many bytes a slot takes that it has from an offer: identifiers, topics and schemas. */
export function sizeOfOffer(slot: Slot): number {
  return sizeOfAll([
    slot.remoteIdentifier,
    slot.operationName,
    slot.offerIdentifiers.at(-1) ?? null,
    slot.peerTopic,
    slot.outputTopic,
    slot.incomingCloseTopic,
    ...slot.input.schemas,
    ...slot.output.schemas,
  ]);
}
