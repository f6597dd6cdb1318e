/** What the schema of a writer, who may be a stranger, may cost: it is finite, and neither deep nor large. */

import { RESOLUTION_PAIRS } from "../../../generated/typescript/limits.js";

import { Refusal } from "./refusal.js";
import type { AvroType, RecordType, SchemaType } from "./types.js";

/** How many unions may stand directly in each other. */
const NESTED_UNIONS = 4;

/** A comparison would cost too much. */
export class Exceeded extends Error {
  override readonly name = "Exceeded";

  constructor(
    /** What says so. */
    readonly refusal: Refusal,
  ) {
    super(refusal.verb);
  }
}

/** Counts what one comparison looks at. */
export class Budget {
  #spent = 0;

  /** Account for one more pair; throws an `Exceeded` beyond the bound. */
  spend(): void {
    if (this.#spent >= RESOLUTION_PAIRS) {
      throw new Exceeded(new Refusal(`takes more than ${RESOLUTION_PAIRS} pairs to compare`, "", null));
    }
    this.#spent += 1;
  }
}

/** Throw an `Exceeded` for a schema that refers to itself, nests deeper than `deepest`, or is too large. */
export function checkWriter(writer: SchemaType, deepest: number, budget: Budget): void {
  /** Levels below each record; `null` while it is being looked at. */
  const heights = new Map<string, number | null>();
  const tooDeep = (): Exceeded => new Exceeded(new Refusal(`is nested more than ${deepest} levels deep`, "", null));

  /** How many levels there are below a type that stands at a depth. */
  const heightOf = (type: AvroType, depth: number, unions: number): number => {
    budget.spend();
    if (depth > deepest || unions > NESTED_UNIONS) {
      throw tooDeep();
    }
    switch (type.kind) {
      case "array":
        return 1 + heightOf(type.items, depth + 1, 0);
      case "map":
        return 1 + heightOf(type.values, depth + 1, 0);
      case "union":
        return 1 + Math.max(0, ...type.branches.map((one) => heightOf(one, depth + 1, unions + 1)));
      case "reference": {
        const found = writer.named.get(type.name);
        return found?.kind === "record" ? heightOfRecord(found, depth) : 0;
      }
      default:
        return 0;
    }
  };
  const heightOfRecord = (record: RecordType, depth: number): number => {
    if (!heights.has(record.name)) {
      heights.set(record.name, null);
      heights.set(record.name, 1 + Math.max(0, ...record.fields.map((field) => heightOf(field.type, depth + 1, 0))));
    }
    const height = heights.get(record.name) ?? null;
    if (height === null) {
      const verb = "refers to itself, which needs the same schema on both sides,";
      throw new Exceeded(new Refusal(verb, `record ${record.name}`, null));
    }
    if (depth + height > deepest) {
      throw tooDeep();
    }
    return height;
  };
  heightOf(writer.root, 0, 0);
}
