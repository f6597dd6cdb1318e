import { expect, test } from "vitest";

import { int, field, record, type RecordCodec } from "../src/support/index.js";

interface One {
  readonly $type: "One";
  readonly x: number;
}

const oneCodec: RecordCodec<One> = record("One", { x: field("x", int) }, { minimum: 1, tag: "One" });

test("a tagged record is told by its tag, which is read and not written", () => {
  const one: One = { $type: "One", x: 3 };

  expect(oneCodec.encode(one)).toEqual(Uint8Array.of(6));
  expect(oneCodec.decode(Uint8Array.of(6))).toEqual(one);
  expect(oneCodec.matches(one)).toBe(true);
  expect([{ x: 3 }, { $type: "Other", x: 3 }, { $type: "One" }].some((other) => oneCodec.matches(other))).toBe(false);
});
