/** Spans of executions, requests, handlers, sinks and handshakes, and how they hang together. */

import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import {
  AlwaysOffSampler,
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
  type SpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { afterAll, beforeAll, expect, test } from "vitest";

import { defineOperation, text, type Core, type Plugin } from "../../src/index.js";
import { openTelemetry } from "../../src/observability/opentelemetry.js";
import { connected, Scene, until } from "../runtime/pair.js";

const turn = defineOperation({ name: "turn", input: text, output: text });

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});

afterAll(() => {
  context.disable();
});

/** A core and plugins that are traced, and the spans that have ended. */
class Traced {
  readonly exporter = new InMemorySpanExporter();
  readonly provider: BasicTracerProvider;
  readonly scene = new Scene();
  readonly core: Core;
  readonly plugins: Plugin[];

  constructor(options: { isSampledOut?: boolean; plugins?: number; processors?: readonly SpanProcessor[] } = {}) {
    this.provider = new BasicTracerProvider({
      spanProcessors: [new SimpleSpanProcessor(this.exporter), ...(options.processors ?? [])],
      ...(options.isSampledOut === true ? { sampler: new AlwaysOffSampler() } : {}),
    });
    const tracing = openTelemetry({ tracerProvider: this.provider });
    this.core = this.scene.core({ tracing });
    this.plugins = Array.from({ length: options.plugins ?? 1 }, (_, index) =>
      this.scene.plugin({ identifier: `plugin-${index}`, bus: this.scene.broker.client(), tracing }),
    );
    this.core.require(turn, { minimum: this.plugins.length });
  }

  /** Have each plugin do something with the inputs of `turn`. */
  async start(handler: (value: string) => Promise<string>): Promise<void> {
    for (const plugin of this.plugins) {
      plugin.operation(turn, (request) => handler(request.value));
    }
    await connected(this.core, ...this.plugins);
  }

  all(name: string, role?: string): ReadableSpan[] {
    return this.exporter
      .getFinishedSpans()
      .filter((one) => one.name === name && (role === undefined || one.attributes["orbitalis.role"] === role));
  }

  one(name: string, role?: string): ReadableSpan {
    const [found, ...others] = this.all(name, role);
    expect(others).toEqual([]);
    return found as ReadableSpan;
  }
}

function upper(value: string): Promise<string> {
  return Promise.resolve(value.toUpperCase());
}

function idsOf(span: ReadableSpan): string {
  return `${span.spanContext().traceId} ${span.spanContext().spanId}`;
}

function parentOf(span: ReadableSpan): string | null {
  const parent = span.parentSpanContext;
  return parent === undefined ? null : `${parent.traceId} ${parent.spanId}`;
}

function errorOf(span: ReadableSpan): unknown[] {
  const exceptions = span.events.filter((one) => one.name === "exception");
  return [span.status.code, span.attributes["error.type"], exceptions.map((one) => one.attributes?.["exception.type"])];
}

test("a request is one trace with its handler and what that does", async () => {
  const here = new Traced();
  const user = here.provider.getTracer("user");
  await here.start((value) =>
    user.startActiveSpan("light", async (span) => {
      await Promise.resolve();
      span.end();
      return value.toUpperCase();
    }),
  );

  await user.startActiveSpan("evening", async (span) => {
    expect(await here.core.request(turn, "on")).toBe("ON");
    span.end();
  });

  await until(() => here.all("process turn").length === 1);
  const [request, process] = [here.one("request turn"), here.one("process turn")];
  expect(parentOf(request)).toBe(idsOf(here.one("evening")));
  expect(parentOf(process)).toBe(idsOf(request));
  expect(parentOf(here.one("light"))).toBe(idsOf(process));
  expect([request.kind, process.kind]).toEqual([SpanKind.CLIENT, SpanKind.SERVER]);
  expect([request.status.code, process.status.code]).toEqual([SpanStatusCode.UNSET, SpanStatusCode.UNSET]);
  expect(request.attributes).toMatchObject({
    "messaging.system": "orbitalis",
    "messaging.operation.name": "request",
    "messaging.operation.type": "send",
    "orbitalis.orbiter": "core",
    "orbitalis.remote": "plugin-0",
    "orbitalis.operation": "turn",
  });
});

test.each([
  [{ any: true } as const, "on", 1],
  [{ all: true } as const, "on", 3],
  [{ distribute: true } as const, ["on", "on", "on", "on", "on", "on"], 6],
])("an execution is one trace up to the sinks: %o", async (mode, value, count) => {
  const here = new Traced({ plugins: 3 });
  here.core.sink(turn, () => undefined);
  await here.start(upper);

  await here.core.execute(turn, value, mode);

  await until(() => here.all("process turn", "core").length === count);
  const send = here.one("send turn");
  const handled = here.all("process turn", "plugin");
  expect(handled.map(parentOf)).toEqual(handled.map(() => idsOf(send)));
  expect(new Set(here.all("process turn", "core").map(parentOf))).toEqual(new Set(handled.map(idsOf)));
  expect(send.kind).toBe(SpanKind.PRODUCER);
  expect(send.attributes["messaging.batch.message_count"]).toBe(count === 1 ? undefined : count);
});

test("an error of a handler is in its span and in that of the request", async () => {
  const here = new Traced();
  await here.start(() => Promise.reject(new RangeError("broken")));

  await expect(here.core.request(turn, "on")).rejects.toThrow("broken");

  await until(() => here.all("process turn").length === 1);
  expect(errorOf(here.one("process turn"))).toEqual([SpanStatusCode.ERROR, "RangeError", ["RangeError"]]);
  const request = errorOf(here.one("request turn"));
  expect(request).toEqual([SpanStatusCode.ERROR, "OperationFailedError", ["OperationFailedError"]]);
});

