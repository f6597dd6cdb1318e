/** Values in the texts of errors: quoted, shortened, on part of a line. */

const LONGEST = 100;
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Quote a text for an error, shortened; what cannot be printed is escaped. */
export function shown(text: string): string {
  const characters = Array.from(text.length > 4 * LONGEST ? text.slice(0, 4 * LONGEST) : text);
  const isLong = characters.length > LONGEST;
  const kept = isLong ? [...characters.slice(0, LONGEST), "…"] : characters;
  return `"${kept.map(escaped).join("")}"`;
}

/** Quote a text that others have chosen as it may stand in a line: what cannot be printed is escaped, and it is not long. */
export function quoted(text: string, longest: number): string {
  const characters = Array.from(text.length > 2 * longest ? text.slice(0, 2 * longest) : text);
  const kept = characters.length > longest ? [...characters.slice(0, longest - 1), "…"] : characters;
  const quote = kept.includes("'") && !kept.includes('"') ? '"' : "'";
  return quote + kept.map((one) => (one === "\\" || one === quote ? `\\${one}` : printed(one))).join("") + quote;
}

/** Show any value for an error: of what type it is, and a bit of it. */
export function shownValue(value: unknown): string {
  switch (typeof value) {
    case "string":
      return `a string ${shown(value.length > 60 ? `${value.slice(0, 60)}…` : value)}`;
    case "number":
      return `a number ${String(value)}`;
    case "bigint":
      return shownInteger(value);
    case "boolean":
    case "undefined":
      return String(value);
    case "object":
      if (value === null) {
        return "null";
      }
      return Array.isArray(value) ? `an array of ${String(value.length)}` : `an object ${nameOfClass(value)}`;
    default:
      return `a ${typeof value}`;
  }
}

/** Show an integer, which may have more digits than anybody reads. */
export function shownInteger(value: bigint): string {
  const digits = value.toString();
  return digits.length > 40 ? `a bigint of ${String(digits.length)} digits` : `a bigint ${digits}`;
}

function nameOfClass(value: object): string {
  const prototype = Object.getPrototypeOf(value) as { readonly constructor?: unknown } | null;
  const made = prototype?.constructor;
  return typeof made === "function" && made.name !== "" ? made.name : "without a class";
}

function escaped(character: string): string {
  return character === "\\" || character === '"' ? `\\${character}` : printed(character);
}

/** Return a character, or what stands for one that cannot be printed. */
function printed(character: string): string {
  if (PRINTABLE.test(character)) {
    return character;
  }
  const short = SHORT[character];
  if (short !== undefined) {
    return short;
  }
  const code = character.codePointAt(0) ?? 0;
  const digits = code.toString(16);
  if (code < 0x100) {
    return `\\x${digits.padStart(2, "0")}`;
  }
  return code < 0x10000 ? `\\u${digits.padStart(4, "0")}` : `\\U${digits.padStart(8, "0")}`;
}
