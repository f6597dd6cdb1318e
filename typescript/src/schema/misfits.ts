/** Why what one side writes is not read by the other side, told to people: by Avro's schema resolution, or exactly. */

import { closeness, shortName } from "./closeness.js";
import { refusalText, schemaDifferences, shortened } from "./difference.js";
import { canonicalForm, fingerprintOfSchema, isSchema, parsedSchema } from "./forms.js";
import { match } from "./matching.js";
import { refusalOf } from "./resolution.js";
import { accepts, type SchemaSet } from "./schema-set.js";
import { isObject, valueOf } from "../support/json.js";

/** Inputs, outputs and schemas of each side among which the closest are looked for. */
const ALTERNATIVES = 8;
/** Characters that are shown of what is no schema with a name. */
const LONGEST = 80;

/** What one side takes and gives, or may. */
export interface Shapes {
  readonly inputs: readonly SchemaSet[];
  readonly outputs: readonly SchemaSet[];
}

/** What both sides take and give, where that differs. */
export interface Difference {
  /** This side. */
  readonly here: Shapes;
  /** The remote. */
  readonly there: Shapes;
  /** Between peers that resolve schemas: the fingerprints of those that match the same schema alone. */
  readonly exact: ReadonlySet<string> | null;
}

/**
 * Return how what two sides take and give for an operation differs, where it does not fit.
 *
 * `isPlugin` says that this side is the plugin, which reads inputs and writes outputs.
 */
export function misfits({ here, there, exact }: Difference, isPlugin: boolean): readonly string[] {
  const [plugin, core] = isPlugin ? [here, there] : [there, here];
  if (exact === null) {
    const isTaken = plugin.inputs.some((one) => core.inputs.some((other) => accepts(one, other)));
    const isGiven = core.outputs.some((one) => plugin.outputs.some((other) => accepts(one, other)));
    return [
      ...(isTaken ? [] : differences(here.inputs, there.inputs).map((one) => `input: ${one}`)),
      ...(isGiven ? [] : differences(here.outputs, there.outputs).map((one) => `output: ${one}`)),
    ];
  }
  const input = new Direction(core.inputs, plugin.inputs, exact, !isPlugin).misfit();
  const output = new Direction(plugin.outputs, core.outputs, exact, isPlugin).misfit();
  return [...(input === null ? [] : [`input: ${input}`]), ...(output === null ? [] : [`output: ${output}`])];
}

function differences(here: readonly SchemaSet[], there: readonly SchemaSet[]): readonly string[] {
  const schemas = [here, there].map((side) => side.flatMap((one) => one.schemas)) as [string[], string[]];
  const found = schemaDifferences(...schemas);
  return found.length > 0 ? found : [setsText(here.slice(0, ALTERNATIVES), there.slice(0, ALTERNATIVES))];
}

function setsText(here: readonly SchemaSet[], there: readonly SchemaSet[]): string {
  const [mine, theirs] = [here, there].map((side) => shortened(side.map(shownSet).join(" or ")));
  return `${String(mine)} here and ${String(theirs)} there`;
}

/** Why one schema is not read by another one. */
interface Reason {
  /** Whether it is a difference inside, which is closer than one of the whole. */
  readonly isInside: boolean;
  /** How alike their names are. */
  readonly closeness: number;
  readonly text: string;
}

/** What one side writes and the other one reads: inputs or outputs. */
class Direction {
  readonly #writes: readonly SchemaSet[];
  readonly #reads: readonly SchemaSet[];

  constructor(
    writes: readonly SchemaSet[],
    reads: readonly SchemaSet[],
    private readonly exact: ReadonlySet<string>,
    /** Whether this side writes. */
    private readonly writesHere: boolean,
  ) {
    this.#writes = writes.slice(0, ALTERNATIVES);
    this.#reads = reads.slice(0, ALTERNATIVES);
  }

