/** Topics of a channel, made from its address: built, taken apart, and matched by filters. */

import { TopicError } from "./errors.js";
import { utf8Length } from "./text.js";

/** A parameter of an address, which fills one level of it. */
export interface TopicParameter {
  /** Its name in the address. */
  readonly name: string;
  /** The property that holds its value. */
  readonly property: string;
  /** What stands in its place where it is not known, if it may be unknown: the value is null then. */
  readonly unknown?: string;
}

// MQTT 5.0 (1.5.4) forbids these, or lets a broker end the connection for them.
const UNPUBLISHABLE = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u;
// What ends a level, or makes a filter of a topic (MQTT 5.0, 4.7.1), as well.
const FORBIDDEN = /[/+#\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u;

/** Whether a text has a character that no topic may have. */
export function isUnpublishable(text: string): boolean {
  return UNPUBLISHABLE.test(text);
}

/** Return `value` if a level of a topic that is `parameter` can hold it; throws a `TopicError` otherwise. */
export function checkLevel(parameter: string, value: string, longest: number): string {
  if (value === "") {
    throw new TopicError(parameter, value, "it is empty, which no level of a topic can be");
  }
  const forbidden = FORBIDDEN.exec(value)?.[0];
  if (forbidden !== undefined) {
    const code = (forbidden.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    const character = UNPUBLISHABLE.test(forbidden) ? `U+${code}` : forbidden;
    throw new TopicError(parameter, value, `it contains ${character}, which cannot be in a level of a topic`);
  }
  // No character takes more than three bytes for each of its code units.
  if (value.length * 3 > longest) {
    const length = utf8Length(value);
    if (length > longest) {
      throw new TopicError(parameter, value, `it is ${String(length)} bytes long, ${String(longest)} are allowed`);
    }
  }
  return value;
}

type Level = string | TopicParameter;

/** The topics of one channel; `Parameters` is what a topic says. */
export class TopicLayout<Parameters extends object> {
  readonly #levels: readonly Level[];
  readonly #longest: number;

  constructor(
    /** The address, with parameters in braces. */
    readonly address: string,
    parameters: readonly TopicParameter[],
    longest: number,
  ) {
    const byName = new Map(parameters.map((one) => [`{${one.name}}`, one]));
    this.#levels = address.split("/").map((level) => byName.get(level) ?? level);
    this.#longest = longest;
  }

  /** Build a topic; throws a `TopicError`. */
  build(parameters: Parameters): string {
    const given = parameters as Readonly<Record<string, string | null>>;
    return this.#levels
      .map((level, index) =>
        typeof level === "string" ? level : this.#written(level, given[level.property] ?? null, index),
      )
      .join("/");
  }

  /** Build a topic without a check: its levels must be ones that `build` takes. */
  join(parameters: Parameters): string {
    const given = parameters as Readonly<Record<string, string | null>>;
    return this.#levels
      .map((level) => (typeof level === "string" ? level : (given[level.property] ?? level.unknown ?? "")))
      .join("/");
  }

  /** Build the filter that matches all topics with these parameters, and any of those left out. */
  filter(parameters: { readonly [Name in keyof Parameters]?: NonNullable<Parameters[Name]> } = {}): string {
    const given = parameters as Readonly<Record<string, string | undefined>>;
    return this.#levels
      .map((level) => {
        if (typeof level === "string") {
          return level;
        }
        const value = given[level.property];
        return value === undefined ? "+" : checkLevel(level.name, value, this.#longest);
      })
      .join("/");
  }

  /** Take a topic of this channel apart; throws a `TopicError`. */
  parse(topic: string): Parameters {
    const parts = topic.split("/");
    const levels = this.#levels;
    if (
      parts.length !== levels.length ||
      levels.some((level, index) => typeof level === "string" && level !== parts[index])
    ) {
      throw new TopicError("topic", topic, `expected a topic of the form ${this.address}`);
    }
    const parsed: Record<string, string | null> = {};
    levels.forEach((level, index) => {
      if (typeof level !== "string") {
        const part = parts[index] ?? "";
        parsed[level.property] = part === level.unknown ? null : this.#checked(level, part, index);
      }
    });
    return parsed as Parameters;
  }

  #written(parameter: TopicParameter, value: string | null, index: number): string {
    if (value === null) {
      if (parameter.unknown === undefined) {
        throw new TopicError(parameter.name, "", "it is missing");
      }
      return parameter.unknown;
    }
    if (value === parameter.unknown) {
      throw new TopicError(parameter.name, value, "it stands for one that is not known");
    }
    return this.#checked(parameter, value, index);
  }

  #checked(parameter: TopicParameter, value: string, index: number): string {
    if (index === 0 && value.startsWith("$")) {
      throw new TopicError(parameter.name, value, "it begins with $, which brokers keep for themselves");
    }
    return checkLevel(parameter.name, value, this.#longest);
  }
}
