/** Deadlines are those of a list that is searched, whatever is done to them. */

import fc from "fast-check";
import { expect, it } from "vitest";

import { Deadlines } from "../../src/protocol/deadlines.js";

const ITEMS = Array.from({ length: 12 }, (_, index) => ({ index }));
const STEPS = fc.array(
  fc.record({
    what: fc.constantFrom("set", "discard", "pop"),
    index: fc.nat({ max: ITEMS.length - 1 }),
    at: fc.nat({ max: 30 }),
  }),
  { maxLength: 400 },
);

it("gives what is due in order, and each once", () => {
  fc.assert(
    fc.property(STEPS, (steps) => {
      const deadlines = new Deadlines<{ readonly index: number }>();
      const expected = new Map<number, { readonly at: number; readonly sequence: number }>();
      steps.forEach(({ what, index, at }, sequence) => {
        const item = ITEMS[index];
        if (item !== undefined && what === "set") {
          deadlines.set(item, at);
          if (expected.get(index)?.at !== at) {
            expected.set(index, { at, sequence });
          }
        } else if (item !== undefined && what === "discard") {
          deadlines.discard(item);
          expected.delete(index);
        } else {
          const due = [...expected]
            .filter(([, one]) => one.at <= at)
            .sort(([, one], [, other]) => one.at - other.at || one.sequence - other.sequence)
            .map(([due]) => due);
          due.forEach((one) => expected.delete(one));
          expect(deadlines.popDue(at).map((one) => one.index)).toEqual(due);
        }
        expect(deadlines.size).toBe(expected.size);
        expect(deadlines.next()).toBe(
          expected.size === 0 ? null : Math.min(...[...expected.values()].map((one) => one.at)),
        );
      });
    }),
  );
});

it("says when something is due earlier than before", () => {
  const deadlines = new Deadlines();
  const [one, other] = [{}, {}];
  deadlines.set(one, 5);
  expect(deadlines.hasMoved).toBe(true);
  deadlines.hasMoved = false;
  deadlines.set(other, 6);
  expect(deadlines.hasMoved).toBe(false);
  deadlines.set(other, 4);
  expect(deadlines.hasMoved).toBe(true);
  expect(deadlines.dueAt(other)).toBe(4);
});
