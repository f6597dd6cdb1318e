/**
 * The numbers of the inputs or outputs of one connection: given by the sender, held against a window by the receiver.
 *
 * Both start with a connection and end with it. A direction of a connection has numbers of its own.
 */

import { SEQUENCE_WINDOW } from "../../../generated/typescript/limits.js";

/** Which numbers the sender has given. */
export class SentNumbers {
  /** The last number of which an event may have left; zero before the first. */
  last = 0;

  /** Give the next number. */
  next(): number {
    this.last += 1;
    return this.last;
  }
}

/** Which numbers the receiver has got: the greatest one, and those below it that are missing and still may come. */
export class SequenceWindow {
  /** The greatest number that has come; zero before the first. */
  greatest = 0;
  /** How many numbers below the greatest have not come, also those that may not any more. */
  missing = 0;
  /** Whether the user was told of a gap. */
  isGapTold = false;
  readonly #absent = new Set<number>();

  /** Whether an event with this number is to be handled; if so, note that it has come. */
  admits(number: number): boolean {
    const ahead = number - this.greatest;
    if (ahead > 0) {
      // However far ahead it claims to be: no more are noted than the window holds.
      for (let one = Math.max(this.greatest + 1, number - SEQUENCE_WINDOW + 1); one < number; one++) {
        this.#absent.add(one);
      }
      this.greatest = number;
      this.missing += ahead - 1;
      if (this.#absent.size > 0) {
        this.#dropOld();
      }
      return true;
    }
    if (!this.#absent.delete(number)) {
      return false;
    }
    this.missing -= 1;
    return true;
  }

  /** Forget the numbers that are below the window; they are in order. */
  #dropOld(): void {
    for (const one of this.#absent) {
      if (one > this.greatest - SEQUENCE_WINDOW) {
        break;
      }
      this.#absent.delete(one);
    }
  }
}
