/** Reads what the other side of a connection has written with a schema of its own, by Avro's schema resolution. */

import type { FieldNode, RecordNode, TypeNode } from "./tree.js";
import { DecodeError } from "../support/errors.js";
import { Fault, located } from "../support/fault.js";
import { Reader } from "../support/reader.js";

type Read = (from: Reader) => unknown;

const UTF8 = new TextEncoder();
const TEXT = new TextDecoder("utf-8", { fatal: true });

/** Return what reads values that are written as one type as those of another; `null` if nothing does. */
export function resolvingReader(writer: TypeNode, reader: TypeNode): ((data: Uint8Array) => object) | null {
  const read = resolve(writer, reader);
  if (read === null) {
    return null;
  }
  const name = "name" in reader ? reader.name : reader.kind;
  return (data) => {
    const from = new Reader(data);
    try {
      const value = read(from) as object;
      if (from.left > 0) {
        throw new Fault(`expected the end of the data, got ${String(from.left)} more bytes`);
      }
      return value;
    } catch (error) {
      throw error instanceof Fault ? new DecodeError(name, error.path, error.reason) : error;
    }
  };
}

function resolve(writer: TypeNode, reader: TypeNode): Read | null {
  if (writer.kind === "union") {
    const branches = writer.branches.map((one) => resolve(one, reader));
    if (branches.every((one) => one === null)) {
      return null;
    }
    return (from) => {
      const read = branches[from.branch(branches.length)];
      if (read === null || read === undefined) {
        throw new Fault("it is of a branch of the writer's union that the reader's schema does not have");
      }
      return read(from);
    };
  }
  if (reader.kind === "union") {
    for (const same of [true, false]) {
      for (const branch of reader.branches) {
        const read = !same || isSameKind(writer, branch) ? resolve(writer, branch) : null;
        if (read !== null) {
          return read;
        }
      }
    }
    return null;
  }
  if (writer.kind === "array" || writer.kind === "map") {
    const inner = reader.kind === writer.kind ? resolve(writer.inner, reader.inner) : null;
    return inner === null ? null : writer.kind === "array" ? arrayOf(inner) : mapOf(inner);
  }
  switch (writer.kind) {
    case "record":
      return reader.kind === "record" && isNamed(writer.name, reader) ? resolveRecord(writer, reader) : null;
    case "enum":
      return reader.kind === "enum" && isNamed(writer.name, reader) ? resolveSymbols(writer, reader) : null;
    case "fixed":
      return reader.kind === "fixed" &&
        isNamed(writer.name, reader) &&
        writer.size === reader.size &&
        writer.logical === reader.logical
        ? (from) => reader.codec.read(from)
        : null;
    case "primitive":
      return reader.kind === "primitive" ? resolvePrimitive(writer, reader) : null;
  }
}

function isNamed(name: string, reader: { readonly name: string; readonly aliases: readonly string[] }): boolean {
  return name === reader.name || reader.aliases.includes(name);
}

function isSameKind(writer: TypeNode, reader: TypeNode): boolean {
  if (writer.kind === "primitive" && reader.kind === "primitive") {
    return writer.name === reader.name && writer.logical === reader.logical;
  }
  return writer.kind === reader.kind && ("name" in writer && "name" in reader ? writer.name === reader.name : true);
}

function arrayOf(item: Read): Read {
  return (from) => {
    const items: unknown[] = [];
    for (let block = from.block(0); block !== null; block = from.block(0)) {
      for (let index = 0; index < block.count; index++) {
        items.push(item(from));
      }
      from.endBlock(block);
    }
    return items;
  };
}

function mapOf(value: Read): Read {
  return (from) => {
    const entries = new Map<string, unknown>();
    for (let block = from.block(0); block !== null; block = from.block(0)) {
      for (let index = 0; index < block.count; index++) {
        const key = from.text();
        if (entries.has(key)) {
          throw new Fault("a key of the map comes twice");
        }
        entries.set(key, value(from));
      }
      from.endBlock(block);
    }
    return entries;
  };
}

interface Step {
  readonly part: string;
  readonly property: string | null;
  readonly read: Read;
}

