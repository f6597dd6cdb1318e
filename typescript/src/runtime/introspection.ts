/** Answers operators in the name of one orbiter. It sends nothing that nobody has asked for. */

import {
  CONNECTIONS,
  INFO,
  INTROSPECTION,
  INTROSPECTION_OF_ALL,
  PONG,
  STATISTICS,
  type Channel,
} from "../../../generated/typescript/channels.js";
import {
  connectionInfoCodec,
  connectionsMessageCodec,
  infoMessageCodec,
  operationInfoCodec,
  operationStatisticsCodec,
  remoteInfoCodec,
  requirementInfoCodec,
  statisticsMessageCodec,
} from "../../../generated/typescript/codecs.js";
import { Encoding } from "../../../generated/typescript/envelope.js";
import {
  INTROSPECTION_ANSWER_BYTES,
  INTROSPECTION_ANSWERS_PER_SECOND,
  IDENTIFIER_BYTES,
  TOLD_TOPIC_BYTES,
} from "../../../generated/typescript/limits.js";
import type {
  ConnectionInfo,
  ConnectionsMessage,
  EventEnvelope,
  InfoMessage,
  IntrospectionRequestMessage,
  OperationInfo,
  RemoteInfo,
  RequirementInfo,
  StatisticsMessage,
} from "../../../generated/typescript/messages.js";
import { BURST, INTROSPECTION_SPREAD } from "../../../generated/typescript/timings.js";
import {
  ConnectionsTopic,
  InfoTopic,
  IntrospectionTopic,
  PongTopic,
  StatisticsTopic,
} from "../../../generated/typescript/topics.js";
import { SPECIFICATION_VERSION } from "../../../generated/typescript/version.js";
import { BusRefusedError, RemoteProtocolError } from "../errors.js";
import { readMessage, writeMessage } from "../message/event.js";
import { RateLimiter } from "../protocol/rate-limiter.js";
import type { Slot } from "../protocol/slots.js";
import { WireError } from "../support/errors.js";
import { shown } from "../support/shown.js";
import { utf8Length } from "../support/text.js";
import { IMPLEMENTATION_VERSION } from "../version.js";
import type { Explanation } from "./explanation.js";
import { bounded, type OperationCounters } from "./operation-counters.js";
import { describe, now, type Runtime } from "./runtime.js";

/** What operators are told of an orbiter's operations. */
export interface Description {
  readonly operations: ReadonlyMap<string, OperationInfo>;
  readonly requirements: ReadonlyMap<string, RequirementInfo>;
  /** Made when it is asked for: it is for the first page alone. */
  readonly explain: () => Explanation;
}

const SUBJECTS = {
  ping: { channel: PONG, topic: PongTopic, type: "PongMessage" },
  info: { channel: INFO, topic: InfoTopic, type: "InfoMessage" },
  connections: { channel: CONNECTIONS, topic: ConnectionsTopic, type: "ConnectionsMessage" },
  statistics: { channel: STATISTICS, topic: StatisticsTopic, type: "StatisticsMessage" },
} as const;
type Subject = keyof typeof SUBJECTS;

interface Question {
  readonly subject: Subject;
  readonly topic: string;
  readonly eventIdentifier: string;
  readonly after: string | null;
  readonly spread: number;
  readonly encoding: Encoding;
  /** Where it came from, if there are several buses. */
  readonly bus: string | null;
}

/** How all cursors begin; what follows is the place of the last thing before the page. */
const AFTER = "after:";
const CURSOR_BYTES = AFTER.length + 2 * IDENTIFIER_BYTES + 1;
/** Bytes that an item takes at most beside its key and itself. */
const ITEM_BYTES = 8;
const SPARE_BYTES = CURSOR_BYTES + 32;
const EXPLANATION_BYTES = 16_384;
const REMOTES_BYTES = 16_384;
const NOTE = "is left out: its description takes more than an answer may";

/** Answers operators. */
export class Introspection {
  readonly #runtime: Runtime;
  readonly #describe: () => Description;
  readonly #counters: OperationCounters;
  readonly #rate = new RateLimiter();
  readonly #delayed = new Set<ReturnType<typeof setTimeout>>();
  readonly #startedAt = micros();
  #isRunning = false;

