import { describe, expect, test } from "vitest";

import {
  BulbBroken,
  CODECS,
  LampsClient,
  LampsFake,
  lampsOperations,
  status,
  turnOn,
} from "../../../examples/contract/typescript/lamps/index.js";
import {
  type Core,
  DeclaredError,
  defineOperation,
  message,
  NoConnectionError,
  OperationFailedError,
  OrbiterStateError,
  type Plugin,
  record,
} from "../../src/index.js";
import { connected, kept, Scene, until } from "../runtime/pair.js";

function fake(scene: Scene, identifier = "lamp"): LampsFake {
  return kept(new LampsFake({ identifier, bus: scene.broker.client(), log: scene.log }));
}

async function started(core: Core, ...plugins: Plugin[]): Promise<LampsClient> {
  const lamps = new LampsClient(core, { minimum: plugins.length });
  await connected(core, ...plugins);
  return lamps;
}

describe("a client", () => {
  test("returns what the method of the plugin returns", async () => {
    const scene = new Scene();
    const lamp = fake(scene);
    lamp.whenTurnOn.returns(status({ on: true }), status({ on: false }));
    lamp.whenTurnOff.calls(() => Promise.resolve(status({ on: false })));
    const lamps = await started(scene.core(), lamp);

    expect(await lamps.turnOn(turnOn({ level: 0.5 }))).toEqual({ on: true });
    expect(await lamps.turnOn(turnOn({ level: 1, colour: "COLD" }), { plugin: "lamp", timeout: 5 })).toEqual({
      on: false,
    });
    expect(await lamps.turnOff()).toEqual({ on: false });
    expect(lamp.whenTurnOn.inputs).toEqual([
      { level: 0.5, colour: "WARM" },
      { level: 1, colour: "COLD" },
    ]);
    expect(lamp.whenTurnOff.inputs).toEqual([undefined]);
  });

  test("throws the error that the contract declares", async () => {
    const scene = new Scene();
    const lamp = fake(scene);
    lamp.whenTurnOn.throws(new BulbBroken({ hours: 7n }));
    const core = scene.core();
    const lamps = await started(core, lamp);

    const error = await lamps.turnOn(turnOn({ level: 1 })).catch((one: unknown) => one);

    expect(error).toBeInstanceOf(BulbBroken);
    expect(error).toBeInstanceOf(DeclaredError);
    expect((error as BulbBroken).hours).toBe(7n);
    expect(String(error)).toBe("BulbBroken: hours=7");
    await expect(core.request(lampsOperations.turnOn, turnOn({ level: 1 }))).rejects.toThrow(BulbBroken);
  });

  test("does not throw an error of another operation for one that is not declared", async () => {
    const scene = new Scene();
    const lamp = fake(scene);
    lamp.whenTurnOff.throws(new BulbBroken({ hours: 7n }));
    const lamps = await started(scene.core(), lamp);

    await expect(lamps.turnOff()).rejects.toThrow(OperationFailedError);
  });

  test("returns the answers of all plugins by their identifiers, and what failed", async () => {
    const scene = new Scene();
    const [kitchen, hall, attic] = ["kitchen", "hall", "attic"].map((name) => fake(scene, name)) as [
      LampsFake,
      LampsFake,
      LampsFake,
    ];
    kitchen.whenTurnOn.returns(status({ on: true }));
    hall.whenTurnOn.throws(new BulbBroken({ hours: 1n }));
    const lamps = await started(scene.core(), kitchen, hall, attic);

    const answers = await lamps.turnOn(turnOn({ level: 1 }), { all: true });

    expect([...answers]).toEqual([["kitchen", { on: true }]]);
    expect(answers.failures.get("hall")).toBeInstanceOf(BulbBroken);
    expect(answers.failures.get("attic")?.message).toContain("no answer is given");
  });

  test("refuses what cannot be called", async () => {
    const scene = new Scene();
    const core = scene.core();
    const lamps = new LampsClient(core);
    await core.start();

    await expect(lamps.turnOff()).rejects.toThrow(NoConnectionError);
    await expect(lamps.turnOff({ all: true })).rejects.toThrow(NoConnectionError);
    await expect(lamps.turnOn({ level: 1 } as never)).rejects.toThrow(TypeError);
  });

  test("leaves what the core requires already", () => {
    const scene = new Scene();
    const core = scene.core();
    const other = defineOperation({ ...lampsOperations.turnOff, documentation: "of the user" });

    core.require(other, { minimum: 3 });
    new LampsClient(core);

    expect(core.requires("turn_off")).toBe(true);
    expect(core.requires(lampsOperations.turnOn)).toBe(true);
    expect(core.requires("blink")).toBe(false);
  });

  test("gives outputs that come by themselves to sinks and to loops", async () => {
    const scene = new Scene();
    const lamp = fake(scene);
    const lamps = await started(scene.core(), lamp);
    const seen: [number, string][] = [];
    const end = lamps.power.sink((watts, { plugin }) => seen.push([watts, plugin]));
    const looped = (async () => {
      for await (const watts of lamps.power) {
        return watts;
      }
      return null;
    })();

    expect(await lamp.sendPower(30)).toBe(1);
    expect(await lamp.sendPower(20, { core: "nobody" })).toBe(0);
    await until(() => seen.length > 0);
    end();
    await lamp.sendPower(40);

    expect(await looped).toBe(30);
    expect(seen).toEqual([[30, "lamp"]]);
  });
});

