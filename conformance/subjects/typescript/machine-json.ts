/** Configurations, messages and effects of our state machines as JSON, as `docs/reference/conformance.md` has them. */

import { CODECS } from "../../../generated/typescript/codecs.js";
import {
  coreConfig,
  pluginConfig,
  type CoreConfig,
  type GivenConfig,
  type OperationTerms,
  type OrbiterConfig,
  type PluginConfig,
  type RequirementTerms,
} from "../../../typescript/src/protocol/config.js";
import type { Effect } from "../../../typescript/src/protocol/effects.js";
import type { Headers } from "../../../typescript/src/protocol/headers.js";
import type { ProtocolMessage, ProtocolMessageType } from "../../../typescript/src/protocol/messages.js";
import type { SchemaSet } from "../../../typescript/src/schema/schema-set.js";

/** An object of JSON, as it is read. */
export type Content = Readonly<Record<string, unknown>>;

// Values by their Avro schema

type Schema = string | readonly Schema[] | SchemaObject;

interface SchemaObject {
  readonly type: Schema;
  readonly name?: string;
  readonly fields?: readonly { readonly name: string; readonly type: Schema }[];
  readonly items?: Schema;
  readonly values?: Schema;
}

const SCHEMAS = new Map<string, SchemaObject>();

function schemaOf(type: ProtocolMessageType): SchemaObject {
  let found = SCHEMAS.get(type);
  if (found === undefined) {
    found = JSON.parse(CODECS[type].schema) as SchemaObject;
    SCHEMAS.set(type, found);
  }
  return found;
}

/** Converts a value of a schema and all that is in it; both directions do the same with what has parts. */
abstract class Walk {
  readonly #named = new Map<string, SchemaObject>();

  /** Convert a value. */
  convert(schema: Schema, value: unknown): unknown {
    if (typeof schema === "string") {
      const named = this.#named.get(schema);
      return named === undefined ? this.primitive(schema, value) : this.convert(named, value);
    }
    if (isUnion(schema)) {
      const branch = schema.find((one) => one !== "null") ?? "null";
      return value === null ? null : this.convert(branch, value);
    }
    if (schema.name !== undefined) {
      this.#named.set(schema.name, schema);
    }
    switch (schema.type) {
      case "record":
        return this.record(schema.fields ?? [], value as Content);
      case "array":
        return (value as readonly unknown[]).map((item) => this.convert(schema.items ?? "null", item));
      case "map":
        return this.map(schema.values ?? "null", value);
      default:
        return this.convert(schema.type, value);
    }
  }

  protected abstract record(fields: NonNullable<SchemaObject["fields"]>, value: Content): unknown;
  protected abstract map(values: Schema, value: unknown): unknown;
  protected abstract primitive(name: string, value: unknown): unknown;
}

class ToJson extends Walk {
  protected override record(fields: NonNullable<SchemaObject["fields"]>, value: Content): unknown {
    return Object.fromEntries(fields.map((one) => [one.name, this.convert(one.type, value[camelCase(one.name)])]));
  }

  protected override map(values: Schema, value: unknown): unknown {
    const entries = [...(value as ReadonlyMap<string, unknown>)];
    return Object.fromEntries(entries.map(([key, item]) => [key, this.convert(values, item)]));
  }

  protected override primitive(name: string, value: unknown): unknown {
    if (name === "bytes") {
      return bytesToJson(value as Uint8Array);
    }
    return typeof value === "number" && !Number.isFinite(value) ? shownDouble(value) : value;
  }
}

class FromJson extends Walk {
  protected override record(fields: NonNullable<SchemaObject["fields"]>, value: Content): unknown {
    return Object.fromEntries(fields.map((one) => [camelCase(one.name), this.convert(one.type, value[one.name])]));
  }

  protected override map(values: Schema, value: unknown): unknown {
    const entries = Object.entries(value as Content);
    return new Map(entries.map(([key, item]) => [key, this.convert(values, item)]));
  }

  protected override primitive(name: string, value: unknown): unknown {
    if (name === "bytes") {
      return bytesFromJson(value);
    }
    return name === "double" && typeof value === "string" ? Number(value.replace("inf", "Infinity")) : value;
  }
}

function isUnion(schema: Schema): schema is readonly Schema[] {
  return Array.isArray(schema);
}