  constructor(runtime: Runtime, describe: () => Description, counters: OperationCounters) {
    this.#runtime = runtime;
    this.#describe = describe;
    this.#counters = counters;
  }

  /** Listen for requests. */
  async start(): Promise<void> {
    this.#isRunning = true;
    const mine = IntrospectionTopic.filter({ recipientIdentifier: this.#runtime.identifier });
    const filters: [string, Channel][] = [
      [INTROSPECTION_OF_ALL.address, INTROSPECTION_OF_ALL],
      [mine, INTROSPECTION],
    ];
    for (const [filter, channel] of filters) {
      try {
        await this.#runtime.bus.subscribe(filter, channel, (topic, data, origin) =>
          this.#runtime.guard(() => this.#receive(topic, data, channel, origin)),
        );
      } catch (error) {
        if (!(error instanceof BusRefusedError)) {
          throw error;
        }
        this.#runtime.complain(`it cannot be asked by operators: ${error.message}`);
        return;
      }
    }
  }

  /** Answer nothing more. */
  stop(): void {
    this.#isRunning = false;
    for (const timer of this.#delayed) {
      clearTimeout(timer);
    }
    this.#delayed.clear();
  }

  #receive(topic: string, data: Uint8Array, channel: Channel, origin: string | null): void {
    const envelope = this.#isRunning ? this.#runtime.read(topic, data, origin) : null;
    if (envelope === null) {
      return;
    }
    const statistics = this.#runtime.machine.statistics;
    try {
      const message = readMessage(envelope);
      if (message?.type !== "IntrospectionRequestMessage") {
        statistics.misplaced += 1;
        return;
      }
      const request = message.fields as IntrospectionRequestMessage;
      const isToAll = channel === INTROSPECTION_OF_ALL;
      const question = read(this.#runtime.identifier, topic, request, envelope, isToAll, origin);
      if (
        this.#delayed.size >= INTROSPECTION_ANSWERS_PER_SECOND * BURST ||
        !this.#rate.admits(now(), INTROSPECTION_ANSWERS_PER_SECOND)
      ) {
        statistics.tooFastOperators += 1;
        return;
      }
      const timer = setTimeout(
        () => {
          this.#delayed.delete(timer);
          this.#answer(question);
        },
        1000 * question.spread * Math.random(),
      );
      this.#delayed.add(timer);
    } catch (error) {
      if (!(error instanceof WireError || error instanceof RemoteProtocolError)) {
        throw error;
      }
      statistics.refused += 1;
      this.#runtime.complain(`a request of an operator on topic '${topic}' is ignored: ${error.message}`);
    }
  }

  #answer(question: Question): void {
    const { bus, incarnation } = this.#runtime;
    const { type, channel } = SUBJECTS[question.subject];
    try {
      const data = writeMessage(
        { publisherIdentifier: bus.identifier, incarnation },
        type,
        this.#message(question.subject, question.after),
        { correlationIdentifier: question.eventIdentifier },
        question.encoding,
      );
      bus.publish(question.topic, data, channel, question.bus).catch((error: unknown) => this.#failed(type, error));
    } catch (error) {
      this.#failed(type, error);
    }
  }

  #failed(type: string, error: unknown): void {
    if (this.#isRunning) {
      this.#runtime.complain(`could not send a ${type}: ${describe(error)}`);
    }
  }