describe("messages", () => {
  test("of a class are told from records with the same fields", () => {
    const alike = { hours: 3n };

    expect(CODECS.BulbBroken.record.matches(new BulbBroken(alike))).toBe(true);
    expect(CODECS.BulbBroken.record.matches(alike)).toBe(false);
    expect(CODECS.Status.record.matches(new BulbBroken(alike))).toBe(false);
  });

  test("that another version of the contract has written are read as what they are here", () => {
    const writer = CODECS.BulbBroken.schema.replace('"long"', '"int"');
    const [type] = message(CODECS.BulbBroken).types;
    const pair = { writer, reader: CODECS.BulbBroken.schema, isExact: false };

    const read = type?.resolving(pair)?.(Uint8Array.of(6));

    expect(read).toBeInstanceOf(BulbBroken);
    expect(read).toMatchObject({ hours: 3n });
  });
});

test("a default of a logical type is a value of that type, where a writer lacks the field", () => {
  const schema = (...fields: object[]): string => JSON.stringify({ type: "record", name: "Bill", fields });
  const number = { name: "number", type: "int" };
  const price = { type: "bytes", logicalType: "decimal", precision: 4, scale: 2 };
  const span = { type: "fixed", name: "Span", size: 12, logicalType: "duration" };
  const reader = schema(
    number,
    { name: "price", type: price, default: "\u0001" },
    { name: "span", type: span, default: "\u0001\0\0\0\u0002\0\0\0\u0003\0\0\0" },
  );

  const pair = { writer: schema(number), reader, isExact: false };

  const read = record(reader).types[0]?.resolving(pair)?.(Uint8Array.of(2));

  expect(read).toEqual({
    number: 1,
    price: { unscaled: 1n, scale: 2 },
    span: { months: 1, days: 2, milliseconds: 3 },
  });
});

describe("a declared error", () => {
  test("that comes unasked for goes to no sink", async () => {
    const scene = new Scene();
    const lamp = fake(scene);
    lamp.whenTurnOn.throws(new BulbBroken({ hours: 7n }));
    const core = scene.core();
    await started(core, lamp);
    const seen: unknown[] = [];
    core.sink(lampsOperations.turnOn, ({ value }) => seen.push(value));

    await core.execute(lampsOperations.turnOn, turnOn({ level: 1 }), { any: true });
    await until(() => scene.log.lines.some((line) => line.includes("hours=7")));

    expect(seen).toEqual([]);
  });

  test("is sent by nobody who does not provide the operation", async () => {
    const lamp = fake(new Scene());
    lamp.withdraw("power");

    await expect(lamp.sendPower(1)).rejects.toThrow(OrbiterStateError);
  });
});
