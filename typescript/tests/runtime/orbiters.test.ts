import { describe, expect, test } from "vitest";

import {
  ConnectionClosedError,
  defineOperation,
  empty,
  int64,
  NoConnectionError,
  nothing,
  oneOf,
  OperationFailedError,
  OrbiterStateError,
  record,
  RequestTimeoutError,
  text,
} from "../../src/index.js";
import { connected, Scene, until } from "./pair.js";

const lowercase = defineOperation({ name: "lowercase", input: text, output: text });
const temperature = defineOperation({ name: "temperature", input: nothing, output: int64 });

describe("a request", () => {
  test("is answered by what the handler returns", async () => {
    const scene = new Scene();
    const core = scene.core().require(lowercase);
    await connected(
      core,
      scene.plugin().operation(lowercase, (request) => request.value.toLowerCase()),
    );

    expect(await core.request(lowercase, "GRÜSSE")).toBe("grüsse");
  });

  test("is answered by the first output, and sinks take the others", async () => {
    const scene = new Scene();
    const core = scene.core().require(lowercase);
    const plugin = scene.plugin().operation(lowercase, async function* (request) {
      await Promise.resolve();
      yield request.value.toLowerCase();
      yield "again";
    });
    await connected(core, plugin);
    const outputs = core.outputs(lowercase);

    expect(await core.request(lowercase, "ONE")).toBe("one");
    expect((await outputs.next()).value).toMatchObject({ value: "again", plugin: "plugin" });
  });

  test("without a result is answered by an empty event", async () => {
    const scene = new Scene();
    const core = scene.core().require(lowercase);
    await connected(
      core,
      scene.plugin().operation(lowercase, () => undefined),
    );

    expect(await core.request(lowercase, "NOTHING")).toBeUndefined();
  });

  test("fails with what the handler throws", async () => {
    const scene = new Scene();
    const core = scene.core().require(lowercase);
    const plugin = scene.plugin().operation(lowercase, () => {
      throw new RangeError("too far");
    });
    await connected(core, plugin);

    const failure = await core.request(lowercase, "X").catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(OperationFailedError);
    expect(failure).toMatchObject({ remoteIdentifier: "plugin", errorType: "RangeError", errorMessage: "too far" });
  });

  test("times out, and says so to the handler's signal no later than its end", async () => {
    const scene = new Scene();
    const core = scene.core().require(lowercase);
    await connected(
      core,
      scene.plugin().operation(lowercase, () => new Promise(() => undefined)),
    );

    await expect(core.request(lowercase, "X", { timeout: 0.05 })).rejects.toThrow(RequestTimeoutError);
  });

  test("that is aborted is taken back", async () => {
    const scene = new Scene();
    const core = scene.core().require(lowercase);
    let isTakenBack = false;
    const plugin = scene.plugin().operation(lowercase, async (request) => {
      await new Promise((resolve) => request.signal.addEventListener("abort", resolve));
      isTakenBack = true;
    });
    await connected(core, plugin);
    const abort = new AbortController();
    const answer = core.request(lowercase, "X", { signal: abort.signal });
    await until(() => plugin.statistics.ignored >= 0);
    await new Promise((resolve) => setTimeout(resolve));

    abort.abort(new Error("no more"));

    await expect(answer).rejects.toThrow("no more");
    await until(() => isTakenBack);
  });

  test("ends with its connection", async () => {
    const scene = new Scene();
    const core = scene.core().require(lowercase);
    await connected(
      core,
      scene.plugin().operation(lowercase, () => new Promise(() => undefined)),
    );
    const answer = core.request(lowercase, "X");

    core.close("plugin", "lowercase", { isGraceful: false });

    await expect(answer).rejects.toThrow(ConnectionClosedError);
  });

  test("has nobody to go to without a connection", async () => {
    const scene = new Scene();
    const core = scene.core().require(lowercase);
    await core.start();

    await expect(core.request(lowercase, "X")).rejects.toThrow(NoConnectionError);
    await expect(core.execute("other", "X", { all: true })).rejects.toThrow("does not require operation 'other'");
  });
});

