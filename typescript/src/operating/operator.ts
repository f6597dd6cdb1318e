/** Asks orbiters what they are, and what they are doing. */

import type { Bus } from "../bus/bus.js";
import { Inquiry, type AnswerMessage, type Pages } from "./inquiry.js";
import {
  CONNECTIONS,
  INFO,
  INTROSPECTION,
  INTROSPECTION_OF_ALL,
  PONG,
  STATISTICS,
} from "../../../generated/typescript/channels.js";
import { decodeEvent, Encoding } from "../../../generated/typescript/envelope.js";
import type {
  ConnectionInfo,
  ConnectionsMessage,
  InfoMessage,
  OperationInfo,
  OperationStatistics,
  PongMessage,
  RemoteInfo,
  RequirementInfo,
  StatisticsMessage,
} from "../../../generated/typescript/messages.js";
import {
  ConnectionsTopic,
  InfoTopic,
  IntrospectionTopic,
  PongTopic,
  StatisticsTopic,
} from "../../../generated/typescript/topics.js";
import { PROTOCOL_VERSION } from "../../../generated/typescript/version.js";
import { OrbiterStateError } from "../errors.js";
import { readMessage, writeMessage } from "../message/event.js";
import { newIdentifier } from "../message/identifiers.js";
import { now } from "../runtime/runtime.js";
import { WireError } from "../support/errors.js";

/** What every answer has beside what was asked for. */
export interface Answer {
  /** Identifier of the orbiter that has answered. */
  readonly identifier: string;
  /** Its incarnation, one run of it; `null` for an older peer, which has none. */
  readonly incarnation: string | null;
  /** The first number of the version of the protocol that it speaks; `null` if it did not say. */
  readonly protocolVersion: number | null;
  /** Seconds that the answer took. */
  readonly seconds: number;
  /** Whether all of it has come. */
  readonly isComplete: boolean;
  /** When it was sent, on the clock of the orbiter, in microseconds since 1970. */
  readonly answeredAt: bigint;
  /** How many others have answered under the same identifier. */
  readonly namesakes: number;
}

/** The answer to a ping: an orbiter is there. */
export interface PongAnswer extends Answer {
  /** What it is: `core` or `plugin`. */
  readonly role: string;
}

/** What an orbiter is. */
export interface InfoAnswer extends Answer {
  /** What it is: `core` or `plugin`. */
  readonly role: string;
  /** Name of the implementation, such as `orbitalis`. */
  readonly implementation: string;
  /** Version of the implementation. */
  readonly implementationVersion: string;
  /** Version of the specification that it was made from. */
  readonly specificationVersion: string;
  /** When it was started, on its clock, in microseconds since 1970. */
  readonly startedAt: bigint;
  /** The operations that a plugin provides, by name. */
  readonly operations: ReadonlyMap<string, OperationInfo>;
  /** The operations that a core requires, by name. */
  readonly requirements: ReadonlyMap<string, RequirementInfo>;
  /** What it knows of why there are connections or none, in lines for people. */
  readonly explanation: string;
  /** What the explanation says of remotes; nothing of an orbiter of version 1.1 or older. */
  readonly remotes: readonly RemoteInfo[];
}

/** The connections of an orbiter. */
export interface ConnectionsAnswer extends Answer {
  /** Connections and handshakes, each with its state. */
  readonly connections: readonly ConnectionInfo[];
}

/** What an orbiter has counted. */
export interface StatisticsAnswer extends Answer {
  /** What was counted of each operation, by name. */
  readonly operations: ReadonlyMap<string, OperationStatistics>;
  /** What else was counted, by name. */
  readonly counters: ReadonlyMap<string, number>;
}

/** The options of an operator. */
export interface OperatorOptions {
  /** Unique among all operators and orbiters, by default a made-up one. */
  readonly identifier?: string;
  /** Its own client of the bus. */
  readonly bus: Bus;
  /** Called when the connection with the bus is lost. */
  readonly onLost?: () => void;
  /** Called when it is back. */
  readonly onReconnected?: () => void;
}

/** Whom a question is for, and how long answers are awaited. */
export interface Asking<A> {
  /** Identifier of one orbiter; by default all are asked. */
  readonly orbiter?: string;
  /** Seconds for which answers are awaited, by default 2. */
  readonly within?: number;
  /** Seconds within which all orbiters answer, each at a random moment; by default half of `within`. */
  readonly spread?: number;
  /** Seconds without an answer that end a question to all. */
  readonly quiet?: number;
  /** Called with each answer as soon as it is complete. */
  readonly onAnswer?: (answer: A) => void;
}

