/** What a plugin lends: which of it is free for whom, what keeps it from being lent, and slots for offers. */

import type { OperationTerms, PluginConfig } from "../config.js";
import type { Shape } from "../matching.js";
import { Obstacle, type ObstacleKind } from "../obstacles.js";
import { Slot } from "../slots.js";
import { admitsCore, hasRoom } from "../terms.js";
import { SlotTrigger } from "../transitions.js";

import type { Parts } from "./role-part.js";

/** Obstacles that the user is told of, as what the user can change. */
const TOLD: readonly ObstacleKind[] = ["schemas", "policy", "constraint", "maximum"];

/** Knows the operations of one plugin. */
export class Lender {
  constructor(
    public config: PluginConfig,
    private readonly parts: Parts,
  ) {}

  /** Note what keeps an operation that there is, and that the core has not got, from being lent to it. */
  note(core: string, name: string, kind: ObstacleKind, detail: string): void {
    if (this.config.operations.has(name) && this.parts.slots.get(core, name) === undefined) {
      this.tell(new Obstacle(core, name, kind, detail));
    }
  }

  /** Note an obstacle, and have the user told of it where that was not done before. */
  tell(obstacle: Obstacle): void {
    if (this.parts.obstacles.note(obstacle) && TOLD.includes(obstacle.kind)) {
      this.parts.outbox.add({ kind: "obstacleMet", remoteIdentifier: obstacle.remoteIdentifier, obstacle });
    }
  }

  /** Take a slot for an offer. */
  reserve(core: string, name: string, { input, output }: Shape, size: number, now: number): Slot {
    const slot = new Slot({
      role: "plugin",
      remoteIdentifier: core,
      operationName: name,
      input,
      output,
      createdAt: now,
      size,
    });
    this.parts.lifecycle.begin(slot, SlotTrigger.OFFER_SENT);
    return slot;
  }

  /** Whether an operation may be lent to a core now. */
  canLend(core: string, name: string, terms: OperationTerms): boolean {
    const { slots, quotas } = this.parts;
    return (
      hasRoom(terms, slots.count(name)) &&
      admitsCore(terms, core) &&
      quotas.hasRoomForPending() &&
      quotas.hasRoomForConnection(core)
    );
  }

  /** Whether there is such an operation, and its policy has a slot left. */
  isFree(name: string): boolean {
    const terms = this.config.operations.get(name);
    return terms !== undefined && hasRoom(terms, this.parts.slots.count(name));
  }
}
