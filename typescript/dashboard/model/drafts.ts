/** What somebody fills into a form that was made from a schema, and the value that it stands for. */

import type { TypeNode } from "./tree.js";
import { bytesOfBase64 } from "../../src/support/base64.js";
import { microsOfIso } from "../../src/support/moment.js";

/** What is filled in for a type: texts as they are typed, and what they are in. */
export type Draft =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "flag"; readonly isOn: boolean }
  | { readonly kind: "list"; readonly items: readonly Draft[] }
  | { readonly kind: "entries"; readonly entries: readonly (readonly [string, Draft])[] }
  | { readonly kind: "choice"; readonly index: number; readonly draft: Draft }
  | { readonly kind: "fields"; readonly fields: Readonly<Record<string, Draft>> };

/** What is filled in is no value of its type. */
export class DraftError extends Error {
  override readonly name = "DraftError";

  constructor(
    /** Where, such as `light.level`; empty for the whole. */
    readonly path: string,
    readonly reason: string,
  ) {
    super(path === "" ? reason : `${path}: ${reason}`);
  }
}

/** Nothing is filled in. */
export const NOTHING: Draft = { kind: "text", text: "" };
const INTEGER = /^[+-]?\d+$/;
const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?$/;
const DURATION = /^(\d+) months? (\d+) days? (\d+) ms$/;
const UUID = /^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/;
const CLOCK = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,6}))?)?$/;
const INT_MOST = 2_147_483_647;
const LONG_MOST = 9_223_372_036_854_775_807n;

/**
 * What a form begins with: the default of a field, or what is emptiest.
 *
 * `within` are the records that it stands in: of a record that contains itself without end, there is nothing.
 */
export function draftOf(node: TypeNode, json?: unknown, within: readonly TypeNode[] = []): Draft {
  switch (node.kind) {
    case "primitive":
      return node.name === "boolean"
        ? { kind: "flag", isOn: json === true }
        : { kind: "text", text: typeof json === "string" || typeof json === "number" ? String(json) : "" };
    case "fixed":
      return { kind: "text", text: "" };
    case "enum":
      return { kind: "text", text: typeof json === "string" ? json : (node.default ?? node.symbols[0] ?? "") };
    case "array":
      return { kind: "list", items: Array.isArray(json) ? json.map((one) => draftOf(node.inner, one, within)) : [] };
    case "map":
      return {
        kind: "entries",
        entries: Object.entries(isObject(json) ? json : {}).map(([key, one]) => [
          key,
          draftOf(node.inner, one, within),
        ]),
      };
    case "union": {
      // A default is one of the first type.
      const index = json === undefined ? node.branches.findIndex((one) => !within.includes(one)) : 0;
      const branch = node.branches[index];
      return {
        kind: "choice",
        index: Math.max(0, index),
        draft: branch === undefined ? NOTHING : draftOf(branch, json, within),
      };
    }
    case "record": {
      if (json === undefined && within.includes(node)) {
        return NOTHING;
      }
      const given = isObject(json) ? json : {};
      const inner = [...within, node];
      return {
        kind: "fields",
        fields: Object.fromEntries(
          node.fields.map((one) => {
            const own = Object.hasOwn(given, one.name) ? given[one.name] : undefined;
            return [one.name, draftOf(one.type, own ?? one.default?.json, inner)];
          }),
        ),
      };
    }
  }
}

/** The value that a draft stands for; throws a `DraftError` that names the field. */
export function valueOf(node: TypeNode, draft: Draft, path = ""): unknown {
  switch (node.kind) {
    case "primitive":
      return draft.kind === "flag" ? draft.isOn : primitiveOf(node.name, node.logical, textOf(draft), path);
    case "fixed":
      return fixedOf(node.size, node.logical, textOf(draft), path);
    case "enum":
      return textOf(draft);
    case "array":
      return draft.kind === "list"
        ? draft.items.map((one, index) => valueOf(node.inner, one, `${path}[${index}]`))
        : [];
    case "map":
      return mapOf(node.inner, draft, path);
    case "union": {
      const branch = draft.kind === "choice" ? node.branches[draft.index] : undefined;
      if (branch === undefined || draft.kind !== "choice") {
        throw new DraftError(path, "expected one of several types");
      }
      return branch.kind === "primitive" && branch.name === "null" ? null : valueOf(branch, draft.draft, path);
    }
    case "record":
      if (draft.kind !== "fields") {
        throw new DraftError(path, "the record contains itself without end, so that it has no value");
      }
      return Object.fromEntries(
        node.fields.map((one) => {
          const at = path === "" ? one.name : `${path}.${one.name}`;
          return [one.property, valueOf(one.type, draft.fields[one.name] ?? NOTHING, at)];
        }),
      );
  }
}

function mapOf(inner: TypeNode, draft: Draft, path: string): ReadonlyMap<string, unknown> {
  const entries = draft.kind === "entries" ? draft.entries : [];
  const found = new Map<string, unknown>();
  for (const [key, one] of entries) {
    if (found.has(key)) {
      throw new DraftError(path, `the name "${key}" stands there twice`);
    }
    found.set(key, valueOf(inner, one, `${path}["${key}"]`));
  }
  return found;
}

