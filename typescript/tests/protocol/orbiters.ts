/** Machines that hand each other what they send, at a time that tests set. */

import { ENVELOPE_FINGERPRINT } from "../../../generated/typescript/envelope.js";
import type { Effect, Send } from "../../src/protocol/effects.js";
import type { Headers } from "../../src/protocol/headers.js";
import type { CoreMachine, Identifiers, PluginMachine } from "../../src/protocol/machine.js";
import type { SchemaSet } from "../../src/schema/schema-set.js";

/** Headers of an event of a peer of this version. */
export function headers(given: Partial<Headers> = {}): Headers {
  return {
    identifier: "event",
    publisherIdentifier: "client",
    incarnation: "first",
    correlationIdentifier: null,
    connectionIdentifier: null,
    openConnections: null,
    readableEncodings: [`avro:${ENVELOPE_FINGERPRINT}`],
    lateOffers: null,
    ...given,
  };
}

/** A set of schemas: a record of the name, with fields of the types. */
export function recordOf(name: string, ...types: readonly string[]): SchemaSet {
  const fields = types.map((type, index) => ({ name: `field_${String(index)}`, type }));
  const schema = JSON.stringify({ type: "record", name, fields });
  return { schemas: [schema], supportEmptySchema: false, supportUndefinedSchema: false };
}

/** Identifiers of one orbiter. */
export function identifiersOf(name: string): Identifiers {
  let count = 0;
  const newIdentifier = (): string => {
    count += 1;
    return `${name}${String(count)}`;
  };
  return { newIdentifier, newChallenge: newIdentifier, isOwn: (identifier) => identifier.startsWith(name) };
}

/** A core and a plugin, and what they have wanted since they were last asked. */
export class World {
  now = 100;
  /** All effects, with who wanted them. */
  readonly seen: { readonly who: "core" | "plugin"; readonly effect: Effect }[] = [];
  readonly #waiting: { readonly who: "core" | "plugin"; readonly effect: Effect }[] = [];

  constructor(
    readonly core: CoreMachine,
    readonly plugin: PluginMachine,
  ) {}

  /** Start both, and let the core discover. */
  start(): void {
    this.want("plugin", this.plugin.start(this.now));
    this.want("core", this.core.start(this.now));
    this.tick(0);
  }

  /** Let time go by, and everything happen that follows. */
  tick(seconds: number): void {
    this.now += seconds;
    this.want("core", this.core.tick(this.now));
    this.want("plugin", this.plugin.tick(this.now));
  }

  /** Carry effects out until nothing more follows. */
  want(who: "core" | "plugin", effects: readonly Effect[]): void {
    this.#waiting.push(...effects.map((effect) => ({ who, effect })));
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      this.seen.push(next);
      this.#carryOut(next.who, next.effect);
    }
  }

  /** The effects of one kind that one of them has wanted. */
  of<Kind extends Effect["kind"]>(who: "core" | "plugin", kind: Kind): Extract<Effect, { readonly kind: Kind }>[] {
    return this.seen
      .filter((one) => one.who === who && one.effect.kind === kind)
      .map((one) => one.effect as Extract<Effect, { readonly kind: Kind }>);
  }

  /** The names of the messages that one of them has sent. */
  sentBy(who: "core" | "plugin"): string[] {
    return this.of(who, "send").map((send) => send.message.type);
  }

  #carryOut(who: "core" | "plugin", effect: Effect): void {
    const machine = this[who];
    if (effect.kind === "prepare") {
      this.want(who, machine.prepared(effect.slot, effect.connectionIdentifier, this.now));
    } else if (effect.kind === "drain") {
      this.want(who, machine.drained(effect.slot, this.now));
    } else if (effect.kind === "send") {
      this.#deliver(who, effect);
    }
  }

  #deliver(who: "core" | "plugin", send: Send): void {
    const other = who === "core" ? "plugin" : "core";
    const event = headers({
      identifier: send.eventIdentifier,
      incarnation: `${who} incarnation`,
      correlationIdentifier: send.correlationIdentifier,
      connectionIdentifier: send.connectionIdentifier,
      openConnections: send.openConnections,
      lateOffers: send.lateOffers,
    });
    this.want(other, this[other].handle(send.topic, send.message, event, this.now));
  }
}
