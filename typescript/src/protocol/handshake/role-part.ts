/** What the rest of a machine tells the part of its role, which has the handshake. */

import type { Headers } from "../headers.js";
import type { Lifecycle } from "../lifecycle.js";
import type { Liveness } from "../liveness.js";
import type { ProtocolMessage } from "../messages.js";
import type { Obstacles } from "../obstacles.js";
import type { Outbox } from "../outbox.js";
import type { Peer, Peers } from "../peers.js";
import type { Quotas } from "../quotas.js";
import type { SlotTable } from "../slot-table.js";
import type { Slot } from "../slots.js";
import type { TopicResolver } from "../topic-resolver.js";
import type { SlotTrigger } from "../transitions.js";

/** The parts of a machine that its role's part works with. */
export interface Parts {
  readonly peers: Peers;
  readonly slots: SlotTable;
  readonly quotas: Quotas;
  readonly obstacles: Obstacles;
  readonly lifecycle: Lifecycle;
  readonly liveness: Liveness;
  readonly resolver: TopicResolver;
  readonly outbox: Outbox;
}

/** What a plugin's or a core's part of a machine is told; nothing follows from what it leaves out. */
export interface RolePart {
  /** Whether something may be due earlier than before; a caller that has looked resets it. */
  hasMoved: boolean;

  /** Begin to take part. */
  start(now: number): void;

  /** Take part no more. */
  stop(): void;

  /** Take back what was asked for; the machine takes back what is under way. */
  leave?(): void;

  /** Note that the bus was away. */
  reconnected(now: number): void;

  /** Do what is due. */
  doDue?(now: number): void;

  /** Do what comes last in each turn: discover, or offer and announce. */
  turn(now: number): void;

  /** Draw the conclusions of what has happened. */
  settle(now: number): void;

  /** When something is due, or `null` while nothing is. */
  nextDeadline(): number | null;

  /** Take a message that is for this role alone. */
  receive(topic: string, message: ProtocolMessage, headers: Headers, now: number): void;

  /** Go on with a slot whose preparation is done. */
  prepared(slot: Slot, now: number): void;

  /** Tell the remote that a handshake comes to nothing. */
  giveUp(slot: Slot): void;

  /** Note that a handshake has become a connection. */
  opened(slot: Slot): void;

  /** Note that a connection is about to end; until then it takes its slot. */
  closing?(slot: Slot): void;

  /** Note that a slot is free. */
  released(slot: Slot, trigger: SlotTrigger): void;

  /** Note a sign of life of a remote. */
  heard(remoteIdentifier: string): void;

  /** Forget what a remote has asked for in past incarnations; `offered` was lost, and is offered to this one. */
  remoteRestarted?(peer: Peer, offered: readonly Slot[], now: number): void;

  /** Forget what a remote has asked for. */
  remoteDied?(remoteIdentifier: string): void;

  /** Send again what a peer has not answered, or whose answer was lost; with identifiers, for these alone. */
  repeatUnanswered?(peer: Peer, connectionIdentifiers?: ReadonlySet<string>): void;
}
