/**
 * Queries that a plugin may be able to answer later: what cores wait for, by operation, longest wait first.
 *
 * A core that wants late offers says so in its discover. What could not be offered then, or was offered and came to
 * nothing, waits here until a slot is free.
 */

import * as limits from "../../../generated/typescript/limits.js";
import type { DiscoverQuery } from "../../../generated/typescript/messages.js";
import * as timings from "../../../generated/typescript/timings.js";

import type { PluginConfig } from "./config.js";
import { Deadlines } from "./deadlines.js";
import type { ExactSchemas } from "./matching.js";
import type { PeerTopics } from "./peers.js";
import { sizeOfAll } from "./sizes.js";
import { WaitingQueue } from "./waiting-queue.js";

/** Bytes that a query takes beside its texts. */
const QUERY_BYTES = 256;
/** Bytes that one of its inputs or outputs takes beside its schemas. */
const SHAPE_BYTES = 128;
/** Bytes that a core which asks takes beside its texts. */
const CORE_BYTES = 512;
/** One rank for each answer to two questions. */
const RANKS = 4;

/** What one core has asked for in its last discover, and how to answer. Times are seconds on the caller's clock. */
export interface AskingCore {
  readonly coreIdentifier: string;
  readonly incarnation: string | null;
  readonly readableEncodings: readonly string[];
  /** When the discover arrived. */
  readonly askedAt: number;
  /** Where offers go, checked and ready to publish to. */
  readonly offerTopic: string;
  readonly topics: PeerTopics;
  /** Whether it came on a topic that the core alone may publish to. */
  readonly isCertain: boolean;
  /** The fingerprints of schemas that match the same schema alone. */
  readonly exactSchemas: ExactSchemas;
  /** What is not connected yet, by operation name. */
  readonly queries: Map<string, WaitingQuery>;
  /** Bytes that it takes, without its queries; `WaitingQueries` counts them. */
  size: number;
}

/** One query of one core. */
export interface WaitingQuery {
  readonly core: AskingCore;
  readonly operationName: string;
  readonly query: DiscoverQuery;
  readonly size: number;
  /** The lower, the longer it has waited. */
  readonly place: number;
  /** Queries of a lower rank give way to it. */
  rank: number;
  /** Whether it has a turn; if not, it is set aside. */
  isLookedAt: boolean;
  /** Whether it comes behind all others until its core is heard, since the core may be dead. */
  isPutOff: boolean;
}

/** A query that is to wait. */
export interface NewQuery {
  readonly query: DiscoverQuery;
  /** In bytes. */
  readonly size: number;
  /** Whether it has a turn, or is set aside. */
  readonly isLookedAt: boolean;
}

/**
 * All queries of cores that want late offers.
 *
 * At most `limits.WAITING_QUERIES` are kept, in `limits.WAITING_QUERY_BYTES`. When there are as many, those of strangers
 * make room for those of cores that the user has named, and of either those for operations that do not exist for others;
 * the last that came goes first. Otherwise those that wait keep their places. A query that is larger than any honest one
 * is not kept, nor more of one core than `limits.WAITING_QUERY_BYTES_OF_CORE`.
 */
export class WaitingQueries {
  /** When something is due next. */
  readonly deadlines = new Deadlines<AskingCore>();
  /** How much memory they take. */
  bytes = 0;
  readonly #byCore = new Map<string, AskingCore>();
  readonly #byOperation = new Map<string, WaitingQueue>();
  /** By rank: the queries in the order in which they came. */
  readonly #ranked = Array.from({ length: RANKS }, () => new Set<WaitingQuery>());
  #lastPlace = 0;

  constructor(private config: PluginConfig) {}

  /** How many queries are kept. */
  get size(): number {
    return this.#ranked.reduce((size, queries) => size + queries.size, 0);
  }

  /** Take a new snapshot. */
  configure(config: PluginConfig): void {
    this.config = config;
  }

  /** What a core waits for. */
  ofCore(coreIdentifier: string): AskingCore | undefined {
    return this.#byCore.get(coreIdentifier);
  }

  // Whose turn it is

  /** The next query that may be answered with an operation. */
  first(operationName: string): WaitingQuery | undefined {
    return this.#byOperation.get(operationName)?.first();
  }

