/** What goes over the bus: events with what their topics say, decoded when somebody looks at them. */

import { jsonText, plainOf, simple, type Plain } from "./values.js";
import { typeOfForeignSchema } from "./shapes.js";
import { CHANNELS, type Channel } from "../../../generated/typescript/channels.js";
import { CODECS, codecOf } from "../../../generated/typescript/codecs.js";
import { decodeEvent } from "../../../generated/typescript/envelope.js";
import { EVENT_BYTES } from "../../../generated/typescript/limits.js";
import type { EventEnvelope } from "../../../generated/typescript/messages.js";
import type { Bus, InfoAnswer } from "../../src/index.js";
import { readMessage } from "../../src/message/event.js";
import { protocolType, type PayloadType } from "../../src/message/payload-type.js";
import type { SchemaSet } from "../../src/schema/schema-set.js";
import { treeOf, treeOfPayload, type TypeNode } from "./tree.js";
import { WireError } from "../../src/support/errors.js";
import { base64OfBytes } from "../../src/support/base64.js";

/** An event that has passed. */
export interface Passed {
  /** Which one it is of all that have passed. */
  readonly number: number;
  /** When it came, in milliseconds since 1970. */
  readonly at: number;
  /** Key of its channel. */
  readonly kind: string;
  readonly sender: string | null;
  /** `null` for what is to all. */
  readonly recipient: string | null;
  readonly operation: string | null;
  readonly topic: string;
  /** Bytes; empty where it was too large to be kept. */
  readonly data: Uint8Array;
  /** How many bytes it had. */
  readonly size: number;
}

/** What is in an event. */
export interface Content {
  /** What its payload is called. */
  readonly name: string;
  readonly payload: Plain;
  /** The payload in short. */
  readonly line: string;
  readonly envelope: EventEnvelope | null;
}

/** Kinds of events that are listened to at once. */
export const LOUD_KINDS: readonly string[] = [
  "discover",
  "announce",
  "directedDiscover",
  "offer",
  "reply",
  "response",
  "will",
  "operationInput",
  "operationOutput",
  "close",
  "closeAck",
];
/** Signs of life, which are many. */
export const QUIET_KINDS: readonly string[] = ["keepalive", "keepaliveRequest"];

const KEPT = 2000;
const KEPT_BYTES = 64 * 2 ** 20;
/** Of what is kept when there is too much: cutting off the front moves the rest. */
const REST = 0.75;
/** Schemas of operations that are kept to read events, and how long they are together: strangers tell some of them. */
const TYPES = 2000;
const TYPES_LENGTH = 8 * 2 ** 20;
const NOTHING = new Uint8Array();
const LONGEST_LINE = 200;
const PARAMETER = /\{(\w+)\}/g;
const SENDERS = ["coreIdentifier", "pluginIdentifier", "fromIdentifier"];

/** Keeps the events that have passed last. */
export class Traffic {
  /** The last events, oldest first. */
  readonly events: Passed[] = [];
  /** How many have passed. */
  count = 0;
  readonly #types = new Map<string, PayloadType>();
  readonly #learned = new WeakSet<SchemaSet>();
  readonly #contents = new WeakMap<Passed, { readonly content: Content; readonly learned: number }>();
  #learnedTypes = 0;
  /** Characters of the schemas that are kept. */
  #typesLength = 0;
  #bytes = 0;
  readonly #trees = new Map<string, TypeNode>();
  readonly #told: (passed: Passed) => void;

  constructor(told: (passed: Passed) => void) {
    this.#told = told;
  }

  /** Listen to kinds of events; throws a `BusError`. */
  async listen(bus: Bus, kinds: readonly string[]): Promise<void> {
    for (const kind of kinds) {
      const channel = channelOf(kind);
      await bus.subscribe(filterOf(channel), channel, (topic, data) => this.#take(channel, topic, data));
    }
  }

  /** Listen to kinds of events no more. */
  async ignore(bus: Bus, kinds: readonly string[]): Promise<void> {
    await bus.unsubscribe(kinds.map((kind) => filterOf(channelOf(kind))));
  }

  /** Be able to read what the operations of an orbiter carry. */
  learn(info: InfoAnswer): void {
    const sets = [
      ...[...info.operations.values()].flatMap((one) => [one.input, one.output]),
      ...[...info.requirements.values()].flatMap((one) => [...one.inputs, ...one.outputs]),
    ];
    for (const set of sets) {
      this.#learn(set);
    }
  }

  /** What is in an event. */
  contentOf(passed: Passed): Content {
    const known = this.#contents.get(passed);
    // An event that cannot be read now may be read later, when its schema is known.
    if (known !== undefined && (known.content.payload !== null || known.learned === this.#learnedTypes)) {
      return known.content;
    }
    const read = this.#read(passed);
    const line = read.payload === null ? "" : jsonText(read.payload);
    const content = { ...read, line: line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line };
    this.#contents.set(passed, { content, learned: this.#learnedTypes });
    return content;
  }

  #learn(set: SchemaSet): void {
    if (this.#learned.has(set)) {
      return;
    }
    this.#learned.add(set);
    for (const schema of set.schemas) {
      const type = typeOfForeignSchema(schema);
      if (type !== null && !this.#types.has(type.fingerprint)) {
        this.#types.set(type.fingerprint, type);
        this.#typesLength += type.schema.length;
        this.#learnedTypes += 1;
        this.#forgetTypes();
      }
    }
  }

  /** Forget schemas while there are too many, the one that was learned first at first. */
  #forgetTypes(): void {
    for (const [fingerprint, { schema }] of this.#types) {
      if (this.#types.size <= TYPES && this.#typesLength <= TYPES_LENGTH) {
        return;
      }
      this.#types.delete(fingerprint);
      this.#typesLength -= schema.length;
    }
  }

