/** Numbers of inputs and outputs: each is taken once, as long as it is in the window. */

import fc from "fast-check";
import { expect, it } from "vitest";

import { SEQUENCE_WINDOW } from "../../../generated/typescript/limits.js";
import { SentNumbers, SequenceWindow } from "../../src/protocol/sequence.js";

it("takes each number of the window once", () => {
  const numbers = fc.array(
    fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 3 * SEQUENCE_WINDOW })),
    { maxLength: 200 },
  );
  fc.assert(
    fc.property(numbers, (given) => {
      const window = new SequenceWindow();
      const taken = new Set<number>();
      for (const number of given) {
        const isNew = !taken.has(number) && number > window.greatest - SEQUENCE_WINDOW;
        expect(window.admits(number)).toBe(isNew);
        if (isNew) {
          taken.add(number);
        }
        expect(window.greatest).toBe(Math.max(...taken));
        expect(window.missing).toBe(window.greatest - taken.size);
      }
    }),
  );
});

it("takes a number that is very far ahead at no cost", () => {
  const window = new SequenceWindow();
  expect(window.admits(Number.MAX_SAFE_INTEGER)).toBe(true);
  expect(window.admits(Number.MAX_SAFE_INTEGER - SEQUENCE_WINDOW)).toBe(false);
  expect(window.admits(Number.MAX_SAFE_INTEGER - SEQUENCE_WINDOW + 1)).toBe(true);
});

it("gives numbers from one on", () => {
  const sent = new SentNumbers();
  expect([sent.next(), sent.next(), sent.last]).toEqual([1, 2, 2]);
});
