/** What needs operations of plugins, and executes them. */

import { ANNOUNCE, OFFER, REPLY, RESPONSE, type Channel } from "../../generated/typescript/channels.js";
import { ANSWER_TIMEOUT } from "../../generated/typescript/timings.js";
import { OfferTopic, ReplyTopic, ResponseTopic } from "../../generated/typescript/topics.js";
import {
  AnswersNotSupportedError,
  ConnectionClosedError,
  type DeclaredError,
  NoConnectionError,
  OperationFailedError,
  OverloadedError,
  RemoteLostError,
  RequestTimeoutError,
  UnexpectedAnswerError,
} from "./errors.js";
import { exactOf, inputsThatAreRead } from "./message/exact.js";
import { newIdentifier } from "./message/identifiers.js";
import { acceptsPayload, type Payload, type PayloadSet } from "./message/payload-type.js";
import { declares, sentBy, type Operation } from "./operation.js";
import { openConnection, Orbiter, type OrbiterOptions } from "./orbiter.js";
import { coreConfig, type CoreConfig, type RequirementTerms } from "./protocol/config.js";
import { CLOSE_REASONS, type CloseReason } from "./protocol/effects.js";
import { SINCE_1_1 } from "./protocol/headers.js";
import { CoreMachine, type Identifiers } from "./protocol/machine.js";
import type { Slot } from "./protocol/slots.js";
import { AwaitedAnswers, type Awaited } from "./runtime/awaited-answers.js";
import type { Connection } from "./runtime/connection.js";
import type { Arrival } from "./runtime/delivery.js";
import { explainCore } from "./runtime/explanation.js";
import type { Description } from "./runtime/introspection.js";
import { OutputStream, type Output } from "./runtime/output-stream.js";
import { connectionOf, describe, now, type RoleTaker } from "./runtime/runtime.js";
import type { WorkSpan } from "./runtime/tracing.js";

/** The options of a core: those of every orbiter, and these. */
export interface CoreOptions extends OrbiterOptions {
  /** Whether it wants offers also later, for what a plugin cannot offer when it is asked. */
  readonly lateOffers?: boolean;
  /** Seconds between two discovers while it is not compliant. */
  readonly discoveringInterval?: number;
  /** Seconds between two discovers while it is compliant and could take more plugins. */
  readonly discoveringIntervalWhenCompliant?: number;
  /** Called when its open connections meet all that it requires, and when they do so no more. */
  readonly onComplianceChanged?: (isCompliant: boolean) => unknown;
}

/** How many plugins are needed for an operation, and which. */
export interface Constraint {
  /** How many are needed, beside the mandatory ones. */
  readonly minimum?: number;
  /** How many are taken, beside the mandatory ones; by default any number. */
  readonly maximum?: number;
  /** Plugins that have to be connected. */
  readonly mandatory?: readonly string[];
  /** The plugins that alone are taken, beside the mandatory ones. */
  readonly allowlist?: readonly string[];
  /** Plugins that are not taken. */
  readonly blocklist?: readonly string[];
  /** What a plugin gets to set the operation up, or what returns that; what throws gives the plugin up. */
  readonly setupData?: Uint8Array | ((pluginIdentifier: string) => Uint8Array | null | Promise<Uint8Array | null>);
  /** Further inputs and outputs that will do instead of the operation's own. */
  readonly alternatives?: {
    readonly inputs?: readonly PayloadSet<unknown>[];
    readonly outputs?: readonly PayloadSet<unknown>[];
  };
}

/** To whom an input is sent: to one plugin by chance, to all, to one by its name, or each of a list to another one. */
export type Mode =
  { readonly any: true } | { readonly all: true } | { readonly plugin: string } | { readonly distribute: true };

/** From whom an answer is wanted, and for how long it is awaited. */
export interface RequestOptions {
  /** Identifier of the plugin that is asked; by default one is chosen by chance. */
  readonly plugin?: string;
  /** Seconds for which the answer is awaited; `null` waits without limit. */
  readonly timeout?: number | null;
  /** Ends the wait, and tells the plugin so. */
  readonly signal?: AbortSignal;
}

