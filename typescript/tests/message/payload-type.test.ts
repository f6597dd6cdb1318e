/** Types of values that are made of schemas. */

import { expect, it } from "vitest";

import { typeOfSchema } from "../../src/index.js";

function schemaOf(name: string, letters = 1): string {
  const fields = [{ name: "x".repeat(letters), type: "int" }];
  return JSON.stringify({ type: "record", name, fields });
}

it("makes the type of a schema once, as long as it is asked for", () => {
  const type = typeOfSchema(schemaOf("Often"));
  for (let number = 0; number < 1000; number += 1) {
    typeOfSchema(schemaOf(`Other${String(number)}`));
    expect(typeOfSchema(schemaOf("Often"))).toBe(type);
  }
});

it.each([
  ["many", 300, 1],
  ["large", 100, 50_000],
])("forgets types of schemas of which there were too %s since", (_, count, letters) => {
  const schema = schemaOf("Rarely", letters);
  const type = typeOfSchema(schema);
  for (let number = 0; number < count; number += 1) {
    typeOfSchema(schemaOf(`Other${String(number)}`, letters));
  }

  expect(typeOfSchema(schema)).not.toBe(type);
});
