/**
 * JSON, read strictly: what it says of a number, whether it is an integer, is kept, and how deep it nests is bounded.
 *
 * An object is read as a Map, so that no key means anything to the language. Of a key that comes twice, the last counts.
 */

import { Fault } from "./fault.js";

/** A number with a point or an exponent, or one that is none. */
export class JsonFloat {
  constructor(readonly value: number) {}
}

/** What JSON can say; an integer that a number does not hold exactly is a bigint. */
export type JsonValue =
  null | boolean | string | number | bigint | JsonFloat | readonly JsonValue[] | ReadonlyMap<string, JsonValue>;

const SPACE = /[ \t\n\r]*/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
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
const WORDS: Readonly<Record<string, JsonValue>> = {
  null: null,
  true: true,
  false: false,
  NaN: new JsonFloat(NaN),
  Infinity: new JsonFloat(Infinity),
  "-Infinity": new JsonFloat(-Infinity),
};
const MOST_DIGITS = 4300;

/** Read one JSON value, in which brackets nest no deeper than `deepest`; throws a `Fault`. */
export function parseJson(text: string, deepest: number): JsonValue {
  return new Parser(text, deepest).whole();
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
        return this.#word() ?? this.#number();
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

  #object(): ReadonlyMap<string, JsonValue> {
    const entries = new Map<string, JsonValue>();
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
      entries.set(key, this.#value());
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

  #word(): JsonValue | undefined {
    for (const [word, value] of Object.entries(WORDS)) {
      if (this.text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    return undefined;
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
      return new JsonFloat(Number(digits));
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
