import { describe, expect, test } from "vitest";

import { draftOf, DraftError, valueOf, type Draft } from "../../dashboard/model/drafts.js";
import { jsonText, plainOf } from "../../dashboard/model/values.js";
import { treeOf } from "../../dashboard/model/tree.js";

const text = (one: string): Draft => ({ kind: "text", text: one });

function faultOf(schema: unknown, draft: Draft): string {
  try {
    valueOf(treeOf(JSON.stringify(schema)), draft);
  } catch (error) {
    if (error instanceof DraftError) {
      return error.message;
    }
    throw error;
  }
  return "none";
}

const LIGHT = {
  type: "record",
  name: "home.Light",
  fields: [
    { name: "light_level", type: "double", default: 0.5 },
    { name: "colour", type: { type: "enum", name: "Colour", symbols: ["WARM", "COLD"] }, default: "COLD" },
    { name: "comment", type: ["null", "string"], default: null },
    { name: "tags", type: { type: "array", items: "string" }, default: [] },
    { name: "rooms", type: { type: "map", values: "long" }, default: { hall: 3 } },
    { name: "is_on", type: "boolean", default: true },
  ],
};

describe("a form", () => {
  test("begins with the defaults of the schema, which are a value", () => {
    const tree = treeOf(JSON.stringify(LIGHT));
    const value = valueOf(tree, draftOf(tree));

    expect(tree.codec.matches(value)).toBe(true);
    expect(jsonText(plainOf(tree, value))).toBe(
      '{"light_level": 0.5, "colour": "COLD", "comment": null, "tags": [], "rooms": {"hall": 3}, "is_on": true}',
    );
  });

  test.each([
    ["long", "9223372036854775807", "9223372036854775807"],
    ["int", "-7", "-7"],
    ["bytes", "AAEC", '"AAEC"'],
    [{ type: "fixed", name: "Two", size: 2 }, "AAE=", '"AAE="'],
    [{ type: "int", logicalType: "date" }, "2030-12-31", '"2030-12-31"'],
    [
      { type: "long", logicalType: "timestamp-micros" },
      "2030-12-31T23:59:00.5+01:00",
      '"2030-12-31T22:59:00.500000+00:00"',
    ],
    [{ type: "long", logicalType: "timestamp-millis" }, "2030-12-31T23:59:00Z", '"2030-12-31T23:59:00.000Z"'],
    [{ type: "int", logicalType: "time-millis" }, "23:59:59.5", '"23:59:59.500000"'],
    [{ type: "bytes", logicalType: "decimal", precision: 6, scale: 2 }, "-12.5", '"-12.50"'],
    [
      { type: "string", logicalType: "uuid" },
      "6BA7B810-9DAD-11D1-80B4-00C04FD430C8",
      '"6ba7b810-9dad-11d1-80b4-00c04fd430c8"',
    ],
  ])("reads %j from %s", (schema, typed, json) => {
    const tree = treeOf(JSON.stringify(schema));

    expect(jsonText(plainOf(tree, valueOf(tree, text(typed))))).toBe(json);
  });

  test.each([
    ["int", "2147483648", 'expected an integer of 32 bits, got "2147483648"'],
    ["long", "1.5", 'expected an integer of 64 bits, got "1.5"'],
    ["double", "", "expected a number such as 0.5, got nothing"],
    ["bytes", "é", 'expected bytes as base64, got "é"'],
    [{ type: "int", logicalType: "date" }, "31.12.2030", 'expected a date such as 2030-12-31, got "31.12.2030"'],
    [
      { type: "bytes", logicalType: "decimal", precision: 6, scale: 2 },
      "1.234",
      'expected a decimal with at most 2 places such as 12.5, got "1.234"',
    ],
  ])("says what is wrong with %j", (schema, typed, fault) => {
    expect(faultOf(schema, text(typed))).toBe(fault);
  });

  test("names the field that is wrong", () => {
    const begun = draftOf(treeOf(JSON.stringify(LIGHT)));
    const fields = begun.kind === "fields" ? begun.fields : {};
    const rooms: Draft = { kind: "entries", entries: [["hall", text("many")]] };

    expect(faultOf(LIGHT, { kind: "fields", fields: { ...fields, rooms } })).toBe(
      'rooms["hall"]: expected an integer of 64 bits, got "many"',
    );
  });
});
