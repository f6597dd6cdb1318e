/** Whether a default of a field, which a schema says in JSON, is a value of its type. */

import { isObject, JsonFloat, valueOf, type JsonValue } from "../support/json.js";

import { isList } from "./canonical-form.js";
import type { AvroType, NamedType } from "./types.js";

const BITS: Readonly<Record<string, bigint>> = { int: 32n, long: 64n };
const NARROW = /^[\0-\xff]*$/;

/** Whether a default can be written as a value of its type, and nests no deeper than `deepest`. */
export function isDefaultOf(
  type: AvroType,
  named: ReadonlyMap<string, NamedType>,
  value: JsonValue,
  deepest: number,
): boolean {
  const fits = (one: AvroType, given: JsonValue, depth: number): boolean => {
    if (depth > deepest) {
      return false;
    }
    switch (one.kind) {
      case "primitive":
        return isPrimitive(one.name, given);
      case "logical":
        return fits(one.underlying, given, depth);
      case "array":
        return isList(given) && given.every((item) => fits(one.items, item, depth + 1));
      case "map":
        return (
          isObject(given) &&
          Object.entries(given).every(([key, item]) => key.isWellFormed() && fits(one.values, item, depth + 1))
        );
      case "union":
        return one.branches.some((branch) => fits(branch, given, depth + 1));
      case "reference": {
        const found = named.get(one.name);
        return found !== undefined && isOfName(found, given, depth);
      }
    }
  };
  const isOfName = (one: NamedType, given: JsonValue, depth: number): boolean => {
    switch (one.kind) {
      case "enum":
        return typeof given === "string" && one.symbols.includes(given);
      case "fixed":
        return typeof given === "string" && NARROW.test(given) && given.length === one.size;
      case "record":
        return (
          isObject(given) &&
          one.fields.every((field) => {
            const item = valueOf(given, field.name);
            const meant = item === undefined ? field.default : item;
            return meant !== undefined && fits(field.type, meant, depth + 1);
          })
        );
    }
  };
  return fits(type, value, 0);
}

function isPrimitive(name: string, value: JsonValue): boolean {
  switch (name) {
    case "null":
      return value === null;
    case "boolean":
      return typeof value === "boolean";
    case "string":
      return typeof value === "string" && value.isWellFormed();
    case "bytes":
      return typeof value === "string" && NARROW.test(value);
    case "float":
    case "double":
      return isFloating(name, value);
    default: {
      const isInteger = typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value));
      const bits = BITS[name];
      return isInteger && bits !== undefined && BigInt.asIntN(Number(bits), BigInt(value)) === BigInt(value);
    }
  }
}

function isFloating(name: string, value: JsonValue): boolean {
  const number = value instanceof JsonFloat ? value.value : typeof value === "bigint" ? Number(value) : value;
  if (typeof number !== "number") {
    return false;
  }
  if (typeof value === "bigint" && !Number.isFinite(number)) {
    return false;
  }
  return name === "double" || !Number.isFinite(number) || Number.isFinite(Math.fround(number));
}
