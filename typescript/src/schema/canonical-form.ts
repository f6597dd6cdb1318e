/**
 * When two Avro schemas are the same: their canonical form.
 *
 * The form is Avro's parsing canonical form, but it keeps logical types. Without them, `timestamp-millis` and
 * `timestamp-micros` would be the same, and a value would arrive wrong by a factor of 1,000.
 */

import { Fault } from "../support/fault.js";
import { isObject, JsonFloat, valueOf, type JsonObject, type JsonValue } from "../support/json.js";

/** Names of the types without parts. */
export const PRIMITIVES: ReadonlySet<string> = new Set([
  "null",
  "boolean",
  "int",
  "long",
  "float",
  "double",
  "string",
  "bytes",
]);
/** By the type that they stand on. Avro demands that others are ignored. */
const LOGICAL_TYPES: Readonly<Record<string, readonly string[]>> = {
  int: ["date", "time-millis"],
  long: [
    "time-micros",
    "timestamp-millis",
    "timestamp-micros",
    "timestamp-nanos",
    "local-timestamp-millis",
    "local-timestamp-micros",
    "local-timestamp-nanos",
  ],
  double: ["dataclasses-avroschema-timedelta"],
  string: ["uuid"],
  bytes: ["decimal", "big-decimal"],
  fixed: ["decimal", "duration", "uuid"],
};
/** In bytes, of the fixed types that logical types stand on. */
const SIZES: Readonly<Record<string, number>> = { duration: 12, uuid: 16 };
/** Characters that the form, where names stand as they are, could not tell from its own. */
// eslint-disable-next-line no-control-regex -- JSON forbids exactly these in a text.
const ESCAPED = /["\\\u0000-\u001f]/;
const SYMBOL = /^[A-Za-z_][A-Za-z0-9_]*$/;
const FLOAT = /^[+-]?(?:(?:\d(?:_?\d)*)?\.?\d(?:_?\d)*\.?(?:e[+-]?\d(?:_?\d)*)?|inf|infinity|nan)$/i;

/** A logical type that counts: its name, and for a decimal its digits. */
export interface Logical {
  readonly name: string;
  readonly precision: number;
  readonly scale: number;
}

/** The canonical form of an Avro schema; throws a `Fault` if it is no schema. */
export function canonicalFormOf(schema: JsonValue): string {
  return new Writer().whole(schema);
}

/** The logical type of a schema of a kind, such as `long`, if it is one that counts; else `null`. */
export function logicalTypeOf(kind: string, schema: JsonObject): Logical | null {
  const name = valueOf(schema, "logicalType");
  if (typeof name !== "string" || LOGICAL_TYPES[kind]?.includes(name) !== true) {
    return null;
  }
  const size = SIZES[name];
  if (kind === "fixed" && size !== undefined && valueOf(schema, "size") !== size) {
    return null;
  }
  if (name !== "decimal") {
    return { name, precision: 0, scale: 0 };
  }
  const precision = valueOf(schema, "precision");
  const scale = valueOr(schema, "scale", 0);
  if (!isSmallInteger(precision) || !isSmallInteger(scale) || precision < 1) {
    return null;
  }
  return { name, precision, scale };
}

/** Writes one schema; names, sizes, fields and symbols of another type of JSON are refused. */
class Writer {
  /** Full names that may be referred to. */
  readonly #known = new Set<string>();
  /** Full names that cannot be given again. */
  #taken = new Set<string>();

  whole(schema: JsonValue): string {
    if (!isList(schema)) {
      return this.#schema(schema, "", undefined);
    }
    const forms = schema.map((branch) => {
      // Each counts as a schema of its own.
      this.#taken = new Set();
      return this.whole(branch);
    });
    return `[${forms.join(",")}]`;
  }

  #schema(schema: JsonValue | undefined, namespace: string, given: JsonValue | undefined): string {
    if (typeof schema === "string") {
      return this.#name(schema, namespace, given);
    }
    if (isList(schema)) {
      return this.#union(schema, namespace, given);
    }
    if (isObject(schema)) {
      const kind = valueOf(schema, "type");
      if (typeof kind === "string") {
        return this.#complex(kind, schema, namespace, given);
      }
    }
    throw new Fault("expected an Avro schema");
  }

  #name(name: string, namespace: string, given: JsonValue | undefined): string {
    if (PRIMITIVES.has(name)) {
      if (given !== undefined && !fitsLoosely(name, given)) {
        throw new Fault(`expected a default of type ${name}`);
      }
      return `"${name}"`;
    }
    const fullName = namespace !== "" && !name.includes(".") ? `${namespace}.${name}` : name;
    if (!this.#known.has(fullName)) {
      throw new Fault("expected an Avro schema, got a name that is not defined before it");
    }
    return `"${fullName}"`;
  }

  #union(branches: readonly JsonValue[], namespace: string, given: JsonValue | undefined): string {
    const forms = branches.map((branch) => this.#schema(branch, namespace, undefined));
    if (given !== undefined && !branches.some((branch) => typeof branch !== "string" || fitsLoosely(branch, given))) {
      throw new Fault("expected a default of one of the types of a union");
    }
    return `[${forms.join(",")}]`;
  }

  #complex(kind: string, schema: JsonObject, namespace: string, given: JsonValue | undefined): string {
    checkDecimal(kind, schema);
    switch (kind) {
      case "array":
        checkDefault(kind, given, isList);
        return `{"type":"array","items":${this.#schema(valueOf(schema, "items"), namespace, undefined)}}`;
      case "map":
        checkDefault(kind, given, isObject);
        return `{"type":"map","values":${this.#schema(valueOf(schema, "values"), namespace, undefined)}}`;
      case "enum": {
        const { fullName } = this.#define(schema, namespace);
        const symbols = symbolsOf(schema).map((symbol) => `"${symbol}"`);
        checkDefault(kind, given, isText);
        return `{"name":"${fullName}","type":"enum","symbols":[${symbols.join(",")}]}`;
      }
      case "fixed": {
        const { fullName } = this.#define(schema, namespace);
        const size = valueOf(schema, "size");
        if (!isInteger(size) || size < 0) {
          throw new Fault("expected a number of bytes as the size of a fixed");
        }
        checkDefault(kind, given, isText);
        return `{"name":"${fullName}","type":"fixed","size":${String(size)}${logicalText(kind, schema)}}`;
      }
      case "record":
      case "error":
        return this.#record(schema, namespace, given);
      default:
        return primitiveForm(kind, schema, given);
    }
  }

  #record(schema: JsonObject, namespace: string, given: JsonValue | undefined): string {
    const { fullName, inner } = this.#define(schema, namespace);
    checkDefault("record", given, isObject);
    const fields = valueOr(schema, "fields", []);
    if (!isList(fields)) {
      throw new Fault("expected a list of fields");
    }
    const forms = fields.map((field) => this.#field(field, inner));
    return `{"name":"${fullName}","type":"record","fields":[${forms.join(",")}]}`;
  }

  #field(field: JsonValue, namespace: string): string {
    const type = isObject(field) ? valueOf(field, "type") : undefined;
    if (!isObject(field) || type === undefined || !isList(valueOr(field, "aliases", []))) {
      throw new Fault("expected a field with a type, and a list of aliases if any");
    }
    const name = checkedName(field);
    return `{"name":"${name}","type":${this.#schema(type, namespace, valueOf(field, "default"))}}`;
  }

  /** Return the full name of a type, and the namespace of what is in it. */
  #define(schema: JsonObject, around: string): { readonly fullName: string; readonly inner: string } {
    const name = checkedName(schema);
    const given = valueOf(schema, "namespace");
    const namespace = given === undefined ? around : isFalsy(given) ? "" : given;
    if (typeof namespace !== "string" || ESCAPED.test(namespace)) {
      throw new Fault("expected a namespace");
    }
    const { fullName, inner } = named(name, namespace);
    if (this.#taken.has(fullName)) {
      throw new Fault("expected each name once");
    }
    this.#taken.add(fullName);
    this.#known.add(fullName);
    return { fullName, inner };
  }
}

