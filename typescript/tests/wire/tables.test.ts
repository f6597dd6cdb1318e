/** Tables that come from the specification: channels, operations, transitions and constants. */

import { expect, it } from "vitest";

import { CHANNELS, OPERATIONS } from "../../../generated/typescript/channels.js";
import { CODECS } from "../../../generated/typescript/codecs.js";
import { limits, states, timings, version } from "../../../generated/typescript/index.js";
import { textOf } from "./schema.js";

it("has the version of the document", () => {
  expect(textOf("asyncapi.yaml")).toContain(`version: ${version.SPECIFICATION_VERSION}`);
  expect(version.SPECIFICATION_VERSION.split(".")[0]).toBe(String(version.PROTOCOL_VERSION));
});

it("has a codec for every message of a channel, and a channel for every operation", () => {
  for (const [key, channel] of Object.entries(CHANNELS)) {
    expect(channel.key).toBe(key);
    for (const message of channel.messages) {
      expect(CODECS[message].messageType).toBe(message);
    }
  }
  for (const [key, operation] of Object.entries(OPERATIONS)) {
    expect(operation.key).toBe(key);
    expect(Object.values(CHANNELS)).toContain(operation.channel);
    expect(operation.channel.messages).toEqual(expect.arrayContaining([...operation.messages]));
  }
});

it("leads from states to states", () => {
  const { SlotState, SlotTrigger, CORE_SLOT_TRANSITIONS, PLUGIN_SLOT_TRANSITIONS } = states;
  expect(CORE_SLOT_TRANSITIONS[SlotState.FREE][SlotTrigger.OFFER_ACCEPTED]).toBe(SlotState.PREPARING);
  expect(CORE_SLOT_TRANSITIONS[SlotState.FREE][SlotTrigger.OFFER_SENT]).toBeUndefined();
  expect(PLUGIN_SLOT_TRANSITIONS[SlotState.FREE][SlotTrigger.OFFER_SENT]).toBe(SlotState.OFFERED);
  for (const table of [CORE_SLOT_TRANSITIONS, PLUGIN_SLOT_TRANSITIONS]) {
    expect(Object.keys(table).sort()).toEqual(Object.values(SlotState).sort());
  }
});

it("has the durations and bounds of the document", () => {
  const document = textOf("asyncapi.yaml");
  const words = (name: string): string => name.toLowerCase();
  for (const name of Object.keys({ ...timings, ...limits })) {
    expect(document).toContain(`${words(name)}:`);
  }
  expect(timings.CONSIDERED_DEAD_AFTER).toBe(120);
  expect(limits.NESTING_DEPTH).toBe(64);
});
