/** Values of any schema as JSON has them, for people to read. */

import type { TypeNode } from "./tree.js";
import { base64OfBytes } from "../../src/support/base64.js";
import { isoOfMicros } from "../../src/support/moment.js";
import type { Decimal } from "../../src/support/values.js";

/** What JSON has, with integers of any size. */
export type Plain = null | boolean | number | bigint | string | readonly Plain[] | { readonly [name: string]: Plain };

/** Zeros that a decimal is written with, at most: a stranger may send a scale of billions. */
const MOST_ZEROS = 100;
const MICROS_OF_DAY = 86_400_000_000;

/** A value of a type as JSON has it: names as on the wire, bytes as base64, times as ISO 8601. */
export function plainOf(node: TypeNode, value: unknown): Plain {
  switch (node.kind) {
    case "primitive":
    case "fixed":
      return node.logical === null ? simple(value) : logicalOf(node.logical, value);
    case "enum":
      return simple(value);
    case "array":
      return (value as readonly unknown[]).map((one) => plainOf(node.inner, one));
    case "map":
      return Object.fromEntries(
        [...(value as ReadonlyMap<string, unknown>)].map(([k, v]) => [k, plainOf(node.inner, v)]),
      );
    case "union": {
      const branch = branchOf(node.branches, value);
      return branch === undefined ? simple(value) : plainOf(branch, value);
    }
    case "record": {
      const given = value as Readonly<Record<string, unknown>>;
      return Object.fromEntries(node.fields.map((one) => [one.name, plainOf(one.type, given[one.property])]));
    }
  }
}

function branchOf(branches: readonly TypeNode[], value: unknown): TypeNode | undefined {
  if (value === null) {
    return undefined;
  }
  return branches.find((one) => one.codec.matches(value));
}

/** What a value is by itself. */
export function simple(value: unknown): Plain {
  if (value instanceof Uint8Array) {
    return base64OfBytes(value);
  }
  if (value instanceof Date) {
    return value.toISOString();
  }
  if (value instanceof Map) {
    return Object.fromEntries([...(value as Map<string, unknown>)].map(([key, one]) => [key, simple(one)]));
  }
  if (Array.isArray(value)) {
    return value.map(simple);
  }
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, simple(one)]));
  }
  return value === undefined ? null : (value as Plain);
}

function logicalOf(logical: string, value: unknown): Plain {
  if (logical.startsWith("decimal") || logical === "big-decimal") {
    return decimalShown(value as Decimal);
  }
  switch (logical) {
    case "date":
      return new Date((value as number) * 86_400_000).toISOString().slice(0, 10);
    case "timestamp-micros":
      return isoOfMicros(value as bigint);
    case "local-timestamp-micros":
      return isoOfMicros(value as bigint).slice(0, -"+00:00".length);
    case "local-timestamp-millis":
      return (value as Date).toISOString().slice(0, -1);
    case "time-millis":
      return clockShown((value as number) * 1000);
    case "time-micros":
      return clockShown(value as number);
    default:
      return simple(value);
  }
}

function clockShown(micros: number): string {
  const text = isoOfMicros(BigInt(Math.min(micros, MICROS_OF_DAY - 1)));
  return text.slice(text.indexOf("T") + 1, -"+00:00".length);
}

function decimalShown({ unscaled, scale }: Decimal): string {
  let digits = String(unscaled < 0n ? -unscaled : unscaled);
  const sign = unscaled < 0n ? "-" : "";
  if (scale < -MOST_ZEROS || scale > digits.length + MOST_ZEROS) {
    return `${sign}${digits}E${-scale}`;
  }
  if (scale <= 0) {
    return sign + digits + (unscaled === 0n ? "" : "0".repeat(-scale));
  }
  digits = digits.padStart(scale + 1, "0");
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** Write a value as JSON, on one line or indented; integers of any size have all of their digits. */
export function jsonText(value: Plain, indent = ""): string {
  const write = (one: Plain, at: string): string => {
    if (typeof one === "bigint") {
      return String(one);
    }
    if (typeof one === "number" && !Number.isFinite(one)) {
      return `"${one}"`;
    }
    if (typeof one !== "object" || one === null) {
      return JSON.stringify(one);
    }
    const inner = at + indent;
    const parts = Array.isArray(one)
      ? (one as readonly Plain[]).map((item) => write(item, inner))
      : Object.entries(one).map(([key, item]) => `${JSON.stringify(key)}: ${write(item, inner)}`);
    const [open, close] = Array.isArray(one) ? "[]" : "{}";
    if (parts.length === 0 || indent === "") {
      return `${open}${parts.join(", ")}${close}`;
    }
    return `${open}\n${parts.map((part) => inner + part).join(",\n")}\n${at}${close}`;
  };
  return write(value, "");
}
