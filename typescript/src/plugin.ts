/** What provides operations to cores. */

import { DIRECTED_DISCOVER, DISCOVER, REPLY, RESPONSE, type Channel } from "../../generated/typescript/channels.js";
import { OVERLOADED_ANSWERS_PER_SECOND } from "../../generated/typescript/limits.js";
import { DirectedDiscoverTopic, ReplyTopic, ResponseTopic } from "../../generated/typescript/topics.js";
import { OrbiterStateError } from "./errors.js";
import type { PayloadSet, PayloadType } from "./message/payload-type.js";
import { exactOf, inputsThatAreRead } from "./message/exact.js";
import { declares, sentBy, type Operation } from "./operation.js";
import { Orbiter, type OrbiterOptions } from "./orbiter.js";
import { pluginConfig, type OperationTerms, type PluginConfig } from "./protocol/config.js";
import { PluginMachine, type Identifiers } from "./protocol/machine.js";
import { RateLimiter } from "./protocol/rate-limiter.js";
import type { Slot } from "./protocol/slots.js";
import { AskedInputs, Request, type Asked } from "./runtime/asked-inputs.js";
import type { Connection } from "./runtime/connection.js";
import type { Arrival } from "./runtime/delivery.js";
import type { Description } from "./runtime/introspection.js";
import { explainPlugin } from "./runtime/explanation.js";
import { bounded } from "./runtime/operation-counters.js";
import { connectionOf, describe, now, type RoleTaker } from "./runtime/runtime.js";
import type { WorkSpan } from "./runtime/tracing.js";

/** To whom an operation is lent, and how it is handled. */
export interface Policy {
  /** How many cores may have it at a time; by default any number. */
  readonly maximum?: number;
  /** The cores that alone may have it. */
  readonly allowlist?: readonly string[];
  /** Cores that may not have it. */
  readonly blocklist?: readonly string[];
  /** How many inputs of one connection are handled side by side. */
  readonly concurrency?: number;
  /** Sets it up for a core, with what that has sent for it; what throws refuses the core. */
  readonly setUp?: (coreIdentifier: string, setupData: Uint8Array | null) => unknown;
}

/**
 * Handles an input: what it returns, or what it yields, goes to the core.
 *
 * The first output answers a core that waits. `undefined` sends nothing, except to such a core; `null` sends an empty
 * event where the operation may give one.
 */
export type Handler<I, O> = (request: Request<I, O>) => Result<O> | Promise<Result<O>> | AsyncIterable<O>;

/** What a handler returns; functions that return nothing are handlers as well. */
// eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- what an async function without a result returns
type Result<O> = O | null | undefined | void;

interface Provided {
  readonly operation: Operation<unknown, unknown>;
  /** What it sends to cores: outputs and errors. */
  readonly sends: PayloadSet<unknown>;
  readonly handler: Handler<unknown, unknown> | null;
  readonly policy: Policy;
}

/**
 * Provides operations to cores.
 *
 *     const lamp = new Plugin({ identifier: "lamp", bus: connectMqtt("mqtt://localhost:1883") });
 *     lamp.operation(turnOn, async (request) => `${request.value} is on`);
 *     await lamp.start();
 *
 * It can be stopped and started again. Methods that need a running plugin throw an `OrbiterStateError` where it is not.
 */
export class Plugin extends Orbiter<PluginMachine> {
  readonly #operations = new Map<string, Provided>();
  readonly #asked = new AskedInputs();
  readonly #overloaded = new RateLimiter();
  readonly #options: OrbiterOptions;

  constructor(options: OrbiterOptions) {
    super(options);
    this.#options = options;
  }