function primitiveOf(name: string, logical: string | null, text: string, path: string): unknown {
  if (logical !== null) {
    return logicalOf(logical, text.trim(), path);
  }
  switch (name) {
    case "null":
      return null;
    case "string":
      return text;
    case "bytes":
      return bytesOf(text, path);
    case "int": {
      const number = Number(text);
      if (!INTEGER.test(text.trim()) || Math.abs(number) > INT_MOST) {
        throw new DraftError(path, `expected an integer of 32 bits, got ${shown(text)}`);
      }
      return number;
    }
    case "long": {
      const number = INTEGER.test(text.trim()) ? BigInt(text.trim().replace(/^\+/, "")) : null;
      if (number === null || number > LONG_MOST || number < -LONG_MOST - 1n) {
        throw new DraftError(path, `expected an integer of 64 bits, got ${shown(text)}`);
      }
      return number;
    }
    default: {
      const number = Number(text);
      if (text.trim() === "" || Number.isNaN(number)) {
        throw new DraftError(path, `expected a number such as 0.5, got ${shown(text)}`);
      }
      return number;
    }
  }
}

function logicalOf(logical: string, text: string, path: string): unknown {
  const expected = (what: string): DraftError => new DraftError(path, `expected ${what}, got ${shown(text)}`);
  if (logical.startsWith("decimal")) {
    return decimalOf(text, Number(/(\d+)\)$/.exec(logical)?.[1] ?? 0), path);
  }
  switch (logical) {
    case "big-decimal":
      return decimalOf(text, null, path);
    case "date": {
      const micros = /^\d{4}-\d\d-\d\d$/.test(text) ? microsOfIso(`${text}T00:00:00Z`) : undefined;
      if (micros === undefined) {
        throw expected("a date such as 2030-12-31");
      }
      return Number(micros / 86_400_000_000n);
    }
    case "time-millis":
    case "time-micros": {
      const found = CLOCK.exec(text);
      if (found === null) {
        throw expected("a time such as 23:59:59.5");
      }
      const [, hour = "0", minute = "0", second = "0", fraction = ""] = found;
      const seconds = (Number(hour) * 60 + Number(minute)) * 60 + Number(second);
      const micros = seconds * 1_000_000 + Number(fraction.padEnd(6, "0"));
      return logical === "time-micros" ? micros : Math.floor(micros / 1000);
    }
    case "timestamp-millis":
    case "timestamp-micros":
    case "local-timestamp-millis":
    case "local-timestamp-micros": {
      const isLocal = logical.startsWith("local");
      const micros = microsOfIso(isLocal ? `${text}Z` : text);
      if (micros === undefined) {
        throw expected(isLocal ? "a time such as 2030-12-31T23:59" : "a time such as 2030-12-31T23:59:00+01:00");
      }
      return logical.endsWith("micros") ? micros : new Date(Number(micros / 1000n));
    }
    case "uuid":
      if (!UUID.test(text)) {
        throw expected("a UUID");
      }
      return text.toLowerCase();
    case "duration": {
      const found = DURATION.exec(text);
      if (found === null) {
        throw expected("a time span such as 1 month 2 days 500 ms");
      }
      return { months: Number(found[1]), days: Number(found[2]), milliseconds: Number(found[3]) };
    }
    default: {
      const number = Number(text);
      if (text === "" || Number.isNaN(number)) {
        throw expected("a number of seconds");
      }
      return number;
    }
  }
}

function decimalOf(text: string, scale: number | null, path: string): { unscaled: bigint; scale: number } {
  const [, sign = "", whole = "", fraction = ""] = DECIMAL.exec(text) ?? [];
  const digits = whole + fraction;
  if (digits === "" || (scale !== null && fraction.length > scale)) {
    const places = scale === null ? "" : ` with at most ${scale} places`;
    throw new DraftError(path, `expected a decimal${places} such as 12.5, got ${shown(text)}`);
  }
  const padded = scale === null ? digits : whole + fraction.padEnd(scale, "0");
  return { unscaled: BigInt(padded || "0") * (sign === "-" ? -1n : 1n), scale: scale ?? fraction.length };
}

function fixedOf(size: number, logical: string | null, text: string, path: string): unknown {
  if (logical !== null) {
    return logicalOf(logical, text.trim(), path);
  }
  const data = bytesOf(text, path);
  if (data.length !== size) {
    throw new DraftError(path, `expected ${size} bytes as base64, got ${data.length}`);
  }
  return data;
}

function bytesOf(text: string, path: string): Uint8Array {
  try {
    return bytesOfBase64(text.trim());
  } catch {
    throw new DraftError(path, `expected bytes as base64, got ${shown(text)}`);
  }
}

function textOf(draft: Draft): string {
  return draft.kind === "text" ? draft.text : "";
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shown(text: string): string {
  return text.trim() === "" ? "nothing" : `"${text.slice(0, 60)}"`;
}