test("an error of a sink is in its span", async () => {
  const here = new Traced();
  here.core.sink(turn, () => {
    throw new RangeError("no room");
  });
  await here.start(upper);

  await here.core.execute(turn, "on", { any: true });

  await until(() => here.all("process turn", "core").length === 1);
  expect(errorOf(here.one("process turn", "core"))).toEqual([SpanStatusCode.ERROR, "RangeError", ["RangeError"]]);
});

test("a request that times out or is aborted says so, and a late answer says nothing", async () => {
  const here = new Traced();
  let goOn = (): void => undefined;
  const waiting = new Promise<void>((resolve) => (goOn = resolve));
  await here.start(async (value) => {
    await waiting;
    return value;
  });
  const end = new AbortController();

  await expect(here.core.request(turn, "on", { timeout: 0.02 })).rejects.toThrow("no answer within");
  const aborted = here.core.request(turn, "on", { signal: end.signal });
  end.abort();
  await expect(aborted).rejects.toThrow();
  goOn();

  await until(() => here.all("process turn").length >= 1);
  const [first, second] = here.all("request turn");
  expect(errorOf(first as ReadableSpan).slice(0, 2)).toEqual([SpanStatusCode.ERROR, "RequestTimeoutError"]);
  expect(errorOf(second as ReadableSpan)).toEqual([SpanStatusCode.ERROR, "AbortError", []]);
  expect(here.all("request turn")).toHaveLength(2);
});

test("what is not sent for want of a connection is a span with that error", async () => {
  const here = new Traced();
  await here.core.start();

  await expect(here.core.execute(turn, "on", { any: true })).rejects.toThrow("has no connection");

  expect(errorOf(here.one("send turn")).slice(0, 2)).toEqual([SpanStatusCode.ERROR, "NoConnectionError"]);
});

test("a handshake is one trace from the offer on", async () => {
  const here = new Traced();
  await here.start(upper);

  await until(() => here.all("handshake turn").length === 2);
  const [core, plugin] = [here.one("handshake turn", "core"), here.one("handshake turn", "plugin")];
  expect(parentOf(core)).toBeNull();
  expect(parentOf(plugin)).toBe(idsOf(core));
  expect([core.status.code, plugin.status.code]).toEqual([SpanStatusCode.UNSET, SpanStatusCode.UNSET]);
});

test("what sets an operation up is within the span of the handshake, and its error is in there", async () => {
  const here = new Traced();
  let seen: string | undefined;
  here.plugins[0]?.operation(turn, (request) => request.value, {
    setUp: () => {
      seen = trace.getActiveSpan()?.spanContext().spanId;
      throw new RangeError("no current");
    },
  });
  await here.plugins[0]?.start();
  await here.core.start();

  await until(() => here.all("handshake turn", "plugin").length > 0);
  const [plugin] = here.all("handshake turn", "plugin");
  expect(errorOf(plugin as ReadableSpan)).toEqual([SpanStatusCode.ERROR, "RangeError", ["RangeError"]]);
  expect(plugin?.spanContext().spanId).toBe(seen);
});

test("an output that a plugin sends on its own is a trace with its sinks", async () => {
  const here = new Traced();
  here.core.sink(turn, () => undefined);
  await here.start(upper);

  await here.plugins[0]?.send(turn, "on");

  await until(() => here.all("process turn", "core").length === 1);
  expect(parentOf(here.one("process turn", "core"))).toBe(idsOf(here.one("send turn", "plugin")));
});

test("what is sampled out stays so", async () => {
  const here = new Traced({ isSampledOut: true });
  await here.start(upper);

  await here.core.request(turn, "on");

  expect(here.exporter.getFinishedSpans()).toEqual([]);
});

test("neither tracestate nor baggage travels", async () => {
  const here = new Traced();
  const seen: unknown[] = [];
  await here.start((value) => {
    seen.push(propagation.getActiveBaggage());
    return upper(value);
  });
  const baggage = propagation.createBaggage({ secret: { value: "x" } });

  await context.with(propagation.setBaggage(ROOT_CONTEXT, baggage), () => here.core.request(turn, "on"));

  expect(seen).toEqual([undefined]);
});

test("a thousand requests leave no span that has not ended", async () => {
  let open = 0;
  const here = new Traced();
  const counting = new BasicTracerProvider({
    spanProcessors: [
      {
        onStart: () => void (open += 1),
        onEnd: () => void (open -= 1),
        shutdown: () => Promise.resolve(),
        forceFlush: () => Promise.resolve(),
      },
    ],
  });
  const tracing = openTelemetry({ tracerProvider: counting });
  const core = here.scene.core({ identifier: "other", bus: here.scene.broker.client(), tracing });
  const plugin = here.scene.plugin({ bus: here.scene.broker.client(), tracing });
  plugin.operation(turn, (request) => request.value);
  await connected(core.require(turn), plugin);

  for (let count = 0; count < 1000; count += 1) {
    await core.request(turn, "on");
  }

  await until(() => open === 0);
});

test.each(["onStart", "onEnd"] as const)(
  "orbiters work as ever where the tracer provider fails (%s)",
  async (moment) => {
    let failures = 0;
    const failing = {
      onStart: () => undefined,
      onEnd: () => undefined,
      forceFlush: () => Promise.resolve(),
      shutdown: () => Promise.resolve(),
      [moment]: () => {
        failures += 1;
        throw new Error("the processor fails");
      },
    };
    const here = new Traced({ processors: [failing] });
    await here.start(upper);

    expect(await here.core.request(turn, "on")).toBe("ON");

    await until(() => failures === 4);
  },
);
