/**
 * Whether the operation of a plugin suits a core: input and output are the same, or resolve between peers that can.
 *
 * The core writes inputs and the plugin reads them; the plugin writes outputs and the core reads them. Peers of version
 * 1.1 resolve schemas; with all others, only the same schemas match.
 */

import type {
  DiscoverQuery,
  OfferedOperation,
  OfferMessage,
  RequestOperationMessage,
} from "../../../generated/typescript/messages.js";
import { foreignSchemas, match, NotCompared, type SchemaPair } from "../schema/matching.js";
import { accepts, NOTHING, spelledLike, type SchemaSet } from "../schema/schema-set.js";

import type { OperationTerms, PluginConfig, RequirementTerms } from "./config.js";
import { isOfVersion11, type Reader } from "./headers.js";
import type { Shapes } from "../schema/misfits.js";
import { Obstacle, UNREAD_SCHEMAS } from "./obstacles.js";
import type { Quotas } from "./quotas.js";
import type { Slot } from "./slots.js";
import type { AskingCore } from "./waiting-queries.js";

/** How many bytes what reads a schema takes for each character of it, at most about. */
const READER_BYTES = 64;

/** By operation name: the fingerprints of the schemas that a remote wants to be matched exactly. */
export type ExactSchemas = ReadonlyMap<string, readonly string[]>;

/** Input and output of an operation. */
export interface Shape {
  readonly input: SchemaSet;
  readonly output: SchemaSet;
}

/** What a core and an offered operation have in common, as the core sees it. */
export interface Fit {
  /** What the core may send. */
  readonly input: SchemaSet;
  /** What it gets. */
  readonly output: SchemaSet;
  /** The schemas with which it writes, if these are not those that are offered. */
  readonly inputSchemas: readonly string[];
  /** The schemas with which the plugin writes, as far as they are none of `output`. */
  readonly foreign: ReadonlyMap<string, SchemaPair> | null;
}

/** Holds inputs and outputs of one orbiter against those of remotes. Times are seconds on the caller's clock. */
export class Matching {
  /** Whether schemas were not compared, when that was last tried, since that was more than the quota admits. */
  #isCutShort = false;

  constructor(private readonly quotas: Quotas) {}

  /**
   * Return input and output of a plugin's operation as they are offered in answer to a query, if they suit it.
   *
   * A side that is the same as what the core asks for is repeated in the words of the query.
   */
  shapeFor(terms: OperationTerms, name: string, query: DiscoverQuery, asking: AskingCore, now: number): Shape | null {
    const exact = [...terms.exact, ...(asking.exactSchemas.get(name) ?? [])];
    let { input, output } = terms;
    if (query.inputs.some((theirs) => accepts(input, theirs))) {
      input = spelledLike(input, query.inputs);
    } else if (this.#firstMatch(query.inputs, [input], exact, asking, now) === null) {
      return null;
    }
    if (query.outputs.some((wanted) => accepts(wanted, output))) {
      output = spelledLike(output, query.outputs);
    } else if (this.#firstMatch([output], query.outputs, exact, asking, now) === null) {
      return null;
    }
    return { input, output };
  }

  /** Return what a core can do with an offered operation, if that is what it requires. */
  fit(
    terms: RequirementTerms,
    offered: OfferedOperation,
    remote: Reader,
    exactThere: ExactSchemas,
    now: number,
  ): Fit | null {
    const exact = [...terms.exact, ...(exactThere.get(offered.name) ?? [])];
    const { input: taken, output: given } = offered;
    let fit: Fit = { input: taken, output: given, inputSchemas: [], foreign: null };
    if (!terms.inputs.some((mine) => accepts(taken, mine))) {
      const found = this.#firstMatch(terms.inputs, [taken], exact, remote, now);
      if (found === null) {
        return null;
      }
      const inputSchemas = found.map((pair) => pair.writer);
      const input = { ...NOTHING, schemas: inputSchemas, supportEmptySchema: taken.supportEmptySchema };
      fit = { ...fit, input, inputSchemas };
    }
    if (!terms.outputs.some((wanted) => accepts(wanted, given))) {
      const found = this.#firstMatch([given], terms.outputs, exact, remote, now);
      if (found === null) {
        return null;
      }
      const schemas = [...new Set(found.map((pair) => pair.reader))];
      const output = { ...NOTHING, schemas, supportEmptySchema: given.supportEmptySchema };
      fit = { ...fit, output, foreign: foreignSchemas(found) };
    }
    return fit;
  }

