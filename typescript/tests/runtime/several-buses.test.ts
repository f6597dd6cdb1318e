/** Orbiters that are on several buses at once. */

import { describe, expect, it } from "vitest";

import { BusUnavailableError, defineOperation, LocalBroker, severalBuses, text, type Bus } from "../../src/index.js";
import { connected, Scene, until } from "./pair.js";

const echo = defineOperation({ name: "echo", input: text, output: text });

/** A scene with a second bus. */
class TwoBuses extends Scene {
  readonly other = new LocalBroker();

  both(): Bus {
    return severalBuses({ near: this.broker.client(), far: this.other.client() });
  }
}

it("is connected with plugins on each bus", async () => {
  const scene = new TwoBuses();
  const core = scene.core({ bus: scene.both() }).require(echo, { minimum: 2 });
  const near = scene.plugin({ identifier: "near" }).operation(echo, ({ value }) => `${value} near`);
  const far = scene.plugin({ identifier: "far", bus: scene.other.client() });
  far.operation(echo, ({ value }) => `${value} far`);

  await connected(core, near, far);

  expect(await core.request(echo, "hello", { plugin: "near" })).toBe("hello near");
  expect(await core.request(echo, "hello", { plugin: "far" })).toBe("hello far");
  const buses = core.connections().map((one) => [one.remoteIdentifier, one.busName]);
  expect(new Map(buses as [string, string][])).toEqual(
    new Map([
      ["near", "near"],
      ["far", "far"],
    ]),
  );
});

it("has one connection with one that is on the same buses, and handles inputs once", async () => {
  const scene = new TwoBuses();
  const core = scene.core({ bus: scene.both() }).require(echo, { minimum: 1 });
  const plugin = scene.plugin({ bus: scene.both() });
  let handled = 0;
  plugin.operation(echo, ({ value }) => `${value} ${String(++handled)}`);

  await connected(core, plugin);

  expect(await core.request(echo, "hello")).toBe("hello 1");
  expect(core.connections()).toHaveLength(1);
  expect(plugin.connections()).toHaveLength(1);
});

it("ignores a second remote of the same name on another bus", async () => {
  const scene = new TwoBuses();
  const core = scene.core({ bus: scene.both(), discoveringInterval: 0.05, loopInterval: 0.05 });
  core.require(echo, { minimum: 1, maximum: 2 });
  const plugin = scene.plugin().operation(echo, ({ value }) => `${value} near`);
  const other = scene.plugin({ bus: scene.other.client() }).operation(echo, ({ value }) => `${value} far`);
  await connected(core, plugin);

  await other.start();
  await until(() => core.statistics.misled > 0);

  expect(core.connections()).toHaveLength(1);
  expect(await core.request(echo, "hello")).toBe("hello near");
  expect(scene.log.lines.join("\n")).toContain("of a second 'plugin', on bus far, is ignored");
});

it("goes on where a bus ends", async () => {
  const scene = new TwoBuses();
  const away = scene.other.client();
  const core = scene.core({ bus: severalBuses({ near: scene.broker.client(), far: away }) }).require(echo);
  await connected(
    core,
    scene.plugin().operation(echo, ({ value }) => value),
  );

  await away.disconnect();

  expect(await core.request(echo, "hello")).toBe("hello");
});

describe("a client of several buses", () => {
  it("takes at least one bus, and none twice", () => {
    const client = new LocalBroker().client();
    expect(() => severalBuses({})).toThrow("needs at least one");
    expect(() => severalBuses({ one: client, other: client })).toThrow("got one twice: one, other");
  });

  it("names the bus that cannot be reached, and is on none then", async () => {
    const scene = new TwoBuses();
    const near = scene.broker.client();
    const far: Bus = {
      ...scene.other.client(),
      connect: () => Promise.reject(new BusUnavailableError("nobody is there")),
      disconnect: () => Promise.resolve(),
    };
    const core = scene.core({ bus: severalBuses({ near, far }) }).require(echo);

    await expect(core.start()).rejects.toThrow("far: nobody is there");
    expect(near.isConnected).toBe(false);
    expect(core.isRunning).toBe(false);
  });

  it("refuses a bus that it does not know", async () => {
    const bus = new TwoBuses().both();
    const channel = { qualityOfService: 0 } as never;
    await expect(bus.publish("topic", new Uint8Array(), channel, "elsewhere")).rejects.toThrow(
      "expected one of the buses near, far, got 'elsewhere'",
    );
  });
});
