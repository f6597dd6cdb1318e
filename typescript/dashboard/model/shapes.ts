/** Schemas as people read them, such as `Light {level: double, colour: WARM | COLD = "WARM"}`. */

import { typeOfSchema, type PayloadType } from "../../src/message/payload-type.js";
import type { SchemaSet } from "../../src/schema/schema-set.js";
import { sizeOf, treeOfPayload, type TypeNode } from "./tree.js";

const PLAIN: Readonly<Record<string, string>> = {
  StringMessage: "text",
  BytesMessage: "bytes",
  Int32Message: "integer",
  Int64Message: "integer",
  Float32Message: "number",
  Float64Message: "number",
};

const SHOWN = new WeakMap<SchemaSet, string>();

/** What an operation takes, or gives. */
export function shapeShown(set: SchemaSet): string {
  const shown = SHOWN.get(set) ?? setShown(set);
  SHOWN.set(set, shown);
  return shown;
}

function setShown(set: SchemaSet): string {
  if (set.supportUndefinedSchema) {
    return "anything";
  }
  const all = [...set.schemas.map(schemaShown), ...(set.supportEmptySchema ? ["empty"] : [])];
  return all.join(" or ") || "nothing";
}

/** How many types a value may go through: records in records make many of few bytes, and the page is for people. */
const LARGEST = 2000;

/** The type of a schema that a stranger has written; `null` if nothing can be made of it, or it is too large. */
export function typeOfForeignSchema(schema: string): PayloadType | null {
  try {
    const type = typeOfSchema(schema);
    return type.codec === null || sizeOf(treeOfPayload(type)) > LARGEST ? null : type;
  } catch {
    return null;
  }
}

function schemaShown(schema: string): string {
  const type = typeOfForeignSchema(schema);
  return type === null ? schema.slice(0, 200) : (PLAIN[type.name] ?? shown(treeOfPayload(type), new Set()));
}

/** The last part of a name. */
export function shortName(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

function shown(node: TypeNode, seen: Set<string>): string {
  switch (node.kind) {
    case "primitive":
      return node.logical ?? node.name;
    case "array":
      return `[${shown(node.inner, seen)}]`;
    case "map":
      return `{text: ${shown(node.inner, seen)}}`;
    case "union":
      return node.branches.map((one) => shown(one, seen)).join(" or ");
    case "fixed":
      return node.logical ?? `${node.size} bytes`;
    case "enum":
      return node.symbols.join(" | ");
    case "record": {
      if (seen.has(node.name)) {
        return shortName(node.name);
      }
      seen.add(node.name);
      const fields = node.fields.map(
        (one) =>
          `${one.name}: ${shown(one.type, seen)}${one.default === null ? "" : ` = ${JSON.stringify(one.default.json)}`}`,
      );
      return `${shortName(node.name)} {${fields.join(", ")}}`;
    }
  }
}
