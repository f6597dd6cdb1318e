/** All slots of one orbiter, and the indexes in which it finds them. */

import type { Slot } from "./slots.js";
import { nextSlotState, SlotState, SlotTrigger } from "./transitions.js";

/** The slots of one operation. */
interface OfOperation {
  /** By remote. */
  readonly slots: Map<string, Slot>;
  /** How many of them are open connections. */
  openCount: number;
  /** The open connections, oldest first, until one comes or goes. */
  openInOrder: readonly Slot[] | null;
}

const NONE: ReadonlyMap<string, Slot> = new Map<string, Slot>();

/** All slots that are not free, found by remote, by operation and by topic without a search. */
export class SlotTable {
  /** How many are handshakes, not yet connections. */
  pendingCount = 0;
  /** How much memory is taken by what their remotes have told. */
  pendingBytes = 0;
  /** The same for connections. */
  connectionBytes = 0;
  readonly #byRemote = new Map<string, Map<string, Slot>>();
  readonly #byOperation = new Map<string, OfOperation>();
  /** Several where a layout shares topics. */
  readonly #byTopic = new Map<string, Set<Slot>>();
  readonly #unanswered = new Set<Slot>();
  #count = 0;

  /** How many slots there are. */
  get size(): number {
    return this.#count;
  }

  /** How many are connections, also those that are closing. */
  get connectionCount(): number {
    return this.#count - this.pendingCount;
  }

