/** Defaults of fields, which a schema says in JSON: why one is no value of its type, and how it would be written. */

import { bigLong, boolean, double, float, int, string } from "../support/codec.js";
import { isObject, JsonFloat, jsonText, valueOf, type JsonObject, type JsonValue } from "../support/json.js";
import { quoted } from "../support/shown.js";
import type { Writer } from "../support/writer.js";

import { isList } from "./canonical-form.js";
import type { AvroType, NamedType } from "./types.js";

const BITS: Readonly<Record<string, bigint>> = { int: 32n, long: 64n };
const NARROW = /^[\0-\xff]*$/;
/** Characters of a default that are shown. */
const LONGEST = 60;

/** Why a default cannot be written as a value of its type, or nests deeper than `deepest`; `null` if it can. */
export function whyNoDefault(
  type: AvroType,
  named: ReadonlyMap<string, NamedType>,
  value: JsonValue,
  deepest: number,
): string | null {
  const why = (one: AvroType, given: JsonValue, depth: number): string | null => {
    if (depth > deepest) {
      return `is nested more than ${String(deepest)} levels deep`;
    }
    switch (one.kind) {
      case "primitive":
        return isPrimitive(one.name, given) ? null : unfit(one.name, given);
      case "logical":
        return why(one.underlying, given, depth);
      case "array":
        return isList(given) ? firstOf(given, (item) => why(one.items, item, depth + 1)) : unfit("array", given);
      case "map":
        return isObject(given)
          ? firstOf(Object.entries(given), ([key, item]) =>
              key.isWellFormed() ? why(one.values, item, depth + 1) : unfit("string", key),
            )
          : unfit("object", given);
      case "union":
        return one.branches.some((branch) => why(branch, given, depth + 1) === null) ? null : unfit("union", given);
      case "reference": {
        const found = named.get(one.name);
        return found === undefined ? unfit(one.name, given) : whyNot(found, given, depth);
      }
    }
  };
  const whyNot = (one: NamedType, given: JsonValue, depth: number): string | null => {
    switch (one.kind) {
      case "enum":
        return typeof given === "string" && one.symbols.includes(given) ? null : unfit(one.name, given);
      case "fixed":
        if (typeof given !== "string" || !NARROW.test(given)) {
          return unfit("bytes", given);
        }
        return given.length === one.size ? null : unfit(`fixed of ${String(one.size)} bytes`, given);
      case "record":
        if (!isObject(given)) {
          return unfit("object", given);
        }
        return firstOf(one.fields, (field) => {
          const item = valueOf(given, field.name);
          const meant = item === undefined ? field.default : item;
          return meant === undefined ? unfit(`record ${one.name}`, given) : why(field.type, meant, depth + 1);
        });
    }
  };
  return why(type, value, 0);
}

/** What is wrong with the first of several things of which something is. */
function firstOf<One>(several: readonly One[], why: (one: One) => string | null): string | null {
  for (const one of several) {
    const found = why(one);
    if (found !== null) {
      return found;
    }
  }
  return null;
}

function unfit(expected: string, value: JsonValue): string {
  return `expected a default of type ${expected}, got ${quoted(jsonText(value).slice(0, LONGEST), LONGEST)}`;
}

/** Write a default that `whyNoDefault` says nothing of, as Avro binary. */
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
        const index = one.branches.findIndex((branch) => whyNoDefault(branch, named, given, deepest) === null);
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
