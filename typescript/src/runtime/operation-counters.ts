/** What an orbiter counts of each operation. */

import type { OperationStatistics } from "../../../generated/typescript/messages.js";
import { ERROR_TEXT_BYTES } from "../../../generated/typescript/limits.js";

/** Counters of one operation. */
export type Counted = { -readonly [Name in keyof OperationStatistics]: OperationStatistics[Name] };

/** Counts what is done with the operations of one orbiter. */
export class OperationCounters {
  readonly #counted = new Map<string, Counted>();

  /** The counters of all operations that were executed, by name. */
  get all(): ReadonlyMap<string, Counted> {
    return this.#counted;
  }

  /** The counters of an operation. */
  of(operationName: string): Counted {
    let found = this.#counted.get(operationName);
    if (found === undefined) {
      found = { executions: 0, answers: 0, errors: 0, lastError: null, lastErrorAt: null, secondsInHandler: 0 };
      this.#counted.set(operationName, found);
    }
    return found;
  }

  /** Count a failure of an operation, with what it says. */
  noteError(operationName: string, text: string): void {
    const counted = this.of(operationName);
    counted.errors += 1;
    counted.lastError = bounded(text);
    counted.lastErrorAt = BigInt(Date.now()) * 1000n;
  }
}

/** Cut a text off, so that it takes no more bytes of UTF-8 than a text of an error may. */
export function bounded(text: string, longest: number = ERROR_TEXT_BYTES): string {
  const whole = text.toWellFormed();
  const data = new TextEncoder().encode(whole);
  if (data.length <= longest) {
    return whole;
  }
  // A character that is cut in two is left out.
  return new TextDecoder("utf-8", { fatal: false }).decode(data.subarray(0, longest - 3)).replace(/\uFFFD+$/, "") + "…";
}