  #message(subject: Subject, after: string | null): object {
    const { identifier, machine } = this.#runtime;
    switch (subject) {
      case "ping":
        return { fromIdentifier: identifier, role: machine.role };
      case "info":
        return this.#info(after);
      case "connections":
        return this.#connections(after);
      case "statistics":
        return this.#statistics(after);
    }
  }

  #info(after: string | null): InfoMessage {
    const { identifier, machine } = this.#runtime;
    const told = this.#describe();
    const isPlugin = machine.role === "plugin";
    const bare: InfoMessage = {
      fromIdentifier: identifier,
      role: machine.role,
      implementation: "orbitalis-typescript",
      implementationVersion: IMPLEMENTATION_VERSION,
      specificationVersion: SPECIFICATION_VERSION,
      startedAt: this.#startedAt,
      operations: new Map(),
      requirements: new Map(),
      explanation: "",
      nextCursor: null,
      remotes: [],
    };
    const capacity = INTROSPECTION_ANSWER_BYTES - infoMessageCodec.encode(bare).length - SPARE_BYTES;
    const { text, remotes } = after === null ? told.explain() : { text: "", remotes: [] };
    const explanation = bounded(text, EXPLANATION_BYTES);
    const known = firstOf(remotes, REMOTES_BYTES);
    const room = capacity - utf8Length(explanation) - known.bytes;
    const first = { ...bare, remotes: known.remotes };
    const explained = (leftOut: readonly string[]): string =>
      explanation + leftOut.map((name) => `operation '${name}' ${NOTE}\n`).join("");
    if (isPlugin) {
      const page = cut(told.operations, (one) => operationInfoCodec.encode(one).length, after, room, capacity);
      return { ...first, operations: page.things, explanation: explained(page.leftOut), nextCursor: page.next };
    }
    const page = cut(told.requirements, (one) => requirementInfoCodec.encode(one).length, after, room, capacity);
    return { ...first, requirements: page.things, explanation: explained(page.leftOut), nextCursor: page.next };
  }

  #connections(after: string | null): ConnectionsMessage {
    const { identifier, machine } = this.#runtime;
    const wall = micros();
    const clock = now();
    const moment = (at: number): bigint => wall - BigInt(Math.round((clock - at) * 1e6));
    const all = new Map(
      machine.slots
        .all()
        .map((slot) => [`${slot.remoteIdentifier}/${slot.operationName}`, connectionInfo(slot, moment)] as const),
    );
    const bare: ConnectionsMessage = { fromIdentifier: identifier, connections: [], nextCursor: null };
    const capacity = INTROSPECTION_ANSWER_BYTES - connectionsMessageCodec.encode(bare).length - SPARE_BYTES;
    const page = cut(all, (one) => connectionInfoCodec.encode(one).length, after, capacity, capacity);
    return { ...bare, connections: [...page.things.values()], nextCursor: page.next };
  }

  #statistics(after: string | null): StatisticsMessage {
    const { identifier, machine, bus } = this.#runtime;
    const bare: StatisticsMessage = {
      fromIdentifier: identifier,
      operations: new Map(),
      counters: new Map(),
      nextCursor: null,
    };
    const counters = new Map([
      ...Object.entries(machine.statistics).map(([name, count]) => [`orbiter.${snake(name)}`, Number(count)] as const),
      ...Object.entries(bus.statistics).map(([name, count]) => [`bus.${snake(name)}`, Number(count)] as const),
    ]);
    const first = after === null ? { ...bare, counters } : bare;
    const most = INTROSPECTION_ANSWER_BYTES - SPARE_BYTES;
    const page = cut(
      this.#counters.all,
      (one) => operationStatisticsCodec.encode(one).length,
      after,
      most - statisticsMessageCodec.encode(first).length,
      most - statisticsMessageCodec.encode(bare).length,
    );
    return { ...first, operations: page.things, nextCursor: page.next };
  }
}

