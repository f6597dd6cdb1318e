/** A bound on how much may come in a time. */

import { BURST } from "../../../generated/typescript/timings.js";

/**
 * Admits what comes at a rate, and what `timings.BURST` seconds of that rate allow at once.
 *
 * Times are seconds on the clock of the machine's caller.
 */
export class RateLimiter {
  #paidUntil = -Infinity;

  /** Whether some amount may pass; if so, it leaves less for what comes after it. */
  admits(now: number, perSecond: number, amount = 1): boolean {
    const begin = Math.max(this.#paidUntil, now);
    if (begin > now && begin - now >= BURST) {
      return false;
    }
    this.#paidUntil = begin + amount / perSecond;
    return true;
  }
}
