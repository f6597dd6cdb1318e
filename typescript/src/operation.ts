/** Operations as both sides declare them. */

import type { DeclaredError } from "./errors.js";
import { oneOf, type PayloadSet } from "./message/payload-type.js";

/** An operation: its name, and what it takes and gives. */
export interface Operation<I, O> {
  /** Unique among the operations of its plugin, and a level of topics. */
  readonly name: string;
  /** What it takes; `nothing` for one that sends outputs on its own. */
  readonly input: PayloadSet<I>;
  /** What it gives; `nothing` for one that gives nothing back. */
  readonly output: PayloadSet<O>;
  /** What its handler may throw so that it reaches the caller as it is. */
  readonly errors?: PayloadSet<DeclaredError>;
  /** What operators are told of it. */
  readonly documentation?: string;
}

/** Declare an operation, once for the plugins that have it and the cores that need it. */
export function defineOperation<I, O>(operation: Operation<I, O>): Operation<I, O> {
  return Object.freeze({ ...operation });
}

/** All that an operation sends to cores: its outputs, and its errors. */
export function sentBy(operation: Operation<unknown, unknown>): PayloadSet<unknown> {
  return operation.errors === undefined ? operation.output : oneOf(operation.output, operation.errors);
}

/** Whether something is an error that an operation declares. */
export function declares(operation: Operation<unknown, unknown>, error: unknown): error is DeclaredError {
  return operation.errors?.types.some((one) => one.matches(error)) ?? false;
}
