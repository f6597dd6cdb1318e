/** How connections end: gracefully, when the other side has acknowledged, or gracelessly, at once. */

import { CloseAckTopic } from "../../../generated/typescript/topics.js";

import type { OrbiterConfig } from "./config.js";
import { isAbout, type Headers } from "./headers.js";
import type { Lifecycle } from "./lifecycle.js";
import type { Liveness } from "./liveness.js";
import type { MessageOf } from "./messages.js";
import type { Outbox } from "./outbox.js";
import { sizeOf } from "./sizes.js";
import type { SlotTable } from "./slot-table.js";
import type { RemoteClose, Slot } from "./slots.js";
import type { TopicResolver } from "./topic-resolver.js";
import { SlotState, SlotTrigger } from "./transitions.js";

/** Seconds after which a connection that is in use is looked at again, at least. */
const LOOK_AGAIN_AFTER = 1;

/** Say of no connection that it is in use. */
export function never(): boolean {
  return false;
}

/** Closes connections, and takes the closes of remotes. */
export class Closing {
  constructor(
    private config: OrbiterConfig,
    private readonly slots: SlotTable,
    private readonly lifecycle: Lifecycle,
    private readonly liveness: Liveness,
    private readonly resolver: TopicResolver,
    private readonly outbox: Outbox,
  ) {}

  /** Take a new snapshot. */
  configure(config: OrbiterConfig): void {
    this.config = config;
  }

  // What the user wants

  /** Close a connection at once. */
  closeGracelessly(slot: Slot, data: Uint8Array | null, now: number): void {
    this.lifecycle.sendGracelessClose(slot, data);
    this.lifecycle.release(slot, SlotTrigger.GRACELESS_CLOSE_SENT, "local");
    this.liveness.olderPeers.closed(slot.remoteIdentifier, now);
  }

  /** Ask the remote to close a connection, unless it is closing already. */
  closeGracefully(slot: Slot, data: Uint8Array | null, now: number): void {
    if (!slot.isOpen) {
      return;
    }
    const { remoteIdentifier, operationName, connectionIdentifier } = slot;
    const ackTopic = this.config.topics.closeAck(remoteIdentifier, operationName, connectionIdentifier);
    slot.ackTopic = ackTopic;
    slot.closeData = data;
    this.lifecycle.beginClosing(slot, SlotTrigger.GRACEFUL_CLOSE_SENT, now);
    this.outbox.add({ kind: "subscribe", remoteIdentifier, topic: ackTopic });
    const fields = { fromIdentifier: this.config.identifier, operationName, ackTopic, data };
    const message = { type: "GracefulCloseConnectionMessage", fields } as const;
    this.outbox.send(remoteIdentifier, slot.remoteCloseTopic, message, { connectionIdentifier });
  }

  /** Close a connection whose remote has asked for it, now that all its data is handled. */
  drained(slot: Slot): void {
    const close = slot.remoteClose;
    if (slot.state === SlotState.DRAINING && close !== null) {
      this.lifecycle.release(slot, SlotTrigger.DRAINED, "remote", close.data);
      this.#acknowledge(slot, close);
    }
  }

  // What time brings

  /** Return the open connections that were not used for `closeConnectionIfUnusedAfter` seconds. */
  unusedConnections(now: number, isInUse: (slot: Slot) => boolean): Slot[] {
    return this.lifecycle.popPerhapsUnused(now).filter((slot) => this.isUnused(slot, now, isInUse));
  }

  /** Whether an open connection was not used for long enough; if it was, have it looked at in time. */
  isUnused(slot: Slot, now: number, isInUse: (slot: Slot) => boolean): boolean {
    const after = this.config.closeConnectionIfUnusedAfter;
    if (after === null || !slot.isOpen) {
      return false;
    }
    if (slot.lastUsed + after > now) {
      this.lifecycle.lookAt(slot, slot.lastUsed + after);
      return false;
    }
    if (isInUse(slot)) {
      slot.lastUsed = Math.max(slot.lastUsed, now);
      this.lifecycle.lookAt(slot, now + Math.max(after, LOOK_AGAIN_AFTER));
      return false;
    }
    return true;
  }

  // What arrives

  /** Return the slot that a close or its acknowledgement is about, if it is about one. */
  #slotOf(message: CloseOrAck, headers: Headers, now: number): Slot | null {
    const { fromIdentifier, operationName } = message.fields;
    this.liveness.hear(fromIdentifier, headers, now);
    const slot = this.slots.get(fromIdentifier, operationName);
    return slot !== undefined && isAbout(headers, slot.connectionIdentifier) ? slot : null;
  }

  /** End a connection, or a request whose confirm is to come. */
  onClose(topic: string, message: Close, headers: Headers, now: number): void {
    const slot = this.#slotOf(message, headers, now);
    if (topic !== slot?.incomingCloseTopic) {
      return;
    }
    if (!slot.isConnection && slot.state !== SlotState.REQUESTED) {
      return;
    }
    if (message.type === "GracelessCloneConnectionMessage") {
      this.outbox.received(slot.remoteIdentifier, message);
      this.lifecycle.release(slot, SlotTrigger.GRACELESS_CLOSE_RECEIVED, "remote", message.fields.data);
    } else if (slot.state !== SlotState.DRAINING) {
      this.#onGracefulClose(slot, message, headers, now);
    }
  }

  #onGracefulClose(
    slot: Slot,
    message: MessageOf<"GracefulCloseConnectionMessage">,
    headers: Headers,
    now: number,
  ): void {
    const { remoteIdentifier, operationName, connectionIdentifier } = slot;
    const levels = { operationName, connectionIdentifier };
    const ackTopic = this.resolver.resolve(CloseAckTopic, remoteIdentifier, message.fields.ackTopic, { levels });
    this.outbox.received(remoteIdentifier, message);
    const close: RemoteClose = { eventIdentifier: headers.identifier, ackTopic, data: message.fields.data };
    if (slot.isOpen) {
      slot.remoteClose = close;
      this.slots.grow(slot, sizeOf(close.ackTopic) + sizeOf(close.data));
      this.lifecycle.beginClosing(slot, SlotTrigger.GRACEFUL_CLOSE_RECEIVED, now);
      this.outbox.add({ kind: "drain", remoteIdentifier, slot });
    } else {
      this.lifecycle.release(slot, SlotTrigger.GRACEFUL_CLOSE_RECEIVED, "remote", close.data);
      this.#acknowledge(slot, close);
    }
  }

  /** End a connection whose graceful close of this side is acknowledged. */
  onCloseAck(topic: string, message: MessageOf<"CloseConnectionAckMessage">, headers: Headers, now: number): void {
    const slot = this.#slotOf(message, headers, now);
    if (slot?.state === SlotState.CLOSING && topic === slot.ackTopic) {
      this.outbox.received(slot.remoteIdentifier, message);
      this.lifecycle.release(slot, SlotTrigger.CLOSE_ACK_RECEIVED, "local");
    }
  }

  #acknowledge(slot: Slot, close: RemoteClose): void {
    const { remoteIdentifier, operationName, connectionIdentifier } = slot;
    const fields = { fromIdentifier: this.config.identifier, operationName };
    const message = { type: "CloseConnectionAckMessage", fields } as const;
    const correlationIdentifier = close.eventIdentifier;
    this.outbox.send(remoteIdentifier, close.ackTopic, message, { correlationIdentifier, connectionIdentifier });
  }
}

type Close = MessageOf<"GracefulCloseConnectionMessage"> | MessageOf<"GracelessCloneConnectionMessage">;
type CloseOrAck = Close | MessageOf<"CloseConnectionAckMessage">;
