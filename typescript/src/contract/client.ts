/** Clients of contracts: typed calls of a plugin's operations on a core, and typed sinks. */

import type { Constraint, Core, RequestOptions } from "../core.js";
import { BusError, DeclaredError, NoConnectionError, RequestError } from "../errors.js";
import type { Operation } from "../operation.js";
import type { Output } from "../runtime/output-stream.js";

/** What a call is given: the input, unless that is an empty event, and what comes behind it. */
export type Arguments<I, Rest extends readonly unknown[]> = [I] extends [undefined] ? Rest : [message: I, ...Rest];

/** What is given by an operation that gives one of `O`, or nothing. */
export type Given<O> = [O] extends [never] ? undefined : O;

/** The options of a call of all plugins at the same time. */
export interface CallAllOptions extends Omit<RequestOptions, "plugin"> {
  /** Ask all that are connected. */
  readonly all: true;
}

/** How an operation that gives nothing is executed: at one plugin by chance, at one by its name, or at all. */
export type ExecutionOptions = { readonly plugin?: string; readonly all?: false } | { readonly all: true };

/** An operation that gives something: `await lamps.turnOn(turnOn({ level: 0.5 }))` returns what a plugin answers. */
export interface Call<I, O> {
  /** Ask every connected plugin, and return the answers by plugin. */
  (...given: Arguments<I, [options: CallAllOptions]>): Promise<Answers<O>>;
  /** Ask one plugin. Throws the errors that the contract declares, and what `core.request` throws. */
  (...given: Arguments<I, [options?: RequestOptions & { readonly all?: false }]>): Promise<O>;
}

/** An operation that gives nothing: `await lamps.blink(blink({ times: 3 }))` returns the plugins that it went to. */
export type Execution<I> = (...given: Arguments<I, [options?: ExecutionOptions]>) => Promise<string[]>;

/** Outputs that come without being asked for: `for await (const watts of lamps.power)`, or with a sink. */
export interface Outputs<O> extends AsyncIterable<O> {
  /** Have something called with each output; returns what ends that. */
  sink(sink: (value: O, output: Output<O>) => unknown): () => void;
}

/** What several plugins have answered, by identifier. */
export class Answers<O> extends Map<string, O> {
  /** By identifier of a plugin that has answered with no output: the error that it has answered with, or the reason. */
  readonly failures = new Map<string, Error>();
}

/**
 * Calls the operations of a contract for a core.
 *
 * Making one declares what the core needs: each operation of the contract that it does not require yet.
 */
export class ContractClient {
  constructor(
    /** Whose connections are used. */
    readonly core: Core,
    operations: Readonly<Record<string, Operation<unknown, unknown>>>,
    constraint: Constraint,
  ) {
    for (const one of Object.values(operations)) {
      if (!core.requires(one)) {
        core.require(one, constraint);
      }
    }
  }
}

/** Have an operation called on a core, and answered. */
export function call<I, O>(core: Core, operation: Operation<I, O>): Call<I, Given<O>> {
  const ask = async (...given: unknown[]): Promise<unknown> => {
    const [input, options] = taken<CallAllOptions | (RequestOptions & { readonly all?: false })>(operation, given);
    return options?.all === true ? askAll(core, operation, input, options) : core.request(operation, input, options);
  };
  return ask as Call<I, Given<O>>;
}

/** Have an operation executed on a core; nothing is awaited of the plugins. */
export function execution<I>(core: Core, operation: Operation<I, unknown>): Execution<I> {
  const execute = async (...given: unknown[]): Promise<string[]> => {
    const [input, options] = taken<ExecutionOptions>(operation, given);
    const mode =
      options?.all === true
        ? ({ all: true } as const)
        : options?.plugin === undefined
          ? ({ any: true } as const)
          : { plugin: options.plugin };
    return core.execute(operation, input, mode);
  };
  return execute;
}

/** Have the outputs of an operation without input taken on a core. */
export function outputs<O>(core: Core, operation: Operation<unknown, O>): Outputs<O> {
  return {
    sink: (sink) => core.sink(operation, (output) => sink(output.value, output)),
    async *[Symbol.asyncIterator]() {
      for await (const { value } of core.outputs(operation)) {
        yield value;
      }
    },
  };
}

/** Return the input and the options that a call was given. */
function taken<Options>(
  operation: Operation<unknown, unknown>,
  given: readonly unknown[],
): [input: unknown, options: Options | undefined] {
  const { hasEmpty, types } = operation.input;
  return (hasEmpty && types.length === 0 ? [undefined, given[0]] : [given[0], given[1]]) as [unknown, Options];
}

async function askAll(
  core: Core,
  operation: Operation<unknown, unknown>,
  input: unknown,
  options: CallAllOptions,
): Promise<Answers<unknown>> {
  const plugins = [...new Set(core.connections(operation.name).map((one) => one.remoteIdentifier))];
  if (plugins.length === 0) {
    throw new NoConnectionError(`'${core.identifier}' has no connection for operation '${operation.name}'`);
  }
  const asked = plugins.map((plugin) => core.request(operation, input, { ...options, plugin }));
  const outcomes = await Promise.allSettled(asked);
  const answers = new Answers<unknown>();
  for (const [index, outcome] of outcomes.entries()) {
    const plugin = plugins[index] ?? "";
    if (outcome.status === "fulfilled") {
      answers.set(plugin, outcome.value);
    } else if (isOfPlugin(outcome.reason)) {
      answers.failures.set(plugin, outcome.reason);
    } else {
      throw outcome.reason;
    }
  }
  return answers;
}

/** Whether one plugin alone is to blame for an error. */
function isOfPlugin(error: unknown): error is Error {
  return [RequestError, DeclaredError, NoConnectionError, BusError].some((one) => error instanceof one);
}
