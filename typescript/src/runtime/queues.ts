/** Work that is done in order for each remote, and side by side for different ones. */

/** Is called in its turn; returns what has to be waited for, if anything. */
export type Work = () => Promise<unknown> | undefined;

interface Queue {
  readonly waiting: { readonly work: Work; readonly size: number; readonly kind: string | null }[];
  bytes: number;
}

/** One queue a key, which exists only while work for the key waits or is under way. */
export class WorkQueues {
  /** How many pieces of work wait. */
  waiting = 0;
  /** How many bytes are taken by the messages that wait. */
  waitingBytes = 0;
  readonly #queues = new Map<string, Queue>();
  readonly #onFailure: (error: unknown) => void;
  #whenIdle: (() => void)[] = [];

  /** Tell of work that throws. */
  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** How many pieces of work wait for a key. */
  length(key: string): number {
    return this.#queues.get(key)?.waiting.length ?? 0;
  }

  /** How many bytes are taken by what waits for a key. */
  bytes(key: string): number {
    return this.#queues.get(key)?.bytes ?? 0;
  }

  /** Do a piece of work now if nothing is under way for its key, or in its turn; `kind` replaces one that waits. */
  submit(key: string, work: Work, sizeOf: () => number = () => 0, kind: string | null = null): void {
    const queue = this.#queues.get(key);
    if (queue !== undefined) {
      const earlier = kind === null ? -1 : queue.waiting.findIndex((one) => one.kind === kind);
      if (earlier >= 0) {
        this.#count(queue, -1, -(queue.waiting.splice(earlier, 1)[0]?.size ?? 0));
      }
      const size = sizeOf();
      queue.waiting.push({ work, size, kind });
      this.#count(queue, 1, size);
      return;
    }
    const under = this.#attempt(work);
    if (under !== undefined) {
      const made: Queue = { waiting: [], bytes: 0 };
      this.#queues.set(key, made);
      void this.#run(key, made, under);
    }
  }

  /** Wait until all work is done, for so many seconds; return whether it is. */
  async finish(seconds: number): Promise<boolean> {
    if (this.#queues.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000 * seconds);
        this.#whenIdle.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return this.#queues.size === 0;
  }

  /** Give up all that waits. */
  clear(): void {
    for (const queue of this.#queues.values()) {
      queue.waiting.length = 0;
    }
    this.#queues.clear();
    this.waiting = this.waitingBytes = 0;
  }

  async #run(key: string, queue: Queue, first: Promise<unknown>): Promise<void> {
    let under: Promise<unknown> | undefined = first;
    for (;;) {
      try {
        await under;
      } catch (error) {
        this.#onFailure(error);
      }
      do {
        const next = queue.waiting.shift();
        if (next === undefined) {
          if (this.#queues.get(key) === queue) {
            this.#queues.delete(key);
            this.#tellIdle();
          }
          return;
        }
        this.#count(queue, -1, -next.size);
        under = this.#attempt(next.work);
      } while (under === undefined);
    }
  }

  #attempt(work: Work): Promise<unknown> | undefined {
    try {
      return work();
    } catch (error) {
      this.#onFailure(error);
      return undefined;
    }
  }

  #count(queue: Queue, works: number, bytes: number): void {
    queue.bytes += bytes;
    this.waiting += works;
    this.waitingBytes += bytes;
  }

  #tellIdle(): void {
    if (this.#queues.size === 0) {
      for (const call of this.#whenIdle.splice(0)) {
        call();
      }
    }
  }
}
