/** Finds whom a topic is for: filters with their receivers. */

import type { Receive } from "./bus.js";
import { EVENT_BYTES, TOPIC_BYTES } from "../../../generated/typescript/limits.js";
import type { Channel } from "../../../generated/typescript/channels.js";
import { EventTooLargeError, InvalidTopicError } from "../errors.js";
import { shown } from "../support/shown.js";
import { utf8Length } from "../support/text.js";
import { isUnpublishable } from "../support/topic.js";

/** A filter that is subscribed to. */
export interface Subscription {
  readonly channel: Channel;
  readonly receive: Receive;
}

/** Knows the subscriptions of one client. */
export class Router {
  /** Filters without a wildcard, which are found without a search. */
  readonly #exact = new Map<string, Subscription>();
  readonly #wild = new Map<string, { readonly levels: readonly string[]; readonly subscription: Subscription }>();

  /** Add a filter, or give it another receiver; throws an `InvalidTopicError`. */
  add(filter: string, subscription: Subscription): void {
    checkTopic(filter);
    const levels = filter.split("/");
    if (levels.some((level) => level === "+" || level === "#")) {
      this.#wild.set(filter, { levels, subscription });
    } else {
      this.#exact.set(filter, subscription);
    }
  }

  /** Remove a filter; return whether it was there. */
  remove(filter: string): boolean {
    return this.#exact.delete(filter) || this.#wild.delete(filter);
  }

  /** Remove all filters. */
  clear(): void {
    this.#exact.clear();
    this.#wild.clear();
  }

  /** All filters with their subscriptions. */
  *entries(): Iterable<[string, Subscription]> {
    yield* this.#exact;
    for (const [filter, { subscription }] of this.#wild) {
      yield [filter, subscription];
    }
  }

  /** Hand what has arrived to all that it is for; return how many that were. */
  deliver(topic: string, data: Uint8Array): number {
    const found = this.#of(topic);
    for (const one of found) {
      one.receive(topic, data, null);
    }
    return found.length;
  }

  #of(topic: string): Subscription[] {
    const exact = this.#exact.get(topic);
    const found = exact === undefined ? [] : [exact];
    const parts = topic.split("/");
    for (const { levels, subscription } of this.#wild.values()) {
      if (matches(levels, parts)) {
        found.push(subscription);
      }
    }
    return found;
  }
}

function matches(levels: readonly string[], parts: readonly string[]): boolean {
  const [first = ""] = levels;
  if ((first === "+" || first === "#") && parts[0]?.startsWith("$") === true) {
    return false;
  }
  for (const [index, level] of levels.entries()) {
    if (level === "#") {
      return true;
    }
    if (index >= parts.length || (level !== "+" && level !== parts[index])) {
      return false;
    }
  }
  return levels.length === parts.length;
}

function checkTopic(topic: string): void {
  if (topic === "" || isUnpublishable(topic) || utf8Length(topic) > TOPIC_BYTES) {
    throw new InvalidTopicError(`${shown(topic)} is no topic: it is empty, too long, or has a character that none may`);
  }
}

/** Throw what is wrong with something that is to be published. */
export function checkPublication(topic: string, data: Uint8Array): void {
  checkTopic(topic);
  if (/[+#]/.test(topic)) {
    throw new InvalidTopicError(`${shown(topic)} has a wildcard, so that nothing can be published to it`);
  }
  if (data.length > EVENT_BYTES) {
    throw new EventTooLargeError(
      `an event of ${String(data.length)} bytes for topic ${shown(topic)} is too large: ${String(EVENT_BYTES)} are allowed`,
    );
  }
}
