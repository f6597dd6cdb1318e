/** Topics are built, parsed and matched; what would break out of its level is refused. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import * as channels from "../../../generated/typescript/channels.js";
import { IDENTIFIER_BYTES } from "../../../generated/typescript/limits.js";
import * as topics from "../../../generated/typescript/topics.js";
import { checkLevel, TopicError, TopicLayout } from "../../src/support/index.js";
import { camelCase } from "./names.js";

type Parameters = Readonly<Record<string, string | null>>;
type Layout = TopicLayout<Parameters>;

const PLACEHOLDER = "-";
const LAYOUTS = Object.entries(topics).map(([name, layout]) => ({ name, layout: layout as unknown as Layout }));
const LEVELS = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: IDENTIFIER_BYTES / 8 })
  .filter((level) => !/[/+#\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u.test(level) && level !== PLACEHOLDER)
  .filter((level) => Buffer.byteLength(level) <= IDENTIFIER_BYTES);

const TROUBLE: readonly (readonly [string, string])[] = [
  ["", "it is empty"],
  ["a/b", "it contains /"],
  ["a+", "it contains +"],
  ["a#b", "it contains #"],
  ["\u0000", "it contains U+0000"],
  ["a\n", "it contains U+000A"],
  ["\u009f", "it contains U+009F"],
  ["\ud800", "it contains U+D800"],
  ["\ufdd0", "it contains U+FDD0"],
  ["\u{10fffe}", "it contains U+10FFFE"],
  ["x".repeat(IDENTIFIER_BYTES + 1), `it is ${IDENTIFIER_BYTES + 1} bytes long, ${IDENTIFIER_BYTES} are allowed`],
  ["é".repeat((IDENTIFIER_BYTES + 1) / 2), `it is ${IDENTIFIER_BYTES + 1} bytes long`],
];

function namesOf(layout: Layout): string[] {
  return layout.address.split("/").flatMap((level) => (level.startsWith("{") ? [level.slice(1, -1)] : []));
}

/** Whether a parameter may be unknown. */
function isOptional(layout: Layout, name: string): boolean {
  try {
    layout.build({ ...all(layout, "x"), [camelCase(name)]: null });
    return true;
  } catch {
    return false;
  }
}

function all(layout: Layout, value: string): Parameters {
  return Object.fromEntries(namesOf(layout).map((name) => [camelCase(name), value]));
}

function parametersOf(layout: Layout): fc.Arbitrary<Parameters> {
  const known = namesOf(layout).map((name) => [
    camelCase(name),
    isOptional(layout, name) ? fc.option(LEVELS, { nil: null }) : LEVELS,
  ]);
  return fc.record(Object.fromEntries(known) as Record<string, fc.Arbitrary<string | null>>, { noNullPrototype: true });
}

function refused(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

it("has a layout for each channel", () => {
  const addresses = Object.values(channels.CHANNELS).map((channel) => channel.address);
  expect(LAYOUTS.map(({ layout }) => layout.address)).toEqual(addresses);
});

describe.each(LAYOUTS)("$name", ({ layout }) => {
  it("parses what it builds", () => {
    fc.assert(
      fc.property(parametersOf(layout), (parameters) => {
        const topic = layout.build(parameters);
        expect(layout.parse(topic)).toEqual(parameters);
        expect(layout.join(parameters)).toBe(topic);
        expect(topic.split("/")).toHaveLength(layout.address.split("/").length);
      }),
      { seed: 7, numRuns: 20 },
    );
  });

  it("makes filters of what is known", () => {
    expect(layout.filter()).toBe(layout.address.replace(/\{\w+\}/g, "+"));
    const first = namesOf(layout)[0];
    if (first !== undefined) {
      const filter = layout.filter({ [camelCase(first)]: "x" });
      expect(filter).toBe(layout.address.replace(`{${first}}`, "x").replace(/\{\w+\}/g, "+"));
    }
  });

  it("refuses what is no topic of the channel", () => {
    const topic = layout.build(all(layout, "x"));
    for (const foreign of ["", "/", `${topic}/`, `/${topic}`, topic.toUpperCase(), `${topic}/x`]) {
      expect(refused(() => layout.parse(foreign))).toMatchObject({
        name: "TopicError",
        parameter: "topic",
        value: foreign,
      });
    }
    for (const { layout: other } of LAYOUTS.filter((one) => one.layout !== layout)) {
      expect(refused(() => other.parse(topic))).toBeInstanceOf(TopicError);
    }
  });

  it("refuses what would break out of its level", () => {
    for (const name of namesOf(layout)) {
      for (const [value, reason] of TROUBLE) {
        const parameters = { ...all(layout, "x"), [camelCase(name)]: value };
        const filter = { [camelCase(name)]: value };
        for (const error of [refused(() => layout.build(parameters)), refused(() => layout.filter(filter))]) {
          expect(error).toMatchObject({ name: "TopicError", parameter: name, value });
          expect((error as TopicError).reason).toContain(reason);
        }
        if (!value.includes("/")) {
          const topic = layout.address.replace(`{${name}}`, () => value).replace(/\{\w+\}/g, "x");
          expect(refused(() => layout.parse(topic))).toMatchObject({ parameter: name, value });
        }
      }
      const placeholder = { ...all(layout, "x"), [camelCase(name)]: PLACEHOLDER };
      if (isOptional(layout, name)) {
        expect(refused(() => layout.build(placeholder))).toMatchObject({
          reason: "it stands for one that is not known",
        });
      } else {
        expect(layout.build(placeholder)).toContain(PLACEHOLDER);
      }
    }
  });
});

it("checks a level alone", () => {
  for (const [value, reason] of TROUBLE) {
    const error = refused(() => checkLevel("name", value, IDENTIFIER_BYTES));
    expect((error as TopicError).reason).toContain(reason);
  }
  expect(checkLevel("name", "é".repeat(127), IDENTIFIER_BYTES)).toHaveLength(127);
});

it("refuses a first level that brokers keep for themselves", () => {
  const layout = new TopicLayout<{ readonly site: string }>("{site}/lamps", [{ name: "site", property: "site" }], 9);
  expect(layout.build({ site: "a$" })).toBe("a$/lamps");
  expect(refused(() => layout.build({ site: "$a" }))).toMatchObject({ parameter: "site" });
  expect(refused(() => layout.parse("$a/lamps"))).toMatchObject({ parameter: "site" });
});
