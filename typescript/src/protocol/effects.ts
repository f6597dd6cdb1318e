/**
 * What a machine wants done: it decides, its caller acts.
 *
 * Effects that name the same remote are carried out one after the other, in the order in which they were returned.
 * Effects of different remotes may overtake each other.
 */

import type { Channel } from "../../../generated/typescript/channels.js";
import type { Encoding } from "../../../generated/typescript/envelope.js";

import type { ProtocolMessage } from "./messages.js";
import type { Obstacle } from "./obstacles.js";
import type { Slot } from "./slots.js";

/** Why a connection is no more. */
export type CloseReason = "local" | "remote" | "dead" | "restarted" | "forgot" | "stopped";

/** What each reason means, for people. */
export const CLOSE_REASONS: Readonly<Record<CloseReason, string>> = {
  local: "closed by this side",
  remote: "closed by the remote",
  dead: "the remote is dead",
  restarted: "the remote has started anew",
  forgot: "the remote does not know the connection",
  stopped: "this side stops",
};

/** Publish a message. */
export interface Send {
  readonly kind: "send";
  /** The remote that it is for; `null` for a broadcast. */
  readonly remoteIdentifier: string | null;
  readonly topic: string;
  readonly channel: Channel;
  readonly message: ProtocolMessage;
  readonly eventIdentifier: string;
  readonly encoding: Encoding;
  readonly correlationIdentifier: string | null;
  readonly connectionIdentifier: string | null;
  readonly openConnections: readonly string[] | null;
  readonly lateOffers: boolean | null;
  /** Whether earlier ones of its kind to the same topic need not be sent if they still wait. */
  readonly replacesEarlier: boolean;
}

/** Tell the user of a message that is taken into account. */
export interface MessageReceived {
  readonly kind: "messageReceived";
  readonly remoteIdentifier: string;
  readonly message: ProtocolMessage;
}

/** Subscribe to `slot.localTopics`, let the user prepare, and report with `prepared` or `preparationFailed`. */
export interface Prepare {
  readonly kind: "prepare";
  readonly remoteIdentifier: string;
  readonly slot: Slot;
  /** Of the slot when preparation began; a report for another one is void. */
  readonly connectionIdentifier: string;
}

/** Have the data that has come on a connection handled, and report with `drained`. */
export interface Drain {
  readonly kind: "drain";
  readonly remoteIdentifier: string;
  readonly slot: Slot;
}

/** Subscribe to the topic on which a close is acknowledged. */
export interface Subscribe {
  readonly kind: "subscribe";
  readonly remoteIdentifier: string;
  readonly topic: string;
}

/** Unsubscribe from topics. */
export interface Unsubscribe {
  readonly kind: "unsubscribe";
  readonly remoteIdentifier: string;
  readonly topics: readonly string[];
}

/** A pending request has become a connection. */
export interface ConnectionOpened {
  readonly kind: "connectionOpened";
  readonly remoteIdentifier: string;
  readonly slot: Slot;
}

/** A connection is no more. */
export interface ConnectionClosed {
  readonly kind: "connectionClosed";
  readonly remoteIdentifier: string;
  readonly slot: Slot;
  readonly reason: CloseReason;
  /** What the remote's close carried. */
  readonly data: Uint8Array | null;
}

/** A pending request came to nothing. */
export interface PendingRequestDiscarded {
  readonly kind: "pendingRequestDiscarded";
  readonly remoteIdentifier: string;
  readonly slot: Slot;
}

/** A plugin does not lend an operation to a core, for a reason that was not told yet. */
export interface ObstacleMet {
  readonly kind: "obstacleMet";
  readonly remoteIdentifier: string;
  readonly obstacle: Obstacle;
}

/** A remote is dead, or has started anew; effects that follow close its connections. */
export interface RemoteLost {
  readonly kind: "remoteLost";
  readonly remoteIdentifier: string;
  readonly reason: CloseReason;
}

/** Have the will of a remote delivered, on the bus where it is, or no more. No other effect waits for this. */
export interface WatchWill {
  readonly kind: "watchWill";
  readonly remoteIdentifier: string;
  readonly isWanted: boolean;
}

/** A remote is suspected to be dead, or is so no more. */
export interface SuspicionChanged {
  readonly kind: "suspicionChanged";
  readonly remoteIdentifier: string;
  readonly isSuspected: boolean;
}

/** A core has become compliant, or ceased to be. */
export interface ComplianceChanged {
  readonly kind: "complianceChanged";
  readonly remoteIdentifier: null;
  readonly compliant: boolean;
}

/** Anything that a machine wants done. */
export type Effect =
  | Send
  | MessageReceived
  | Prepare
  | Drain
  | Subscribe
  | Unsubscribe
  | ConnectionOpened
  | ConnectionClosed
  | PendingRequestDiscarded
  | ObstacleMet
  | RemoteLost
  | WatchWill
  | SuspicionChanged
  | ComplianceChanged;
