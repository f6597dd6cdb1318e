/** What users may set of the limits. */

import { expect, it } from "vitest";

import * as specified from "../../../generated/typescript/limits.js";
import { limitsOf, type Limits } from "../../src/protocol/limits.js";

it("has the names and values of the specification", () => {
  const constants: Readonly<Record<string, unknown>> = { ...specified };
  const limits = Object.entries(limitsOf());

  expect(limits).toHaveLength(10);
  for (const [name, value] of limits) {
    expect(value, name).toBe(constants[name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()]);
  }
});

it("leaves the others as they are when some are given", () => {
  expect(limitsOf({ knownRemotes: 3 })).toEqual({ ...limitsOf(), knownRemotes: 3 });
});

it.each([
  [{ knownRemote: 1 }, "there is no limit 'knownRemote' among knownRemotes, pendingRequests, "],
  [{ waitingWork: "9" }, 'the limit waitingWork must be a number, got a string "9"'],
  [{ waitingWork: undefined }, "the limit waitingWork must be a number, got undefined"],
  [{ waitingWork: 0 }, "the limit waitingWork must be above 0, got 0"],
  [{ waitingWork: NaN }, "the limit waitingWork must be above 0, got NaN"],
])("says what is wrong with %o", (given, text) => {
  expect(() => limitsOf(given as Partial<Limits>)).toThrow(text);
});