/** Return what was asked; throws a `RemoteProtocolError` or `TopicError`, so that nobody has others published to. */
function read(
  identifier: string,
  topic: string,
  request: IntrospectionRequestMessage,
  envelope: EventEnvelope,
  isToAll: boolean,
  bus: string | null,
): Question {
  const operator = request.operatorIdentifier;
  const { subject, spread, cursor, answerTopic } = request;
  if (!isSubject(subject)) {
    throw new RemoteProtocolError(`it asks for ${shown(subject)}, expected one of ${Object.keys(SUBJECTS).join(", ")}`);
  }
  if (!(spread >= 0 && spread < Infinity)) {
    throw new RemoteProtocolError(`its spread is ${String(spread)} seconds, expected a number that is not negative`);
  }
  if (envelope.identifier === "" || envelope.identifier.length > IDENTIFIER_BYTES) {
    throw new RemoteProtocolError(`the identifier of its event has ${String(envelope.identifier.length)} characters`);
  }
  if (!isToAll && IntrospectionTopic.parse(topic).operatorIdentifier !== operator) {
    throw new RemoteProtocolError(`it claims to come from ${shown(operator)}, but its topic is for another one`);
  }
  if (answerTopic.length > TOLD_TOPIC_BYTES) {
    throw new RemoteProtocolError(`its answer topic has ${String(answerTopic.length)} characters`);
  }
  const layout = SUBJECTS[subject].topic;
  const parsed = layout.parse(answerTopic);
  if (parsed.operatorIdentifier !== operator || operator === "-") {
    throw new RemoteProtocolError(`its answer topic ${shown(answerTopic)} is not for the operator ${shown(operator)}`);
  }
  if (parsed.senderIdentifier !== null && parsed.senderIdentifier !== identifier) {
    throw new RemoteProtocolError(`its answer topic ${shown(answerTopic)} is for another orbiter to publish to`);
  }
  const known = Object.values(Encoding) as string[];
  const readable = envelope.readableEncodings ?? [];
  const newest = [Encoding.AVRO, Encoding.AVRO_1_0].find((one) => known.includes(one) && readable.includes(one));
  return {
    subject,
    topic: layout.build({ operatorIdentifier: operator, senderIdentifier: identifier }),
    eventIdentifier: envelope.identifier,
    after: cursor?.startsWith(AFTER) === true && cursor.length <= CURSOR_BYTES ? cursor.slice(AFTER.length) : null,
    spread: Math.min(spread, INTROSPECTION_SPREAD),
    encoding: newest ?? Encoding.JSON,
    bus,
  };
}

function isSubject(text: string): text is Subject {
  return Object.hasOwn(SUBJECTS, text);
}

/** The first of what is known of remotes, of so many bytes at most. */
function firstOf(
  all: readonly RemoteInfo[],
  most: number,
): { readonly remotes: readonly RemoteInfo[]; readonly bytes: number } {
  const remotes: RemoteInfo[] = [];
  let bytes = 0;
  for (const one of all) {
    const size = remoteInfoCodec.encode(one).length;
    if (bytes + size > most) {
      break;
    }
    remotes.push(one);
    bytes += size;
  }
  return { remotes, bytes };
}

/** Return the things behind a place that fit into a page, in the order of their places. */
function cut<T>(
  things: ReadonlyMap<string, T>,
  size: (thing: T) => number,
  after: string | null,
  room: number,
  capacity: number,
): { readonly things: ReadonlyMap<string, T>; readonly leftOut: readonly string[]; readonly next: string | null } {
  const page = new Map<string, T>();
  const leftOut: string[] = [];
  let left = room;
  let last = after ?? "";
  const places = [...things.keys()].filter((place) => place > last).sort((one, other) => (one < other ? -1 : 1));
  for (const place of places) {
    const thing = things.get(place) as T;
    const length = utf8Length(place);
    let needed = length + ITEM_BYTES + size(thing);
    const isTooLarge = needed > capacity;
    if (isTooLarge) {
      needed = length + NOTE.length + 16;
    }
    if (needed > left) {
      return { things: page, leftOut, next: `${AFTER}${last}` };
    }
    if (isTooLarge) {
      leftOut.push(place);
    } else {
      page.set(place, thing);
    }
    left -= needed;
    last = place;
  }
  return { things: page, leftOut, next: null };
}

function connectionInfo(slot: Slot, moment: (at: number) => bigint): ConnectionInfo {
  const begun = slot.isConnection ? slot.openedAt : slot.waitingSince;
  const isUsed = slot.isConnection && slot.lastUsed > slot.openedAt;
  return {
    connectionIdentifier: slot.connectionIdentifier,
    remoteIdentifier: slot.remoteIdentifier,
    operationName: slot.operationName,
    state: slot.state,
    since: moment(slot.isEnding && slot.closingAt !== null ? slot.closingAt : begun),
    lastUsedAt: isUsed ? moment(slot.lastUsed) : null,
  };
}

function micros(): bigint {
  return BigInt(Date.now()) * 1000n;
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