/** Takes the outputs of an operation that answer nothing. */
export type Sink<O> = (output: Output<O>) => unknown;

/** Seconds that a timer can wait; what waits for longer, waits without limit on this side. */
const LONGEST_TIMER = 2_147_483;

interface Requirement {
  readonly operation: Operation<unknown, unknown>;
  readonly constraint: Constraint;
}

/**
 * Needs operations of plugins, and executes them.
 *
 *     const core = new Core({ identifier: "core", bus: connectMqtt("mqtt://localhost:1883") });
 *     core.require(turnOn, { minimum: 1 });
 *     await core.start();
 *     await core.compliant();
 *     const answer = await core.request(turnOn, "the kitchen", { timeout: 5 });
 *
 * It can be stopped and started again. Methods that need a running core throw an `OrbiterStateError` where it is not.
 */
export class Core extends Orbiter<CoreMachine> {
  readonly #options: CoreOptions;
  readonly #requirements = new Map<string, Requirement>();
  readonly #sinks = new Map<string, Set<Sink<unknown>>>();
  readonly #streams = new Set<OutputStream<unknown>>();
  readonly #awaited = new AwaitedAnswers();
  #isCompliant = false;
  readonly #whenCompliant = new Set<() => void>();

  constructor(options: CoreOptions) {
    super(options);
    this.#options = options;
  }

  /** Whether its open connections meet all that it requires. */
  get isCompliant(): boolean {
    return this.isRunning && this.#isCompliant;
  }