/** The full name of a type in a namespace, and the namespace of what is in it. */
export function named(name: string, namespace: string): { readonly fullName: string; readonly inner: string } {
  if (name.includes(".")) {
    return { fullName: name, inner: name.slice(0, name.lastIndexOf(".")) };
  }
  return { fullName: namespace === "" ? name : `${namespace}.${name}`, inner: namespace };
}

function primitiveForm(kind: string, schema: JsonObject, given: JsonValue | undefined): string {
  if (!PRIMITIVES.has(kind)) {
    throw new Fault("expected an Avro schema, got a type that Avro does not have");
  }
  if (given !== undefined && !fits(kind, given)) {
    throw new Fault(`expected a default of type ${kind}`);
  }
  const logical = logicalText(kind, schema);
  return logical === "" ? `"${kind}"` : `{"type":"${kind}"${logical}}`;
}

/** The attributes of the logical type, if it is one that counts. */
function logicalText(kind: string, schema: JsonObject): string {
  const logical = logicalTypeOf(kind, schema);
  if (logical === null) {
    return "";
  }
  const digits = logical.name === "decimal" ? `,"precision":${logical.precision},"scale":${logical.scale}` : "";
  return `,"logicalType":"${logical.name}"${digits}`;
}

function checkDecimal(kind: string, schema: JsonObject): void {
  if (valueOf(schema, "logicalType") !== "decimal") {
    return;
  }
  const precision = valueOf(schema, "precision") ?? null;
  const scale = valueOf(schema, "scale") ?? null;
  let isWrong = [precision, scale].some((one) => !isFalsy(one) && !(one === true || (isInteger(one) && one >= 0)));
  if (!isWrong && isInteger(precision) && precision > 0) {
    const size = valueOf(schema, "size");
    isWrong =
      (isInteger(scale) && precision < scale) ||
      (kind === "fixed" && isInteger(size) && precision > Math.floor(Math.log10(2) * (8 * Number(size) - 1)));
  }
  if (isWrong) {
    throw new Fault("expected digits that fit as precision and scale");
  }
}