  /**
   * Return how a plugin reads the inputs that a request announces, or why it cannot.
   *
   * `reads` is the input that was offered.
   */
  readInputs(
    reads: SchemaSet,
    terms: OperationTerms,
    request: RequestOperationMessage,
    remote: Reader,
    now: number,
  ): readonly SchemaPair[] | Obstacle {
    const { coreIdentifier, operationName, inputSchemas } = request;
    const writes: SchemaSet = { ...NOTHING, schemas: inputSchemas };
    this.#isCutShort = !this.quotas.admitSchemas(inputSchemas, now);
    if (!this.#isCutShort) {
      if (accepts(reads, writes)) {
        return [];
      }
      const found = this.#firstMatch([writes], [reads], terms.exact, remote, now);
      if (found !== null) {
        return found;
      }
    }
    const here: Shapes = { inputs: [terms.input], outputs: [terms.output] };
    const there: Shapes = { inputs: [writes], outputs: [terms.output] };
    return this.obstacle(coreIdentifier, operationName, { here, there, exact: terms.exact }, remote);
  }

  /** Return why nothing matched; `there` is what the remote takes and gives, or may. */
  obstacle(
    remoteIdentifier: string,
    operationName: string,
    sides: { readonly here: Shapes; readonly there: Shapes; readonly exact: readonly string[] },
    remote: Reader,
  ): Obstacle {
    if (this.#isCutShort) {
      return new Obstacle(remoteIdentifier, operationName, "limit", UNREAD_SCHEMAS);
    }
    const { here, there } = sides;
    const exact = isOfVersion11(remote) ? new Set(sides.exact) : null;
    return new Obstacle(remoteIdentifier, operationName, "schemas", "", { here, there, exact });
  }

  /** Return how the first alternative is read that can be, by resolution. */
  #firstMatch(
    writes: readonly SchemaSet[],
    reads: readonly SchemaSet[],
    exact: readonly string[],
    remote: Reader,
    now: number,
  ): readonly SchemaPair[] | null {
    this.#isCutShort = false;
    if (!isOfVersion11(remote)) {
      return null;
    }
    const known = new Set(exact);
    try {
      for (const written of writes) {
        for (const read of reads) {
          const found = match(written, read, known, (size) => this.quotas.admitComparison(size, now));
          if (found !== null) {
            return found;
          }
        }
      }
    } catch (error) {
      if (!(error instanceof NotCompared)) {
        throw error;
      }
      this.#isCutShort = true;
    }
    return null;
  }
}

/** About how many bytes foreign schemas take, with what reads them. */
export function sizeOfForeign(foreign: ReadonlyMap<string, SchemaPair> | null): number {
  return [...(foreign?.values() ?? [])].reduce((size, pair) => size + READER_BYTES * pair.writer.length, 0);
}

/** Return the message that offers the operations of slots, of which there may be one for each operation. */
export function offerMessageOf(config: PluginConfig, coreIdentifier: string, slots: readonly Slot[]): OfferMessage {
  const topics = config.topics;
  const exactSchemas = new Map<string, readonly string[]>();
  for (const { operationName } of slots) {
    const exact = config.operations.get(operationName)?.exact ?? [];
    if (exact.length > 0) {
      exactSchemas.set(operationName, exact);
    }
  }
  return {
    pluginIdentifier: config.identifier,
    offeredOperations: slots.map((slot) => ({ name: slot.operationName, input: slot.input, output: slot.output })),
    replyTopic: topics.reply(coreIdentifier),
    consideredDeadAfter: config.considerOthersDeadAfter ?? Infinity,
    pluginKeepaliveTopic: topics.keepalive(coreIdentifier),
    pluginKeepaliveRequestTopic: topics.keepaliveRequest(coreIdentifier),
    exactSchemas,
  };
}
