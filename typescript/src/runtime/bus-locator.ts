/** On which of several buses each remote is, for an orbiter that is on more than one. */

import type { EventEnvelope } from "../../../generated/typescript/messages.js";
import type { Machine } from "../protocol/machine.js";
import { senderOf, type ProtocolMessage } from "../protocol/messages.js";
import { Lately } from "../schema/lately.js";

/** How many remotes are noted before those that nobody knows any more are forgotten. */
const FIRST_SWEEP = 1000;
/** Events that are known to have come by one of several buses already, and as many older ones. */
const REMEMBERED = 2048;
const REMEMBERED_CHARACTERS = 512 * 1024;

/**
 * The bus of each remote: that on which it was heard last, as long as nothing is shared with it.
 *
 * From its first offer or request on, what comes from another bus under its identifier is of another remote. The
 * identifiers of remotes are not noted at all where there is one bus alone.
 */
export class BusLocator {
  readonly #machine: Machine;
  readonly #come = new Lately<true>(REMEMBERED, REMEMBERED_CHARACTERS);
  #buses = new Map<string, string>();
  #sweepAt = FIRST_SWEEP;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** The name of the bus on which a remote is; `null` means all that there are. */
  busOf(remote: string | null): string | null {
    return remote === null ? null : (this.#buses.get(remote) ?? null);
  }

  /** Whether an event has come by another bus before. */
  isCopy(topic: string, envelope: EventEnvelope, origin: string | null): boolean {
    if (origin === null) {
      return false;
    }
    const key = JSON.stringify([topic, envelope.publisherIdentifier, envelope.identifier]);
    const isOne = this.#come.has(key);
    this.#come.get(key, () => true);
    return isOne;
  }

  /** Note where a message comes from; return whether it is of the remote that goes by its sender's name here. */
  admits(message: ProtocolMessage, envelope: EventEnvelope, origin: string | null): boolean {
    const identifier = senderOf(message);
    const known = this.#buses.get(identifier);
    if (origin === null || origin === known) {
      return true;
    }
    if (known !== undefined && this.#machine.slots.hasRemote(identifier)) {
      // A remote that is itself on several buses asks and announces on all; this message came first by another one.
      const isToAll = message.type === "AnnounceMessage" || message.type === "DiscoverMessage";
      return isToAll && this.#isSameIncarnation(identifier, envelope);
    }
    this.#buses.set(identifier, origin);
    if (this.#buses.size >= this.#sweepAt) {
      this.#sweep(identifier);
    }
    return true;
  }

  #isSameIncarnation(identifier: string, { incarnation }: EventEnvelope): boolean {
    return incarnation !== null && this.#machine.peers.get(identifier)?.incarnation === incarnation;
  }

  /** Keep those alone that the machine remembers, of whom there are only so many, and the one just heard. */
  #sweep(newest: string): void {
    const { peers, slots } = this.#machine;
    this.#buses = new Map(
      [...this.#buses].filter(([one]) => one === newest || peers.get(one) !== undefined || slots.hasRemote(one)),
    );
    this.#sweepAt = Math.max(FIRST_SWEEP, 2 * this.#buses.size);
  }
}