/** The symbols of an enumeration; throws a `Fault` if they are not names, each once. */
function symbolsOf(schema: JsonObject): readonly string[] {
  const symbols = valueOf(schema, "symbols");
  if (!isList(symbols)) {
    throw new Fault("expected a list of symbols");
  }
  const found = symbols.filter((one) => isText(one) && SYMBOL.test(one)) as readonly string[];
  const given = valueOf(schema, "default");
  if (new Set(found).size < symbols.length || (given !== undefined && !symbols.includes(given))) {
    throw new Fault("expected names as symbols, each once, and one of them as default");
  }
  return found;
}

function checkedName(schema: JsonObject): string {
  const name = valueOf(schema, "name");
  if (typeof name !== "string" || ESCAPED.test(name)) {
    throw new Fault("expected a name");
  }
  return name;
}

function checkDefault(kind: string, given: JsonValue | undefined, is: (value: unknown) => boolean): void {
  if (given !== undefined && !is(given)) {
    throw new Fault(`expected a default of type ${kind}`);
  }
}

function fits(kind: string, given: JsonValue): boolean {
  switch (kind) {
    case "null":
      return given === null;
    case "boolean":
      return typeof given === "boolean";
    case "string":
    case "bytes":
      return typeof given === "string";
    case "float":
    case "double":
      return given instanceof JsonFloat || (typeof given === "number" && !Number.isInteger(given));
    case "int":
    case "long":
      // As other implementations do, which take true for 1.
      return isInteger(given) || typeof given === "boolean";
    default:
      return true;
  }
}

/** Whether a default fits a type that is given by its name alone, where any number is a floating one. */
function fitsLoosely(kind: string, given: JsonValue): boolean {
  if (kind !== "float" && kind !== "double") {
    return fits(kind, given);
  }
  if (typeof given === "string") {
    return FLOAT.test(given.trim());
  }
  return typeof given === "boolean" || (isInteger(given) && Number.isFinite(Number(given))) || fits(kind, given);
}

/** What an object has under a key, which may be null; something else if it does not have that. */
function valueOr(object: JsonObject, key: string, otherwise: JsonValue): JsonValue {
  const value = valueOf(object, key);
  return value === undefined ? otherwise : value;
}

/** Whether a value is a list. */
export function isList(value: unknown): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isInteger(value: unknown): value is number | bigint {
  return typeof value === "bigint" || Number.isInteger(value);
}

function isSmallInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

/** Whether a value is empty, zero, false or null. */
function isFalsy(value: JsonValue): boolean {
  if (value instanceof JsonFloat) {
    return value.value === 0;
  }
  if (isList(value)) {
    return value.length === 0;
  }
  return isObject(value) ? Object.keys(value).length === 0 : !value;
}
