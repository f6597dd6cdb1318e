/** What does not fit, before it is known of which message it is a part. */

import { shown, shownValue } from "./shown.js";

/** A value or some bytes that do not fit; becomes an error of the package where the record is known. */
export class Fault extends Error {
  override readonly name = "Fault";
  readonly #path: string[] = [];

  constructor(
    /** What was expected and what came. */
    readonly reason: string,
  ) {
    super(reason);
  }

  /** Note where it happened: `.field`, `[0]` or `["key"]`. Called from the inside out. */
  inside(part: string): this {
    this.#path.push(part);
    return this;
  }

  /** The path from the message to the fault. */
  get path(): string {
    const path = this.#path.toReversed().join("");
    return path.startsWith(".") ? path.slice(1) : path;
  }
}

/** Say that another value was expected. */
export function unexpected(expected: string, value: unknown): Fault {
  return new Fault(value === undefined ? "the field is missing" : `expected ${expected}, got ${shownValue(value)}`);
}

/** Turn what a reader or writer met into a fault at a part of the message. */
export function located(error: unknown, part: string): unknown {
  return error instanceof Fault ? error.inside(part) : error;
}

/** Write a key of a map as a part of a path. */
export function keyPart(key: unknown): string {
  return typeof key === "string" ? `[${shown(key)}]` : `[${typeof key}]`;
}
