/** Outputs as an async iterator: they wait until somebody takes them. */

import type { Connection } from "./connection.js";

/** An output that a plugin has sent on its own account. */
export interface Output<O> {
  /** The output itself. */
  readonly value: O;
  /** Name of the message in which it came; `null` for an empty event. */
  readonly typeName: string | null;
  /** Identifier of the plugin. */
  readonly plugin: string;
  /** The connection on which it came. */
  readonly connection: Connection;
}

/** Outputs that nobody has taken yet; the oldest are dropped beyond these. */
const LONGEST = 1000;

/** Gives outputs in order, until it is ended. */
export class OutputStream<O> implements AsyncIterableIterator<Output<O>> {
  readonly #waiting: Output<O>[] = [];
  readonly #takers: ((result: IteratorResult<Output<O>>) => void)[] = [];
  readonly #onEnd: () => void;
  #isEnded = false;

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  /** Take an output in. */
  put(output: Output<O>): void {
    const taker = this.#takers.shift();
    if (taker !== undefined) {
      taker({ done: false, value: output });
      return;
    }
    this.#waiting.push(output);
    if (this.#waiting.length > LONGEST) {
      this.#waiting.shift();
    }
  }

  /** Give what waits, and nothing after it. */
  end(): void {
    this.#isEnded = true;
    for (const taker of this.#takers.splice(0)) {
      taker({ done: true, value: undefined });
    }
    this.#onEnd();
  }

  next(): Promise<IteratorResult<Output<O>>> {
    const value = this.#waiting.shift();
    if (value !== undefined) {
      return Promise.resolve({ done: false, value });
    }
    if (this.#isEnded) {
      return Promise.resolve({ done: true, value: undefined });
    }
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  return(): Promise<IteratorResult<Output<O>>> {
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
