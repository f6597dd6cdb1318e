/** The data of one connection that has come, in order, until it is handled. */

import { QUEUED_BYTES, QUEUED_EVENTS } from "../../../generated/typescript/limits.js";

/** Something that waits to be handled. */
export interface Waiting<T> {
  readonly item: T;
  readonly size: number;
}

/** Hands over what waits, as much at a time as may be handled side by side. */
export class Inbox<T> {
  /** Whether it hands nothing over now. */
  isPaused = false;
  readonly #waiting: Waiting<T>[] = [];
  readonly #handle: (item: T) => Promise<void> | undefined;
  readonly #concurrency: number;
  #bytes = 0;
  #running = 0;
  #whenIdle: (() => void)[] = [];

  constructor(handle: (item: T) => Promise<void> | undefined, concurrency: number) {
    this.#handle = handle;
    this.#concurrency = concurrency;
  }

  /** Whether something waits or is being handled. */
  get isBusy(): boolean {
    return this.#running > 0 || this.#waiting.length > 0;
  }

  /** Take something in; return whether there was room. */
  put(item: T, size: number): boolean {
    if (this.#waiting.length > 0 && (this.#waiting.length >= QUEUED_EVENTS || this.#bytes + size > QUEUED_BYTES)) {
      return false;
    }
    this.#waiting.push({ item, size });
    this.#bytes += size;
    this.pump();
    return true;
  }

  /** Hand over what waits, as far as it may be handled now. */
  pump(): void {
    while (!this.isPaused && this.#running < this.#concurrency) {
      const next = this.#waiting.shift();
      if (next === undefined) {
        break;
      }
      this.#bytes -= next.size;
      const under = this.#handle(next.item);
      if (under !== undefined) {
        this.#running += 1;
        void under.finally(() => {
          this.#running -= 1;
          this.pump();
        });
      }
    }
    this.#tellIdle();
  }

  /** Drop what waits. */
  clear(): void {
    this.#waiting.length = 0;
    this.#bytes = 0;
    this.#tellIdle();
  }

  /** Wait until nothing waits and nothing is being handled. */
  async idle(): Promise<void> {
    if (this.isBusy) {
      await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
    }
  }

  #tellIdle(): void {
    if (!this.isBusy) {
      for (const call of this.#whenIdle.splice(0)) {
        call();
      }
    }
  }
}
