/** What comes of one question of an operator: the pages of each orbiter that answers, and what is still to be asked. */

import { KNOWN_REMOTES } from "../../../generated/typescript/limits.js";
import type { EventEnvelope } from "../../../generated/typescript/messages.js";

/** What every answer has. */
export interface AnswerMessage {
  readonly fromIdentifier: string;
  readonly nextCursor?: string | null;
}

/** What one orbiter has answered. */
export interface Pages<M> {
  messages: M[];
  incarnation: string | null;
  protocolVersion: number | null;
  /** Seconds from the request to the first page. */
  seconds: number;
  /** The cursor of the page that is awaited; `null` for the first one. */
  cursor: string | null;
  /** When that page was asked for; `null` if it was not yet. */
  askedAt: number | null;
  isComplete: boolean;
  /** When the first page was sent, on the clock of the orbiter, in microseconds. */
  answeredAt: bigint;
  /** Other incarnations that have answered the same request under the same identifier. */
  namesakes: Set<string>;
}

/** Seconds after which a page is asked for again: requests and answers can be lost. */
const ASK_AGAIN_AFTER = 1;
/** Pages of one orbiter; who names ever more cursors is not followed any longer. */
const MOST_PAGES = 1000;
const MOST_NAMESAKES = 100;

function noPages<M>(): Pages<M> {
  return {
    messages: [],
    incarnation: null,
    protocolVersion: null,
    seconds: 0,
    cursor: null,
    askedAt: null,
    isComplete: false,
    answeredAt: 0n,
    namesakes: new Set(),
  };
}

/** Collects the answers to one question. Times are seconds of one clock. */
export class Inquiry<M extends AnswerMessage> {
  /** By orbiter: all that have answered. */
  readonly found = new Map<string, Pages<M>>();
  /** By orbiter: those of whom a page is still to come. */
  readonly #awaited = new Map<string, Pages<M>>();
  #quietAt: number | null = null;

  constructor(
    readonly subject: string,
    readonly begunAt: number,
    /** Who is asked; `null` for all. */
    readonly orbiter: string | null,
    /** Seconds without an answer that end a question to all. */
    readonly quiet: number | null,
  ) {
    if (orbiter !== null) {
      this.#awaited.set(orbiter, noPages());
    }
  }

  /** Whether all has come, or the last answer was long ago. */
  isDone(now: number): boolean {
    if (this.#awaited.size > 0) {
      return false;
    }
    return this.orbiter !== null || (this.#quietAt !== null && now >= this.#quietAt);
  }

  /** The orbiters that are to be asked for a page now; the caller does it, and they count as asked. */
  due(now: number): [string, Pages<M>][] {
    const due = [...this.#awaited].filter(([, { askedAt }]) => askedAt === null || askedAt + ASK_AGAIN_AFTER <= now);
    for (const [, pages] of due) {
      pages.askedAt = now;
    }
    return due;
  }

  /** When somebody is to be asked again, or it is quiet. */
  nextDue(): number {
    const asked = [...this.#awaited.values()].map((one) => (one.askedAt ?? -Infinity) + ASK_AGAIN_AFTER);
    return Math.min(...asked, this.#awaited.size === 0 ? (this.#quietAt ?? Infinity) : Infinity);
  }

  /** Take an answer to a request with a cursor; return whether it is one that was awaited. */
  take(cursor: string | null, message: M, envelope: EventEnvelope, now: number): boolean {
    const orbiter = message.fromIdentifier;
    let pages = this.#awaited.get(orbiter);
    if (pages === undefined) {
      // The first answer to a request to all.
      const known = this.found.get(orbiter);
      if (known !== undefined && this.orbiter === null && cursor === null) {
        noteNamesake(known, envelope);
      }
      if (this.orbiter !== null || cursor !== null || known !== undefined || this.found.size >= KNOWN_REMOTES) {
        return false;
      }
      pages = noPages();
    } else if (pages.cursor !== cursor) {
      return false;
    }
    this.#append(orbiter, pages, message, envelope, now);
    return true;
  }

  #append(orbiter: string, pages: Pages<M>, message: M, envelope: EventEnvelope, now: number): void {
    this.#quietAt = this.quiet === null || this.orbiter !== null ? null : now + this.quiet;
    if (pages.messages.length > 0 && envelope.incarnation !== pages.incarnation) {
      // It has started anew: what it told before is of the past, and what comes now is not from the beginning.
      const anew = noPages<M>();
      this.found.set(orbiter, anew);
      this.#awaited.set(orbiter, anew);
      return;
    }
    this.found.set(orbiter, pages);
    if (pages.messages.length === 0) {
      pages.incarnation = envelope.incarnation;
      pages.protocolVersion = envelope.protocolVersion;
      pages.seconds = now - this.begunAt;
      pages.answeredAt = envelope.timestamp;
    }
    pages.messages.push(message);
    const before = pages.cursor;
    pages.cursor = message.nextCursor ?? null;
    pages.askedAt = null;
    pages.isComplete = pages.cursor === null;
    if (pages.isComplete || pages.cursor === before || pages.messages.length >= MOST_PAGES) {
      this.#awaited.delete(orbiter);
    } else {
      this.#awaited.set(orbiter, pages);
    }
  }
}

function noteNamesake<M>(pages: Pages<M>, { incarnation }: EventEnvelope): void {
  if (incarnation !== null && incarnation !== pages.incarnation && pages.namesakes.size < MOST_NAMESAKES) {
    pages.namesakes.add(incarnation);
  }
}
