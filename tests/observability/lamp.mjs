/** An orbiter in TypeScript that is traced: `lamp.mjs plugin|core URL` writes each of its spans as a line of JSON. */

import { context, SpanStatusCode } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { BasicTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { connectMqtt, Core, defineOperation, Plugin, text } from "@orbitalis/sdk";
import { openTelemetry } from "@orbitalis/sdk/opentelemetry";

const [role, url] = process.argv.slice(2);
const turn = defineOperation({ name: "turn", input: text, output: text });

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
const exporter = {
    export(spans, done) {
        for (const span of spans) {
            const { traceId, spanId } = span.spanContext();
            const parent = span.parentSpanContext;
            const ids = [traceId, spanId, parent?.traceId ?? null, parent?.spanId ?? null];
            console.log(JSON.stringify([span.name, ...ids, SpanStatusCode[span.status.code]]));
        }
        done({ code: 0 });
    },
    shutdown: () => Promise.resolve(),
};
const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const user = tracerProvider.getTracer("user");
const options = { identifier: `typescript-${role}`, bus: connectMqtt(url), tracing: openTelemetry({ tracerProvider }) };

if (role === "plugin") {
    const plugin = new Plugin(options);
    plugin.operation(turn, (request) =>
        user.startActiveSpan("light", (span) => {
            span.end();
            return request.value.toUpperCase();
        }),
    );
    await plugin.start();
} else {
    const core = new Core({ ...options, discoveringInterval: 0.2 }).require(turn);
    await core.start();
    await core.compliant();
    await user.startActiveSpan("evening", async (span) => {
        await core.request(turn, "on");
        span.end();
    });
    await core.stop();
}