  /** Look at a query no more until its core asks again or `resume` is called. */
  setAside(query: WaitingQuery): void {
    this.#byOperation.get(query.operationName)?.setAside(query);
  }

  /** Let a query come behind all others until its core is heard again; returns whether that is new. */
  putOff(query: WaitingQuery): boolean {
    if (query.isPutOff) {
      return false;
    }
    this.#byOperation.get(query.operationName)?.join(query, true);
    return true;
  }

  /** Let the queries of a core that were put off come at their places again. */
  heard(coreIdentifier: string): void {
    for (const query of this.#byCore.get(coreIdentifier)?.queries.values() ?? []) {
      if (query.isPutOff) {
        this.#byOperation.get(query.operationName)?.join(query);
      }
    }
  }

  /** Look again at the query of a core for an operation, if it was set aside. */
  resume(coreIdentifier: string, operationName: string): void {
    const query = this.#byCore.get(coreIdentifier)?.queries.get(operationName);
    if (query !== undefined) {
      this.#byOperation.get(operationName)?.join(query);
    }
  }

  /** Look again at all queries for an operation, which has changed or has come or gone. */
  operationChanged(operationName: string): void {
    const queue = this.#byOperation.get(operationName);
    if (queue === undefined) {
      return;
    }
    for (const query of queue.waiting.values()) {
      this.#ranked[query.rank]?.delete(query);
      query.rank = this.#rank(query.core.coreIdentifier, operationName);
      this.#ranked[query.rank]?.add(query);
    }
    queue.joinAll();
  }

  // What is waited for

  /** Keep queries instead of what their core waited for before; what it still waits for keeps its place. */
  remember(core: AskingCore, queries: ReadonlyMap<string, NewQuery>): void {
    const identifier = core.coreIdentifier;
    let before = this.#byCore.get(identifier);
    if (before !== undefined && before.incarnation !== core.incarnation) {
      this.forget(identifier);
      before = undefined;
    }
    if (before === undefined && queries.size === 0) {
      return;
    }
    const earlier: ReadonlyMap<string, WaitingQuery> = before?.queries ?? new Map<string, WaitingQuery>();
    for (const query of earlier.values()) {
      this.#ranked[query.rank]?.delete(query);
      this.bytes -= query.size;
    }
    if (before !== undefined) {
      this.#removeCore(before);
    }
    this.#byCore.set(identifier, core);
    core.size = sizeOfCore(core);
    this.bytes += core.size;
    this.#keepAll(core, queries, earlier);
    for (const [name, query] of earlier) {
      if (!core.queries.has(name)) {
        this.#leave(query);
      }
    }
    if (core.queries.size > 0) {
      this.deadlines.set(core, core.askedAt + timings.LATE_OFFERS_KEPT_FOR);
    } else {
      this.#removeCore(core);
    }
  }

