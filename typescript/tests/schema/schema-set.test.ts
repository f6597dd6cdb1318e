/** Sets of schemas: what one accepts of another, in whichever words. */

import { describe, expect, it } from "vitest";

import { SCHEMAS } from "../../../generated/typescript/schemas.js";
import { canonicalForm, fingerprintOfSchema, isFamiliar, isSchema } from "../../src/schema/forms.js";
import { Lately } from "../../src/schema/lately.js";
import { foreignSchemas, match } from "../../src/schema/matching.js";
import { accepts, NOTHING, spelledLike, type SchemaSet } from "../../src/schema/schema-set.js";

const PLAIN = '{"type":"record","name":"A","fields":[{"name":"a","type":"int"}]}';
const TOLD = '{"type": "record", "name": "A", "doc": "told", "fields": [{"name": "a", "type": {"type": "int"}}]}';
const OTHER = '{"type":"record","name":"B","fields":[]}';
const ANY: SchemaSet = { ...NOTHING, supportUndefinedSchema: true };
const EMPTY: SchemaSet = { ...NOTHING, supportEmptySchema: true };

function setOf(...schemas: readonly string[]): SchemaSet {
  return { ...NOTHING, schemas };
}

describe("accepting", () => {
  it.each([
    [setOf(PLAIN), setOf(TOLD), true],
    [setOf(PLAIN, OTHER), setOf(TOLD), true],
    [setOf(PLAIN), setOf(TOLD, OTHER), false],
    [setOf(PLAIN), EMPTY, false],
    [{ ...setOf(PLAIN), supportEmptySchema: true }, EMPTY, true],
    [setOf(PLAIN), NOTHING, false],
    [NOTHING, NOTHING, true],
    [ANY, setOf(PLAIN), true],
    [ANY, NOTHING, false],
    [setOf(PLAIN), ANY, false],
    [ANY, ANY, true],
  ])("%# is as the protocol says", (mine, theirs, expected) => {
    expect(accepts(mine, theirs)).toBe(expected);
  });
});

it("repeats a schema in the words of the other side", () => {
  expect(spelledLike(setOf(OTHER, PLAIN), [EMPTY, setOf(TOLD)])).toEqual(setOf(OTHER, TOLD));
  const mine = setOf(OTHER);
  expect(spelledLike(mine, [setOf(TOLD)])).toBe(mine);
});

it("gives the messages of the protocol the form and fingerprint that are generated", () => {
  for (const one of Object.values(SCHEMAS)) {
    // With a space in front it is none of those that are at hand.
    expect(canonicalForm(` ${one.schema}`)).toBe(one.canonicalForm);
    expect(fingerprintOfSchema(` ${one.schema}`)).toBe(one.fingerprint);
  }
});

it("takes what is no schema for itself", () => {
  expect(isSchema("nonsense")).toBe(false);
  expect(canonicalForm("nonsense")).toBe("nonsense");
  expect(isFamiliar("nonsense")).toBe(true);
  expect(isFamiliar("something else")).toBe(false);
});

describe("matching", () => {
  const grown = '{"type":"record","name":"B","fields":[{"name":"b","type":"int","default":1}]}';

  it("prefers the same schema", () => {
    const pairs = match(setOf(TOLD, OTHER), setOf(grown, PLAIN), new Set(), () => true);
    expect(pairs).toEqual([
      { writer: TOLD, reader: PLAIN, isExact: true },
      { writer: OTHER, reader: grown, isExact: false },
    ]);
    expect([...(foreignSchemas(pairs ?? [])?.keys() ?? [])]).toEqual([fingerprintOfSchema(OTHER)]);
  });

  it("resolves nothing that matches the same schema alone", () => {
    for (const schema of [OTHER, grown]) {
      expect(match(setOf(OTHER), setOf(grown), new Set([fingerprintOfSchema(schema)]), () => true)).toBe(null);
    }
  });

  it("compares nothing that is not admitted", () => {
    const unknown = '{"type":"record","name":"B","fields":[{"name":"b","type":"int","default":2}]}';
    expect(() => match(setOf(OTHER), setOf(unknown), new Set(), () => false)).toThrow("were not compared");
  });
});

it("forgets what was worked out long ago", () => {
  const lately = new Lately<number>(2);
  let count = 0;
  const ask = (key: string): number => lately.get(key, () => ++count);
  expect([ask("a"), ask("b"), ask("a"), ask("c"), ask("b"), ask("d"), ask("a")]).toEqual([1, 2, 1, 3, 2, 4, 5]);
});
