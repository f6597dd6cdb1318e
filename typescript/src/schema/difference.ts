/** How Avro schemas differ, told to people: field by field, in a list that is never long. */

import { NESTING_DEPTH, SCHEMA_BYTES } from "../../../generated/typescript/limits.js";
import { Fault } from "../support/fault.js";
import { isObject, jsonText, parseJsonObject, valueOf, type JsonObject, type JsonValue } from "../support/json.js";
import { quoted } from "../support/shown.js";

import { isList } from "./canonical-form.js";
import { closeness } from "./closeness.js";
import { canonicalForm } from "./forms.js";
import type { Refusal } from "./refusal.js";

/** Differences that are told. */
const MOST = 8;
/** Types that are looked at: a schema may name one type in many places. */
const STEPS = 2_000;
/** Schemas of each side among which the closest are looked for. */
const ALTERNATIVES = 8;
/** Characters of a name that are shown: strangers choose some of them. */
const LONGEST_NAME = 60;
/** How deep JSON may nest that is read at all. */
const DEEPEST = 500;
const NAMED: readonly unknown[] = ["record", "error", "enum", "fixed"];

type Given = JsonValue | undefined;

/**
 * Return how the schemas of two sides differ, given as JSON texts; nothing if each of `there` is one of `here`.
 *
 * Of several alternatives, those two are compared whose names are the closest, among those of `there` that are none of
 * `here`. What is no schema is compared as far as it can be read.
 */
export function schemaDifferences(here: readonly string[], there: readonly string[]): readonly string[] {
  const known = new Set(here.slice(0, ALTERNATIVES).map(canonicalForm));
  const theirs = there
    .slice(0, ALTERNATIVES)
    .filter((text) => !known.has(canonicalForm(text)))
    .map((text) => new Side(text));
  const mine = here.slice(0, ALTERNATIVES).map((text) => new Side(text));
  let closest: { readonly one: Side; readonly other: Side; readonly how: number } | null = null;
  for (const other of theirs) {
    for (const one of mine) {
      const how = closeness(one.name, other.name);
      if (closest === null || how > closest.how) {
        closest = { one, other, how };
      }
    }
  }
  return closest === null ? [] : new Comparison(closest.one, closest.other).differences();
}

/** Return why a schema of the other side is not read by one of this side; `writesHere` says that this side writes. */
export function refusalText({ path, verb, writer, reader }: Refusal, writesHere = false): string {
  if (writer !== null && reader !== null) {
    return writesHere ? sentence(path, verb, writer, reader) : sentence(path, verb, reader, writer);
  }
  const [writing, reading] = writesHere ? ["here", "there"] : ["there", "here"];
  if (writer === null) {
    return `${subject(path)} ${verb} ${writing}, and has no default ${reading}`;
  }
  return `${subject(path)}${writer === "" ? "" : ` (${shortened(writer)})`} ${verb} ${writing}`;
}

/** Return a text that others have chosen as it may stand in a line: in quotes, not too long. */
export function shortened(text: string, longest = LONGEST_NAME): string {
  return quoted(text, longest);
}

/** The schema of one side, with the types that it defines. */
class Side {
  readonly schema: JsonValue;
  /** By full name. */
  readonly named = new Map<string, JsonValue>();
  readonly name: string;
  #steps = 0;

  constructor(text: string) {
    this.schema = read(text);
    this.#collect(this.schema, "", 0);
    this.name = this.fullName(this.schema, "") || this.kind(this.schema, "");
  }

  /** Return what kind of type it is, such as `record`, `union` or `int`. */
  kind(given: JsonValue, around: string): string {
    const { schema } = this.resolved(given, around);
    return isList(schema) ? "union" : textOf(isObject(schema) ? valueOf(schema, "type") : schema);
  }

  /** Return a type, where its name may stand for it, and the namespace of what is in it. */
  resolved(given: JsonValue, around: string): { readonly schema: JsonValue; readonly namespace: string } {
    let schema = given;
    for (let level = 0; level < NESTING_DEPTH; level += 1) {
      if (typeof schema === "string") {
        const full = fullNameOf(schema, around);
        const defined = this.named.get(full);
        if (defined !== undefined) {
          return { schema: defined, namespace: namespaceOf(full) };
        }
      }
      // `{"type": {"type": "array", …}}` is the same as what is in it.
      const inner: Given = isObject(schema) ? valueOf(schema, "type") : null;
      if (inner === null || inner === undefined || typeof inner === "string") {
        break;
      }
      schema = inner;
    }
    const full = this.fullName(schema, around);
    return { schema, namespace: full === "" ? around : namespaceOf(full) };
  }

