/** How schemas differ, as it is told. Another test holds the texts against those of Python. */

import { expect, it } from "vitest";

import { NESTING_DEPTH, SCHEMA_BYTES } from "../../../generated/typescript/limits.js";
import { schemaDifferences } from "../../src/schema/difference.js";

type Field = readonly [name: string, type: unknown];

function record(fields: readonly Field[], name = "Light"): string {
  return JSON.stringify({ type: "record", name, fields: fields.map(([field, type]) => ({ name: field, type })) });
}

function told(here: string, there: string): readonly string[] {
  return schemaDifferences([here], [there]);
}

it("tells each difference once", () => {
  const here = record([
    ["level", "int"],
    ["x", "int"],
    ["same", "string"],
  ]);
  const there = record([
    ["level", "long"],
    ["same", "string"],
    ["y", "int"],
  ]);

  expect(told(here, there)).toEqual([
    "field 'x' is missing there",
    "field 'y' is missing here",
    "field 'level' is 'int' here and 'long' there",
  ]);
});

it("does not tell schemas apart that are the same in other words", () => {
  expect(told(record([["x", "int"]]), record([["x", { type: "int" }]]))).toEqual([]);
});

it("compares those of several alternatives whose names are the closest", () => {
  const here = [record([["x", "int"]], "Temperature"), record([["level", "int"]]), '"string"'];

  expect(schemaDifferences(here, [record([["level", "long"]], "LightV2")])).toEqual([
    "the schema is called 'Light' here and 'LightV2' there",
    "field 'level' is 'int' here and 'long' there",
  ]);
});

it("is never long", () => {
  const many = Array.from({ length: 10 }, (_, index): Field => [`${String(index)}${"x".repeat(5_000)}`, "int"]);
  const differences = told(record([]), record(many));

  expect(differences).toHaveLength(9);
  expect(differences.at(-1)).toBe("and more");
  expect(differences.join("").length).toBeLessThan(1_000);
});

it("takes no time for one type in very many places", () => {
  const nested = (type: string): string => {
    let level: object = { type: "record", name: "L0", fields: [{ name: "x", type }] };
    for (let depth = 1; depth < NESTING_DEPTH / 2; depth += 1) {
      const others = Array.from({ length: 9 }, (_, at) => ({ name: `f${String(at)}`, type: `L${String(depth - 1)}` }));
      level = { type: "record", name: `L${String(depth)}`, fields: [{ name: "first", type: level }, ...others] };
    }
    return JSON.stringify(level);
  };

  expect(told(nested("int"), nested("long"))).toHaveLength(1);
});

it.each(["", "no JSON", "7", "[".repeat(50_000), '{"type": "record"}', "x".repeat(SCHEMA_BYTES + 1)])(
  "tells of what is no schema, too",
  (text) => {
    const differences = told(record([["level", "int"]]), text);

    expect(differences).not.toHaveLength(0);
    expect(differences.join("").length).toBeLessThan(2_000);
  },
);