function resolveRecord(writer: RecordNode, reader: RecordNode): Read | null {
  const taken = new Set<FieldNode>();
  const steps: Step[] = [];
  for (const one of writer.fields) {
    const target =
      reader.fields.find((mine) => mine.name === one.name) ??
      reader.fields.find((mine) => mine.aliases.includes(one.name));
    const part = `.${one.name}`;
    if (target === undefined || taken.has(target)) {
      steps.push({ part, property: null, read: (from) => one.type.codec.read(from) });
      continue;
    }
    taken.add(target);
    const read = resolve(one.type, target.type);
    if (read === null) {
      return null;
    }
    steps.push({ part, property: target.property, read });
  }
  const missing = reader.fields.filter((one) => !taken.has(one));
  if (
    missing.some((one) => one.default === null) ||
    (taken.size === 0 && reader.fields.length + writer.fields.length > 0)
  ) {
    return null;
  }
  return (from) => {
    const value: Record<string, unknown> = {};
    for (const { part, property, read } of steps) {
      try {
        const got = read(from);
        if (property !== null) {
          value[property] = got;
        }
      } catch (error) {
        throw located(error, part);
      }
    }
    for (const one of missing) {
      value[one.property] = defaultOf(one.type, one.default?.json);
    }
    return value;
  };
}

function resolveSymbols(
  writer: Extract<TypeNode, { kind: "enum" }>,
  reader: Extract<TypeNode, { kind: "enum" }>,
): Read {
  return (from) => {
    const symbol = writer.symbols[from.index(writer.symbols.length)] ?? "";
    if (reader.symbols.includes(symbol)) {
      return symbol;
    }
    if (reader.default === null) {
      throw new Fault(`expected a symbol of ${reader.name}, got "${symbol}"`);
    }
    return reader.default;
  };
}

type Primitive = Extract<TypeNode, { kind: "primitive" }>;

function resolvePrimitive(writer: Primitive, reader: Primitive): Read | null {
  if (writer.logical !== reader.logical) {
    return null;
  }
  if (writer.name === reader.name) {
    return (from) => reader.codec.read(from);
  }
  if (writer.logical !== null) {
    return null;
  }
  switch (`${writer.name} ${reader.name}`) {
    case "int long":
      return (from) => BigInt(writer.codec.read(from) as number);
    case "int float":
    case "int double":
    case "long float":
    case "long double":
      return (from) => promoted(BigInt(writer.codec.read(from) as number | bigint), reader.name === "float");
    case "float double":
      return (from) => writer.codec.read(from);
    case "string bytes":
      return (from) => UTF8.encode(writer.codec.read(from) as string);
    case "bytes string":
      return (from) => textOf(writer.codec.read(from) as Uint8Array);
    default:
      return null;
  }
}

function promoted(value: bigint, isSingle: boolean): number {
  const number = isSingle ? Math.fround(Number(value)) : Number(value);
  if (BigInt(number) !== value) {
    const precision = isSingle ? "single" : "double";
    throw new Fault(`expected an integer that ${precision} precision can carry, got ${String(value)}`);
  }
  return number;
}

function textOf(data: Uint8Array): string {
  try {
    return TEXT.decode(data);
  } catch {
    throw new Fault("expected UTF-8");
  }
}

/** Return the value that a default, as JSON has it, stands for. */
function defaultOf(type: TypeNode, json: unknown): unknown {
  switch (type.kind) {
    case "array":
      return (json as unknown[]).map((one) => defaultOf(type.inner, one));
    case "map":
      return new Map(Object.entries(json as object).map(([key, one]) => [key, defaultOf(type.inner, one)]));
    case "union": {
      const branch = type.branches.find((one) => suits(one, json)) ?? type.branches[0];
      return branch === undefined ? null : defaultOf(branch, json);
    }
    case "record": {
      const given = json as Readonly<Record<string, unknown>>;
      return Object.fromEntries(
        type.fields.map((one) => [
          one.property,
          defaultOf(one.type, Object.hasOwn(given, one.name) ? given[one.name] : one.default?.json),
        ]),
      );
    }
    case "enum":
      return json;
    case "fixed":
      return Uint8Array.from(json as string, (character) => character.charCodeAt(0));
    case "primitive":
      return primitiveDefault(type, json);
  }
}

function primitiveDefault(type: Primitive, json: unknown): unknown {
  switch (type.name) {
    case "long":
      return type.logical?.endsWith("millis") === true
        ? new Date(json as number)
        : type.logical === "time-micros"
          ? json
          : BigInt(json as number);
    case "bytes":
      return Uint8Array.from(json as string, (character) => character.charCodeAt(0));
    default:
      return json;
  }
}

function suits(type: TypeNode, json: unknown): boolean {
  switch (type.kind) {
    case "primitive":
      switch (type.name) {
        case "null":
          return json === null;
        case "boolean":
          return typeof json === "boolean";
        case "string":
        case "bytes":
          return typeof json === "string";
        default:
          return typeof json === "number";
      }
    case "array":
      return Array.isArray(json);
    case "enum":
    case "fixed":
      return typeof json === "string";
    default:
      return typeof json === "object" && json !== null && !Array.isArray(json);
  }
}
