/** The orbiters that the page keeps: so many, of so many bytes, and cores judged once for each change. */

import { lacksOf } from "./compliance.js";
import { unknown, type Member, type Part } from "./member.js";
import { areEqual, weightOf } from "./weight.js";

/** How much is kept. Anybody on the bus can invent names, and answer for them. */
export interface Bounds {
  /** Orbiters. */
  readonly members: number;
  /** Bytes of one answer of one orbiter, about. */
  readonly answerBytes: number;
  /** Bytes of all that orbiters have told, about. */
  readonly bytes: number;
}

/** What the page keeps by default. */
export const BOUNDS: Bounds = { members: 1000, answerBytes: 4 * 2 ** 20, bytes: 64 * 2 ** 20 };

/** Answers that are kept. */
type Told = Pick<Member, Part>;

/**
 * Keeps orbiters within bounds.
 *
 * For a new one, those are forgotten that have ended, the longest ended first. If there is none, the new one is left
 * out: nobody who is there makes room for an invented name.
 */
export class Members {
  /** About how many bytes of memory their answers take. */
  bytes = 0;
  readonly #all = new Map<string, Member>();
  readonly #weights = new Map<string, Record<Part, number>>();
  readonly #bounds: Bounds;
  /** Counts what may have changed what a core is missing. */
  #changes = 0;
  #judged = -1;

  constructor(bounds: Bounds = BOUNDS) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Return one, if it is kept. */
  get(identifier: string): Member | undefined {
    return this.#all.get(identifier);
  }

  /** Return all. */
  values(): Member[] {
    return [...this.#all.values()];
  }

  /** Change something of one, which is kept from now on; returns whether there is room for it. */
  update(identifier: string, changes: Partial<Omit<Member, Part | "isThere" | "lacks" | "leftOut">>): boolean {
    const before = this.#all.get(identifier) ?? unknown(identifier);
    if (!this.#all.has(identifier) && !this.#makeRoom()) {
      return false;
    }
    const standing = changes.standing ?? before.standing;
    const isThere = standing === "present" || standing === "suspected";
    if (isThere !== before.isThere || !this.#all.has(identifier)) {
      this.#changes += 1;
    }
    const standingSince = standing === before.standing ? before.standingSince : Date.now();
    this.#all.set(identifier, { ...before, ...changes, isThere, standingSince });
    return true;
  }

  /** Keep what one has told, unless it is too much; what it told of that before is forgotten then. */
  tell<P extends Part>(identifier: string, part: P, answer: NonNullable<Told[P]>): void {
    if (!this.update(identifier, {})) {
      return;
    }
    const before = this.#all.get(identifier) ?? unknown(identifier);
    const weights = this.#weights.get(identifier) ?? { info: 0, connections: 0, statistics: 0 };
    const others = this.bytes - weights[part];
    const weight = weightOf(answer);
    const isTooMuch = weight > this.#bounds.answerBytes || others + weight > this.#bounds.bytes;
    const kept = isTooMuch ? null : keptOf(before[part], answer);
    const leftOut = [...before.leftOut.filter((one) => one !== part), ...(isTooMuch ? [part] : [])];
    this.#weights.set(identifier, { ...weights, [part]: isTooMuch ? 0 : weight });
    this.bytes = others + (isTooMuch ? 0 : weight);
    if (part !== "statistics" && !isSame(before[part], kept)) {
      this.#changes += 1;
    }
    this.#all.set(identifier, { ...before, leftOut, [part]: kept });
  }

  /** Keep one no longer. */
  delete(identifier: string): void {
    const weights = this.#weights.get(identifier);
    this.bytes -= weights === undefined ? 0 : weights.info + weights.connections + weights.statistics;
    this.#weights.delete(identifier);
    if (this.#all.delete(identifier)) {
      this.#changes += 1;
    }
  }

  /** Work out what cores are missing, unless nothing has changed since. */
  judge(): void {
    if (this.#judged === this.#changes) {
      return;
    }
    this.#judged = this.#changes;
    for (const [identifier, member] of this.#all) {
      const { role, info, connections, isThere } = member;
      const isJudged = role === "core" && isThere && info !== null && connections !== null;
      const lacks = isJudged ? lacksOf(info, connections, this.#all) : null;
      if (lacks !== null || member.lacks !== null) {
        this.#all.set(identifier, { ...member, lacks });
      }
    }
  }

  #makeRoom(): boolean {
    if (this.#all.size < this.#bounds.members) {
      return true;
    }
    let longest: Member | null = null;
    for (const one of this.#all.values()) {
      if (!one.isThere && (longest === null || one.standingSince < longest.standingSince)) {
        longest = one;
      }
    }
    if (longest !== null) {
      this.delete(longest.identifier);
    }
    return longest !== null;
  }
}

/** What answers have beside what they say: it differs each time. */
const OCCASION: ReadonlySet<string> = new Set(["seconds", "answeredAt", "namesakes"]);

/** An answer with those parts as they are known already that are equal: what was made of them still counts. */
function keptOf<T extends object>(before: Told[Part], answer: T): T {
  if (before === null) {
    return answer;
  }
  const known = before as unknown as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(answer).map(([name, value]) => [name, areEqual(known[name], value) ? known[name] : value]),
  ) as unknown as T;
}

function isSame(before: Told[Part], after: Told[Part]): boolean {
  if (before === null || after === null) {
    return before === after;
  }
  const known = before as unknown as Readonly<Record<string, unknown>>;
  return Object.entries(after).every(([name, value]) => OCCASION.has(name) || known[name] === value);
}
