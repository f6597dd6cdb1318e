/** What operators are told of why there is a connection, or none. */

import { expect, it } from "vitest";

import { defineOperation, empty, int64, record, text, type Operation } from "../../src/index.js";
import { explainCore, explainPlugin, sayRemote } from "../../src/runtime/explanation.js";
import type { CoreMachine, PluginMachine } from "../../src/protocol/machine.js";
import { connected, Scene, until } from "./pair.js";

const echo = defineOperation({ name: "echo", input: text, output: text });

/** What an orbiter tells operators. */
function explained(orbiter: object): string {
  const { machine, identifier } = orbiter as { machine: CoreMachine | PluginMachine; identifier: string };
  return machine.role === "core"
    ? explainCore(identifier, machine as CoreMachine).text
    : explainPlugin(identifier, machine as PluginMachine).text;
}

it("says who is connected, and what is lacking", async () => {
  const scene = new Scene();
  const core = scene.core().require(echo, { minimum: 2, mandatory: ["other"] });
  const plugin = scene.plugin().operation(echo, ({ value }) => value, { maximum: 3 });
  await plugin.start();
  await core.start();
  await until(() => core.connections().length > 0);

  expect(explained(core)).toBe(
    [
      "core 'core' is not compliant; it knows 1 remote",
      "  operation 'echo' has 1 of at least 2 plugins (mandatory plugins are not counted in the minimum), " +
        "is without mandatory 'other'",
      "    'plugin' is connected",
    ].join("\n"),
  );
  expect(explained(plugin)).toBe(
    [
      "plugin 'plugin' knows 1 remote",
      "  operation 'echo' is lent to 1 of at most 3 cores",
      "    'core' is connected",
    ].join("\n"),
  );
});

it("says that nobody was heard of", async () => {
  const core = new Scene().core().require(echo);
  await core.start();

  expect(explained(core)).toContain("  operation 'echo' has 0 of at least 1 plugins\n    no plugin has offered it");
});

it("says how schemas differ, and who is not allowed", async () => {
  const scene = new Scene();
  const core = scene.core().require(echo, { minimum: 1 });
  const wrong = defineOperation({ name: "echo", input: int64, output: text });
  const other = scene.plugin({ identifier: "other" }).operation(wrong, ({ value }) => String(value));
  const closed = scene.plugin({ identifier: "closed" }).operation(echo, ({ value }) => value, { blocklist: ["core"] });
  const plugin = scene.plugin().operation(echo, ({ value }) => value);
  await other.start();
  await closed.start();
  await connected(core, plugin);
  await until(() => explained(other).includes("'core'") && explained(closed).includes("'core'"));

  expect(explained(other)).toContain(
    "    'core': input: the schema is called 'Int64Message' here and 'StringMessage' there",
  );
  expect(explained(closed)).toMatch(/ {4}'core': .*block/);
});

it("names the field in which schemas differ, on both sides", async () => {
  const status = (type: string): string =>
    JSON.stringify({ type: "record", name: "Status", fields: [{ name: "level", type }] });
  const declared = (type: string): Operation<undefined, object> =>
    defineOperation({ name: "status", input: empty, output: record(status(type)) });
  const scene = new Scene();
  const core = scene.core().require(declared("int"), { minimum: 1 });
  const plugin = scene.plugin().operation(declared("string"), () => ({ level: "high" }));
  const exact = scene.plugin({ identifier: "exact" });
  exact.operation({ ...declared("long"), output: record(status("long")).exactly() }, () => ({ level: 1n }));
  await plugin.start();
  await exact.start();
  await core.start();
  await until(() => explained(plugin).includes("'core'") && explained(exact).includes("'core'"));

  const reason = "output: field 'Status.level' is 'string' here and 'int' there";
  expect(explained(plugin)).toContain(`    'core': ${reason}`);
  expect(scene.log.lines).toContain(`plugin does not lend operation 'status' to 'core': ${reason}`);
  expect(explained(exact)).toContain(
    "    'core': output: only the same schema matches: field 'level' is 'long' here and 'int' there",
  );
});

it("quotes what others have chosen as Python does", async () => {
  const core = new Scene().core({ identifier: "it's mine" }).require({ ...echo, name: "x".repeat(70) });
  await core.start();

  expect(explained(core)).toContain(`core "it's mine" is not compliant`);
  expect(explained(core)).toContain(`operation '${"x".repeat(59)}…' has 0`);
});

it("has what it says of remotes as data, too", async () => {
  const scene = new Scene();
  const core = scene.core().require(echo, { minimum: 1 });
  const closed = scene.plugin({ identifier: "closed" }).operation(echo, ({ value }) => value, { blocklist: ["core"] });
  await closed.start();
  await core.start();
  await until(() => explained(closed).includes("'core'"));

  const { machine } = closed as unknown as { machine: PluginMachine };
  const { remotes, text: shown } = explainPlugin("closed", machine);
  expect(remotes).toEqual([
    {
      operationName: "echo",
      remoteIdentifier: "core",
      sharing: "nothing",
      isSuspected: false,
      kind: "policy",
      reasons: ["the core is on the blocklist of the operation's policy"],
      count: 1,
    },
  ]);
  expect(remotes.map((one) => `    ${sayRemote(one)}`)).toEqual(shown.split("\n").slice(2));
});

it("says nothing of what a preparation has said", async () => {
  const scene = new Scene();
  const core = scene.core().require(echo);
  const setUp = (): never => {
    throw new Error("the password is wrong");
  };
  const plugin = scene.plugin().operation(echo, ({ value }) => value, { setUp });
  await plugin.start();
  await core.start();
  await until(() => explained(plugin).includes("prepared"));

  expect(explained(plugin)).toContain("it could not be prepared: its log says why");
  expect(explained(plugin)).not.toContain("password");
});