  /** Provide an operation, or give one that is provided another handler, also while the plugin runs. */
  operation<I, O>(operation: Operation<I, O>, handler: Handler<I, O> | null, policy: Policy = {}): this {
    this.#operations.set(operation.name, {
      operation,
      sends: sentBy(operation),
      handler: handler as Handler<unknown, unknown> | null,
      policy,
    });
    this.#reconfigure();
    return this;
  }

  /** Provide an operation no more; its connections are closed gracefully. */
  withdraw(operationName: string): this {
    this.#operations.delete(operationName);
    this.#reconfigure();
    return this;
  }

  /** Lend an operation by another policy; connections that it does not allow are closed gracefully. */
  setPolicy(operationName: string, policy: Policy): this {
    const provided = this.#operations.get(operationName);
    if (provided === undefined) {
      throw new OrbiterStateError(`'${this.identifier}' has no operation '${operationName}'`);
    }
    this.#operations.set(operationName, { ...provided, policy: { ...keptOf(provided.policy), ...policy } });
    this.#reconfigure();
    return this;
  }

  /**
   * Send an output to every core that is connected for an operation, or to one; returns how many that were.
   *
   * It answers no input: sinks take it.
   */
  async send<O>(operation: Operation<unknown, O> | string, value: O, options: { core?: string } = {}): Promise<number> {
    const name = typeof operation === "string" ? operation : operation.name;
    const provided = this.#operations.get(name);
    if (provided === undefined) {
      throw new OrbiterStateError(`'${this.identifier}' has no operation '${name}' to send outputs of`);
    }
    const payload = provided.sends.payloadOf(value);
    const takers = this.machine.slots
      .answerableOfOperation(name)
      .filter(
        (slot) => slot.outputTopic !== null && (options.core === undefined || options.core === slot.remoteIdentifier),
      );
    const connections = takers.map((slot) => connectionOf(slot)).filter((one) => one !== null);
    const publish = async (traceparent: string | null): Promise<void> => {
      await Promise.all(
        connections.map((one) => {
          this.machine.touch(one.slot, now());
          return one.publish(payload, { traceparent });
        }),
      );
    };
    const slots = connections.map((one) => one.slot);
    await (this.tracing === null || slots.length === 0
      ? publish(null)
      : this.tracing.send(name, slots, (span) => publish(span.traceparent)));
    return connections.length;
  }

  protected override makeMachine(given: Identifiers): PluginMachine {
    return new PluginMachine(this.#config(), given);
  }

  protected override filters(): [string, Channel][] {
    const mine = { pluginIdentifier: this.identifier };
    return [
      [ReplyTopic.filter(mine), REPLY],
      [this.#options.discoverTopic ?? DISCOVER.address, DISCOVER],
      [DirectedDiscoverTopic.filter(mine), DIRECTED_DISCOVER],
    ];
  }

  protected override topicToItself(): { topic: string; channel: Channel } {
    const me = this.identifier;
    return { topic: ResponseTopic.build({ pluginIdentifier: me, coreIdentifier: me }), channel: RESPONSE };
  }

  protected override description(): Description {
    const operations = new Map(
      [...this.#config().operations].map(([name, terms]) => [
        name,
        {
          input: terms.input,
          output: terms.output,
          maximum: terms.maximum,
          allowlist: terms.allowlist === null ? null : [...terms.allowlist].sort(),
          blocklist: terms.blocklist.size === 0 ? null : [...terms.blocklist].sort(),
          documentation: bounded(this.#operations.get(name)?.operation.documentation ?? ""),
        },
      ]),
    );
    return { operations, requirements: new Map(), explain: () => explainPlugin(this.identifier, this.machine) };
  }

  protected override get taker(): RoleTaker {
    return {
      typesOf: (name) => this.#typesOf(name),
      concurrencyOf: (name) => this.#operations.get(name)?.policy.concurrency ?? 1,
      prepare: (slot) => this.#prepare(slot),
      takeAtOnce: (arrival) => this.#takeAtOnce(arrival),
      handle: (connection, arrival) => this.#handle(connection, arrival),
      dropped: (arrival, isTooMuch) => this.#dropped(arrival, isTooMuch),
      isInUse: () => false,
      disconnected: (slot) => this.#asked.forget(slot),
      complianceChanged: () => undefined,
    };
  }

  #config(): PluginConfig {
    const operations = new Map(
      [...this.#operations].map(([name, { operation, sends, policy }]): [string, OperationTerms] => [
        name,
        {
          input: operation.input.schemas,
          output: sends.schemas,
          maximum: policy.maximum ?? null,
          allowlist: policy.allowlist === undefined ? null : new Set(policy.allowlist),
          blocklist: new Set(policy.blocklist),
          exact: [...inputsThatAreRead([operation.input]), ...exactOf([sends])],
        },
      ]),
    );
    return pluginConfig({ ...this.settings, operations });
  }

  #reconfigure(): void {
    this.reconfigure((machine) => machine.configure(this.#config(), now()));
  }

  #typesOf(name: string): readonly PayloadType[] {
    return this.#operations.get(name)?.operation.input.types ?? [];
  }

  #prepare(slot: Slot): Promise<null> | null {
    const setUp = this.#operations.get(slot.operationName)?.policy.setUp;
    return setUp === undefined
      ? null
      : (async () => {
          await setUp(slot.remoteIdentifier, slot.setupData);
          return null;
        })();
  }

  #takeAtOnce(arrival: Arrival): boolean {
    const { slot, envelope, data } = arrival;
    if (data.kind === "cancel") {
      if (this.machine.data(slot, envelope, now())) {
        this.#asked.find(slot, data.cancel.inputIdentifier)?.takeBack();
      }
      return true;
    }
    if (envelope.answerRequested === true && slot.outputTopic !== null) {
      this.#asked.note(slot, envelope.identifier, envelope.answerWithin);
    }
    return false;
  }

  #handle(connection: Connection, arrival: Arrival): Promise<void> | undefined {
    const { slot, envelope, data } = arrival;
    const asked = envelope.answerRequested === true ? (this.#asked.find(slot, envelope.identifier) ?? null) : null;
    if (asked?.isOver === true) {
      const statistics = this.machine.statistics;
      statistics[asked.isTakenBack ? "takenBack" : "expired"] += 1;
      this.#asked.end(asked);
      return undefined;
    }
    if (data.kind === "error" || data.kind === "cancel") {
      return undefined;
    }
    return this.tracing === null
      ? this.#operate(connection, arrival, asked)
      : this.tracing.process(slot, arrival.topic, envelope, (span) => this.#operate(connection, arrival, asked, span));
  }

  async #operate(connection: Connection, arrival: Arrival, asked: Asked | null, span?: WorkSpan): Promise<void> {
    const traceparent = span?.traceparent ?? null;
    const name = connection.operationName;
    const counted = this.counters.of(name);
    const begun = now();
    counted.executions += 1;
    try {
      await this.#run(connection, arrival, asked, traceparent);
    } catch (error) {
      span?.fail(error);
      this.counters.noteError(name, describe(error));
      this.log.error(
        `${this.identifier}: operation '${name}' of '${connection.remoteIdentifier}' failed: ${describe(error)}`,
      );
      if (asked !== null && !asked.isGiven) {
        await this.#answerError(connection, asked, error, traceparent);
      }
    } finally {
      counted.secondsInHandler += now() - begun;
      this.machine.touch(connection.slot, now());
      if (asked !== null) {
        this.#asked.end(asked);
      }
    }
  }

  async #run(connection: Connection, arrival: Arrival, asked: Asked | null, traceparent: string | null): Promise<void> {
    const provided = this.#operations.get(connection.operationName);
    const { data } = arrival;
    if (data.kind === "unreadable") {
      throw data.error;
    }
    if (provided?.handler == null) {
      throw new OrbiterStateError(
        `'${this.identifier}' does not handle operation '${connection.operationName}' any more`,
      );
    }
    const { operation, handler, sends } = provided;
    const send = async (value: unknown): Promise<void> => {
      const payload = sends.payloadOf(value);
      const answers = asked !== null && !asked.isGiven;
      if (answers) {
        asked.isGiven = true;
        if (asked.isTakenBack) {
          return;
        }
      }
      if (connection.slot.outputTopic === null || !connection.slot.isAnswerable) {
        return;
      }
      try {
        await connection.publish(payload, {
          traceparent,
          ...(answers ? { correlationIdentifier: asked.identifier } : {}),
        });
      } catch (error) {
        if (answers) {
          asked.isGiven = false;
        }
        throw error;
      }
      this.counters.of(connection.operationName).answers += answers ? 1 : 0;
    };
    try {
      const result: unknown = handler(new Request(connection, arrival, asked, send));
      if (isAsyncIterable(result)) {
        for await (const one of result) {
          await send(one);
        }
      } else {
        const value: unknown = await result;
        if (value !== undefined && !(value === null && !sends.hasEmpty)) {
          await send(value);
        }
      }
    } catch (error) {
      if (!declares(operation, error)) {
        throw error;
      }
      await send(error);
    }
    if (asked !== null && !asked.isGiven && !asked.isTakenBack) {
      asked.isGiven = true;
      await connection.publish(null, { traceparent, correlationIdentifier: asked.identifier });
      this.counters.of(connection.operationName).answers += 1;
    }
  }

  async #answerError(connection: Connection, asked: Asked, error: unknown, traceparent: string | null): Promise<void> {
    if (asked.isTakenBack || !connection.slot.isConnection) {
      return;
    }
    asked.isGiven = true;
    const isError = error instanceof Error;
    const told = {
      errorType: bounded(isError ? error.name : typeof error),
      errorMessage: bounded(isError ? error.message : String(error)),
      reason: null,
    };
    try {
      const headers = { traceparent, correlationIdentifier: asked.identifier };
      await connection.publishMessage("OperationErrorMessage", told, headers, true);
    } catch (failure) {
      this.log.warn(`${this.identifier}: could not tell '${connection.remoteIdentifier}' of it: ${describe(failure)}`);
    }
  }

  #dropped(arrival: Arrival, isTooMuch: boolean): void {
    const { slot, envelope } = arrival;
    const asked = this.#asked.find(slot, envelope.identifier);
    if (asked !== undefined) {
      this.#asked.end(asked);
    }
    const connection = connectionOf(slot);
    if (
      isTooMuch &&
      asked !== undefined &&
      connection !== null &&
      this.bus.isConnected &&
      this.#overloaded.admits(now(), OVERLOADED_ANSWERS_PER_SECOND)
    ) {
      const told = {
        errorType: "OverloadedError",
        errorMessage: "too much waits at the plugin; the input was not handled",
        reason: "overloaded",
      };
      const headers = { correlationIdentifier: envelope.identifier };
      this.machine.statistics.overloadedAnswers += 1;
      connection.publishMessage("OperationErrorMessage", told, headers, false).catch(() => undefined);
    }
  }
}

/** What stays of a policy when another one takes its place: how inputs are handled. */
function keptOf(policy: Policy): Policy {
  return {
    ...(policy.concurrency === undefined ? {} : { concurrency: policy.concurrency }),
    ...(policy.setUp === undefined ? {} : { setUp: policy.setUp }),
  };
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}