function shownDouble(value: number): string {
  return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

/** Bytes as JSON; `null` stays what it is. */
export function bytesToJson(bytes: Uint8Array | null): { readonly hex: string } | null {
  return bytes === null ? null : { hex: Buffer.from(bytes).toString("hex") };
}

/** Bytes that are given as JSON; `null` stays what it is. */
export function bytesFromJson(content: unknown): Uint8Array | null {
  return content === null ? null : Uint8Array.from(Buffer.from((content as { readonly hex: string }).hex, "hex"));
}

/** Turn `offer_topic` into `offerTopic`. */
function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** Turn `connectionOpened` into `connection_opened`. */
function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** A message as JSON. */
function messageToJson(message: ProtocolMessage): Content {
  return { type: message.type, fields: new ToJson().convert(schemaOf(message.type), message.fields) };
}

/** A message that is given as JSON. */
export function messageFromJson(content: Content): ProtocolMessage {
  const type = content["type"] as ProtocolMessageType;
  return { type, fields: new FromJson().convert(schemaOf(type), content["fields"]) } as ProtocolMessage;
}

/** Headers that are given as JSON. */
export function headersFromJson(content: Content): Headers {
  const text = (name: string): string | null => (content[name] as string | undefined) ?? null;
  return {
    identifier: text("identifier") ?? "",
    publisherIdentifier: text("publisher_identifier") ?? "",
    incarnation: text("incarnation"),
    correlationIdentifier: text("correlation_identifier"),
    connectionIdentifier: text("connection_identifier"),
    openConnections: (content["open_connections"] as readonly string[] | undefined) ?? null,
    readableEncodings: (content["readable_encodings"] as readonly string[] | undefined) ?? null,
    lateOffers: (content["late_offers"] as boolean | undefined) ?? null,
  };
}

// Configurations

interface SetContent {
  readonly schemas: readonly string[];
  readonly support_empty_schema: boolean;
  readonly support_undefined_schema: boolean;
}

type OperationContent = Omit<OperationTerms, "input" | "output" | "allowlist" | "blocklist"> & {
  readonly input: SetContent;
  readonly output: SetContent;
  readonly allowlist: readonly string[] | null;
  readonly blocklist: readonly string[];
};

type RequirementContent = Omit<RequirementTerms, "inputs" | "outputs"> & {
  readonly inputs: readonly SetContent[];
  readonly outputs: readonly SetContent[];
};

/** The configuration of a plugin, given as JSON. */
export function pluginConfigFromJson(content: Content): PluginConfig {
  const operations = Object.entries((content["operations"] ?? {}) as Readonly<Record<string, OperationContent>>);
  return pluginConfig({
    ...settingsFromJson<PluginConfig>(content),
    operations: new Map(operations.map(([name, one]) => [name, operationOf(one)])),
  });
}

/** The configuration of a core, given as JSON. */
export function coreConfigFromJson(content: Content): CoreConfig {
  const requirements = Object.entries((content["requirements"] ?? {}) as Readonly<Record<string, RequirementContent>>);
  return coreConfig({
    ...settingsFromJson<CoreConfig>(content),
    requirements: new Map(requirements.map(([name, one]) => [name, requirementOf(one)])),
  });
}

function settingsFromJson<Config extends OrbiterConfig>(content: Content): GivenConfig<Config> {
  return { ...inCamelCase(content), limits: inCamelCase((content["limits"] ?? {}) as Content) } as GivenConfig<Config>;
}

function inCamelCase(content: Content): Content {
  return Object.fromEntries(Object.entries(content).map(([name, value]) => [camelCase(name), value]));
}

function operationOf(content: OperationContent): OperationTerms {
  return {
    input: setOf(content.input),
    output: setOf(content.output),
    maximum: content.maximum,
    allowlist: content.allowlist === null ? null : new Set(content.allowlist),
    blocklist: new Set(content.blocklist),
    exact: content.exact,
  };
}

function requirementOf(content: RequirementContent): RequirementTerms {
  return { ...content, inputs: content.inputs.map(setOf), outputs: content.outputs.map(setOf) };
}

function setOf(content: SetContent): SchemaSet {
  return {
    schemas: content.schemas,
    supportEmptySchema: content.support_empty_schema,
    supportUndefinedSchema: content.support_undefined_schema,
  };
}

// Effects

/** Effects as JSON, without what is for people alone. */
export function effectsToJson(effects: readonly Effect[]): Content[] {
  return effects.flatMap((effect) => {
    const told = contentOf(effect);
    return told === null ? [] : [{ effect: snakeCase(effect.kind), remote: effect.remoteIdentifier, ...told }];
  });
}

function contentOf(effect: Effect): Content | null {
  switch (effect.kind) {
    case "send":
      return {
        topic: effect.topic,
        channel: effect.channel.key,
        message: messageToJson(effect.message),
        identifier: effect.eventIdentifier,
        encoding: effect.encoding,
        ...withoutNull({
          correlation_identifier: effect.correlationIdentifier,
          connection_identifier: effect.connectionIdentifier,
          open_connections: effect.openConnections,
          late_offers: effect.lateOffers,
        }),
      };
    case "messageReceived":
      return { type: effect.message.type };
    case "prepare":
      return {
        operation: effect.slot.operationName,
        connection: effect.connectionIdentifier,
        topics: effect.slot.localTopics,
      };
    case "drain":
      return { operation: effect.slot.operationName, connection: effect.slot.connectionIdentifier };
    case "subscribe":
      return { topic: effect.topic };
    case "unsubscribe":
      return { topics: effect.topics };
    case "connectionOpened":
    case "pendingRequestDiscarded":
      return { operation: effect.slot.operationName };
    case "connectionClosed":
      return { operation: effect.slot.operationName, reason: effect.reason, data: bytesToJson(effect.data) };
    case "remoteLost":
      return { reason: effect.reason };
    case "watchWill":
      return { wanted: effect.isWanted };
    case "suspicionChanged":
      return { suspected: effect.isSuspected };
    case "complianceChanged":
      return { compliant: effect.compliant };
    case "obstacleMet":
      return null;
  }
}

function withoutNull(content: Content): Content {
  return Object.fromEntries(Object.entries(content).filter(([, value]) => value !== null));
}
