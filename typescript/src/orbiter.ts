/** What cores and plugins have in common. */

import type { Bus } from "./bus/bus.js";
import { KEEPALIVE, KEEPALIVE_REQUEST, type Channel } from "../../generated/typescript/channels.js";
import { LOOP_INTERVAL } from "../../generated/typescript/timings.js";
import { KeepaliveRequestTopic, KeepaliveTopic } from "../../generated/typescript/topics.js";
import { BusError, OrbiterStateError } from "./errors.js";
import { IdentifierSource } from "./message/identifiers.js";
import type { OrbiterConfig } from "./protocol/config.js";
import type { Effect } from "./protocol/effects.js";
import { limitsOf, type Limits } from "./protocol/limits.js";
import type { Identifiers, Machine } from "./protocol/machine.js";
import type { OrbiterStatistics } from "./protocol/orbiter-statistics.js";
import type { Slot } from "./protocol/slots.js";
import type { Connection } from "./runtime/connection.js";
import { Introspection, type Description } from "./runtime/introspection.js";
import type { Log } from "./runtime/log.js";
import { OperationCounters } from "./runtime/operation-counters.js";
import type { OrbiterTracing, Tracing } from "./runtime/tracing.js";
import { connectionOf, describe, now, Runtime, type Hooks, type RoleTaker } from "./runtime/runtime.js";

/** What may be set of every orbiter; durations are seconds, and `null` switches one off. */
export type Settings = Partial<
  Pick<
    OrbiterConfig,
    | "discoverTopic"
    | "announceTopic"
    | "pendingRequestsExpireAfter"
    | "considerOthersDeadAfter"
    | "suspicionGrace"
    | "sendKeepaliveBeforeTimelimit"
    | "gracefulCloseTimeout"
    | "closeConnectionIfUnusedAfter"
  >
> & {
  /** What others can use up of it at most; what is left out has the value of the specification. */
  readonly limits?: Partial<Limits>;
};

/** The options of every orbiter: these, its settings, and its hooks. */
export interface OrbiterOptions extends Settings, Hooks {
  /** Unique among all orbiters that can meet. */
  readonly identifier: string;
  /** Carries its events; each orbiter has a client of its own. `severalBuses` makes one of several buses. */
  readonly bus: Bus;
  /** Takes what it has to say; by default the console. */
  readonly log?: Log;
  /** Seconds between two looks at what time has brought; what is due in between is done at its time. */
  readonly loopInterval?: number;
  /** Whether it answers operators. */
  readonly introspection?: boolean;
  /** Makes spans of what it does, as `openTelemetry()` of `@orbitalis/sdk/opentelemetry`; by default nothing does. */
  readonly tracing?: Tracing;
}

/** Seconds for which a stop waits for hooks. */
const STOP_TIMEOUT = 5;

/** A core or a plugin. */
export abstract class Orbiter<M extends Machine> {
  /** Unique among all orbiters that can meet. */
  readonly identifier: string;
  protected readonly bus: Bus;
  protected readonly log: Log;
  protected readonly counters = new OperationCounters();
  readonly #options: OrbiterOptions;
  readonly #limits: Limits;
  #machine: M | null = null;
  #runtime: Runtime | null = null;
  #introspection: Introspection | null = null;
  #loop: ReturnType<typeof setInterval> | null = null;
  #state: "stopped" | "starting" | "running" | "stopping" = "stopped";

  constructor(options: OrbiterOptions) {
    this.#options = options;
    this.#limits = limitsOf(options.limits);
    this.identifier = options.identifier;
    this.bus = options.bus;
    this.log = options.log ?? console;
  }

  /** Whether it has started and not stopped. */
  get isRunning(): boolean {
    return this.#state === "running";
  }

  /** What it has counted since it was started last. */
  get statistics(): OrbiterStatistics {
    return this.machine.statistics;
  }