  /** Need an operation, or need it by another constraint, also while the core runs. */
  require(operation: Operation<unknown, unknown>, constraint: Constraint = { minimum: 1 }): this {
    this.#requirements.set(operation.name, { operation: operation, constraint });
    this.reconfigure((machine) => machine.configure(this.#config(), now()));
    return this;
  }

  /** Whether it needs an operation, met or not. */
  requires(operation: Operation<unknown, unknown> | string): boolean {
    return this.#requirements.has(nameOf(operation));
  }

  /** Have something called with each output of an operation that answers nothing; returns what ends that. */
  sink<O>(operation: Operation<unknown, O> | string, sink: Sink<O>): () => void {
    const name = nameOf(operation);
    const sinks = this.#sinks.get(name) ?? new Set();
    this.#sinks.set(name, sinks);
    sinks.add(sink as Sink<unknown>);
    return () => void sinks.delete(sink as Sink<unknown>);
  }

  /** Outputs of an operation that answer nothing, from now on until the core stops or the loop is left. */
  outputs<O>(operation: Operation<unknown, O> | string): AsyncIterableIterator<Output<O>> {
    const stream = new OutputStream<O>(() => {
      end();
      this.#streams.delete(stream as OutputStream<unknown>);
    });
    const end = this.sink<O>(operation, (output) => stream.put(output));
    this.#streams.add(stream as OutputStream<unknown>);
    return stream;
  }

  /** Wait until it is compliant. */
  async compliant(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const { signal } = options;
    signal?.throwIfAborted();
    if (this.isCompliant) {
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const done = (): void => {
        this.#whenCompliant.delete(done);
        signal?.removeEventListener("abort", aborted);
        resolve();
      };
      const aborted = (): void => {
        this.#whenCompliant.delete(done);
        reject(signal?.reason as Error);
      };
      this.#whenCompliant.add(done);
      signal?.addEventListener("abort", aborted);
    });
  }

  /**
   * Execute an operation, and wait until the inputs are published; returns the plugins that were sent something.
   *
   * With `distribute`, the value is a list, of which each goes to one plugin, to all of them equally often. Throws a
   * `NoConnectionError` if no connection comes into question; nothing is sent then.
   */
  async execute<I>(operation: Operation<I, unknown> | string, value: I | readonly I[], mode: Mode): Promise<string[]> {
    const name = nameOf(operation);
    const inputs: [Slot, Payload | null][] = [];
    if ("distribute" in mode) {
      const payloads = (value as readonly unknown[]).map((one) => this.#payloadOf(name, one));
      const turns = new Map<Slot, number>();
      for (const payload of payloads) {
        const slots = this.#accepting(name, payload);
        const [first] = slots.sort((one, other) => (turns.get(one) ?? 0) - (turns.get(other) ?? 0));
        if (first !== undefined) {
          turns.set(first, (turns.get(first) ?? 0) + 1);
          inputs.push([first, payload]);
        }
      }
    } else {
      const payload = this.#payloadOf(name, value);
      const accepting = this.#accepting(name, payload, "plugin" in mode ? mode.plugin : undefined);
      const chosen = "any" in mode ? [this.#oneOf(accepting)] : accepting;
      inputs.push(...chosen.map((slot): [Slot, Payload | null] => [slot, payload]));
    }
    const slots = inputs.map(([slot]) => slot);
    const publish = (traceparent: string | null): Promise<void> => this.#publish(inputs, traceparent);
    await (this.tracing === null || inputs.length === 0
      ? publish(null)
      : this.tracing.send(name, slots, (span) => publish(span.traceparent)));
    return slots.map((slot) => slot.remoteIdentifier);
  }

  /**
   * Execute an operation at one plugin, and return what it answers with; `undefined` for no result.
   *
   * Throws an error that the operation declares, a `NoConnectionError`, or the `RequestError` that says what happened
   * instead of an answer.
   */
  async request<I, O>(operation: Operation<I, O>, value: I, options?: RequestOptions): Promise<O>;
  async request(operation: string, value: unknown, options?: RequestOptions): Promise<unknown>;
  async request(
    operation: Operation<unknown, unknown> | string,
    value: unknown,
    options: RequestOptions = {},
  ): Promise<unknown> {
    const name = nameOf(operation);
    options.signal?.throwIfAborted();
    const timeout = options.timeout === undefined ? ANSWER_TIMEOUT : options.timeout;
    if (timeout !== null && !(timeout >= 0)) {
      throw new RangeError(`expected a timeout in seconds that is not negative, got ${String(timeout)}`);
    }
    const payload = this.#payloadOf(name, value);
    const slot = this.#choose(name, payload, options.plugin);
    const ask = (traceparent: string | null): Promise<unknown> =>
      this.#ask(slot, payload, timeout, options.signal, traceparent);
    return this.tracing === null ? ask(null) : this.tracing.request(slot, (span) => ask(span.traceparent));
  }

  protected override makeMachine(given: Identifiers): CoreMachine {
    return new CoreMachine(this.#config(), given);
  }

  protected override filters(): [string, Channel][] {
    const mine = { coreIdentifier: this.identifier };
    return [
      [OfferTopic.filter(mine), OFFER],
      [ResponseTopic.filter(mine), RESPONSE],
      [this.#options.announceTopic ?? ANNOUNCE.address, ANNOUNCE],
    ];
  }

  protected override topicToItself(): { topic: string; channel: Channel } {
    const me = this.identifier;
    return { topic: ReplyTopic.build({ pluginIdentifier: me, coreIdentifier: me }), channel: REPLY };
  }

  protected override description(): Description {
    const requirements = new Map(
      [...this.#config().requirements].map(([name, terms]) => [
        name,
        {
          inputs: terms.inputs,
          outputs: terms.outputs,
          minimum: terms.minimum,
          maximum: terms.maximum,
          mandatory: terms.mandatory,
          allowlist: terms.allowlist,
          blocklist: terms.blocklist,
        },
      ]),
    );
    return { operations: new Map(), requirements, explain: () => explainCore(this.identifier, this.machine) };
  }

  protected override stopped(): void {
    this.#isCompliant = false;
    for (const stream of [...this.#streams]) {
      stream.end();
    }
  }

  protected override get taker(): RoleTaker {
    return {
      typesOf: (name) => this.#outputsOf(name).flatMap((one) => one.types),
      concurrencyOf: () => 1,
      prepare: (slot) => this.#prepare(slot),
      takeAtOnce: (arrival) => this.#takeAnswer(arrival),
      handle: (connection, arrival) => this.#handle(connection, arrival),
      dropped: () => undefined,
      isInUse: (slot) => this.#awaited.areOn(slot),
      disconnected: (slot, reason) => this.#disconnected(slot, reason),
      complianceChanged: (compliant) => this.#complianceChanged(compliant),
    };
  }

  #config(): CoreConfig {
    const requirements = new Map(
      [...this.#requirements].map(([name, { constraint }]): [string, RequirementTerms] => {
        const inputs = this.#inputsOf(name);
        const outputs = this.#outputsOf(name);
        return [
          name,
          {
            inputs: inputs.map((one) => one.schemas),
            outputs: outputs.map((one) => one.schemas),
            minimum: constraint.minimum ?? 0,
            maximum: constraint.maximum ?? null,
            mandatory: [...new Set(constraint.mandatory)],
            allowlist: constraint.allowlist ?? null,
            blocklist: constraint.blocklist ?? null,
            exact: [...exactOf(inputs), ...inputsThatAreRead(outputs)],
          },
        ];
      }),
    );
    const { lateOffers, discoveringInterval, discoveringIntervalWhenCompliant } = this.#options;
    return coreConfig({
      ...this.settings,
      requirements,
      ...(lateOffers === undefined ? {} : { lateOffers }),
      ...(discoveringInterval === undefined ? {} : { discoveringInterval }),
      ...(discoveringIntervalWhenCompliant === undefined ? {} : { discoveringIntervalWhenCompliant }),
    });
  }

  #inputsOf(name: string): readonly PayloadSet<unknown>[] {
    const found = this.#requirements.get(name);
    return found === undefined ? [] : [found.operation.input, ...(found.constraint.alternatives?.inputs ?? [])];
  }

  #outputsOf(name: string): readonly PayloadSet<unknown>[] {
    const found = this.#requirements.get(name);
    return found === undefined ? [] : [sentBy(found.operation), ...(found.constraint.alternatives?.outputs ?? [])];
  }

  #isDeclaredError(name: string, value: unknown): value is DeclaredError {
    const found = this.#requirements.get(name);
    return found !== undefined && declares(found.operation, value);
  }

