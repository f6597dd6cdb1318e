/** What a runtime tells a tracer of its orbiter; one that is not traced has none. */

import type { EventEnvelope } from "../../../generated/typescript/messages.js";
import type { Effect, Send } from "../protocol/effects.js";
import type { Slot } from "../protocol/slots.js";
import type { Role } from "../protocol/transitions.js";

/** Makes spans of what orbiters do: `openTelemetry()` of `@orbitalis/sdk/opentelemetry` is one. */
export interface Tracing {
  /** Make the spans of one orbiter. */
  of(orbiter: Traced): OrbiterTracing;
}

/** An orbiter that is traced. */
export interface Traced {
  /** Identifier of the orbiter. */
  readonly identifier: string;
  /** What it is: `core` or `plugin`. */
  readonly role: Role;
  /** Identifier of its client of the bus. */
  readonly clientIdentifier: string;
}

/** A span in which work is done. */
export interface WorkSpan {
  /** Its trace context, for the header of what is published; `null` for none. */
  readonly traceparent: string | null;
  /** Note that the work has failed, where it does not throw. */
  fail(error: unknown): void;
}

/** Makes the spans of one orbiter. An error that its work throws is noted in the span, and thrown again. */
export interface OrbiterTracing {
  /** Publish inputs or outputs on connections of an operation, all in one span. */
  send<T>(operationName: string, slots: readonly Slot[], work: (span: WorkSpan) => Promise<T>): Promise<T>;
  /** Publish an input and wait for its answer, in a span. */
  request<T>(slot: Slot, work: (span: WorkSpan) => Promise<T>): Promise<T>;
  /** Note an input that was not published, since there is no connection for it. */
  unsent(operationName: string, error: Error): void;
  /** Handle an input or output in a span of the trace that the event belongs to. */
  process(slot: Slot, topic: string, envelope: EventEnvelope, work: (span: WorkSpan) => Promise<void>): Promise<void>;
  /** Take note of what is about to be done, and the trace context of the message that has led to it. */
  note(effect: Effect, cause: string | null): void;
  /** The trace context of the handshake that a message belongs to, which is about to be published. */
  traceparentOf(effect: Send): string | null;
  /** Let the user prepare for a connection, within the span of its handshake. */
  prepare<T>(slot: Slot, work: () => Promise<T> | null): Promise<T> | null;
}
