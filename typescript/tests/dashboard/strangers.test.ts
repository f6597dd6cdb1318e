/** What strangers may send to make the page slow or large, or to stop it. */

import { describe, expect, test } from "vitest";

import { draftOf, DraftError, valueOf } from "../../dashboard/model/drafts.js";
import { identifierIn } from "../../dashboard/model/format.js";
import { typeOfForeignSchema } from "../../dashboard/model/shapes.js";
import { Traffic } from "../../dashboard/model/traffic.js";
import { sizeOf, treeOf } from "../../dashboard/model/tree.js";
import { jsonText, plainOf } from "../../dashboard/model/values.js";
import { LocalBroker } from "../../src/index.js";
import { CHANNELS } from "../../../generated/typescript/channels.js";

const MIB = 2 ** 20;

const tree = (schema: unknown): ReturnType<typeof treeOf> => treeOf(JSON.stringify(schema));
const record = (fields: readonly unknown[], name = "R"): unknown => ({ type: "record", name, fields });
const doubled = (depth: number, leaf: string): unknown => {
  const first = depth === 0 ? leaf : doubled(depth - 1, leaf);
  const second = depth === 0 ? leaf : `R${depth - 1}`;
  return record(
    [
      { name: "a", type: first },
      { name: "b", type: second },
    ],
    `R${depth}`,
  );
};

describe("a decimal", () => {
  test.each([
    [2_147_483_647, "-12E-2147483647"],
    [-2_147_483_648, "-12E2147483648"],
    [3, "-0.012"],
    [1, "-1.2"],
    [0, "-12"],
    [-2, "-1200"],
  ])("of the scale %d is shown in few characters", (scale, shown) => {
    const node = tree(record([{ name: "a", type: { type: "bytes", logicalType: "big-decimal" } }]));

    expect(jsonText(plainOf(node, { a: { unscaled: -12n, scale } }))).toBe(`{"a": "${shown}"}`);
  });
});

describe("a schema", () => {
  test("that contains itself behind another type has a form, which begins with the other one", () => {
    const node = tree(
      record([
        { name: "a", type: ["R", "null"] },
        { name: "b", type: "int", default: 3 },
      ]),
    );

    expect(valueOf(node, draftOf(node))).toEqual({ a: null, b: 3 });
  });

  test.each([
    ["itself", record([{ name: "a", type: "R" }])],
    ["itself alone in a union", record([{ name: "a", type: ["R"] }])],
    [
      "another one that contains it",
      record([{ name: "a", type: record([{ name: "b", type: ["R", "Other"] }], "Other") }]),
    ],
  ])("that contains %s without end has no value", (_, schema) => {
    const node = tree(schema);

    expect(() => valueOf(node, draftOf(node))).toThrow(DraftError);
  });

  test("may call its fields as objects call theirs", () => {
    const node = tree(
      record([
        { name: "constructor", type: "string", default: "x" },
        { name: "__proto__", type: "string", default: "y" },
      ]),
    );

    expect(valueOf(node, draftOf(node))).toEqual({ constructor: "x", proto: "y" });
  });

  test("of which a value of no bytes is large is not read", () => {
    expect(sizeOf(tree(doubled(3, "null")))).toBe(31);
    expect(typeOfForeignSchema(JSON.stringify(doubled(3, "null")))).not.toBeNull();
    expect(typeOfForeignSchema(JSON.stringify(doubled(17, "null")))).toBeNull();
  });
});

test.each([
  ["", null],
  ["#a%2Fb", "a/b"],
  ["#%E0%A4%A", null],
])("behind a URL, %j is %j", (hash, identifier) => {
  expect(identifierIn(hash)).toBe(identifier);
});

describe("events", () => {
  test("are kept as long as they are not too many, nor too large", async () => {
    const bus = new LocalBroker().client();
    const traffic = new Traffic(() => undefined);
    await bus.connect({ onLost: () => undefined, onReconnected: () => undefined, makeWill: () => null });
    await traffic.listen(bus, ["will"]);

    const sizes: number[] = [];
    for (const [count, size] of [
      [2100, 10],
      [130, MIB - 100],
    ] as const) {
      const data = new Uint8Array(size);
      for (let index = 0; index < count; index += 1) {
        await bus.publish("orbitalis/lamp/will", data, CHANNELS.will);
      }
      sizes.push(traffic.events.length);
      expect(traffic.events.reduce((sum, one) => sum + one.data.length, 0)).toBeLessThanOrEqual(64 * MIB);
    }

    expect(traffic.count).toBe(2230);
    expect(sizes[0]).toBe(1500 + 99);
    expect(sizes[1]).toBeGreaterThan(47);
    await bus.disconnect();
  });
});
