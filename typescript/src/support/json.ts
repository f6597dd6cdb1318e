/**
 * JSON, read strictly: whether a number was written as an integer is kept, and how deep it nests is bounded.
 *
 * The language's own parser tells neither, so it reads only what raises no such question. Of a key that comes twice, the
 * last counts. What an object holds is asked for with `valueOf`: its keys come from anybody.
 */

import { Fault } from "./fault.js";

/** A number that was written with a point or an exponent, although it equals an integer. */
export class JsonFloat {
  constructor(readonly value: number) {}
}

/** What JSON can say; an integer that a number does not hold exactly may be a bigint. */
export type JsonValue = null | boolean | string | number | bigint | JsonFloat | readonly JsonValue[] | JsonObject;

/** An object of JSON. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

const SPACE = /[ \t\n\r]*/y;
// eslint-disable-next-line no-control-regex -- JSON forbids exactly these in a text.
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
/** The value of a key that is an integer with a point, an exponent, or more digits than a number has. */
const DOUBTFUL = /"[ \t\n\r]*:[ \t\n\r]*-?(?:\d{17}|\d+(?:\.0*[^\d]|\.0*$|\.\d+[eE]|[eE]))/;
const HEX = /[0-9a-fA-F]{4}/y;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};
/** Other writers write these, although JSON has no such numbers. */
const WORDS: ReadonlyMap<string, JsonValue> = new Map<string, JsonValue>([
  ["null", null],
  ["true", true],
  ["false", false],
  ["NaN", NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
]);
const ZERO = 0x30;
const NINE = 0x39;
const MOST_DIGITS = 4300;

/** Whether a value is an object of JSON. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof JsonFloat);
}

/** What an object has under a key; `undefined` if it does not have that. */
export function valueOf(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Say a value of JSON for people: a text as it is, anything else as JSON has it. */
export function jsonText(value: JsonValue): string {
  if (typeof value === "string") {
    return value;
  }
  return value instanceof JsonFloat
    ? value.value.toFixed(1)
    : JSON.stringify(value, (_, one: JsonValue) =>
        typeof one === "bigint" ? String(one) : one instanceof JsonFloat ? one.value : one,
      );
}

/** Read one JSON object, in which brackets nest no deeper than `deepest`; throws a `Fault`. */
export function parseJsonObject(text: string, deepest: number): JsonObject {
  if (!DOUBTFUL.test(text) && hasAtMost(deepest, text)) {
    try {
      return JSON.parse(text) as JsonObject;
    } catch {
      // What is wrong is said below.
    }
  }
  return new Parser(text, deepest).whole() as JsonObject;
}

/** Whether there are so few brackets that they cannot nest deeper. */
function hasAtMost(most: number, text: string): boolean {
  let count = 0;
  for (const bracket of "{[") {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      count += 1;
      if (count > most) {
        return false;
      }
    }
  }
  return true;
}

class Parser {
  #at = 0;
  #depth = 0;

  constructor(
    private readonly text: string,
    private readonly deepest: number,
  ) {}

  whole(): JsonValue {
    const value = this.#value();
    this.#skipSpace();
    if (this.#at < this.text.length) {
      throw this.#fault("the end");
    }
    return value;
  }

  #value(): JsonValue {
    this.#skipSpace();
    switch (this.text[this.#at]) {
      case "{":
        return this.#nested(() => this.#object());
      case "[":
        return this.#nested(() => this.#array());
      case '"':
        return this.#string();
      default:
        return this.#wordOrNumber();
    }
  }

  #nested<T>(read: () => T): T {
    this.#depth += 1;
    if (this.#depth > this.deepest) {
      throw new Fault(`nested more than ${String(this.deepest)} levels deep`);
    }
    this.#at += 1;
    const value = read();
    this.#depth -= 1;
    return value;
  }

  #object(): JsonObject {
    // Without a prototype, no key means anything.
    const entries = Object.create(null) as Record<string, JsonValue>;
    this.#skipSpace();
    if (this.#takes("}")) {
      return entries;
    }
    do {
      this.#skipSpace();
      if (this.text[this.#at] !== '"') {
        throw this.#fault("a key in quotes");
      }
      const key = this.#string();
      this.#skipSpace();
      if (!this.#takes(":")) {
        throw this.#fault("a colon");
      }
      entries[key] = this.#value();
      this.#skipSpace();
    } while (this.#takes(","));
    if (!this.#takes("}")) {
      throw this.#fault("a comma or }");
    }
    return entries;
  }

  #array(): readonly JsonValue[] {
    const items: JsonValue[] = [];
    this.#skipSpace();
    if (this.#takes("]")) {
      return items;
    }
    do {
      items.push(this.#value());
      this.#skipSpace();
    } while (this.#takes(","));
    if (!this.#takes("]")) {
      throw this.#fault("a comma or ]");
    }
    return items;
  }

  #string(): string {
    this.#at += 1;
    let value = "";
    for (;;) {
      value += this.#matched(PLAIN);
      if (this.#takes('"')) {
        return value;
      }
      if (!this.#takes("\\")) {
        throw this.#fault(this.#at < this.text.length ? "a character that needs no escape" : "a closing quote");
      }
      if (this.#takes("u")) {
        const digits = this.#matched(HEX);
        if (digits === "") {
          throw this.#fault("four hexadecimal digits");
        }
        value += String.fromCharCode(parseInt(digits, 16));
        continue;
      }
      const character = ESCAPES[this.text[this.#at] ?? ""];
      if (character === undefined) {
        throw this.#fault("an escape");
      }
      value += character;
      this.#at += 1;
    }
  }

  #wordOrNumber(): JsonValue {
    const code = this.text.charCodeAt(this.#at);
    if (code < ZERO || code > NINE) {
      for (const [word, value] of WORDS) {
        if (this.text.startsWith(word, this.#at)) {
          this.#at += word.length;
          return value;
        }
      }
    }
    return this.#number();
  }

  #number(): JsonValue {
    NUMBER.lastIndex = this.#at;
    const found = NUMBER.exec(this.text);
    if (found === null) {
      throw this.#fault("a value");
    }
    const [digits, fraction, exponent] = found;
    if (fraction !== undefined || exponent !== undefined) {
      this.#at += digits.length;
      const value = Number(digits);
      return Number.isInteger(value) ? new JsonFloat(value) : value;
    }
    if (digits.length > MOST_DIGITS) {
      throw this.#fault(`a number of at most ${String(MOST_DIGITS)} digits`);
    }
    this.#at += digits.length;
    const value = Number(digits);
    return Number.isSafeInteger(value) ? value : BigInt(digits);
  }

  #skipSpace(): void {
    const code = this.text.charCodeAt(this.#at);
    if (code <= 0x20) {
      this.#matched(SPACE);
    }
  }

  #takes(character: string): boolean {
    if (this.text[this.#at] !== character) {
      return false;
    }
    this.#at += 1;
    return true;
  }

  #matched(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }

  #fault(expected: string): Fault {
    return new Fault(`expected JSON, but there is not ${expected} at character ${String(this.#at)}`);
  }
}
