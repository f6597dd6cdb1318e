/** Operations as both sides declare them. */

import type { PayloadSet } from "./message/payload-type.js";

/** An operation: its name, and what it takes and gives. */
export interface Operation<I, O> {
  readonly name: string;
  readonly input: PayloadSet<I>;
  readonly output: PayloadSet<O>;
  /** What operators are told of it. */
  readonly documentation?: string;
}

/** Declare an operation, once for the plugins that have it and the cores that need it. */
export function defineOperation<I, O>(operation: Operation<I, O>): Operation<I, O> {
  return Object.freeze({ ...operation });
}
