import { describe, expect, test } from "vitest";

import { Core, defineOperation, LocalBroker, Operator, Plugin, text, type PongAnswer } from "../../src/index.js";

const turnOn = defineOperation({ name: "turn_on", input: text, output: text, documentation: "Shine." });

async function fleet(lamps: number): Promise<{ operator: Operator; stop: () => Promise<void> }> {
  const broker = new LocalBroker();
  const plugins = Array.from({ length: lamps }, (_, index) => {
    const plugin = new Plugin({ identifier: `lamp${index}`, bus: broker.client() });
    plugin.operation(turnOn, (request) => `${request.value} is on`);
    return plugin;
  });
  const core = new Core({ identifier: "home", bus: broker.client() }).require(turnOn, { minimum: lamps });
  const operator = new Operator({ identifier: "olga", bus: broker.client() });
  const all = [...plugins, core, operator];
  await Promise.all(all.map((one) => one.start()));
  await core.compliant();
  await core.request(turnOn, "it", { plugin: "lamp0" });
  const stop = async (): Promise<void> => {
    await Promise.all(all.map((one) => one.stop()));
  };
  return { operator, stop };
}

describe("an operator", () => {
  test("asks all, until none has answered for a while", async () => {
    const { operator, stop } = await fleet(3);
    const asking = { spread: 0.01, quiet: 0.1 };
    const told: PongAnswer[] = [];
    const pongs = await operator.ping({ ...asking, onAnswer: (pong) => told.push(pong) });
    const infos = await operator.info(asking);
    const connections = await operator.connections(asking);
    await stop();

    expect([...pongs.keys()].sort()).toEqual(["home", "lamp0", "lamp1", "lamp2"]);
    expect(told.map((one) => one.identifier).sort()).toEqual([...pongs.keys()].sort());
    expect(pongs.get("home")).toMatchObject({ role: "core", isComplete: true, namesakes: 0 });
    expect(infos.get("lamp1")?.operations.get("turn_on")?.documentation).toBe("Shine.");
    expect(infos.get("home")?.requirements.get("turn_on")?.minimum).toBe(3);
    expect(connections.get("home")?.connections.map((one) => one.state)).toEqual(["open", "open", "open"]);
  });

  test("asks one, and has its answer at once", async () => {
    const { operator, stop } = await fleet(1);
    const begun = performance.now();
    const statistics = await operator.statistics({ orbiter: "lamp0", within: 10 });
    const seconds = (performance.now() - begun) / 1000;
    const nobody = await operator.ping({ orbiter: "attic", within: 0.05 });
    await stop();

    expect(statistics.get("lamp0")?.operations.get("turn_on")).toMatchObject({ executions: 1, answers: 1, errors: 0 });
    expect(statistics.get("lamp0")?.counters.size).toBeGreaterThan(5);
    expect(seconds).toBeLessThan(5);
    expect([...nobody]).toEqual([]);
  });

  test("puts the pages of an answer together", async () => {
    const broker = new LocalBroker();
    const plugin = new Plugin({ identifier: "lamp", bus: broker.client() });
    const documentation = "x".repeat(20_000);
    for (let index = 0; index < 8; index++) {
      plugin.operation(defineOperation({ ...turnOn, name: `operation${index}`, documentation }), () => "");
    }
    const operator = new Operator({ bus: broker.client() });
    await plugin.start();
    await operator.start();
    const info = (await operator.info({ orbiter: "lamp" })).get("lamp");
    await operator.stop();
    await plugin.stop();

    expect(info?.isComplete).toBe(true);
    expect(info?.operations.size).toBe(8);
  });
});
