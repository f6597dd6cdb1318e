/** A core and a plugin, by themselves: what follows from what. The traces of the simulator say far more. */

import { beforeEach, describe, expect, it } from "vitest";

import { NoConnectionError, RemoteProtocolError } from "../../src/errors.js";
import { coreConfig, pluginConfig, type OperationTerms, type RequirementTerms } from "../../src/protocol/config.js";
import { CoreMachine, PluginMachine } from "../../src/protocol/machine.js";
import { NOTHING, type SchemaSet } from "../../src/schema/schema-set.js";
import { headers, identifiersOf, recordOf, World } from "./orbiters.js";

const SAID = recordOf("Said", "string");

function lent(terms: Partial<OperationTerms> = {}): ReadonlyMap<string, OperationTerms> {
  const usual = {
    input: SAID,
    output: NOTHING,
    maximum: null,
    allowlist: null,
    blocklist: new Set<string>(),
    exact: [],
  };
  return new Map([["shine", { ...usual, ...terms }]]);
}

function required(input: SchemaSet = SAID): ReadonlyMap<string, RequirementTerms> {
  const lists = { mandatory: [], allowlist: null, blocklist: null, exact: [] };
  return new Map([["shine", { inputs: [input], outputs: [NOTHING], minimum: 1, maximum: null, ...lists }]]);
}

function worldOf(input: SchemaSet = SAID): World {
  return new World(
    new CoreMachine(coreConfig({ identifier: "core", requirements: required(input) }), identifiersOf("c")),
    new PluginMachine(pluginConfig({ identifier: "lamp", operations: lent() }), identifiersOf("p")),
  );
}

let world: World;

beforeEach(() => {
  world = worldOf();
  world.start();
});

it("connects a core with a plugin that has what it needs", () => {
  expect(world.sentBy("core")).toEqual(["DiscoverMessage", "RequestOperationMessage"]);
  expect(world.sentBy("plugin")).toEqual(["AnnounceMessage", "OfferMessage", "ConfirmConnectionMessage"]);
  expect(world.of("core", "complianceChanged").map((one) => one.compliant)).toEqual([false, true]);
  const slot = world.core.connection("lamp", "shine");
  expect(slot.isOpen).toBe(true);
  expect(slot.inputTopic).toBe(world.plugin.connection("core", "shine").inputTopic);
});

it("closes a connection when both sides have said so", () => {
  world.want("core", world.core.closeGracefully("lamp", "shine", Uint8Array.of(1), world.now));
  expect(world.of("plugin", "connectionClosed")).toMatchObject([{ reason: "remote", data: Uint8Array.of(1) }]);
  expect(world.of("core", "connectionClosed")).toMatchObject([{ reason: "local" }]);
  expect(world.core.slots.size + world.plugin.slots.size).toBe(0);
});

it("closes a connection at once", () => {
  world.want("plugin", world.plugin.closeGracelessly("core", "shine", null, world.now));
  expect(world.of("core", "connectionClosed")).toMatchObject([{ reason: "remote", data: null }]);
  expect(() => world.plugin.connection("core", "shine")).toThrow(NoConnectionError);
});

it("closes what a policy does not allow any more", () => {
  const operations = lent({ blocklist: new Set(["core"]) });
  world.want("plugin", world.plugin.configure(pluginConfig({ identifier: "lamp", operations }), world.now));
  expect(world.of("core", "connectionClosed")).toHaveLength(1);
});

it("loses a remote that is silent", () => {
  for (let turn = 0; turn < 130; turn += 5) {
    world.now += 5;
    world.core.tick(world.now);
  }
  expect(world.core.slots.size).toBe(0);
  expect(world.core.requester.compliant).toBe(false);
});

it("keeps those together that hear each other", () => {
  for (let turn = 0; turn < 1000; turn += 5) {
    world.tick(5);
  }
  expect(world.core.connection("lamp", "shine").isOpen).toBe(true);
  expect(world.sentBy("core")).toContain("KeepaliveMessage");
});

it("says when it is to be called again", () => {
  expect(world.core.nextDeadline()).toBe(world.now + 10);
  world.want("core", world.core.stop());
  expect(world.core.nextDeadline()).toBe(null);
  expect(world.plugin.slots.size).toBe(0);
});

it("refuses what breaks the protocol, and keeps what it has", () => {
  const fields = { fromIdentifier: "lamp" };
  const message = { type: "KeepaliveMessage", fields } as const;
  expect(() => world.core.handle("orbitalis/core/other/keepalive", message, headers(), world.now)).toThrow(
    RemoteProtocolError,
  );
  expect(world.core.statistics.refused).toBe(1);
  expect(world.core.connection("lamp", "shine").isOpen).toBe(true);
});

describe("schemas that differ", () => {
  it("go together where one is read as the other", () => {
    world = worldOf(recordOf("Said", "string", "int"));
    world.start();
    const slot = world.core.connection("lamp", "shine");
    expect(slot.inputSchemas).toEqual(recordOf("Said", "string", "int").schemas);
    expect(world.plugin.connection("core", "shine").foreign?.size).toBe(1);
  });

  it("do not where nothing reads what is written", () => {
    world = worldOf(recordOf("Said", "int"));
    world.start();
    expect(world.core.slots.size).toBe(0);
    expect(world.of("plugin", "obstacleMet").map((one) => one.obstacle.kind)).toEqual(["schemas"]);
    expect(world.plugin.obstacles.ofOperation("shine")).toHaveLength(1);
  });
});