  // Choosing

  #payloadOf(name: string, value: unknown): Payload | null {
    const sets = this.#inputsOf(name);
    const [first] = sets;
    if (first === undefined) {
      throw new NoConnectionError(
        `'${this.identifier}' does not require operation '${name}', and so asks nobody for it`,
      );
    }
    for (const set of sets.slice(0, -1)) {
      try {
        return set.payloadOf(value);
      } catch (error) {
        if (!(error instanceof TypeError)) {
          throw error;
        }
      }
    }
    return (sets.at(-1) ?? first).payloadOf(value);
  }

  #accepting(name: string, payload: Payload | null, plugin?: string): Slot[] {
    const open = this.machine.slots
      .openOfOperation(name)
      .filter((slot) => plugin === undefined || slot.remoteIdentifier === plugin);
    const accepting = open.filter(
      (slot) => slot.inputTopic !== null && acceptsPayload(slot.input, payload?.type ?? null),
    );
    if (accepting.length === 0) {
      const whose = plugin === undefined ? "" : ` with plugin '${plugin}'`;
      const error = new NoConnectionError(
        open.length === 0
          ? `'${this.identifier}' has no connection for operation '${name}'${whose}`
          : `'${this.identifier}' has no connection for operation '${name}'${whose} whose input accepts ` +
              (payload === null ? "an empty event" : `a ${payload.type.name}`),
      );
      throw this.#unsent(name, error);
    }
    return accepting;
  }

  #oneOf(slots: readonly Slot[]): Slot {
    const suspected = new Set(this.machine.peers.suspected.keys());
    const trusted = slots.filter((slot) => !suspected.has(slot.remoteIdentifier));
    const among = trusted.length > 0 ? trusted : slots;
    return among[Math.floor(Math.random() * among.length)] as Slot;
  }

  #choose(name: string, payload: Payload | null, plugin?: string): Slot {
    const accepting = this.#accepting(name, payload, plugin);
    const withOutput = accepting.filter((slot) => slot.outputTopic !== null);
    const [first] = withOutput;
    if (first === undefined) {
      const error = new NoConnectionError(
        `'${this.identifier}' has no connection for operation '${name}' that has an output, so that there cannot be ` +
          "an answer: use execute(), or require an output",
      );
      throw this.#unsent(name, error);
    }
    const suiting = withOutput.filter((slot) => this.machine.peers.get(slot.remoteIdentifier)?.incarnation != null);
    if (suiting.length === 0) {
      const error = new AnswersNotSupportedError(
        first.remoteIdentifier,
        name,
        "answers need the headers of the envelope, and this peer sends none: use execute(), and a sink",
      );
      throw this.#unsent(name, error);
    }
    return this.#oneOf(suiting);
  }

  /** Return an error that says why an input is not sent, after the trace knows it. */
  #unsent(name: string, error: Error): Error {
    this.tracing?.unsent(name, error);
    return error;
  }

  /** Publish inputs; one that cannot be published keeps back none of the others. */
  async #publish(inputs: readonly [Slot, Payload | null][], traceparent: string | null): Promise<void> {
    const published = await Promise.allSettled(
      inputs.map(([slot, payload]) => {
        this.machine.touch(slot, now());
        this.counters.of(slot.operationName).executions += 1;
        return openConnection(slot).publish(payload, { traceparent });
      }),
    );
    const failed = published.find((one) => one.status === "rejected");
    if (failed !== undefined) {
      throw failed.reason;
    }
  }

  // Waiting

  #ask(
    slot: Slot,
    payload: Payload | null,
    timeout: number | null,
    signal: AbortSignal | undefined,
    traceparent: string | null,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const identifier = newIdentifier();
      const ended = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", aborted);
      };
      const awaited: Awaited = {
        identifier,
        slot,
        resolve: (value) => {
          ended();
          resolve(value);
        },
        reject: (error) => {
          ended();
          reject(error);
        },
      };
      const giveUp = (error: Error): void => {
        if (this.#awaited.remove(awaited)) {
          this.machine.touch(slot, now());
          awaited.reject(error);
        }
      };
      const aborted = (): void => {
        giveUp(signal?.reason as Error);
        this.#takeBack(slot, identifier);
      };
      this.#awaited.add(awaited);
      const timer =
        timeout === null || timeout > LONGEST_TIMER
          ? undefined
          : setTimeout(() => {
              const { remoteIdentifier, operationName } = slot;
              giveUp(new RequestTimeoutError(remoteIdentifier, operationName, `no answer within ${String(timeout)} s`));
            }, 1000 * timeout);
      signal?.addEventListener("abort", aborted);
      this.machine.touch(slot, now());
      this.counters.of(slot.operationName).executions += 1;
      openConnection(slot)
        .publish(payload, {
          identifier,
          answerRequested: true,
          answerWithin: timeout === null || timeout === 0 || timeout === Infinity ? null : timeout,
          traceparent,
        })
        .catch(giveUp);
    });
  }

  /** Tell the plugin that nobody waits for an answer; it knows by itself when the time is over. */
  #takeBack(slot: Slot, identifier: string): void {
    const connection = connectionOf(slot);
    // Peers of version 1.1 write and read this envelope; others do not know the message.
    if (connection !== null && SINCE_1_1.has(connection.encoding)) {
      connection
        .publishMessage("CancelInputMessage", { inputIdentifier: identifier }, {}, false)
        .catch(() => undefined);
    }
  }

  #takeAnswer(arrival: Arrival): boolean {
    const { slot, envelope, data } = arrival;
    if (envelope.correlationIdentifier === null) {
      return false;
    }
    const awaited = this.#awaited.find(envelope.correlationIdentifier, slot);
    if (!this.machine.data(slot, envelope, now()) || awaited === undefined) {
      return true; // nobody waits for it
    }
    this.#awaited.remove(awaited);
    const counted = this.counters.of(slot.operationName);
    counted.answers += 1;
    const whose = [slot.remoteIdentifier, slot.operationName] as const;
    switch (data.kind) {
      case "value":
        if (this.#isDeclaredError(slot.operationName, data.value)) {
          this.counters.noteError(slot.operationName, describe(data.value));
          awaited.reject(data.value);
        } else {
          awaited.resolve(data.value);
        }
        break;
      case "undecoded":
        awaited.resolve(data.data);
        break;
      case "error": {
        const { errorType, errorMessage, reason } = data.error;
        this.counters.noteError(slot.operationName, `${errorType}: ${errorMessage}`);
        const kind = reason === "overloaded" ? OverloadedError : OperationFailedError;
        awaited.reject(new kind(...whose, errorType, errorMessage));
        break;
      }
      case "unreadable":
        awaited.reject(
          new UnexpectedAnswerError(
            ...whose,
            `answered with a ${data.name}, which the schema of this side cannot hold: ${data.error.message}`,
          ),
        );
        break;
      default: {
        const name = data.kind === "refused" ? data.name : "CancelInputMessage";
        awaited.reject(
          new UnexpectedAnswerError(...whose, `answered with a ${name}, which is no output of the operation`),
        );
      }
    }
    return true;
  }

  // Told by the runtime

  #handle(connection: Connection, { slot, topic, envelope, data }: Arrival): Promise<void> | undefined {
    const sinks = this.#sinks.get(slot.operationName);
    if (sinks === undefined || sinks.size === 0 || (data.kind !== "value" && data.kind !== "undecoded")) {
      return undefined;
    }
    const value = data.kind === "value" ? data.value : data.data;
    if (this.#isDeclaredError(slot.operationName, value)) {
      this.counters.noteError(slot.operationName, describe(value));
      this.log.error(
        `${this.identifier}: operation '${slot.operationName}' of '${slot.remoteIdentifier}' failed: ${describe(value)}`,
      );
      return undefined;
    }
    const output = { value, typeName: data.name, plugin: slot.remoteIdentifier, connection };
    const all = [...sinks];
    return this.tracing === null
      ? this.#tellSinks(all, output)
      : this.tracing.process(slot, topic, envelope, (span) => this.#tellSinks(all, output, span));
  }

  async #tellSinks(sinks: readonly Sink<unknown>[], output: Output<unknown>, span?: WorkSpan): Promise<void> {
    const name = output.connection.operationName;
    const begun = now();
    for (const sink of sinks) {
      try {
        await sink(output);
      } catch (error) {
        span?.fail(error);
        this.counters.noteError(name, describe(error));
        this.log.error(`${this.identifier}: a sink of operation '${name}' failed: ${describe(error)}`);
      }
    }
    this.counters.of(name).secondsInHandler += now() - begun;
  }

  #prepare(slot: Slot): Promise<Uint8Array | null> | null {
    const given = this.#requirements.get(slot.operationName)?.constraint.setupData;
    if (given === undefined) {
      return null;
    }
    return (async () => (typeof given === "function" ? given(slot.remoteIdentifier) : given))();
  }

  #disconnected(slot: Slot, reason: CloseReason): void {
    if (this.#awaited.areOn(slot)) {
      const kind = reason === "dead" || reason === "restarted" ? RemoteLostError : ConnectionClosedError;
      const text = `no answer before the connection ended: ${CLOSE_REASONS[reason]}`;
      this.#awaited.failAll(slot, new kind(slot.remoteIdentifier, slot.operationName, text));
    }
  }

  #complianceChanged(isCompliant: boolean): unknown {
    this.#isCompliant = isCompliant;
    if (isCompliant) {
      for (const call of [...this.#whenCompliant]) {
        call();
      }
    }
    return this.#options.onComplianceChanged?.(isCompliant);
  }
}

function nameOf(operation: Operation<unknown, unknown> | string): string {
  return typeof operation === "string" ? operation : operation.name;
}
