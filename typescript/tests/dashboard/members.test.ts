/** How many orbiters the page keeps, and when it works out again what cores are missing. */

import { expect, test } from "vitest";

import { Members } from "../../dashboard/model/members.js";
import type { ConnectionsAnswer, InfoAnswer } from "../../src/index.js";

const BOUNDS = { members: 3, answerBytes: 20_000, bytes: 50_000 };
const ANSWER = { incarnation: "i", protocolVersion: 1, isComplete: true, namesakes: 0 };
const SETS = { schemas: ['"int"'], supportEmptySchema: false, supportUndefinedSchema: false };
const LISTS = { maximum: null, allowlist: null, blocklist: null };

/** As it is decoded each time anew. */
function info(identifier: string, role: string, explanation = ""): InfoAnswer {
  const offered = { ...LISTS, input: { ...SETS }, output: { ...SETS }, documentation: "" };
  const required = { ...LISTS, inputs: [{ ...SETS }], outputs: [{ ...SETS }], minimum: 1, mandatory: [] };
  return {
    ...ANSWER,
    identifier,
    role,
    implementation: "test",
    implementationVersion: "1",
    specificationVersion: "1.2.0",
    startedAt: 0n,
    operations: new Map(role === "plugin" ? [["light", offered]] : []),
    requirements: new Map(role === "core" ? [["light", required]] : []),
    explanation,
    remotes: [],
    seconds: Math.random(),
    answeredAt: BigInt(Date.now()),
  };
}

function connections(identifier: string, ...remotes: readonly string[]): ConnectionsAnswer {
  const one = { connectionIdentifier: "c", operationName: "light", state: "open", since: 0n, lastUsedAt: 0n };
  const all = remotes.map((remoteIdentifier) => ({ ...one, remoteIdentifier }));
  return { ...ANSWER, identifier, connections: all, seconds: Math.random(), answeredAt: 0n };
}

test("no more orbiters are kept than there is room for, and those that have ended make room", () => {
  const members = new Members(BOUNDS);
  for (const identifier of ["a", "b", "c"]) {
    expect(members.update(identifier, {})).toBe(true);
  }

  expect(members.update("d", {})).toBe(false);
  expect(members.update("a", { roundTrip: 1 })).toBe(true);
  members.update("b", { standing: "silent" });
  expect(members.update("d", {})).toBe(true);
  expect(members.values().map((one) => one.identifier)).toEqual(["a", "c", "d"]);
});

test("what takes too much memory is left out, and what is forgotten makes room", () => {
  const members = new Members(BOUNDS);
  members.tell("a", "info", info("a", "plugin", "x".repeat(10_000)));
  expect([members.get("a")?.leftOut, members.get("a")?.info]).toEqual([["info"], null]);
  expect(members.bytes).toBe(0);

  for (const identifier of ["a", "b", "c"]) {
    members.tell(identifier, "info", info(identifier, "plugin", "x".repeat(9000)));
  }
  expect(members.values().map((one) => one.leftOut)).toEqual([[], [], ["info"]]);
  expect(members.bytes).toBeLessThanOrEqual(BOUNDS.bytes);

  members.delete("a");
  members.tell("c", "info", info("c", "plugin", "x".repeat(9000)));
  expect(members.get("c")?.leftOut).toEqual([]);
  members.delete("b");
  members.delete("c");
  expect(members.bytes).toBe(0);
});

test("what a core is missing is worked out once for each change", () => {
  const members = new Members(BOUNDS);
  members.update("core", { role: "core" });
  members.tell("core", "info", info("core", "core"));
  members.tell("core", "connections", connections("core"));
  members.tell("plugin", "info", info("plugin", "plugin"));
  members.judge();
  const lacks = members.get("core")?.lacks;
  expect(lacks?.map((one) => one.candidates.map(({ plugin }) => plugin))).toEqual([["plugin"]]);

  // The same answers once more, and what has nothing to do with it.
  members.tell("core", "info", info("core", "core"));
  members.tell("plugin", "info", info("plugin", "plugin"));
  members.tell("core", "connections", connections("core"));
  members.update("plugin", { roundTrip: 0.1 });
  members.judge();
  expect(members.get("core")?.lacks).toBe(lacks);

  members.tell("core", "connections", connections("core", "plugin"));
  members.judge();
  expect(members.get("core")?.lacks).toEqual([]);
  members.tell("core", "connections", connections("core"));
  members.update("plugin", { standing: "dead" });
  members.judge();
  expect(members.get("core")?.lacks?.map((one) => one.candidates)).toEqual([[]]);
});