const WITHIN = 2;
const SUBJECTS = {
  ping: { channel: PONG, topic: PongTopic, type: "PongMessage" },
  info: { channel: INFO, topic: InfoTopic, type: "InfoMessage" },
  connections: { channel: CONNECTIONS, topic: ConnectionsTopic, type: "ConnectionsMessage" },
  statistics: { channel: STATISTICS, topic: StatisticsTopic, type: "StatisticsMessage" },
} as const;
type Subject = keyof typeof SUBJECTS;

interface Asked {
  readonly inquiry: Inquiry<AnswerMessage>;
  readonly cursor: string | null;
  readonly changed: () => void;
  readonly completed: (orbiter: string) => void;
}

/** Asks all orbiters of a bus, or one of them; questions may be asked side by side. */
export class Operator {
  /** Names the operator in topics, so that answers find it. */
  readonly identifier: string;
  /** Its own client of the bus. */
  readonly bus: Bus;
  /** Answers that were late, came twice or were asked for by nobody, or of another sender than they say. */
  ignored = 0;
  readonly #options: OperatorOptions;
  readonly #asked = new Map<string, Asked>();
  #isRunning = false;

  constructor(options: OperatorOptions) {
    this.#options = options;
    this.identifier = options.identifier ?? newIdentifier();
    this.bus = options.bus;
  }