  #keepAll(core: AskingCore, queries: ReadonlyMap<string, NewQuery>, earlier: ReadonlyMap<string, WaitingQuery>): void {
    const rankOf = (name: string): number => this.#rank(core.coreIdentifier, name);
    // First those that others give way to, then those that have a place, so that none has to yield to the next.
    const ordered = [...queries].sort(
      ([one], [other]) => rankOf(other) - rankOf(one) || Number(!earlier.has(one)) - Number(!earlier.has(other)),
    );
    let left = limits.WAITING_QUERY_BYTES_OF_CORE - core.size;
    for (const [name, asked] of ordered) {
      const rank = rankOf(name);
      if (asked.size <= left && this.#makeRoom(rank, asked.size)) {
        left -= asked.size;
        this.#keep(core, name, asked, rank, earlier.get(name));
      }
    }
  }

  #keep(core: AskingCore, name: string, asked: NewQuery, rank: number, earlier: WaitingQuery | undefined): void {
    let queue = this.#byOperation.get(name);
    if (queue === undefined) {
      queue = new WaitingQueue();
      this.#byOperation.set(name, queue);
    }
    if (earlier === undefined) {
      this.#lastPlace += 1;
    } else {
      queue.setAside(earlier);
    }
    const query: WaitingQuery = {
      core,
      operationName: name,
      query: asked.query,
      size: asked.size,
      place: earlier?.place ?? this.#lastPlace,
      rank,
      isLookedAt: false,
      isPutOff: false,
    };
    core.queries.set(name, query);
    queue.waiting.set(core.coreIdentifier, query);
    this.#ranked[rank]?.add(query);
    this.bytes += asked.size;
    if (asked.isLookedAt) {
      queue.join(query);
    }
  }

  /** Let a core wait for an operation no more. */
  fulfil(coreIdentifier: string, operationName: string): void {
    const core = this.#byCore.get(coreIdentifier);
    const query = core?.queries.get(operationName);
    if (core !== undefined && query !== undefined) {
      this.#remove(query);
      if (core.queries.size === 0) {
        this.#removeCore(core);
      }
    }
  }

  /** Let a core wait for nothing. */
  forget(coreIdentifier: string): void {
    const core = this.#byCore.get(coreIdentifier);
    if (core !== undefined) {
      for (const query of [...core.queries.values()]) {
        this.#remove(query);
      }
      this.#removeCore(core);
    }
  }

  /** Forget what was asked for too long ago. */
  discardExpired(now: number): void {
    for (const core of this.deadlines.popDue(now)) {
      this.forget(core.coreIdentifier);
    }
  }

  /** Let nobody wait. */
  clear(): void {
    this.#byCore.clear();
    this.#byOperation.clear();
    for (const queries of this.#ranked) {
      queries.clear();
    }
    this.deadlines.clear();
    this.bytes = 0;
  }

  #remove(query: WaitingQuery): void {
    this.#leave(query);
    query.core.queries.delete(query.operationName);
    this.#ranked[query.rank]?.delete(query);
    this.bytes -= query.size;
  }

  #removeCore(core: AskingCore): void {
    this.bytes -= core.size;
    this.#byCore.delete(core.coreIdentifier);
    this.deadlines.discard(core);
  }

  /** Take a query out of the queue for its operation. */
  #leave(query: WaitingQuery): void {
    const queue = this.#byOperation.get(query.operationName);
    if (queue !== undefined) {
      queue.setAside(query);
      queue.waiting.delete(query.core.coreIdentifier);
      if (queue.waiting.size === 0) {
        this.#byOperation.delete(query.operationName);
      }
    }
  }

  // Room

  /** Return which queries one displaces if there is no room: all whose rank is lower. */
  #rank(coreIdentifier: string, operationName: string): number {
    return (this.config.named.has(coreIdentifier) ? 2 : 0) + (this.config.operations.has(operationName) ? 1 : 0);
  }

  /** Whether there is room for one more query; others of lower ranks give way to it. */
  #makeRoom(rank: number, size: number): boolean {
    if (size > limits.SCHEMA_BYTES) {
      return false;
    }
    while (this.size >= limits.WAITING_QUERIES || this.bytes + size > limits.WAITING_QUERY_BYTES) {
      const lowest = this.#ranked.slice(0, rank).find((queries) => queries.size > 0);
      const last = [...(lowest ?? [])].at(-1);
      if (last === undefined) {
        return false;
      }
      this.fulfil(last.core.coreIdentifier, last.operationName);
    }
    return true;
  }
}

/** About how many bytes a core takes that asks, without its queries. */
function sizeOfCore(core: AskingCore): number {
  const { keepaliveTopic, keepaliveRequestTopic } = core.topics;
  const exact = [...core.exactSchemas.values()].flat();
  const texts = [core.coreIdentifier, core.incarnation, core.offerTopic, keepaliveTopic, keepaliveRequestTopic];
  return CORE_BYTES + sizeOfAll([...texts, ...exact]);
}

/** About how many bytes a query takes, with all that it names. */
export function sizeOfQuery(operationName: string, query: DiscoverQuery): number {
  const lists = [...(query.allowlist ?? []), ...(query.blocklist ?? [])];
  const texts = sizeOfAll([operationName, query.operationName, ...lists, ...schemasOf(query)]);
  return QUERY_BYTES + SHAPE_BYTES * (query.inputs.length + query.outputs.length) + texts;
}

/** All schemas that a query names. */
export function schemasOf(query: DiscoverQuery): string[] {
  return [...query.inputs, ...query.outputs].flatMap((shape) => shape.schemas);
}

/** Whether the lists of a query admit a plugin. With an allowlist, the blocklist does not count. */
export function queryAdmits(query: DiscoverQuery, identifier: string): boolean {
  return query.allowlist?.includes(identifier) ?? !(query.blocklist?.includes(identifier) ?? false);
}
