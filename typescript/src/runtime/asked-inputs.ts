/** The inputs of which a core awaits the answer, from when they arrive at a plugin until they are handled. */

import type { Slot } from "../protocol/slots.js";
import type { Connection } from "./connection.js";
import type { Arrival } from "./delivery.js";
import { now } from "./runtime.js";

/** The one answer that is owed for an input. */
export class Asked {
  /** Whether it is published, or about to be. */
  isGiven = false;
  /** Whether the core waits for it no more: then it is not published. */
  isTakenBack = false;
  readonly #abort = new AbortController();

  constructor(
    readonly slot: Slot,
    /** Identifier of the event with the input. */
    readonly identifier: string,
    /** When it is awaited no more; `null` for no limit. */
    readonly expiresAt: number | null,
  ) {}

  /** Aborted when the core takes the input back. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Whether nobody waits any more. */
  get isOver(): boolean {
    return this.isTakenBack || (this.expiresAt !== null && this.expiresAt <= now());
  }

  /** Note that the core waits for it no more. */
  takeBack(): void {
    this.isTakenBack = true;
    this.#abort.abort(new Error("the core has taken the input back"));
  }
}

/** Knows for how long each answer is awaited. */
export class AskedInputs {
  readonly #bySlot = new Map<Slot, Map<string, Asked>>();

  /** Note an input that has arrived. */
  note(slot: Slot, identifier: string, within: number | null): void {
    const asked = new Asked(slot, identifier, within === null ? null : now() + within);
    const ofSlot = this.#bySlot.get(slot);
    if (ofSlot === undefined) {
      this.#bySlot.set(slot, new Map([[identifier, asked]]));
    } else {
      ofSlot.set(identifier, asked);
    }
  }

  /** Return what is owed for an input. */
  find(slot: Slot, identifier: string): Asked | undefined {
    return this.#bySlot.get(slot)?.get(identifier);
  }

  /** Forget an input: it has been handled, or is not going to be. */
  end(asked: Asked): void {
    this.#bySlot.get(asked.slot)?.delete(asked.identifier);
  }

  /** Forget all inputs of a connection that has ended. */
  forget(slot: Slot): void {
    this.#bySlot.delete(slot);
  }
}

/** An input that is being handled: its value, who sent it, and what the handler can do beside returning an output. */
export class Request<I, O> {
  readonly #arrival: Arrival;
  readonly #asked: Asked | null;
  readonly #send: (value: unknown) => Promise<void>;

  constructor(
    /** The connection on which it came. */
    readonly connection: Connection,
    arrival: Arrival,
    asked: Asked | null,
    send: (value: unknown) => Promise<void>,
  ) {
    this.#arrival = arrival;
    this.#asked = asked;
    this.#send = send;
  }

  /** What the core has sent; `undefined` for an empty event, bytes for what this side does not know. */
  get value(): I {
    const { data } = this.#arrival;
    return (data.kind === "value" ? data.value : data.kind === "undecoded" ? data.data : undefined) as I;
  }

  /** Name of the message in which it came; `null` for an empty event. */
  get typeName(): string | null {
    const { data } = this.#arrival;
    return data.kind === "value" || data.kind === "undecoded" ? data.name : null;
  }

  /** Identifier of the core. */
  get core(): string {
    return this.connection.remoteIdentifier;
  }

  /** Whether the core waits for an answer. */
  get isAnswerRequested(): boolean {
    return this.#asked !== null;
  }

  /** Seconds for which the answer is still awaited; `null` for no limit, or where none is awaited. */
  get timeLeft(): number | null {
    const at = this.#asked?.expiresAt ?? null;
    return this.#asked?.isTakenBack === true ? 0 : at === null ? null : Math.max(0, at - now());
  }

  /** Aborted when the core takes the input back, or the connection ends. */
  get signal(): AbortSignal {
    const ends = this.connection.signal;
    return this.#asked === null ? ends : AbortSignal.any([ends, this.#asked.signal]);
  }

  /** Send an output before the handler returns; the first one answers a core that waits. */
  async send(value: O): Promise<void> {
    await this.#send(value);
  }
}