  /** Return the name of a named type, with its namespace; of others, nothing. */
  fullName(schema: JsonValue, around: string): string {
    if (!isObject(schema) || !NAMED.includes(valueOf(schema, "type"))) {
      return "";
    }
    const namespace = valueOf(schema, "namespace");
    return fullNameOf(textOf(valueOf(schema, "name")), namespace === undefined ? around : textOf(namespace ?? ""));
  }

  /** Return a type in few words. */
  shown(given: JsonValue, around: string, depth = 0): string {
    const { schema, namespace } = this.resolved(given, around);
    const kind = this.kind(schema, namespace);
    if (depth > 2) {
      return kind;
    }
    if (isList(schema)) {
      const branches = schema.slice(0, ALTERNATIVES).map((branch) => this.shown(branch, namespace, depth + 1));
      return branches.join(" or ");
    }
    const full = this.fullName(schema, namespace);
    if (full !== "") {
      return `${kind} ${full}`;
    }
    const content = isObject(schema) ? (valueOf(schema, "items") ?? valueOf(schema, "values")) : undefined;
    return content === undefined ? kind : `${kind} of ${this.shown(content, namespace, depth + 1)}`;
  }

  #collect(schema: Given, around: string, depth: number): void {
    this.#steps += 1;
    if (this.#steps > STEPS || depth > NESTING_DEPTH || schema === undefined) {
      return;
    }
    if (isList(schema)) {
      schema.forEach((branch) => this.#collect(branch, around, depth + 1));
    } else if (isObject(schema)) {
      const full = this.fullName(schema, around);
      if (full !== "" && !this.named.has(full)) {
        this.named.set(full, schema);
      }
      const namespace = full === "" ? around : namespaceOf(full);
      for (const content of ["type", "items", "values"]) {
        this.#collect(valueOf(schema, content), namespace, depth + 1);
      }
      for (const field of fieldsOf(schema).values()) {
        this.#collect(valueOf(field, "type"), namespace, depth + 1);
      }
    }
  }
}

/** Where in two schemas a comparison is. */
interface Place {
  readonly path: string;
  /** Namespaces of both sides. */
  readonly mine: string;
  readonly theirs: string;
  readonly depth: number;
}

/** Compares two schemas, and notes as many differences as are told. */
class Comparison {
  readonly #found: string[] = [];
  #steps = 0;
  /** Pairs of named types: a type may contain itself. */
  readonly #compared = new Set<string>();

  constructor(
    private readonly here: Side,
    private readonly there: Side,
  ) {}

  /** Return the differences. */
  differences(): readonly string[] {
    this.#compare({ path: "", mine: "", theirs: "", depth: 0 }, this.here.schema, this.there.schema);
    if (this.#found.length === 0) {
      return [`the schemas called ${shortened(this.here.name)} differ in what is not told here`];
    }
    return this.#found.length > MOST ? [...this.#found.slice(0, MOST), "and more"] : this.#found;
  }

