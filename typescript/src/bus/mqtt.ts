/** The bus over MQTT 5.0, by mqtt.js: over TCP and TLS in Node, and over WebSockets there and in browsers. */

import mqtt, { type ErrorWithReasonCode, type IClientOptions, type MqttClient } from "mqtt";

import type { Bus, BusOptions, BusStatistics, Receive } from "./bus.js";
import { checkPublication, Router } from "./router.js";
import type { Channel } from "../../../generated/typescript/channels.js";
import { EVENT_BYTES } from "../../../generated/typescript/limits.js";
import {
  BusError,
  BusNotConnectedError,
  BusRefusedError,
  BusUnavailableError,
  EventTooLargeError,
  OrbiterStateError,
} from "../errors.js";
import { newIdentifier } from "../message/identifiers.js";

/** How a client connects with a broker. */
export interface MqttOptions {
  /** Identifies the client at the broker; by default a new one. */
  readonly identifier?: string;
  /** The name under which the broker knows the client. */
  readonly username?: string;
  /** The password that goes with it. */
  readonly password?: string;
  /** Seconds between two signs of life to the broker while nothing else is sent. */
  readonly keepalive?: number;
  /** Seconds that the broker has to take a connection. */
  readonly connectTimeout?: number;
  /** Seconds from a connection that is lost until the next attempt. */
  readonly reconnectAfter?: number;
  /** Seconds after which a publication or subscription that the broker has not taken is given up. */
  readonly timeout?: number;
  /** Further options of mqtt.js, such as certificates. */
  readonly others?: IClientOptions;
}

/** What is published, until the broker has it. */
interface Publication {
  readonly topic: string;
  readonly data: Uint8Array;
  readonly qualityOfService: 0 | 1 | 2;
  readonly settle: (error: BusError | null) => void;
  isSettled: boolean;
}

const SECOND = 1000;
/** Publications that wait while the broker is away; more are refused. */
const LONGEST_OUTBOX = 10_000;
/** Publications that a broker may have to acknowledge at a time, if it allows as many. */
const IN_FLIGHT = 100;
/** Filters that are subscribed to in one packet. */
const BATCH = 100;
const REFUSALS: ReadonlySet<number> = new Set([4, 5, 0x84, 0x85, 0x86, 0x87, 0x8a, 0x8c, 0x95]);

/** Make a client of the broker with a URL: `mqtt://host:1883`, `mqtts://…`, `ws://host:9001` or `wss://…`. */
export function connectMqtt(url: string, options: MqttOptions = {}): Bus {
  return new MqttBus(url, options);
}

class MqttBus implements Bus {
  readonly identifier: string;
  readonly hasWills = true;
  readonly statistics: BusStatistics = { published: 0, received: 0, reconnections: 0 };
  readonly #url: string;
  readonly #options: MqttOptions;
  readonly #router = new Router();
  readonly #waiting: Publication[] = [];
  #client: MqttClient | null = null;
  #inFlight = 0;
  #window = IN_FLIGHT;
  #largest = EVENT_BYTES;
  /** Whether everything is subscribed to over the connection that there is. */
  #isReady = false;
  readonly #whenReady = new Set<() => void>();

  constructor(url: string, options: MqttOptions) {
    this.#url = url;
    this.#options = options;
    this.identifier = options.identifier ?? newIdentifier();
  }

  get isConnected(): boolean {
    return this.#client?.connected === true;
  }