  #take(channel: Channel, topic: string, data: Uint8Array): void {
    const parameters = parametersOf(channel, topic);
    const people = Object.entries(parameters).filter(([name]) => name.endsWith("_identifier") && name !== CONNECTION);
    const [first, second] = people.map(([, value]) => value);
    this.count += 1;
    let passed: Passed = {
      number: this.count,
      at: Date.now(),
      kind: channel.key,
      // Topics name first for whom it is, and then who sends.
      sender: (second ?? first) === "-" ? null : (second ?? first ?? null),
      recipient: second === undefined ? null : (first ?? null),
      operation: parameters["operation_name"] ?? null,
      topic,
      // Orbiters ignore one that is longer, whatever it says.
      data: data.length > EVENT_BYTES ? NOTHING : data,
      size: data.length,
    };
    if (passed.sender === null || HANDSHAKE.has(passed.kind)) {
      passed = this.#completed(passed);
    }
    this.events.push(passed);
    this.#bytes += passed.data.length;
    if (this.events.length > KEPT || this.#bytes > KEPT_BYTES) {
      this.#forget();
    }
    this.#told(passed);
  }

  #forget(): void {
    let count = 0;
    for (const { data } of this.events) {
      if (this.events.length - count <= REST * KEPT && this.#bytes <= REST * KEPT_BYTES) {
        break;
      }
      this.#bytes -= data.length;
      count += 1;
    }
    this.events.splice(0, count);
  }

  /** Add what the message says of its sender and its operation, and learn the schemas that it tells. */
  #completed(passed: Passed): Passed {
    try {
      const fields = readMessage(decodeEvent(passed.data).envelope)?.fields as
        Readonly<Record<string, unknown>> | undefined;
      if (fields === undefined) {
        return passed;
      }
      const sender = SENDERS.map((name) => fields[name]).find((one) => typeof one === "string");
      const operation = fields["operationName"];
      return {
        ...passed,
        sender: passed.sender ?? sender ?? null,
        operation: passed.operation ?? (typeof operation === "string" ? operation : null),
      };
    } catch (error) {
      if (error instanceof WireError) {
        return passed;
      }
      throw error;
    }
  }

  #read(passed: Passed): Omit<Content, "line"> {
    if (passed.size > EVENT_BYTES) {
      const error = `${passed.size} bytes are more than an event may have: ${EVENT_BYTES}; orbiters ignore it`;
      return { name: "too large", payload: { error }, envelope: null };
    }
    let envelope: EventEnvelope | null = null;
    try {
      envelope = decodeEvent(passed.data).envelope;
      const { messageType, serializedPayload, payloadFormatType, schemaFingerprint } = envelope;
      if (messageType === null || serializedPayload === null) {
        return { name: "empty", payload: null, envelope };
      }
      if (codecOf(messageType) !== undefined && protocolType(messageType) === undefined) {
        const fields = readMessage(envelope)?.fields ?? {};
        return { name: messageType, payload: plainOf(this.#tree(messageType), fields), envelope };
      }
      const type = protocolType(messageType) ?? this.#types.get(schemaFingerprint ?? "");
      if (type?.codec == null) {
        return { name: messageType, payload: null, envelope };
      }
      const message = type.codec.decodePayload(payloadFormatType ?? "", serializedPayload, schemaFingerprint);
      const payload = type.isOfProtocol ? simple(type.fromMessage(message)) : plainOf(treeOfPayload(type), message);
      return { name: messageType, payload, envelope };
    } catch (error) {
      if (!(error instanceof WireError)) {
        throw error;
      }
      return { name: "unreadable", payload: { error: error.message, bytes: base64OfBytes(passed.data) }, envelope };
    }
  }

  #tree(messageType: string): TypeNode {
    let tree = this.#trees.get(messageType);
    if (tree === undefined) {
      tree = treeOf(CODECS[messageType as keyof typeof CODECS].schema);
      this.#trees.set(messageType, tree);
    }
    return tree;
  }
}

const CONNECTION = "connection_identifier";
/** Kinds whose message says which operation it is about. */
const HANDSHAKE: ReadonlySet<string> = new Set(["reply", "response"]);

function channelOf(kind: string): Channel {
  const found = Object.values(CHANNELS).find((one) => one.key === kind);
  if (found === undefined) {
    throw new TypeError(`there is no channel '${kind}'`);
  }
  return found;
}

function filterOf(channel: Channel): string {
  return channel.address.replace(PARAMETER, "+");
}

function parametersOf(channel: Channel, topic: string): Readonly<Record<string, string>> {
  const levels = topic.split("/");
  return Object.fromEntries(
    channel.address.split("/").flatMap((level, index) => {
      const name = /^\{(\w+)\}$/.exec(level)?.[1];
      return name === undefined ? [] : [[name, levels[index] ?? ""]];
    }),
  );
}
