/** What is taken from strangers as the context of a trace. */

import { ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { expect, test } from "vitest";

import { contextOf } from "../../src/observability/trace-context.js";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

test.each([
  "",
  "nonsense",
  `00-${TRACE}-${SPAN}`,
  `00-${"0".repeat(32)}-${SPAN}-01`,
  `00-${TRACE}-${"0".repeat(16)}-01`,
  `ff-${TRACE}-${SPAN}-01`,
  `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  `00-${TRACE}-${SPAN}-01-more`,
  `00-${TRACE}-${SPAN}-01${"0".repeat(100_000)}`,
  `00-${TRACE}-${SPAN}-01\n`,
])("a malformed one is none: %.60j", (traceparent) => {
  expect(contextOf(traceparent)).toBe(ROOT_CONTEXT);
});

test.each([`00-${TRACE}-${SPAN}-01`, `cc-${TRACE}-${SPAN}-01-what-is-to-come`])(
  "a well-formed one is taken: %s",
  (one) => {
    expect(trace.getSpanContext(contextOf(one))).toEqual({
      traceId: TRACE,
      spanId: SPAN,
      traceFlags: 1,
      isRemote: true,
    });
  },
);