describe("an execution", () => {
  test("goes to all, to one, or in turns", async () => {
    const scene = new Scene();
    const got: string[] = [];
    const core = scene.core().require(lowercase, { minimum: 2 });
    const plugins = ["a", "b"].map((identifier) =>
      scene.plugin({ identifier }).operation(lowercase, (request) => void got.push(`${identifier} ${request.value}`)),
    );
    await connected(core, ...plugins);

    expect((await core.execute(lowercase, "all", { all: true })).sort()).toEqual(["a", "b"]);
    expect(await core.execute(lowercase, "one", { plugin: "b" })).toEqual(["b"]);
    expect(await core.execute(lowercase, "any", { any: true })).toHaveLength(1);
    expect((await core.execute(lowercase, ["1", "2"], { distribute: true })).sort()).toEqual(["a", "b"]);
    await until(() => got.length === 6);
    expect(got.filter((one) => one.endsWith("all")).sort()).toEqual(["a all", "b all"]);
  });

  test("of a value that the operation does not take sends nothing", async () => {
    const scene = new Scene();
    const core = scene.core().require(lowercase);
    await connected(
      core,
      scene.plugin().operation(lowercase, () => undefined),
    );

    await expect(core.execute("lowercase", 5, { all: true })).rejects.toThrow("expected StringMessage, got a number 5");
  });
});

