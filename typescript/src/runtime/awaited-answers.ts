/** The answers that a core waits for: found by the input that asked for them, and lost with its connection. */

import { AWAITED_ANSWERS } from "../../../generated/typescript/limits.js";
import { OrbiterStateError, type OrbitalisError } from "../errors.js";
import type { Slot } from "../protocol/slots.js";

/** The answer to one input. */
export interface Awaited {
  readonly identifier: string;
  readonly slot: Slot;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** All that one core waits for; each is in here until it is removed, once. */
export class AwaitedAnswers {
  readonly #byIdentifier = new Map<string, Awaited>();
  readonly #bySlot = new Map<Slot, Set<Awaited>>();

  /** Whether any is awaited on a connection. */
  areOn(slot: Slot): boolean {
    return this.#bySlot.has(slot);
  }

  /** Wait for an answer; throws an `OrbiterStateError` if there are as many as there may be. */
  add(awaited: Awaited): void {
    if (this.#byIdentifier.size >= AWAITED_ANSWERS) {
      throw new OrbiterStateError(
        `${String(AWAITED_ANSWERS)} requests wait for an answer, and no more may: wait until some have ended`,
      );
    }
    this.#byIdentifier.set(awaited.identifier, awaited);
    const ofSlot = this.#bySlot.get(awaited.slot);
    if (ofSlot === undefined) {
      this.#bySlot.set(awaited.slot, new Set([awaited]));
    } else {
      ofSlot.add(awaited);
    }
  }

  /** Return what an output on a connection answers; nobody answers what was asked on another. */
  find(identifier: string, slot: Slot): Awaited | undefined {
    const found = this.#byIdentifier.get(identifier);
    return found?.slot === slot ? found : undefined;
  }

  /** Wait for this one no more; return whether it was awaited. */
  remove(awaited: Awaited): boolean {
    if (!this.#byIdentifier.delete(awaited.identifier)) {
      return false;
    }
    const ofSlot = this.#bySlot.get(awaited.slot);
    ofSlot?.delete(awaited);
    if (ofSlot?.size === 0) {
      this.#bySlot.delete(awaited.slot);
    }
    return true;
  }

  /** Wait no more for the answers on a connection. */
  failAll(slot: Slot, error: OrbitalisError): void {
    for (const awaited of [...(this.#bySlot.get(slot) ?? [])]) {
      this.remove(awaited);
      awaited.reject(error);
    }
  }
}
