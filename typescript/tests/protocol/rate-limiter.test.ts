/** A rate limiter lets a burst pass, and then the rate. */

import { expect, it } from "vitest";

import { BURST } from "../../../generated/typescript/timings.js";
import { RateLimiter } from "../../src/protocol/rate-limiter.js";

it("lets a burst pass, and then the rate", () => {
  const limiter = new RateLimiter();
  const passed = (now: number): number => {
    let count = 0;
    while (limiter.admits(now, 4)) {
      count += 1;
    }
    return count;
  };
  expect(passed(100)).toBe(4 * BURST);
  expect(passed(100)).toBe(0);
  expect(passed(101)).toBe(4);
  expect(passed(1000)).toBe(4 * BURST);
});

it("counts amounts", () => {
  const limiter = new RateLimiter();
  expect(limiter.admits(0, 10, 1000)).toBe(true);
  expect(limiter.admits(80, 10)).toBe(false);
  expect(limiter.admits(91, 10)).toBe(true);
});