  #compare(place: Place, mine: Given, theirs: Given): void {
    this.#steps += 1;
    if (this.#steps > STEPS || place.depth > NESTING_DEPTH || this.#found.length > MOST) {
      return;
    }
    const { schema: here, namespace } = this.here.resolved(mine ?? null, place.mine);
    const { schema: there, namespace: other } = this.there.resolved(theirs ?? null, place.theirs);
    const inner = { path: place.path, mine: namespace, theirs: other, depth: place.depth + 1 };
    if (this.here.kind(here, namespace) !== this.there.kind(there, other)) {
      this.#note(place.path, "is", this.here.shown(here, namespace), this.there.shown(there, other));
      return;
    }
    const names = [this.here.fullName(here, namespace), this.there.fullName(there, other)] as const;
    if (names[0] !== names[1]) {
      this.#note(place.path, "is called", ...names);
    }
    if (names[0] !== "") {
      const key = JSON.stringify(names);
      if (this.#compared.has(key)) {
        return;
      }
      this.#compared.add(key);
    }
    if (isList(here) && isList(there)) {
      this.#compareUnions(inner, here, there);
    } else if (isObject(here) || isObject(there)) {
      this.#compareObjects(inner, isObject(here) ? here : {}, isObject(there) ? there : {});
    }
  }

  #compareUnions(place: Place, here: readonly JsonValue[], there: readonly JsonValue[]): void {
    const shown = [this.here.shown(here, place.mine), this.there.shown(there, place.theirs)] as const;
    if (shown[0] !== shown[1] || here.length !== there.length) {
      this.#note(place.path, "is", ...shown);
      return;
    }
    here.forEach((branch, index) => this.#compare(place, branch, there[index]));
  }

  #compareObjects(place: Place, here: JsonObject, there: JsonObject): void {
    const { path } = place;
    this.#compareAttributes(path, here, there);
    for (const [content, sign] of [
      ["items", "[]"],
      ["values", "{}"],
    ] as const) {
      const [mine, theirs] = [valueOf(here, content), valueOf(there, content)];
      if (mine !== undefined || theirs !== undefined) {
        this.#compare({ ...place, path: path + sign }, mine, theirs);
      }
    }
    const [mine, theirs] = [fieldsOf(here), fieldsOf(there)];
    this.#compareNames(path, "field", [...mine.keys()], [...theirs.keys()]);
    for (const [name, field] of mine) {
      const other = theirs.get(name);
      if (other !== undefined) {
        const inner = path === "" ? name : `${path}.${name}`;
        this.#compare({ ...place, path: inner }, valueOf(field, "type"), valueOf(other, "type"));
      }
    }
  }

  #compareAttributes(path: string, here: JsonObject, there: JsonObject): void {
    const both = (name: string): readonly [Given, Given] => [valueOf(here, name), valueOf(there, name)];
    const differ = (name: string): boolean => textOf(both(name)[0]) !== textOf(both(name)[1]);
    if (differ("logicalType")) {
      const [one, other] = both("logicalType");
      this.#note(path, "has logical type", textOf(one ?? "none"), textOf(other ?? "none"));
    } else if (valueOf(here, "logicalType") !== undefined) {
      for (const name of ["precision", "scale"].filter(differ)) {
        const [one, other] = both(name);
        this.#note(path, `has ${name}`, textOf(one ?? 0), textOf(other ?? 0));
      }
    }
    if (differ("size")) {
      const [one, other] = both("size");
      this.#note(path, "has size", textOf(one), textOf(other));
    }
    const [one, other] = both("symbols");
    this.#compareNames(path, "symbol", textsOf(one), textsOf(other));
  }

  /** Tell which fields or symbols one side alone has, or that they are in another order. */
  #compareNames(path: string, what: string, here: readonly string[], there: readonly string[]): void {
    const among = path === "" ? "" : ` of ${shortened(path)}`;
    for (const [names, others, where] of [
      [here, new Set(there), "there"],
      [there, new Set(here), "here"],
    ] as const) {
      for (const name of names) {
        if (!others.has(name) && this.#found.length <= MOST) {
          this.#found.push(`${what} ${shortened(name)}${among} is missing ${where}`);
        }
      }
    }
    const at = here.findIndex((name, index) => name !== there[index]);
    if (at >= 0 && here.length === there.length && here.every((name) => there.includes(name))) {
      const [first, other] = [here[at] ?? "", there[at] ?? ""];
      this.#found.push(
        `the ${what}s${among} are in another order: ${shortened(first)} here where ${shortened(other)} is there`,
      );
    }
  }

  #note(path: string, verb: string, here: string, there: string): void {
    this.#found.push(sentence(path, verb, here, there));
  }
}

function sentence(path: string, verb: string, here: string, there: string): string {
  return `${subject(path)} ${verb} ${shortened(here)} here and ${shortened(there)} there`;
}

function subject(path: string): string {
  return path === "" ? "the schema" : `field ${shortened(path)}`;
}

/** Read a schema; what is no JSON stands for itself. */
function read(text: string): JsonValue {
  if (text.length > SCHEMA_BYTES) {
    return null;
  }
  try {
    return parseJsonObject(text, DEEPEST);
  } catch (error) {
    if (error instanceof Fault) {
      return text;
    }
    throw error;
  }
}

function fullNameOf(name: string, namespace: string): string {
  return name.includes(".") || namespace === "" ? name : `${namespace}.${name}`;
}

function namespaceOf(fullName: string): string {
  return fullName.slice(0, Math.max(0, fullName.lastIndexOf(".")));
}

/** The fields of a record by name. */
function fieldsOf(schema: JsonObject): ReadonlyMap<string, JsonObject> {
  const fields = valueOf(schema, "fields");
  const listed = isList(fields) ? fields.filter(isObject) : [];
  return new Map(listed.map((field) => [textOf(valueOf(field, "name")), field]));
}

/** The texts of a list, each once. */
function textsOf(listed: Given): readonly string[] {
  return isList(listed) ? [...new Set(listed.map(textOf))] : [];
}

function textOf(value: Given): string {
  return jsonText(value ?? null);
}