describe("a plugin", () => {
  test("sends outputs on its own account", async () => {
    const scene = new Scene();
    const core = scene.core().require(temperature);
    const got: bigint[] = [];
    core.sink(temperature, (output) => void got.push(output.value));
    const plugin = scene.plugin().operation(temperature, null);
    await connected(core, plugin);
    await until(() => plugin.connections("temperature").length === 1);

    expect(await plugin.send(temperature, 21n)).toBe(1);
    expect(await plugin.send(temperature, 22n, { core: "somebody" })).toBe(0);
    await until(() => got.length === 1);
    expect(got).toEqual([21n]);
  });

  test("handles inputs of a connection one after the other", async () => {
    const scene = new Scene();
    const core = scene.core().require(lowercase);
    const order: string[] = [];
    const plugin = scene.plugin().operation(lowercase, async (request) => {
      order.push(`begin ${request.value}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
      order.push(`end ${request.value}`);
      return request.value;
    });
    await connected(core, plugin);

    await Promise.all(["1", "2"].map((one) => core.request(lowercase, one)));

    expect(order).toEqual(["begin 1", "end 1", "begin 2", "end 2"]);
  });

  test("lends by its policy, and closes what that allows no more", async () => {
    const scene = new Scene();
    const closed: string[] = [];
    const core = scene.core({ onClosed: (connection) => closed.push(connection.operationName) }).require(lowercase);
    const plugin = scene.plugin().operation(lowercase, () => undefined, { maximum: 1 });
    await connected(core, plugin);

    plugin.setPolicy("lowercase", { blocklist: ["core"] });

    await until(() => closed.length === 1);
    expect(core.isCompliant).toBe(false);
  });

  test("lends by the policy that it is given while it starts", async () => {
    const scene = new Scene();
    const core = scene.core().require(lowercase);
    await core.start();
    const plugin = scene.plugin().operation(lowercase, (request) => request.value);
    const starting = plugin.start();
    plugin.setPolicy("lowercase", { allowlist: [] });
    await starting;
    const other = scene.plugin({ identifier: "other" }).operation(lowercase, (request) => request.value);
    await other.start();
    await core.compliant({ signal: AbortSignal.timeout(5000) });

    expect(core.connections().map((one) => one.remoteIdentifier)).toEqual(["other"]);
  });

  test("gives the data of the core to what sets an operation up, which may refuse it", async () => {
    const scene = new Scene();
    const core = scene
      .core({ discoveringInterval: 0.05, loopInterval: 0.05 })
      .require(lowercase, { minimum: 1, setupData: Uint8Array.of(1, 2) });
    const got: (Uint8Array | null)[] = [];
    const plugin = scene.plugin().operation(lowercase, () => undefined, {
      setUp: (_, data) => {
        got.push(data);
        if (got.length === 1) {
          throw new Error("not yet");
        }
      },
    });
    await connected(core, plugin);

    expect(got[0]).toEqual(Uint8Array.of(1, 2));
    expect(scene.log.lines.join("\n")).toContain("its preparation failed: Error: not yet");
  });
});

describe("values", () => {
  interface Reading {
    readonly value: number;
  }
  interface WithUnit extends Reading {
    readonly unitName: string;
  }
  const fields = [{ name: "value", type: "int" }];
  const plain = JSON.stringify({ type: "record", name: "Reading", fields });
  const withUnit = JSON.stringify({
    type: "record",
    name: "Reading",
    fields: [...fields, { name: "unit_name", type: "string", default: "kWh" }],
  });

  test("are records of a schema that is given when the program runs", async () => {
    const scene = new Scene();
    const double = defineOperation({ name: "double", input: record<Reading>(plain), output: record<Reading>(plain) });
    const core = scene.core().require(double);
    await connected(
      core,
      scene.plugin().operation(double, (request) => ({ value: 2 * request.value.value })),
    );

    expect(await core.request(double, { value: 21 })).toEqual({ value: 42 });
  });

  test("that the other side's schema has not are filled in", async () => {
    const scene = new Scene();
    const asked = defineOperation({ name: "show", input: record<Reading>(plain), output: text });
    const provided = defineOperation({ name: "show", input: record<WithUnit>(withUnit), output: text });
    const core = scene.core().require(asked);
    const plugin = scene.plugin().operation(provided, ({ value }) => `${String(value.value)} ${value.unitName}`);
    await connected(core, plugin);

    expect(await core.request(asked, { value: 3 })).toBe("3 kWh");
  });

  test("are one of several types", async () => {
    const scene = new Scene();
    const show = defineOperation({ name: "show", input: oneOf(text, int64, empty), output: text });
    const core = scene.core().require(show);
    await connected(
      core,
      scene.plugin().operation(show, ({ value, typeName }) => `${String(typeName)} ${String(value)}`),
    );

    expect(await core.request(show, "a")).toBe("StringMessage a");
    expect(await core.request(show, 5n)).toBe("Int64Message 5");
    expect(await core.request(show, undefined)).toBe("null undefined");
  });
});

describe("life", () => {
  test("a graceful leave closes everything, and a stop ends the outputs", async () => {
    const scene = new Scene();
    const core = scene.core().require(lowercase);
    const plugin = scene.plugin().operation(lowercase, (request) => request.value);
    await connected(core, plugin);
    const outputs = core.outputs(lowercase);

    expect(await plugin.leave(2)).toBe(true);
    expect(core.connections()).toEqual([]);
    await core.stop();
    expect((await outputs.next()).done).toBe(true);
  });

  test("an orbiter that runs cannot be started, and one that was stopped can be started again", async () => {
    const scene = new Scene();
    const core = scene.core().require(lowercase);
    const plugin = scene.plugin().operation(lowercase, (request) => request.value);
    await connected(core, plugin);

    await expect(plugin.start()).rejects.toThrow(OrbiterStateError);
    await plugin.stop();
    await until(() => !core.isCompliant);
    await plugin.start();
    await core.compliant({ signal: AbortSignal.timeout(5000) });
    expect(await core.request(lowercase, "again")).toBe("again");
  });

  test("an orbiter knows no more remotes than its limits say", async () => {
    const scene = new Scene();
    const plugin = scene.plugin({ limits: { knownRemotes: 1 } }).operation(lowercase, (request) => request.value);
    await connected(scene.core().require(lowercase), plugin);
    await scene.core({ identifier: "other" }).require(lowercase).start();

    await until(() => plugin.statistics.turnedAway > 0);
    expect(plugin.connections().map((one) => one.remoteIdentifier)).toEqual(["core"]);
    expect(() => scene.plugin({ limits: { knownRemotes: 0 } })).toThrow(RangeError);
  });

  test("what is malformed is told, and dropped", async () => {
    const scene = new Scene();
    const plugin = scene.plugin().operation(lowercase, (request) => request.value);
    await plugin.start();

    scene.broker.carry("$handshake.discover", new TextEncoder().encode("[]"));
    await until(() => scene.log.lines.length > 0);

    expect(scene.log.lines[0]).toContain("a malformed event on topic '$handshake.discover' is ignored");
    expect(plugin.isRunning).toBe(true);
  });
});
