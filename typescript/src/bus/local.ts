/** A bus within one process: for tests, and for orbiters that live together. */

import type { Bus, BusStatistics, Receive } from "./bus.js";
import { checkPublication, Router } from "./router.js";
import type { Channel } from "../../../generated/typescript/channels.js";
import { BusNotConnectedError } from "../errors.js";

/** A bus within one process, for tests and for programs that need no other: `client()` makes a client for an orbiter. */
export class LocalBroker {
  readonly #clients = new Set<LocalBus>();
  #made = 0;

  /** Make a client for one orbiter. */
  client(): Bus {
    this.#made += 1;
    return new LocalBus(this, `local-${String(this.#made)}`, this.#clients);
  }

  /** Hand an event to all clients, once the caller has returned. */
  carry(topic: string, data: Uint8Array): void {
    queueMicrotask(() => {
      for (const client of [...this.#clients]) {
        client.arrived(topic, data);
      }
    });
  }
}

class LocalBus implements Bus {
  readonly hasWills = true;
  readonly statistics: BusStatistics = { published: 0, received: 0, reconnections: 0 };
  readonly #router = new Router();

  constructor(
    readonly broker: LocalBroker,
    readonly identifier: string,
    readonly clients: Set<LocalBus>,
  ) {}

  get isConnected(): boolean {
    return this.clients.has(this);
  }

  connect(): Promise<void> {
    this.clients.add(this);
    return Promise.resolve();
  }

  subscribe(filter: string, channel: Channel, receive: Receive): Promise<void> {
    this.#router.add(filter, { channel, receive });
    return Promise.resolve();
  }

  unsubscribe(filters: readonly string[]): Promise<void> {
    for (const filter of filters) {
      this.#router.remove(filter);
    }
    return Promise.resolve();
  }

  publish(topic: string, data: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      checkPublication(topic, data);
      if (!this.isConnected) {
        throw new BusNotConnectedError(`client ${this.identifier} is not connected`);
      }
      this.statistics.published += 1;
      this.broker.carry(topic, data);
      resolve();
    });
  }

  disconnect(): Promise<void> {
    this.clients.delete(this);
    this.#router.clear();
    return Promise.resolve();
  }

  /** Take what has arrived. */
  arrived(topic: string, data: Uint8Array): void {
    this.statistics.received += this.#router.deliver(topic, data);
  }
}