  /** Return why no alternative that is written is read by one of the other side; `null` if one is. */
  misfit(): string | null {
    const isRead = (written: SchemaSet, read: SchemaSet): boolean =>
      match(written, read, this.exact, () => true) !== null;
    if (this.#writes.some((written) => this.#reads.some((read) => isRead(written, read)))) {
      return null;
    }
    const [written] = this.#writes;
    const [read] = this.#reads;
    if (this.#writes.length === 1 && this.#reads.length === 1 && written !== undefined && read !== undefined) {
      const text = this.#oneMore(written, read);
      if (text !== null) {
        return text;
      }
    }
    const [first, ...others] = this.#reasons();
    if (first !== undefined) {
      return others.reduce((best, one) => (isCloser(one, best) ? one : best), first).text;
    }
    return this.writesHere ? setsText(this.#writes, this.#reads) : setsText(this.#reads, this.#writes);
  }

  /**
   * Return that one side may send a message of which the other side has none with that name; `null` if not so.
   *
   * That is no difference between two schemas: one side has one more, such as an error that a newer version declares.
   */
  #oneMore(written: SchemaSet, read: SchemaSet): string | null {
    const known = new Set(read.schemas.map((schema) => shortName(nameOf(schema))));
    const shown = written.schemas.slice(0, ALTERNATIVES);
    const more = shown.filter((schema) => !known.has(shortName(nameOf(schema))) && !this.#isRead(schema, read));
    if (more.length === 0 || more.length === shown.length) {
      return null;
    }
    const listed = (schemas: readonly string[]): string => schemas.map((one) => shortened(nameOf(one))).join(" and ");
    const [here, there] = this.writesHere ? ["here", "there"] : ["there", "here"];
    const whose = this.writesHere ? "the other side" : "this side";
    return (
      `${listed(more)} may be sent from ${here} (a declared error counts), and all that is taken ${there} is ` +
      `${listed(read.schemas.slice(0, ALTERNATIVES))}: give ${whose} a version that takes ${listed(more)} first`
    );
  }

  /** Whether one of several schemas reads what another one has written. */
  #isRead(writer: string, read: SchemaSet): boolean {
    return read.schemas
      .slice(0, ALTERNATIVES)
      .some(
        (reader) =>
          canonicalForm(writer) === canonicalForm(reader) ||
          (!this.#isExact(reader) && refusalOf(writer, reader) === null),
      );
  }

  /** Why one schema is not read by another one, for all that are written and read. */
  #reasons(): Reason[] {
    return this.#writes.flatMap((written) =>
      this.#reads.flatMap((read) => {
        const forms = new Set(read.schemas.map(canonicalForm));
        return written.schemas
          .slice(0, ALTERNATIVES)
          .filter((writer) => !forms.has(canonicalForm(writer)))
          .flatMap((writer) =>
            read.schemas.slice(0, ALTERNATIVES).flatMap((reader) => this.#reason(writer, reader) ?? []),
          );
      }),
    );
  }

  #reason(writer: string, reader: string): Reason | null {
    const alike = closeness(nameOf(writer), nameOf(reader));
    if (this.#isExact(writer) || this.#isExact(reader)) {
      const [here, there] = this.writesHere ? [writer, reader] : [reader, writer];
      const told = schemaDifferences([here], [there]).join("; ");
      return { isInside: true, closeness: alike, text: `only the same schema matches: ${told}` };
    }
    const refusal = refusalOf(writer, reader);
    return refusal === null
      ? null
      : { isInside: refusal.path !== "", closeness: alike, text: refusalText(refusal, this.writesHere) };
  }

  #isExact(schema: string): boolean {
    return this.exact.size > 0 && this.exact.has(fingerprintOfSchema(schema));
  }
}

/** Whether a reason is to be told rather than another one; of two that are equally close, the greater text is. */
function isCloser(one: Reason, other: Reason): boolean {
  if (one.isInside !== other.isInside) {
    return one.isInside;
  }
  return one.closeness === other.closeness ? one.text > other.text : one.closeness > other.closeness;
}

/** Name what a set accepts, as in `StringMessage or empty events`. */
function shownSet(set: SchemaSet): string {
  if (set.supportUndefinedSchema) {
    return "anything";
  }
  const names = set.schemas.map(nameOf);
  return [...names, ...(set.supportEmptySchema ? ["empty events"] : [])].join(" or ") || "nothing";
}

/** The name of a schema, or what there is of it. */
function nameOf(schema: string): string {
  const parsed = isSchema(schema) ? parsedSchema(schema) : null;
  const name = isObject(parsed) ? valueOf(parsed, "name") : undefined;
  return typeof name === "string" ? name : schema.slice(0, LONGEST);
}
