/** What carries events between topics: an orbiter is given one. It knows neither connections nor what events mean. */

import type { Channel } from "../../../generated/typescript/channels.js";

/** What a bus publishes in the name of its client when that is cut off. */
export interface Will {
  /** Where it is published. */
  readonly topic: string;
  /** The event. */
  readonly data: Uint8Array;
  /** The kind of the topic, with its quality of service. */
  readonly channel: Channel;
}

/** Takes what arrives on a topic; `origin` names the bus where there are several. It must not throw. */
export type Receive = (topic: string, data: Uint8Array, origin: string | null) => void;

/** What an orbiter wants of its bus while it is connected. */
export interface BusOptions {
  /** Returns what is left with the bus at each connection. */
  readonly makeWill: () => Will | null;
  /** Called when the bus was away, is back, and everything is subscribed to again. */
  readonly onReconnected: () => void;
  /** Called when the connection with the bus is lost, with its name where there are several. */
  readonly onLost: (bus: string | null) => void;
}

/** What a bus has counted. */
export interface BusStatistics {
  /** Events that were published. */
  published: number;
  /** Events that have come. */
  received: number;
  /** How often the bus was away and has come back. */
  reconnections: number;
}

/** A client of an event bus, for one orbiter at a time. */
export interface Bus {
  /** Identifies the client on the bus. */
  readonly identifier: string;
  /** Whether there is a connection right now. */
  readonly isConnected: boolean;
  /** Whether it keeps wills. */
  readonly hasWills: boolean;
  /** What it has counted. */
  readonly statistics: BusStatistics;
  /** Connect; throws a `BusUnavailableError` or a `BusRefusedError`. */
  connect(options: BusOptions): Promise<void>;
  /**
   * Have what is published to topics that match a filter handed over; one filter has one receiver.
   *
   * A client of several buses listens on all of them, or on the one with the name `bus`.
   */
  subscribe(filter: string, channel: Channel, receive: Receive, bus?: string | null): Promise<void>;
  /** Have nothing handed over any more for these filters. */
  unsubscribe(filters: readonly string[]): Promise<void>;
  /**
   * Publish an event; throws a `BusError`. Events on one topic keep their order.
   *
   * A client of several buses publishes to all that are connected, or to the one with the name `bus`.
   */
  publish(topic: string, data: Uint8Array, channel: Channel, bus?: string | null): Promise<void>;
  /** Leave the bus in order, so that it publishes no will. */
  disconnect(): Promise<void>;
}
