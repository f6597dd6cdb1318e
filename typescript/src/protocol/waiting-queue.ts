/** Those that wait for one operation, and whose turn it is. */

import type { WaitingQuery } from "./waiting-queries.js";

/** The queries for one operation. */
export class WaitingQueue {
  /** By core. */
  readonly waiting = new Map<string, WaitingQuery>();
  /** Those that are looked at in the order of their turns. */
  #turns: WaitingQuery[] = [];

  /** The query whose turn it is. */
  first(): WaitingQuery | undefined {
    return this.#turns[0];
  }

  /** Look at a query at its place, or behind all others. */
  join(query: WaitingQuery, isPutOff = false): void {
    this.setAside(query);
    query.isLookedAt = true;
    query.isPutOff = isPutOff;
    this.#turns.splice(this.#indexOf(query), 0, query);
  }

  /** Look at all of them. */
  joinAll(): void {
    this.#turns = [...this.waiting.values()].sort(inTurn);
    for (const query of this.#turns) {
      query.isLookedAt = true;
    }
  }

  /** Look at a query no more. */
  setAside(query: WaitingQuery): void {
    if (query.isLookedAt) {
      query.isLookedAt = false;
      this.#turns.splice(this.#indexOf(query), 1);
    }
  }

  /** Where a query stands, or belongs. */
  #indexOf(query: WaitingQuery): number {
    let [low, high] = [0, this.#turns.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#turns[middle];
      if (other !== undefined && inTurn(other, query) < 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}

/** Those that are put off come last, and else those that have waited for longest first; no two share a place. */
function inTurn(one: WaitingQuery, other: WaitingQuery): number {
  return Number(one.isPutOff) - Number(other.isPutOff) || one.place - other.place;
}
