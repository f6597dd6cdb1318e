/** Trace contexts in the envelope of events: written, and read with distrust. */

import { isSpanContextValid, ROOT_CONTEXT, trace, type Context, type Span } from "@opentelemetry/api";

/** Characters; those of version 00 have 55, and newer ones may have more. */
const LONGEST_TRACEPARENT = 256;

/** The trace context of a span, as W3C Trace Context writes it; `null` for none. */
export function traceparentOf(span: Span): string | null {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return isSpanContextValid(span.spanContext())
    ? `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`
    : null;
}

/** The context in which an event was sent; what is malformed, as a stranger may have sent it, is none. */
export function contextOf(traceparent: string | null): Context {
  if (traceparent === null || traceparent.length > LONGEST_TRACEPARENT) {
    return ROOT_CONTEXT;
  }
  const found = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(traceparent);
  const [, version, traceId = "", spanId = "", flags = "", more] = found ?? [];
  if (version === undefined || version === "ff" || (version === "00" && more !== undefined)) {
    return ROOT_CONTEXT;
  }
  const sent = { traceId, spanId, traceFlags: parseInt(flags, 16), isRemote: true };
  return isSpanContextValid(sent) ? trace.setSpanContext(ROOT_CONTEXT, sent) : ROOT_CONTEXT;
}
