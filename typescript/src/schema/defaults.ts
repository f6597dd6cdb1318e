/** Defaults of fields, which a schema says in JSON: whether one is a value of its type, and how it would be written. */

import { bigLong, boolean, double, float, int, string } from "../support/codec.js";
import { isObject, JsonFloat, valueOf, type JsonObject, type JsonValue } from "../support/json.js";
import type { Writer } from "../support/writer.js";

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

/** Write a default that `isDefaultOf` its type, as Avro binary. */
export function writeDefault(
  to: Writer,
  type: AvroType,
  named: ReadonlyMap<string, NamedType>,
  value: JsonValue,
  deepest: number,
): void {
  const write = (one: AvroType, given: JsonValue): void => {
    switch (one.kind) {
      case "primitive":
        writePrimitive(to, one.name, given);
        break;
      case "logical":
        write(one.underlying, given);
        break;
      case "array":
        for (const item of given as readonly JsonValue[]) {
          to.integer(1);
          write(one.items, item);
        }
        to.byte(0);
        break;
      case "map":
        for (const [key, item] of Object.entries(given as JsonObject)) {
          to.integer(1);
          to.text(key);
          write(one.values, item);
        }
        to.byte(0);
        break;
      case "union": {
        const index = one.branches.findIndex((branch) => isDefaultOf(branch, named, given, deepest));
        to.integer(index);
        write(one.branches[index] as AvroType, given);
        break;
      }
      case "reference":
        writeNamed(named.get(one.name) as NamedType, given);
    }
  };
  const writeNamed = (one: NamedType, given: JsonValue): void => {
    switch (one.kind) {
      case "enum":
        to.integer(one.symbols.indexOf(given as string));
        break;
      case "fixed":
        to.raw(bytesOf(given as string));
        break;
      case "record":
        for (const field of one.fields) {
          write(field.type, (valueOf(given as JsonObject, field.name) ?? field.default) as JsonValue);
        }
    }
  };
  write(type, value);
}

function writePrimitive(to: Writer, name: string, value: JsonValue): void {
  switch (name) {
    case "boolean":
      boolean.write(to, value as boolean);
      break;
    case "int":
      int.write(to, Number(value));
      break;
    case "long":
      bigLong.write(to, BigInt(value as number | bigint));
      break;
    case "float":
    case "double":
      (name === "float" ? float : double).write(to, Number(value instanceof JsonFloat ? value.value : value));
      break;
    case "string":
      string.write(to, value as string);
      break;
    case "bytes": {
      const data = bytesOf(value as string);
      to.integer(data.length);
      to.raw(data);
    }
  }
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
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
