/** What an orbiter says to the people who run it. */

/** Takes what an orbiter says; `console` is one. */
export interface Log {
  /** Take what somebody should look at. */
  warn(text: string): void;
  /** Take what has failed. */
  error(text: string): void;
}

/** Warnings of one kind that are told in a time; strangers cause them, and must not fill a disk. */
const TOLD = 10;
const PERIOD = 10_000;

/** Tells what strangers can cause at a pace that they cannot set. */
export class ThrottledLog {
  readonly #log: Log;
  #begun = 0;
  #told = 0;
  #left = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Tell of something, which is put into words only then, unless too much was told lately. */
  warn(inWords: () => string): void {
    const now = Date.now();
    if (now - this.#begun > PERIOD) {
      if (this.#left > 0) {
        this.#log.warn(`${String(this.#left)} warnings like those before were left out`);
      }
      this.#begun = now;
      this.#told = this.#left = 0;
    }
    this.#told += 1;
    if (this.#told > TOLD) {
      this.#left += 1;
    } else {
      this.#log.warn(inWords());
    }
  }
}
