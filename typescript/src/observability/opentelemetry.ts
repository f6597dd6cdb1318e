/**
 * Spans of what orbiters do, by OpenTelemetry. It takes the package `@opentelemetry/api`, which nothing else imports.
 *
 * The trace goes on in other processes: its context travels as `traceparent` in the envelope of each event. Neither
 * `tracestate` nor baggage travels.
 */

import {
  context as contexts,
  diag,
  INVALID_SPAN_CONTEXT,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
  type Tracer,
  type TracerProvider,
} from "@opentelemetry/api";

import { OPERATION_INPUT, OPERATION_OUTPUT, type Channel } from "../../../generated/typescript/channels.js";
import type { EventEnvelope } from "../../../generated/typescript/messages.js";
import type { Effect, Send } from "../protocol/effects.js";
import type { Slot } from "../protocol/slots.js";
import type { OrbiterTracing, Traced, Tracing, WorkSpan } from "../runtime/tracing.js";
import * as names from "./names.js";
import { contextOf, traceparentOf } from "./trace-context.js";

/** Characters of an error's text in a status; its event has all. */
const LONGEST_TEXT = 1000;

/**
 * Make spans of what orbiters do, by this provider, or by the one that is set for the program:
 * `new Core({ …, tracing: openTelemetry() })`.
 *
 * There is a span for each execution and request, for each input that a handler and each output that sinks take, and
 * for each handshake. It is active in handlers, sinks and what prepares a connection, if the program has a context
 * manager.
 */
export function openTelemetry(options: { readonly tracerProvider?: TracerProvider } = {}): Tracing {
  const tracer = (options.tracerProvider ?? trace).getTracer(names.SCOPE);
  return { of: (orbiter) => new OpenTelemetryTracing(orbiter, tracer) };
}

class OpenTelemetryTracing implements OrbiterTracing {
  readonly #orbiter: Traced;
  readonly #tracer: Tracer;
  readonly #outgoing: Channel;
  readonly #incoming: Channel;
  /** Under way, by remote and operation. */
  readonly #handshakes = new Map<string, Span>();

  constructor(orbiter: Traced, tracer: Tracer) {
    this.#orbiter = orbiter;
    this.#tracer = tracer;
    const isCore = orbiter.role === "core";
    this.#outgoing = isCore ? OPERATION_INPUT : OPERATION_OUTPUT;
    this.#incoming = isCore ? OPERATION_OUTPUT : OPERATION_INPUT;
  }

  send<T>(operationName: string, slots: readonly Slot[], work: (span: WorkSpan) => Promise<T>): Promise<T> {
    const [first] = slots;
    const attributes = {
      ...this.#attributes(names.SEND, names.SEND, operationName, this.#outgoing),
      ...(first !== undefined && slots.length === 1
        ? ofSlot(first, first.outgoingDataTopic)
        : { [names.BATCH_MESSAGE_COUNT]: slots.length }),
    };
    return this.#within(this.#begin(names.SEND, operationName, SpanKind.PRODUCER, attributes), work);
  }

  request<T>(slot: Slot, work: (span: WorkSpan) => Promise<T>): Promise<T> {
    const name = slot.operationName;
    const attributes = {
      ...this.#attributes(names.REQUEST, names.SEND, name, this.#outgoing),
      ...ofSlot(slot, slot.outgoingDataTopic),
    };
    return this.#within(this.#begin(names.REQUEST, name, SpanKind.CLIENT, attributes), work);
  }

  unsent(operationName: string, error: Error): void {
    const attributes = this.#attributes(names.SEND, names.SEND, operationName, this.#outgoing);
    const span = this.#begin(names.SEND, operationName, SpanKind.PRODUCER, attributes);
    fail(span, error);
    end(span);
  }

  process(slot: Slot, topic: string, envelope: EventEnvelope, work: (span: WorkSpan) => Promise<void>): Promise<void> {
    const { correlationIdentifier } = envelope;
    const attributes = {
      ...this.#attributes(names.PROCESS, names.PROCESS, slot.operationName, this.#incoming),
      ...ofSlot(slot, topic),
      [names.MESSAGE_ID]: envelope.identifier,
      ...(correlationIdentifier === null ? {} : { [names.CONVERSATION_ID]: correlationIdentifier }),
    };
    const kind = envelope.answerRequested === true ? SpanKind.SERVER : SpanKind.CONSUMER;
    const within = contextOf(envelope.traceparent);
    const span = this.#begin(names.PROCESS, slot.operationName, kind, attributes, within);
    return this.#within(span, work, within);
  }

  note(effect: Effect, cause: string | null): void {
    switch (effect.kind) {
      case "prepare": {
        const { slot } = effect;
        this.#endHandshake(keyOf(slot), "another one has begun");
        const attributes = {
          ...this.#attributes(names.HANDSHAKE, null, slot.operationName, null),
          ...ofSlot(slot, null),
        };
        const kind = this.#isCore ? SpanKind.CLIENT : SpanKind.SERVER;
        const span = this.#begin(names.HANDSHAKE, slot.operationName, kind, attributes, contextOf(cause));
        this.#handshakes.set(keyOf(slot), span);
        break;
      }
      case "connectionOpened":
        // A plugin's ends with its confirm, which follows.
        if (this.#isCore) {
          this.#endHandshake(keyOf(effect.slot));
        }
        break;
      case "pendingRequestDiscarded":
      case "connectionClosed":
        this.#endHandshake(keyOf(effect.slot), "it came to nothing");
        break;
      default:
    }
  }

