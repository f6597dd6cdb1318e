/** Codecs of users' schemas, and readers of what others have written with theirs. */

import { describe, expect, it } from "vitest";

import { record } from "../../src/index.js";
import { propertyOf, recordCodecOf } from "../../src/schema/codecs.js";
import { resolvingReader } from "../../src/schema/resolving.js";
import { schemaType } from "../../src/schema/types.js";

function codecOf(schema: object): ReturnType<typeof recordCodecOf> {
  return recordCodecOf(schemaType(JSON.stringify(schema)));
}

const LIST = {
  type: "record",
  name: "List",
  fields: [
    { name: "value", type: "long" },
    { name: "next_one", type: ["null", "List"] },
  ],
};

function kinds(name: string, symbols: readonly string[]): object {
  return { name: "kinds", type: { type: "array", items: { type: "enum", name, symbols } } };
}

describe("the codec of a record", () => {
  it("writes and reads a record that contains itself", () => {
    const value = { value: 1n, nextOne: { value: 2n, nextOne: null } };
    expect(codecOf(LIST).decode(codecOf(LIST).encode(value))).toEqual(value);
  });

  it("refuses one that nests too deep", () => {
    let value: object = { value: 0n, nextOne: null };
    for (let depth = 0; depth < 70; depth++) {
      value = { value: 0n, nextOne: value };
    }
    expect(() => codecOf(LIST).encode(value)).toThrow("nested more than 64 levels deep");
  });

  it("has the logical type of a fixed wherever its name stands", () => {
    const digits = { type: "fixed", name: "Digits", size: 4, logicalType: "decimal", precision: 6, scale: 2 };
    const fields = [
      { name: "one", type: digits },
      { name: "other", type: "Digits" },
    ];
    const codec = codecOf({ type: "record", name: "Price", fields });
    const value = { one: { unscaled: 1250n, scale: 2 }, other: { unscaled: -1n, scale: 2 } };
    expect(codec.decode(codec.encode(value))).toEqual(value);
  });

  it.each([
    ["no JSON", "{", "expected an Avro schema as JSON text"],
    ["a name that is not defined", '{"type":"record","name":"A","fields":[{"name":"a","type":"B"}]}', "not defined"],
    ["no record", '{"type":"enum","name":"A","symbols":[]}', "expected the schema of a record, got that of enum"],
    [
      "two fields that are one property",
      '{"type":"record","name":"A","fields":[{"name":"a_b","type":"int"},{"name":"aB","type":"int"}]}',
      "two fields of A would be the property 'aB'",
    ],
  ])("refuses %s", (_, schema, told) => {
    expect(() => record(schema)).toThrow(told);
  });

  it("has properties as TypeScript writes them", () => {
    expect(["offer_topic", "unitPrice", "HTTPPort", "__proto__"].map(propertyOf)).toEqual([
      "offerTopic",
      "unitPrice",
      "httpPort",
      "proto",
    ]);
  });
});

describe("reading what another schema has written", () => {
  const written = {
    type: "record",
    name: "A",
    fields: [{ name: "gone", type: { type: "map", values: "long" } }, kinds("old.Kind", ["x", "y"])],
  };

  const read = {
    type: "record",
    name: "A",
    fields: [
      kinds("new.Kind", ["y"]),
      { name: "big", type: "long", default: 1 },
      { name: "since", type: { type: "long", logicalType: "timestamp-millis" }, default: 1000 },
    ],
  };
  const pair = { writer: JSON.stringify(written), reader: JSON.stringify(read), isExact: false };
  const data = codecOf(written).encode({ gone: new Map([["a", 7n]]), kinds: ["y", "y"] });

  it("passes over fields, and fills in defaults as if they had been written", () => {
    expect(resolvingReader(pair)?.(data)).toEqual({ kinds: ["y", "y"], big: 1n, since: new Date(1000) });
  });

  it("names the field of what it cannot hold", () => {
    const other = codecOf(written).encode({ gone: new Map(), kinds: ["y", "x"] });
    expect(() => resolvingReader(pair)?.(other)).toThrow('kinds[1]: expected a symbol of new.Kind, got "x"');
  });

  it("is made once a pair", () => {
    expect(resolvingReader(pair)).toBe(resolvingReader(pair));
  });

  it("is not there for schemas that do not go together", () => {
    expect(resolvingReader({ writer: JSON.stringify(LIST), reader: JSON.stringify(read), isExact: false })).toBe(null);
  });
});