  /** All slots. */
  all(): Slot[] {
    return [...this.#byRemote.values()].flatMap((ofRemote) => [...ofRemote.values()]);
  }

  /** The slot of this remote and operation. */
  get(remoteIdentifier: string, operationName: string): Slot | undefined {
    return this.#byRemote.get(remoteIdentifier)?.get(operationName);
  }

  /** All slots with one remote by operation, to look at; it changes with them. */
  withRemote(remoteIdentifier: string): ReadonlyMap<string, Slot> {
    return this.#byRemote.get(remoteIdentifier) ?? NONE;
  }

  /** All slots with one remote. */
  ofRemote(remoteIdentifier: string): Slot[] {
    return [...this.withRemote(remoteIdentifier).values()];
  }

  /** The slots that use a topic for their input, output or incoming closes. */
  ofTopic(topic: string): Slot[] {
    return [...(this.#byTopic.get(topic) ?? [])];
  }

  /** How many slots of an operation are taken, in any state. */
  count(operationName: string): number {
    return this.#byOperation.get(operationName)?.slots.size ?? 0;
  }

  /** All slots of an operation. */
  ofOperation(operationName: string): Slot[] {
    return [...(this.#byOperation.get(operationName)?.slots.values() ?? [])];
  }

  /** The open connections of an operation, oldest first. */
  openOfOperation(operationName: string): readonly Slot[] {
    const found = this.#byOperation.get(operationName);
    if (found === undefined) {
      return [];
    }
    found.openInOrder ??= [...found.slots.values()].filter((slot) => slot.isOpen).sort(byOpening);
    return found.openInOrder;
  }

  /** The connections of an operation that outputs may be sent on, oldest first. */
  answerableOfOperation(operationName: string): readonly Slot[] {
    const found = this.#byOperation.get(operationName);
    if (found === undefined || found.openCount === found.slots.size) {
      return this.openOfOperation(operationName);
    }
    return [...found.slots.values()].filter((slot) => slot.isAnswerable).sort(byOpening);
  }

  /** How many open connections an operation has. */
  openCount(operationName: string): number {
    return this.#byOperation.get(operationName)?.openCount ?? 0;
  }

  /** The offer or request that has been unanswered for longest, without those that were spared. */
  oldestUnanswered(): Slot | undefined {
    return this.#unanswered.values().next().value;
  }

  /** Let an unanswered offer or request count as the newest. */
  spare(slot: Slot): void {
    this.#unanswered.delete(slot);
    this.#unanswered.add(slot);
  }

  /** With how many remotes there is a slot. */
  get remoteCount(): number {
    return this.#byRemote.size;
  }

  /** The identifiers of all remotes with a slot. */
  remotes(): string[] {
    return [...this.#byRemote.keys()];
  }

  /** Whether there is any slot with this remote. */
  hasRemote(remoteIdentifier: string): boolean {
    return this.#byRemote.has(remoteIdentifier);
  }

  // Changes

  /** Take a free slot in, with what makes it no longer free; throws a `LocalProtocolError` if nothing does. */
  add(slot: Slot, trigger: SlotTrigger): void {
    slot.state = nextSlotState(slot.role, slot.state, trigger);
    const { remoteIdentifier, operationName } = slot;
    const ofRemote = this.#byRemote.get(remoteIdentifier);
    if (ofRemote === undefined) {
      this.#byRemote.set(remoteIdentifier, new Map([[operationName, slot]]));
    } else {
      ofRemote.set(operationName, slot);
    }
    const ofOperation = this.#byOperation.get(operationName);
    if (ofOperation === undefined) {
      const slots = new Map([[remoteIdentifier, slot]]);
      this.#byOperation.set(operationName, { slots, openCount: 0, openInOrder: null });
    } else {
      ofOperation.slots.set(remoteIdentifier, slot);
    }
    this.#count += 1;
    this.pendingCount += 1;
    this.pendingBytes += slot.size;
    if (slot.state !== SlotState.PREPARING) {
      this.#unanswered.add(slot);
    }
  }

  /** Count what a slot keeps of one more message. */
  grow(slot: Slot, size: number): void {
    slot.size += size;
    if (slot.isConnection) {
      this.connectionBytes += size;
    } else {
      this.pendingBytes += size;
    }
  }

  /** Let `ofTopic` find a slot by the topics that it has by now. */
  indexTopics(slot: Slot): void {
    for (const topic of topicsOf(slot)) {
      const found = this.#byTopic.get(topic);
      if (found === undefined) {
        this.#byTopic.set(topic, new Set([slot]));
      } else {
        found.add(slot);
      }
    }
  }

  /** Let something happen to a slot, and forget it if that makes it free; throws a `LocalProtocolError`. */
  advance(slot: Slot, trigger: SlotTrigger): void {
    const before = slot.state;
    const wasConnection = slot.isConnection;
    const state = (slot.state = nextSlotState(slot.role, before, trigger));
    const ofOperation = this.#byOperation.get(slot.operationName);
    if (ofOperation !== undefined && (state === SlotState.OPEN || before === SlotState.OPEN)) {
      ofOperation.openCount += state === SlotState.OPEN ? 1 : -1;
      ofOperation.openInOrder = null;
    }
    if (!wasConnection) {
      if (state === SlotState.REQUESTED) {
        this.#unanswered.add(slot);
      } else {
        this.#unanswered.delete(slot);
      }
      if (state !== SlotState.PREPARING && state !== SlotState.REQUESTED) {
        this.pendingCount -= 1;
        this.pendingBytes -= slot.size;
        if (state !== SlotState.FREE) {
          this.connectionBytes += slot.size;
        }
      }
    }
    if (state === SlotState.FREE) {
      if (wasConnection) {
        this.connectionBytes -= slot.size;
      }
      this.#forget(slot);
    }
  }

  #forget(slot: Slot): void {
    const { remoteIdentifier, operationName } = slot;
    this.#count -= 1;
    const ofRemote = this.#byRemote.get(remoteIdentifier);
    ofRemote?.delete(operationName);
    if (ofRemote?.size === 0) {
      this.#byRemote.delete(remoteIdentifier);
    }
    const ofOperation = this.#byOperation.get(operationName);
    ofOperation?.slots.delete(remoteIdentifier);
    if (ofOperation?.slots.size === 0) {
      this.#byOperation.delete(operationName);
    }
    for (const topic of topicsOf(slot)) {
      const found = this.#byTopic.get(topic);
      found?.delete(slot);
      if (found?.size === 0) {
        this.#byTopic.delete(topic);
      }
    }
  }
}

function topicsOf(slot: Slot): string[] {
  return [slot.inputTopic, slot.outputTopic, slot.incomingCloseTopic].filter(
    (topic): topic is string => topic !== null && topic !== "",
  );
}

function byOpening(one: Slot, other: Slot): number {
  return one.openedAt - other.openedAt;
}