  traceparentOf(effect: Send): string | null {
    const { message, remoteIdentifier } = effect;
    if (
      remoteIdentifier === null ||
      (message.type !== "RequestOperationMessage" && message.type !== "ConfirmConnectionMessage")
    ) {
      return null;
    }
    const key = `${remoteIdentifier}/${message.fields.operationName}`;
    const span = this.#handshakes.get(key);
    if (span === undefined) {
      return null;
    }
    if (!this.#isCore) {
      this.#endHandshake(key);
    }
    return traceparentOf(span);
  }

  prepare<T>(slot: Slot, work: () => Promise<T> | null): Promise<T> | null {
    const span = this.#handshakes.get(keyOf(slot));
    if (span === undefined) {
      return work();
    }
    const failed = (error: unknown): never => {
      if (this.#handshakes.get(keyOf(slot)) === span) {
        // Else it has come to nothing meanwhile.
        fail(span, error);
        this.#endHandshake(keyOf(slot));
      }
      throw error;
    };
    try {
      return contexts.with(trace.setSpan(ROOT_CONTEXT, span), work)?.catch(failed) ?? null;
    } catch (error) {
      return failed(error);
    }
  }

  get #isCore(): boolean {
    return this.#orbiter.role === "core";
  }

  #endHandshake(key: string, failure?: string): void {
    const span = this.#handshakes.get(key);
    if (span !== undefined) {
      this.#handshakes.delete(key);
      if (failure !== undefined) {
        span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
      }
      end(span);
    }
  }

  #attributes(verb: string, kind: string | null, operationName: string, channel: Channel | null): Attributes {
    const { identifier, role, clientIdentifier } = this.#orbiter;
    return {
      [names.SYSTEM]: names.SYSTEM_NAME,
      [names.ORBITER]: identifier,
      [names.ROLE]: role,
      [names.CLIENT_ID]: clientIdentifier,
      [names.OPERATION]: operationName,
      [names.OPERATION_NAME]: verb,
      ...(kind === null ? {} : { [names.OPERATION_TYPE]: kind }),
      ...(channel === null
        ? {}
        : { [names.DESTINATION_TEMPLATE]: channel.address.replace("{operation_name}", () => operationName) }),
    };
  }

  /** Begin a span within a context, by default the one that is active; one of nothing where that fails. */
  #begin(
    verb: string,
    operationName: string,
    kind: SpanKind,
    attributes: Attributes,
    within: Context = contexts.active(),
  ): Span {
    try {
      return this.#tracer.startSpan(`${verb} ${operationName}`, { kind, attributes }, within);
    } catch (error) {
      complain(error);
      return trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
    }
  }

  async #within<T>(span: Span, work: (span: WorkSpan) => Promise<T>, within: Context = contexts.active()): Promise<T> {
    const shown = { traceparent: traceparentOf(span), fail: (error: unknown) => fail(span, error) };
    try {
      return await contexts.with(trace.setSpan(within, span), work, undefined, shown);
    } catch (error) {
      fail(span, error);
      throw error;
    } finally {
      end(span);
    }
  }
}

/** End a span; what a processor of the program throws then is not for the orbiter. */
function end(span: Span): void {
  try {
    span.end();
  } catch (error) {
    complain(error);
  }
}

let hasComplained = false;

/** Tell that a tracer provider has failed: once for the program, since each span may fail. */
function complain(error: unknown): void {
  if (!hasComplained) {
    hasComplained = true;
    diag.error("orbitalis: the tracer provider has failed: there is no span, and this is not said again", error);
  }
}

function keyOf(slot: Slot): string {
  return `${slot.remoteIdentifier}/${slot.operationName}`;
}

function ofSlot(slot: Slot, topic: string | null): Attributes {
  return {
    [names.REMOTE]: slot.remoteIdentifier,
    [names.CONNECTION]: slot.connectionIdentifier,
    ...(topic === null ? {} : { [names.DESTINATION_NAME]: topic }),
  };
}

/** Note that what a span stands for has failed, or was given up by its caller. */
function fail(span: Span, error: unknown): void {
  const isError = error instanceof Error;
  const kind = isError ? error.name : typeof error;
  const text = isError ? error.message : String(error);
  span.setAttribute(names.ERROR_TYPE, kind);
  if (kind === "AbortError") {
    span.setStatus({ code: SpanStatusCode.ERROR, message: "cancelled" });
    return;
  }
  span.recordException(isError ? error : text);
  span.setStatus({ code: SpanStatusCode.ERROR, message: `${kind}: ${text}`.slice(0, LONGEST_TEXT) });
}
