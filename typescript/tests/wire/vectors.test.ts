/** The vectors beside the specification, and those of every version, are read, and written again as they were. */

import { describe, expect, it } from "vitest";

import { plain, type SchemaObject } from "./plain.js";
import { ENVELOPE_SCHEMA, MESSAGE_SCHEMAS, rows } from "./schema.js";
import { CODECS, codecOf } from "../../../generated/typescript/codecs.js";
import { decodeEvent, encodeEvent, Encoding, ENVELOPE_VERSIONS } from "../../../generated/typescript/envelope.js";
import type { EventEnvelope } from "../../../generated/typescript/messages.js";
import { SCHEMAS } from "../../../generated/typescript/schemas.js";
import { isoOfMicros } from "../../src/support/moment.js";

interface Event {
  readonly value: Readonly<Record<string, unknown>> | null;
  readonly envelope: Readonly<Record<string, unknown>> & { readonly message_type: string | null };
  readonly json: string;
  readonly avro_hex: string;
}

interface Older {
  readonly message_type: string | null;
  readonly fields: Readonly<Record<string, unknown>> | null;
  readonly payload_hex: string | null;
  readonly event: { readonly identifier: string; readonly publisher_identifier: string; readonly timestamp: string };
  readonly envelope_json: string;
}

interface SchemaRow {
  readonly name: string;
  readonly schema: unknown;
  readonly canonical_form: string;
  readonly fingerprint: string;
  readonly versions: readonly { readonly version: string; readonly fields: number; readonly fingerprint: string }[];
}

const EVENTS = rows<Event>("vectors/events.jsonl").map((event, index) => ({
  name: `${index}-${event.envelope.message_type ?? "empty"}`,
  event,
}));

function bytesOf(event: Event, isJson: boolean): Uint8Array {
  return isJson ? new TextEncoder().encode(event.json) : Uint8Array.from(Buffer.from(event.avro_hex, "hex"));
}

function payloadOf(envelope: EventEnvelope): { message: object; schema: SchemaObject } {
  const codec = codecOf(envelope.messageType ?? "");
  const schema = MESSAGE_SCHEMAS.get(envelope.messageType ?? "");
  if (codec === undefined || schema === undefined || envelope.serializedPayload === null) {
    throw new TypeError(`no codec of ${String(envelope.messageType)}`);
  }
  const { payloadFormatType, serializedPayload, schemaFingerprint } = envelope;
  return { message: codec.decodePayload(payloadFormatType ?? "", serializedPayload, schemaFingerprint), schema };
}

describe.each(EVENTS)("event $name", ({ event }) => {
  it.each([true, false])("is read and written again, as JSON: %s", (isJson) => {
    const data = bytesOf(event, isJson);
    const { envelope, encoding } = decodeEvent(data);
    expect(encoding === Encoding.JSON).toBe(isJson);
    expect(plain(ENVELOPE_SCHEMA, envelope)).toEqual(event.envelope);
    const written = encodeEvent(envelope, encoding);
    if (isJson) {
      expect(JSON.parse(Buffer.from(written).toString())).toEqual(JSON.parse(event.json));
    } else {
      expect(Buffer.from(written).toString("hex")).toBe(event.avro_hex);
    }
  });

  it("has a payload that is read and written again", () => {
    const { envelope } = decodeEvent(bytesOf(event, false));
    if (event.value === null) {
      expect([envelope.messageType, envelope.serializedPayload]).toEqual([null, null]);
      return;
    }
    const { message, schema } = payloadOf(envelope);
    expect(plain(schema, message)).toEqual(event.value);
    const codec = codecOf(envelope.messageType ?? "");
    const isNewest = codec?.fingerprint === envelope.schemaFingerprint;
    const isOwnFormat = codec?.payloadFormat === envelope.payloadFormatType;
    if (codec !== undefined && isNewest && isOwnFormat) {
      expect(Buffer.from(codec.encodePayload(message))).toEqual(Buffer.from(envelope.serializedPayload ?? []));
    }
  });
});

it.each(["1.0", "1.1"])("reads what version %s wrote", (version) => {
  for (const event of rows<Event>(`tests/wire/versions/${version}/events.jsonl`)) {
    for (const isJson of [true, false]) {
      const { envelope } = decodeEvent(bytesOf(event, isJson));
      // Headers that came later are not there.
      const read = plain(ENVELOPE_SCHEMA, envelope) as Readonly<Record<string, unknown>>;
      expect(read).toEqual({ ...Object.fromEntries(Object.keys(read).map((name) => [name, null])), ...event.envelope });
      if (event.value !== null) {
        const { message, schema } = payloadOf(envelope);
        // Fields that came later have their defaults.
        const defaults = (schema.fields ?? []).map((one) => [one.name, (one as { default?: unknown }).default]);
        expect(plain(schema, message)).toEqual({ ...Object.fromEntries(defaults), ...event.value });
      }
    }
  }
});

it("reads what older peers wrote, and writes it as they do", () => {
  for (const older of rows<Older>("vectors/older.jsonl")) {
    const { envelope, encoding } = decodeEvent(new TextEncoder().encode(older.envelope_json));
    expect(encoding).toBe(Encoding.JSON);
    expect(envelope.identifier).toBe(older.event.identifier);
    // They say local time, without a zone.
    expect(isoOfMicros(envelope.timestamp).slice(0, 26)).toBe(inUtc(older.event.timestamp));
    const theirs = JSON.parse(older.envelope_json) as Record<string, unknown>;
    const ours = JSON.parse(Buffer.from(encodeEvent(envelope, encoding)).toString()) as Record<string, unknown>;
    expect({ ...ours, timestamp: null }).toEqual({ ...theirs, timestamp: null });
    if (older.message_type !== null) {
      const { message, schema } = payloadOf(envelope);
      expect(plain(schema, message)).toMatchObject(older.fields ?? {});
      const written = codecOf(older.message_type)?.encodePayload(message);
      expect(
        Buffer.from(written ?? [])
          .toString("hex")
          .startsWith(older.payload_hex ?? "?"),
      ).toBe(true);
    }
  }
});

function inUtc(local: string): string {
  return new Date(local).toISOString().slice(0, 23) + local.slice(23, 26);
}

it("has the schemas, fingerprints and versions of the vectors", () => {
  const found = rows<SchemaRow>("vectors/schemas.jsonl");
  const messages = found.filter((row) => row.name !== "EventEnvelope");
  expect(Object.keys(SCHEMAS)).toEqual(messages.map((row) => row.name));
  expect(Object.keys(CODECS)).toEqual(Object.keys(SCHEMAS));
  for (const row of messages) {
    const schema = SCHEMAS[row.name as keyof typeof SCHEMAS];
    expect({ ...schema, schema: JSON.parse(schema.schema) as unknown }).toEqual({
      messageType: row.name,
      schema: row.schema,
      canonicalForm: row.canonical_form,
      fingerprint: row.fingerprint,
      versions: row.versions,
    });
  }
  expect(ENVELOPE_VERSIONS).toEqual(found.find((row) => row.name === "EventEnvelope")?.versions);
});