  async connect(options: BusOptions): Promise<void> {
    if (this.#client !== null) {
      throw new OrbiterStateError(`the client of ${this.#shownUrl} is in use already: give each orbiter its own`);
    }
    const will = options.makeWill();
    const client = mqtt.connect(this.#url, {
      protocolVersion: 5,
      clean: true,
      resubscribe: false,
      clientId: this.identifier,
      keepalive: Math.max(1, Math.round(this.#options.keepalive ?? 60)),
      connectTimeout: (this.#options.connectTimeout ?? 10) * SECOND,
      reconnectPeriod: (this.#options.reconnectAfter ?? 0.5) * SECOND,
      properties: { sessionExpiryInterval: 0, maximumPacketSize: 16 * EVENT_BYTES },
      ...(this.#options.username === undefined ? {} : { username: this.#options.username }),
      ...(this.#options.password === undefined ? {} : { password: this.#options.password }),
      ...(will === null
        ? {}
        : {
            will: {
              topic: will.topic,
              payload: will.data as Buffer,
              qos: will.channel.qualityOfService,
              retain: will.channel.retain,
              properties: { willDelayInterval: 0 },
            },
          }),
      ...this.#options.others,
    });
    this.#client = client;
    try {
      await this.#opened(client);
    } catch (error) {
      this.#client = null;
      client.on("error", () => undefined);
      client.end(true);
      throw error;
    }
    client.on("error", () => undefined); // a loss is told by "close"
    client.on("message", (topic, data) => {
      this.statistics.received += this.#router.deliver(topic, data);
    });
    client.on("close", () => {
      if (this.#isReady) {
        this.#isReady = false;
        options.onLost(null);
      }
    });
    client.on("connect", (packet) => {
      this.#greeted(client, packet.properties);
      void this.#back(client, options);
    });
    this.#isReady = true;
  }

  async subscribe(filter: string, channel: Channel, receive: Receive): Promise<void> {
    this.#router.add(filter, { channel, receive });
    try {
      await this.#subscribeTo(filter, channel);
    } catch (error) {
      this.#router.remove(filter);
      throw error;
    }
  }

  async unsubscribe(filters: readonly string[]): Promise<void> {
    const known = filters.filter((one) => this.#router.remove(one));
    const client = this.#client;
    if (known.length > 0 && client?.connected === true) {
      try {
        await client.unsubscribeAsync(known);
      } catch (error) {
        // Without a connection there is no subscription either.
        if (client.connected as boolean) {
          throw new BusUnavailableError(`${this.#shownUrl} does not unsubscribe: ${textOf(error)}`);
        }
      }
    }
  }

  publish(topic: string, data: Uint8Array, channel: Channel): Promise<void> {
    return new Promise((resolve, reject) => {
      checkPublication(topic, data);
      if (this.#client === null) {
        throw new BusNotConnectedError(`the client of ${this.#shownUrl} is not connected`);
      }
      if (data.length > this.#largest) {
        throw new EventTooLargeError(
          `an event of ${String(data.length)} bytes is more than ${this.#shownUrl} takes: ${String(this.#largest)}`,
        );
      }
      if (this.#waiting.length >= LONGEST_OUTBOX) {
        throw new BusUnavailableError(`${String(LONGEST_OUTBOX)} events wait for ${this.#shownUrl}, and no more may`);
      }
      const timer = setTimeout(
        () => publication.settle(new BusUnavailableError(`${this.#shownUrl} has not taken an event in time`)),
        this.#timeout,
      );
      const publication: Publication = {
        topic,
        data,
        qualityOfService: channel.qualityOfService,
        isSettled: false,
        settle: (error) => {
          clearTimeout(timer);
          publication.isSettled = true;
          if (error === null) {
            resolve();
          } else {
            reject(error);
          }
        },
      };
      this.#waiting.push(publication);
      this.#pump();
    });
  }

  async disconnect(): Promise<void> {
    const client = this.#client;
    if (client === null) {
      return;
    }
    this.#isReady = false;
    this.#client = null;
    this.#router.clear();
    for (const one of this.#waiting.splice(0)) {
      one.settle(new BusNotConnectedError(`the client of ${this.#shownUrl} has disconnected`));
    }
    // Without a connection, there is nobody to take leave of.
    await client.endAsync(!client.connected);
  }

  get #timeout(): number {
    return (this.#options.timeout ?? 30) * SECOND;
  }

  /** The URL without what is secret in it. */
  get #shownUrl(): string {
    return this.#url.replace(/\/\/[^/@]*@/, "//");
  }

  async #opened(client: MqttClient): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new BusUnavailableError(`there is no answer from ${this.#shownUrl}`)),
        (this.#options.connectTimeout ?? 10) * SECOND,
      );
      client.once("connect", (packet) => {
        clearTimeout(timer);
        this.#greeted(client, packet.properties);
        resolve();
      });
      client.once("error", (error) => {
        clearTimeout(timer);
        const code = (error as Partial<ErrorWithReasonCode>).code;
        const refuses = typeof code === "number" && REFUSALS.has(code);
        const text = `${this.#shownUrl}: ${textOf(error)}`;
        reject(refuses ? new BusRefusedError(text) : new BusUnavailableError(text));
      });
    });
  }

  #greeted(
    client: MqttClient,
    told: { readonly receiveMaximum?: number; readonly maximumPacketSize?: number } | undefined,
  ): void {
    this.#window = Math.min(told?.receiveMaximum ?? IN_FLIGHT, IN_FLIGHT);
    this.#largest = Math.min(told?.maximumPacketSize ?? EVENT_BYTES, EVENT_BYTES);
    // Small packets must not wait for each other.
    const stream = client.stream as { setNoDelay?: (noDelay: boolean) => void };
    stream.setNoDelay?.(true);
  }

  /** Subscribe to everything again, and go on. */
  async #back(client: MqttClient, options: BusOptions): Promise<void> {
    const all = [...this.#router.entries()];
    try {
      for (let index = 0; index < all.length; index += BATCH) {
        const batch = all.slice(index, index + BATCH);
        await client.subscribeAsync(
          Object.fromEntries(batch.map(([filter, { channel }]) => [filter, { qos: channel.qualityOfService }])),
        );
      }
    } catch (error) {
      if (client.connected) {
        console.warn(`orbitalis: ${this.#shownUrl} does not subscribe again: ${textOf(error)}`);
      } else {
        return; // the next connection begins anew
      }
    }
    if (client !== this.#client) {
      return;
    }
    this.#isReady = true;
    this.statistics.reconnections += 1;
    for (const call of [...this.#whenReady]) {
      call();
    }
    options.onReconnected();
    this.#pump();
  }

  async #subscribeTo(filter: string, channel: Channel): Promise<void> {
    const client = this.#client;
    if (client === null) {
      throw new BusNotConnectedError(`the client of ${this.#shownUrl} is not connected`);
    }
    if (this.#isReady) {
      try {
        const under = client.subscribeAsync(filter, { qos: channel.qualityOfService });
        // It leaves at once, and before whatever the caller does next: mqtt.js would wait for the end of the turn.
        (client.stream as { uncork?: () => void }).uncork?.();
        const granted = await under;
        const refused = granted.find((one) => one.qos >= 128);
        if (refused !== undefined) {
          throw new BusRefusedError(`${this.#shownUrl} does not let this client subscribe to '${filter}'`);
        }
        return;
      } catch (error) {
        if (error instanceof BusError) {
          throw error;
        }
        if (client.connected) {
          throw new BusRefusedError(`${this.#shownUrl} does not subscribe to '${filter}': ${textOf(error)}`);
        }
      }
    }
    await this.#ready();
  }

  /** Wait until the bus is back; what was to be subscribed to is then. */
  async #ready(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#whenReady.delete(done);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#whenReady.delete(done);
        reject(new BusUnavailableError(`${this.#shownUrl} is away`));
      }, this.#timeout);
      this.#whenReady.add(done);
    });
  }

  /** Send what waits, as far as the broker takes it. */
  #pump(): void {
    const client = this.#client;
    while (client?.connected === true && this.#inFlight < this.#window) {
      const next = this.#waiting.shift();
      if (next === undefined) {
        break;
      }
      if (next.isSettled) {
        continue;
      }
      const isAcknowledged = next.qualityOfService > 0;
      this.#inFlight += isAcknowledged ? 1 : 0;
      this.statistics.published += 1;
      client.publish(next.topic, next.data as Buffer, { qos: next.qualityOfService }, (error) => {
        if (isAcknowledged) {
          this.#inFlight -= 1;
          this.#pump();
        }
        if (!next.isSettled) {
          next.settle(error ? this.#failure(next.topic, error) : null);
        }
      });
    }
  }

  #failure(topic: string, error: Error): BusError {
    const code = (error as Partial<ErrorWithReasonCode>).code;
    const text = `${this.#shownUrl} has not taken an event for topic '${topic}': ${textOf(error)}`;
    return typeof code === "number" && REFUSALS.has(code) ? new BusRefusedError(text) : new BusUnavailableError(text);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
