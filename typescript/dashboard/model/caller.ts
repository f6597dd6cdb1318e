/** Calls an operation of a plugin, as a core that is there for one call. */

import { policyObstacles } from "./compliance.js";
import { treeOfPayload } from "./tree.js";
import { plainOf, simple, type Plain } from "./values.js";
import type { Settings } from "./settings.js";
import type { OperationInfo } from "../../../generated/typescript/messages.js";
import { connectMqtt, Core, NoConnectionError, PayloadSet, type ConnectionsAnswer } from "../../src/index.js";
import { typeOfSchema, type PayloadType } from "../../src/message/payload-type.js";
import { expectsSomething, type SchemaSet } from "../../src/schema/schema-set.js";

/** What is called. */
export interface Called {
  readonly plugin: string;
  readonly operation: string;
  readonly description: OperationInfo;
  /** Of the plugin, to tell why there is no connection. */
  readonly connections: ConnectionsAnswer | null;
}

/** What came of a call. */
export interface Outcome {
  /** The answer; `undefined` where the operation gives none. */
  readonly answer: Plain | undefined;
  /** Seconds from the input to the answer. */
  readonly seconds: number;
}

const GOODBYE = 1;

/** Call an operation, and wait for its answer; throws what went wrong. */
export async function call(
  settings: Settings,
  { plugin, operation, description, connections }: Called,
  value: unknown,
  timeout: number,
): Promise<Outcome> {
  const suffix = Array.from(crypto.getRandomValues(new Uint8Array(5)), (byte) => byte.toString(36)).join("");
  const identifier = settings.hasOneCaller ? (settings.callers ?? "") : `${settings.callers ?? ""}${suffix}`;
  const bus = connectMqtt(settings.webSocket(`core/${suffix}`), { others: { timerVariant: "native" } });
  const core = new Core({ identifier, bus, introspection: false, log: QUIET });
  const output = setOf(description.output);
  core.require(
    { name: operation, input: setOf(description.input), output },
    { mandatory: [plugin], allowlist: [plugin] },
  );
  await core.start();
  try {
    try {
      await core.compliant({ signal: AbortSignal.timeout(1000 * timeout) });
    } catch {
      const reasons = policyObstacles(identifier, plugin, description, operation, connections);
      const why = reasons.length === 0 ? "it does not say why" : reasons.join("; ");
      throw new NoConnectionError(`no connection with ${plugin} within ${timeout} s: ${why}`);
    }
    const begun = performance.now();
    if (!expectsSomething(description.output)) {
      await core.execute(operation, value, { plugin });
      return { answer: undefined, seconds: (performance.now() - begun) / 1000 };
    }
    const answer = await core.request(operation, value, { plugin, timeout });
    return { answer: plainAnswer(output.types, answer), seconds: (performance.now() - begun) / 1000 };
  } finally {
    await core.leave(GOODBYE);
    await core.stop();
  }
}

function setOf(set: SchemaSet): PayloadSet<unknown> {
  const types = set.schemas.map((schema) => typeOfSchema(schema));
  return new PayloadSet<unknown>(types, set.supportEmptySchema, set.supportUndefinedSchema);
}

function plainAnswer(types: readonly PayloadType[], answer: unknown): Plain {
  const type = types.find((one) => !one.isOfProtocol && one.matches(answer));
  return type === undefined ? simple(answer) : plainOf(treeOfPayload(type), answer);
}

const QUIET = { warn: (): void => undefined, error: (): void => undefined };
