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
  /** Which effect this is. */
  readonly kind: "send";
  /** The remote that it is for; `null` for a broadcast. */
  readonly remoteIdentifier: string | null;
  /** Where it is published. */
  readonly topic: string;
  /** The kind of the topic, with its quality of service. */
  readonly channel: Channel;
  /** What is published. */
  readonly message: ProtocolMessage;
  /** Identifier of the event. */
  readonly eventIdentifier: string;
  /** How the envelope is written. */
  readonly encoding: Encoding;
  /** The event that it answers. */
  readonly correlationIdentifier: string | null;
  /** The connection that it is about. */
  readonly connectionIdentifier: string | null;
  /** For a keepalive: the connections that its sender believes in. */
  readonly openConnections: readonly string[] | null;
  /** For a discover: whether offers may also come later. */
  readonly lateOffers: boolean | null;
  /** Whether earlier ones of its kind to the same topic need not be sent if they still wait. */
  readonly replacesEarlier: boolean;
}

/** Tell the user of a message that is taken into account. */
export interface MessageReceived {
  /** Which effect this is. */
  readonly kind: "messageReceived";
  /** The remote that it is about. */
  readonly remoteIdentifier: string;
  /** The message. */
  readonly message: ProtocolMessage;
}

/** Subscribe to `slot.localTopics`, let the user prepare, and report with `prepared` or `preparationFailed`. */
export interface Prepare {
  /** Which effect this is. */
  readonly kind: "prepare";
  /** The remote that it is about. */
  readonly remoteIdentifier: string;
  /** The slot of the handshake. */
  readonly slot: Slot;
  /** Of the slot when preparation began; a report for another one is void. */
  readonly connectionIdentifier: string;
}

/** Have the data that has come on a connection handled, and report with `drained`. */
export interface Drain {
  /** Which effect this is. */
  readonly kind: "drain";
  /** The remote that it is about. */
  readonly remoteIdentifier: string;
  /** The slot of the connection. */
  readonly slot: Slot;
}

/** Subscribe to the topic on which a close is acknowledged. */
export interface Subscribe {
  /** Which effect this is. */
  readonly kind: "subscribe";
  /** The remote that it is about. */
  readonly remoteIdentifier: string;
  /** The topic. */
  readonly topic: string;
}

/** Unsubscribe from topics. */
export interface Unsubscribe {
  /** Which effect this is. */
  readonly kind: "unsubscribe";
  /** The remote that it is about. */
  readonly remoteIdentifier: string;
  /** The topics. */
  readonly topics: readonly string[];
}

/** A pending request has become a connection. */
export interface ConnectionOpened {
  /** Which effect this is. */
  readonly kind: "connectionOpened";
  /** The remote that it is about. */
  readonly remoteIdentifier: string;
  /** The slot of the connection. */
  readonly slot: Slot;
}

/** A connection is no more. */
export interface ConnectionClosed {
  /** Which effect this is. */
  readonly kind: "connectionClosed";
  /** The remote that it is about. */
  readonly remoteIdentifier: string;
  /** The slot that the connection had. */
  readonly slot: Slot;
  /** Why it is no more. */
  readonly reason: CloseReason;
  /** What the remote's close carried. */
  readonly data: Uint8Array | null;
}

/** A pending request came to nothing. */
export interface PendingRequestDiscarded {
  /** Which effect this is. */
  readonly kind: "pendingRequestDiscarded";
  /** The remote that it is about. */
  readonly remoteIdentifier: string;
  /** The slot that it had. */
  readonly slot: Slot;
}

/** A plugin does not lend an operation to a core, for a reason that was not told yet. */
export interface ObstacleMet {
  /** Which effect this is. */
  readonly kind: "obstacleMet";
  /** The remote that it is about. */
  readonly remoteIdentifier: string;
  /** What is in the way. */
  readonly obstacle: Obstacle;
}

/** A remote is dead, or has started anew; effects that follow close its connections. */
export interface RemoteLost {
  /** Which effect this is. */
  readonly kind: "remoteLost";
  /** The remote that it is about. */
  readonly remoteIdentifier: string;
  /** Whether it is dead or has started anew. */
  readonly reason: CloseReason;
}

/** Have the will of a remote delivered, on the bus where it is, or no more. No other effect waits for this. */
export interface WatchWill {
  /** Which effect this is. */
  readonly kind: "watchWill";
  /** The remote that it is about. */
  readonly remoteIdentifier: string;
  /** Whether it is to be delivered. */
  readonly isWanted: boolean;
}

/** A remote is suspected to be dead, or is so no more. */
export interface SuspicionChanged {
  /** Which effect this is. */
  readonly kind: "suspicionChanged";
  /** The remote that it is about. */
  readonly remoteIdentifier: string;
  /** Whether it is suspected now. */
  readonly isSuspected: boolean;
}

/** A core has become compliant, or ceased to be. */
export interface ComplianceChanged {
  /** Which effect this is. */
  readonly kind: "complianceChanged";
  /** `null`, since it is about all remotes. */
  readonly remoteIdentifier: null;
  /** Whether it is compliant now. */
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