  /** Connect to the bus, and listen for answers; throws a `BusError`. */
  async start(): Promise<void> {
    if (this.#isRunning) {
      throw new OrbiterStateError(`operator '${this.identifier}' has started already`);
    }
    await this.bus.connect({
      makeWill: () => null,
      onLost: () => this.#options.onLost?.(),
      onReconnected: () => this.#options.onReconnected?.(),
    });
    this.#isRunning = true;
    try {
      for (const [subject, { topic, channel }] of Object.entries(SUBJECTS)) {
        const filter = topic.filter({ operatorIdentifier: this.identifier });
        await this.bus.subscribe(filter, channel, (at, data) => {
          if (!this.#take(subject as Subject, at, data)) {
            this.ignored += 1;
          }
        });
      }
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Leave the bus; questions that are asked end with what has come. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    for (const { changed } of this.#asked.values()) {
      changed();
    }
    await this.bus.disconnect();
  }

  /** Ask who is there. */
  ping(asking: Asking<PongAnswer> = {}): Promise<Map<string, PongAnswer>> {
    return this.#ask("ping", asking, ([{ role }]: Some<PongMessage>) => ({ role }));
  }

  /** Ask what orbiters are. */
  info(asking: Asking<InfoAnswer> = {}): Promise<Map<string, InfoAnswer>> {
    return this.#ask("info", asking, (messages: Some<InfoMessage>) => {
      const { role, implementation, implementationVersion, specificationVersion, startedAt } = messages[0];
      return {
        role,
        implementation,
        implementationVersion,
        specificationVersion,
        startedAt,
        operations: new Map(messages.flatMap((one) => [...one.operations])),
        requirements: new Map(messages.flatMap((one) => [...one.requirements])),
        explanation: messages.map((one) => one.explanation).join(""),
        remotes: messages.flatMap((one) => one.remotes),
      };
    });
  }

  /** Ask for connections, also those under way or closing. */
  connections(asking: Asking<ConnectionsAnswer> = {}): Promise<Map<string, ConnectionsAnswer>> {
    return this.#ask("connections", asking, (messages: Some<ConnectionsMessage>) => ({
      connections: messages.flatMap((one) => one.connections),
    }));
  }

  /** Ask for what orbiters have counted. */
  statistics(asking: Asking<StatisticsAnswer> = {}): Promise<Map<string, StatisticsAnswer>> {
    return this.#ask("statistics", asking, (messages: Some<StatisticsMessage>) => ({
      operations: new Map(messages.flatMap((one) => [...one.operations])),
      counters: new Map(messages.flatMap((one) => [...one.counters])),
    }));
  }

  async #ask<M extends AnswerMessage, T>(
    subject: Subject,
    asking: Asking<Answer & T>,
    tell: (messages: Some<M>) => T,
  ): Promise<Map<string, Answer & T>> {
    if (!this.#isRunning) {
      throw new OrbiterStateError(`operator '${this.identifier}' is not running: start it first`);
    }
    const { orbiter = null, within = WITHIN, quiet = null } = asking;
    const spread = asking.spread ?? (orbiter === null ? within / 2 : 0);
    const inquiry = new Inquiry<M>(subject, now(), orbiter, quiet);
    const requests: string[] = [];
    const end = inquiry.begunAt + within;
    let wake = (): void => undefined;
    const completed = (identifier: string): void => {
      const pages = inquiry.found.get(identifier);
      if (pages !== undefined) {
        asking.onAnswer?.(answerOf(identifier, pages, tell));
      }
    };
    const request = (whom: string | null, cursor: string | null, spreadOfIt: number): void => {
      const identifier = newIdentifier();
      requests.push(identifier);
      const known = { inquiry: inquiry as unknown as Inquiry<AnswerMessage>, cursor, changed: () => wake(), completed };
      this.#asked.set(identifier, known);
      this.#request(identifier, subject, whom, cursor, spreadOfIt);
    };
    try {
      if (orbiter === null) {
        request(null, null, spread);
      }
      while (this.#isOpen(inquiry, end)) {
        for (const [whom, pages] of inquiry.due(now())) {
          request(whom, pages.cursor, pages.messages.length === 0 ? spread : 0);
        }
        const until = Math.min(end, inquiry.nextDue());
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, 1000 * Math.max(0, until - now()));
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    } finally {
      for (const one of requests) {
        this.#asked.delete(one);
      }
    }
    const answered = [...inquiry.found].filter(([, pages]) => pages.messages.length > 0);
    return new Map(answered.map(([identifier, pages]) => [identifier, answerOf(identifier, pages, tell)]));
  }

  #isOpen(inquiry: { isDone(at: number): boolean }, end: number): boolean {
    return this.#isRunning && now() < end && !inquiry.isDone(now());
  }

  #request(identifier: string, subject: Subject, whom: string | null, cursor: string | null, spread: number): void {
    const data = writeMessage(
      { publisherIdentifier: this.bus.identifier, incarnation: null },
      "IntrospectionRequestMessage",
      {
        operatorIdentifier: this.identifier,
        subject,
        answerTopic: SUBJECTS[subject].topic.build({ operatorIdentifier: this.identifier, senderIdentifier: whom }),
        cursor,
        spread,
      },
      { identifier },
      Encoding.JSON,
    );
    const [topic, channel] =
      whom === null
        ? [INTROSPECTION_OF_ALL.address, INTROSPECTION_OF_ALL]
        : [IntrospectionTopic.build({ recipientIdentifier: whom, operatorIdentifier: this.identifier }), INTROSPECTION];
    // A request that is lost is sent again.
    this.bus.publish(topic, data, channel).catch(() => undefined);
  }

  #take(subject: Subject, topic: string, data: Uint8Array): boolean {
    try {
      const { envelope } = decodeEvent(data);
      const asked = this.#asked.get(envelope.correlationIdentifier ?? "");
      if (asked?.inquiry.subject !== subject || !SPOKEN.has(envelope.protocolVersion)) {
        return false;
      }
      const message = readMessage(envelope);
      const fields = message?.fields as AnswerMessage | undefined;
      const { senderIdentifier } = SUBJECTS[subject].topic.parse(topic);
      if (message?.type !== SUBJECTS[subject].type || fields?.fromIdentifier !== senderIdentifier) {
        return false;
      }
      const isTaken = asked.inquiry.take(asked.cursor, fields, envelope, now());
      asked.changed();
      if (isTaken && asked.inquiry.found.get(senderIdentifier)?.isComplete === true) {
        asked.completed(senderIdentifier);
      }
      return isTaken;
    } catch (error) {
      if (error instanceof WireError) {
        return false;
      }
      throw error;
    }
  }
}

const SPOKEN: ReadonlySet<number | null> = new Set([null, PROTOCOL_VERSION]);

/** Messages, of which there is one at least. */
type Some<M> = readonly [M, ...M[]];

function answerOf<M, T>(identifier: string, pages: Pages<M>, tell: (messages: Some<M>) => T): Answer & T {
  return {
    identifier,
    incarnation: pages.incarnation,
    protocolVersion: pages.protocolVersion,
    seconds: pages.seconds,
    isComplete: pages.isComplete,
    answeredAt: pages.answeredAt,
    namesakes: pages.namesakes.size,
    ...tell(pages.messages as unknown as Some<M>),
  };
}