  /** The open connections, of all operations or one, and with all remotes or one; oldest first. */
  connections(operationName?: string, remoteIdentifier?: string): Connection[] {
    if (this.#machine === null) {
      return [];
    }
    return this.#machine.slots
      .all()
      .filter(
        (slot) =>
          slot.isOpen &&
          (operationName === undefined || slot.operationName === operationName) &&
          (remoteIdentifier === undefined || slot.remoteIdentifier === remoteIdentifier),
      )
      .sort((one, other) => one.openedAt - other.openedAt)
      .map((slot) => connectionOf(slot))
      .filter((one) => one !== null);
  }

  /** Connect to the bus and take part; throws a `BusError`, and leaves nothing running then. */
  async start(): Promise<void> {
    if (this.#state !== "stopped") {
      throw new OrbiterStateError(`'${this.identifier}' is ${this.#state}: stop it before it is started again`);
    }
    this.#state = "starting";
    const machine = this.makeMachine(identifiers());
    const { tracing } = this.#options;
    const runtime = new Runtime(this.identifier, this.bus, machine, this.taker, this.#options, this.log, tracing);
    this.#machine = machine;
    this.#runtime = runtime;
    runtime.begin(newIncarnation());
    try {
      await this.bus.connect({
        makeWill: () => (this.#options.suspicionGrace === null ? null : runtime.makeWill()),
        onReconnected: () => runtime.reconnected(),
        onLost: (bus) => runtime.lost(bus),
      });
      for (const [filter, channel] of this.#filters()) {
        await this.bus.subscribe(filter, channel, runtime.receiver(channel));
      }
      await this.#checkIdentity();
      if (this.#options.introspection !== false) {
        this.#introspection = new Introspection(runtime, () => this.description(), this.counters);
        await this.#introspection.start();
      }
    } catch (error) {
      runtime.end();
      await this.bus.disconnect();
      this.#state = "stopped";
      throw error;
    }
    this.#state = "running";
    runtime.submit(machine.start(now()));
    this.#loop = setInterval(() => runtime.tick(), 1000 * (this.#options.loopInterval ?? LOOP_INTERVAL));
    runtime.tick();
  }

  /** Close all connections gracelessly and leave the bus; does nothing if it is not running. */
  async stop(): Promise<void> {
    const runtime = this.#runtime;
    if (this.#state !== "running" || runtime === null || this.#machine === null) {
      return;
    }
    this.#state = "stopping";
    if (this.#loop !== null) {
      clearInterval(this.#loop);
    }
    this.#introspection?.stop();
    runtime.submit(this.#machine.stop());
    if (!(await runtime.queues.finish(STOP_TIMEOUT))) {
      this.log.warn(`${this.identifier}: hooks have not returned within ${String(STOP_TIMEOUT)} s of its stop`);
    }
    runtime.end();
    try {
      await this.bus.disconnect();
    } finally {
      this.#state = "stopped";
      this.stopped();
    }
  }

  /**
   * Close all connections gracefully and begin no new ones, as is polite before a stop.
   *
   * What has come on a connection is handled, and answered, before it is closed, for half of the time. Returns whether
   * all closes were acknowledged within so many seconds.
   */
  async leave(timeout: number): Promise<boolean> {
    if (!this.isRunning) {
      return true;
    }
    const { runtime, machine } = this;
    runtime.submit(machine.leave());
    const begun = now();
    await Promise.all(
      machine.slots
        .all()
        .filter((slot) => slot.isOpen)
        .map(async (slot) => {
          await within(timeout / 2, runtime.delivery.handled(slot));
          if (slot.isOpen) {
            runtime.submit(machine.closeGracefully(slot.remoteIdentifier, slot.operationName, null, now()));
          }
        }),
    );
    return runtime.allEnded(Math.max(0, timeout - (now() - begun)));
  }

  /** Close a connection: gracefully, so that what has come is handled before, or at once. */
  close(
    remoteIdentifier: string,
    operationName: string,
    options: { readonly isGraceful?: boolean; readonly data?: Uint8Array } = {},
  ): void {
    const data = options.data ?? null;
    this.runtime.submit(
      options.isGraceful === false
        ? this.machine.closeGracelessly(remoteIdentifier, operationName, data, now())
        : this.machine.closeGracefully(remoteIdentifier, operationName, data, now()),
    );
  }

  /** What the user has set, for a snapshot. */
  protected get settings(): Settings & { readonly identifier: string } {
    const given = Object.fromEntries(
      SETTINGS.flatMap((name) => (name in this.#options ? [[name, this.#options[name]]] : [])),
    );
    const wills = this.bus.hasWills ? {} : { suspicionGrace: null };
    return { ...given, ...wills, limits: this.#limits, identifier: this.identifier };
  }

  /** The state machine; throws an `OrbiterStateError` before the first start. */
  protected get machine(): M {
    if (this.#machine === null) {
      throw new OrbiterStateError(`'${this.identifier}' was not started`);
    }
    return this.#machine;
  }

  /** What makes spans of what it does, if anything does. */
  protected get tracing(): OrbiterTracing | null {
    return this.#runtime?.tracing ?? null;
  }

  protected get runtime(): Runtime {
    if (this.#runtime === null || this.#state === "stopped") {
      throw new OrbiterStateError(`'${this.identifier}' is not running: start it first`);
    }
    return this.#runtime;
  }

  /** Hand the state machine another snapshot, if there is one that runs. */
  protected reconfigure(configure: (machine: M) => Effect[]): void {
    if (this.#machine !== null && this.#runtime !== null && (this.isRunning || this.#state === "starting")) {
      this.#runtime.submit(configure(this.#machine));
      if (this.isRunning) {
        this.#runtime.tick();
      }
    }
  }

  protected abstract makeMachine(given: Identifiers): M;
  protected abstract get taker(): RoleTaker;
  /** Where messages of the protocol arrive for the role alone. */
  protected abstract filters(): [string, Channel][];
  /** A topic that only this orbiter in its role may publish to, and to which nobody subscribes. */
  protected abstract topicToItself(): { readonly topic: string; readonly channel: Channel };
  /** What operators are told of its operations. */
  protected abstract description(): Description;
  /** Called when it has stopped. */
  protected stopped(): void {
    // Nothing, unless a role has something.
  }

  #filters(): [string, Channel][] {
    const mine = { recipientIdentifier: this.identifier };
    return [
      [KeepaliveTopic.filter(mine), KEEPALIVE],
      [KeepaliveRequestTopic.filter(mine), KEEPALIVE_REQUEST],
      ...this.filters(),
    ];
  }

  /** Report a broker that does not let an orbiter be who it says; what brokers refuse later may go unnoticed. */
  async #checkIdentity(): Promise<void> {
    const { topic, channel } = this.topicToItself();
    try {
      await this.bus.publish(topic, new Uint8Array(), channel);
    } catch (error) {
      if (!(error instanceof BusError)) {
        throw error;
      }
      this.log.error(`${this.identifier} may not publish as itself: ${describe(error)}`);
    }
  }
}

const SETTINGS = [
  "discoverTopic",
  "announceTopic",
  "pendingRequestsExpireAfter",
  "considerOthersDeadAfter",
  "suspicionGrace",
  "sendKeepaliveBeforeTimelimit",
  "gracefulCloseTimeout",
  "closeConnectionIfUnusedAfter",
] as const satisfies readonly (keyof Settings)[];

function identifiers(): Identifiers {
  const source = new IdentifierSource();
  return { newIdentifier: source.next, newChallenge: source.unguessable, isOwn: source.hasMade };
}

/** A text that no other call gives, and that nobody can guess. */
function newIncarnation(): string {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function within(seconds: number, under: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([under, new Promise((resolve) => (timer = setTimeout(resolve, 1000 * seconds)))]);
  clearTimeout(timer);
}

/** The connection of a slot, which has to have one. */
export function openConnection(slot: Slot): Connection {
  const connection = connectionOf(slot);
  if (connection === null) {
    throw new OrbiterStateError(`'${slot.operationName}' is not connected with '${slot.remoteIdentifier}'`);
  }
  return connection;
}
