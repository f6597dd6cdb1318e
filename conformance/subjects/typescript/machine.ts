/** Our state machines as a driver of the conformance tests: JSON lines in, JSON lines out. */

import { createInterface } from "node:readline";

import { RemoteProtocolError } from "../../../typescript/src/errors.js";
import type { Effect } from "../../../typescript/src/protocol/effects.js";
import { CoreMachine, PluginMachine, type Identifiers } from "../../../typescript/src/protocol/machine.js";
import type { Slot } from "../../../typescript/src/protocol/slots.js";
import {
  bytesFromJson,
  coreConfigFromJson,
  effectsToJson,
  headersFromJson,
  messageFromJson,
  pluginConfigFromJson,
  type Content,
} from "./machine-json.js";

/** What comes with calls; a call has some of it. */
interface Call {
  readonly call: string;
  readonly role: "core" | "plugin";
  readonly config: Content;
  readonly now: number;
  readonly topic: string;
  readonly message: Content;
  readonly headers: Content;
  readonly remote: string;
  readonly remotes: readonly string[];
  readonly operation: string;
  readonly connection: string;
  readonly data: unknown;
  readonly setup_data: unknown;
}

/** One machine after the other. */
class Driver {
  #machine: CoreMachine | PluginMachine | null = null;
  /** What `prepare` and `drain` were about, by remote, operation and connection. */
  readonly #slots = new Map<string, Slot>();
  #made = 0;

  /** Do what a line says; returns the answer. */
  answer(given: Call): Content {
    const { call, now, remote, operation } = given;
    const machine = this.#machine;
    if (call === "make") {
      return this.#make(given);
    }
    if (machine === null) {
      throw new TypeError("make a machine first");
    }
    switch (call) {
      case "configure":
        return this.#done(
          machine instanceof CoreMachine
            ? machine.configure(coreConfigFromJson(given.config), now)
            : machine.configure(pluginConfigFromJson(given.config), now),
        );
      case "start":
        return this.#done(machine.start(now));
      case "stop":
        return this.#done(machine.stop());
      case "leave":
        return this.#done(machine.leave());
      case "handle":
        return this.#handle(machine, given);
      case "prepared":
        return this.#done(
          machine.prepared(this.#slotOf(given), given.connection, now, bytesFromJson(given.setup_data)),
        );
      case "preparation_failed":
        return this.#done(machine.preparationFailed(this.#slotOf(given), given.connection, now));
      case "drained":
        return this.#done(machine.drained(this.#slotOf(given), now));
      case "data": {
        const slot = machine.slots.get(remote, operation);
        const taken = slot !== undefined && machine.data(slot, headersFromJson(given.headers), now);
        return { ...this.#done(machine.take()), taken };
      }
      case "tick":
        return this.#done(machine.tick(now));
      case "reconnected":
        return this.#done(machine.reconnected(now));
      case "cancel_suspicions":
        return this.#done(machine.cancelSuspicions(given.remotes));
      case "close_gracefully":
        return this.#done(machine.closeGracefully(remote, operation, bytesFromJson(given.data), now));
      case "close_gracelessly":
        return this.#done(machine.closeGracelessly(remote, operation, bytesFromJson(given.data), now));
      case "close_here":
        return this.#done(machine.closeHere(remote, operation, now));
      case "send_keepalive":
        return this.#done(machine.sendKeepalive(remote, now));
      case "send_keepalive_request":
        return this.#done(machine.sendKeepaliveRequest(remote, now));
      default:
        throw new TypeError(`there is no call '${call}'`);
    }
  }

  #make(given: Call): Content {
    this.#made += 1;
    const prefix = `typescript-${String(this.#made)}-`;
    let count = 0;
    const newIdentifier = (): string => {
      count += 1;
      return prefix + String(count);
    };
    const identifiers: Identifiers = {
      newIdentifier,
      newChallenge: newIdentifier,
      isOwn: (identifier) => identifier.startsWith(prefix),
    };
    this.#machine =
      given.role === "core"
        ? new CoreMachine(coreConfigFromJson(given.config), identifiers)
        : new PluginMachine(pluginConfigFromJson(given.config), identifiers);
    this.#slots.clear();
    return { effects: [], lacks: [] };
  }

  #handle(machine: CoreMachine | PluginMachine, given: Call): Content {
    try {
      const { topic, message, headers, now } = given;
      return this.#done(machine.handle(topic, messageFromJson(message), headersFromJson(headers), now));
    } catch (error) {
      if (error instanceof RemoteProtocolError) {
        return { ...this.#done(machine.take()), refused: true };
      }
      throw error;
    }
  }

  /** Return an answer with effects. */
  #done(effects: readonly Effect[]): Content {
    for (const effect of effects) {
      if (effect.kind === "prepare" || effect.kind === "drain") {
        const { remoteIdentifier, operationName, connectionIdentifier } = effect.slot;
        this.#slots.set(JSON.stringify([remoteIdentifier, operationName, connectionIdentifier]), effect.slot);
      }
    }
    return { effects: effectsToJson(effects) };
  }

  #slotOf({ remote, operation, connection }: Call): Slot {
    const slot = this.#slots.get(JSON.stringify([remote, operation, connection]));
    if (slot === undefined) {
      throw new TypeError(`nothing was asked for connection '${connection}' of '${remote}' for '${operation}'`);
    }
    return slot;
  }
}

/** Answer each line of standard input by one on standard output. */
async function main(): Promise<void> {
  const driver = new Driver();
  for await (const line of createInterface({ input: process.stdin })) {
    let answer: Content;
    try {
      answer = driver.answer(JSON.parse(line) as Call);
    } catch (error) {
      answer = { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

await main();
