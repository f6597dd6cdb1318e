/** Several buses at once: one client that is on all of them. */

import type { Bus, BusOptions, BusStatistics, Receive } from "./bus.js";
import type { Channel } from "../../../generated/typescript/channels.js";
import { BusRefusedError, BusUnavailableError } from "../errors.js";
import { newIdentifier } from "../message/identifiers.js";

/**
 * Make a client of several buses of a client of each, by a name for each bus; throws a `TypeError` if there is none.
 *
 * It hears what is published on any of them. An event for a remote goes to the bus where that is, every other event to
 * all that are connected at the moment. A bus that is lost leaves the others alone.
 */
export function severalBuses(members: Readonly<Record<string, Bus>>): Bus {
  return new SeveralBuses(new Map(Object.entries(members)));
}

class SeveralBuses implements Bus {
  readonly identifier = newIdentifier();
  #published = 0;

  constructor(private readonly members: ReadonlyMap<string, Bus>) {
    if (members.size === 0) {
      throw new TypeError("a client of several buses needs at least one, got none");
    }
    if (new Set(members.values()).size < members.size) {
      const names = [...members.keys()].join(", ");
      throw new TypeError(`each bus needs a client of its own, got one twice: ${names}`);
    }
  }

  get isConnected(): boolean {
    return this.#all.every((one) => one.isConnected);
  }

  get hasWills(): boolean {
    return this.#all.some((one) => one.hasWills);
  }

  get statistics(): BusStatistics {
    const counted = this.#all.map((one) => one.statistics);
    return {
      published: this.#published,
      received: counted.reduce((sum, one) => sum + one.received, 0),
      reconnections: counted.reduce((sum, one) => sum + one.reconnections, 0),
    };
  }

  /** Connect to all buses, or to none. */
  async connect(options: BusOptions): Promise<void> {
    const failures = await this.#atEach(this.members, (one, name) =>
      one.connect({ ...options, onLost: () => options.onLost(name) }),
    );
    if (failures.size > 0) {
      await this.#atEach(this.members, (one) => one.disconnect());
      throw failureOf(failures);
    }
  }

  async subscribe(filter: string, channel: Channel, receive: Receive, bus: string | null = null): Promise<void> {
    const asked = this.#named(bus);
    const failures = await this.#atEach(asked, (one, name) =>
      one.subscribe(filter, channel, (topic, data) => receive(topic, data, name)),
    );
    if (failures.size > 0) {
      await this.#atEach(asked, (one) => one.unsubscribe([filter]));
      throw failureOf(failures);
    }
  }

  async unsubscribe(filters: readonly string[]): Promise<void> {
    const failures = await this.#atEach(this.members, (one) => one.unsubscribe(filters));
    if (failures.size > 0) {
      throw failureOf(failures);
    }
  }

  async publish(topic: string, data: Uint8Array, channel: Channel, bus: string | null = null): Promise<void> {
    this.#published += 1;
    const named = this.#named(bus);
    const present = new Map([...named].filter(([, one]) => one.isConnected));
    const asked = present.size > 0 ? present : named;
    const failures = await this.#atEach(asked, (one) => one.publish(topic, data, channel));
    const isAway = [...failures.values()].every((error) => error instanceof BusUnavailableError);
    // A bus that has just gone away counts as one that was away before, if another one has taken the event.
    if (failures.size > 0 && (!isAway || failures.size === asked.size)) {
      throw failureOf(failures);
    }
  }

  async disconnect(): Promise<void> {
    const failures = await this.#atEach(this.members, (one) => one.disconnect());
    if (failures.size > 0) {
      throw failureOf(failures);
    }
  }

  get #all(): Bus[] {
    return [...this.members.values()];
  }

  #named(bus: string | null): ReadonlyMap<string, Bus> {
    const found = bus === null ? undefined : this.members.get(bus);
    if (bus !== null && found === undefined) {
      throw new TypeError(`expected one of the buses ${[...this.members.keys()].join(", ")}, got '${bus}'`);
    }
    return bus === null || found === undefined ? this.members : new Map([[bus, found]]);
  }

  /** Have something done on several buses at the same time; return the failures by bus. */
  async #atEach(
    members: ReadonlyMap<string, Bus>,
    act: (one: Bus, name: string) => Promise<void>,
  ): Promise<ReadonlyMap<string, unknown>> {
    const failures = new Map<string, unknown>();
    await Promise.all(
      [...members].map(async ([name, one]) => {
        try {
          await act(one, name);
        } catch (error) {
          failures.set(name, error);
        }
      }),
    );
    return failures;
  }
}

/** Return what is to be thrown: a `BusUnavailableError`, for which trying again may help, only if all buses say so. */
function failureOf(failures: ReadonlyMap<string, unknown>): unknown {
  const errors = [...failures.values()];
  const others = errors.filter((one) => !(one instanceof BusUnavailableError));
  const first = others.find((one) => !(one instanceof BusRefusedError)) ?? others[0];
  if (first !== undefined && !(first instanceof BusRefusedError)) {
    return first;
  }
  const text = [...failures].map(([name, error]) => `${name}: ${(error as Error).message}`).join("; ");
  return first === undefined ? new BusUnavailableError(text) : new BusRefusedError(text);
}
