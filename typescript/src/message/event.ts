/** Events: what an orbiter publishes and receives, in their envelope. */

import type { Payload, PayloadType } from "./payload-type.js";
import { acceptsPayload, protocolType } from "./payload-type.js";
import { newIdentifier } from "./identifiers.js";
import { CODECS, codecOf } from "../../../generated/typescript/codecs.js";
import { Encoding, encodeEvent } from "../../../generated/typescript/envelope.js";
import {
  eventEnvelope,
  type CancelInputMessage,
  type EventEnvelope,
  type MessageType,
} from "../../../generated/typescript/messages.js";
import type { OperationErrorMessage } from "../../../generated/typescript/messages.js";
import { PROTOCOL_VERSION } from "../../../generated/typescript/version.js";
import type { Slot } from "../protocol/slots.js";
import { typeOfSchema } from "./payload-type.js";
import { DecodeError } from "../support/errors.js";

/** Encodings of the envelope that every orbiter of this package reads. */
export const READABLE_ENCODINGS: readonly string[] = Object.values(Encoding);

/** What an event has beside its payload; what is left out is null. */
export type EventHeaders = Partial<
  Pick<
    EventEnvelope,
    | "identifier"
    | "correlationIdentifier"
    | "connectionIdentifier"
    | "openConnections"
    | "lateOffers"
    | "answerRequested"
    | "answerWithin"
    | "sequenceNumber"
    | "traceparent"
  >
>;

/** Who publishes. */
export interface Publisher {
  readonly publisherIdentifier: string;
  /** `null` for one who is no orbiter. */
  readonly incarnation: string | null;
}

/** Write an event with a message of the protocol. */
export function writeMessage(
  who: Publisher,
  type: MessageType,
  message: object,
  headers: EventHeaders,
  encoding: Encoding,
): Uint8Array {
  const codec = CODECS[type];
  return write(
    who,
    {
      messageType: type,
      payloadFormatType: codec.payloadFormat,
      serializedPayload: codec.encodePayload(message as never),
      schemaFingerprint: codec.fingerprint,
    },
    headers,
    encoding,
  );
}

/** Write an event with what a user sends; `null` is an empty event. */
export function writePayload(
  who: Publisher,
  payload: Payload | null,
  headers: EventHeaders,
  encoding: Encoding,
): Uint8Array {
  const codec = payload?.type.codec ?? null;
  if (payload === null || codec === null) {
    const nothing = { messageType: null, payloadFormatType: null, serializedPayload: null, schemaFingerprint: null };
    return write(who, nothing, headers, encoding);
  }
  return write(
    who,
    {
      messageType: codec.messageType,
      payloadFormatType: codec.payloadFormat,
      serializedPayload: codec.encodePayload(payload.message),
      schemaFingerprint: codec.fingerprint,
    },
    headers,
    encoding,
  );
}

function write(
  who: Publisher,
  payload: Pick<EventEnvelope, "messageType" | "payloadFormatType" | "serializedPayload" | "schemaFingerprint">,
  headers: EventHeaders,
  encoding: Encoding,
): Uint8Array {
  const { identifier, ...others } = headers;
  const envelope = eventEnvelope({
    identifier: identifier ?? newIdentifier(),
    publisherIdentifier: who.publisherIdentifier,
    timestamp: BigInt(Date.now()) * 1000n,
    protocolVersion: PROTOCOL_VERSION,
    incarnation: who.incarnation,
    readableEncodings: READABLE_ENCODINGS,
    ...payload,
    ...others,
  });
  return encodeEvent(envelope, encoding);
}

/** What came on a connection. */
export type Data =
  | { readonly kind: "value"; readonly name: string | null; readonly value: unknown }
  /** What no side knows, of an operation that takes anything. */
  | { readonly kind: "undecoded"; readonly name: string; readonly data: Uint8Array }
  | { readonly kind: "error"; readonly error: OperationErrorMessage }
  | { readonly kind: "cancel"; readonly cancel: CancelInputMessage }
  /** What the other side has written with its schema, and the schema of this side cannot hold. */
  | { readonly kind: "unreadable"; readonly name: string; readonly error: DecodeError }
  /** What the connection does not carry. */
  | { readonly kind: "refused"; readonly name: string };

/** Read a message of the protocol; `null` if the event has none. Throws a `DecodeError`. */
export function readMessage(envelope: EventEnvelope): { type: MessageType; fields: object } | null {
  const { messageType, payloadFormatType, serializedPayload } = checked(envelope);
  const codec = messageType === null ? undefined : codecOf(messageType);
  if (codec === undefined || serializedPayload === null) {
    return null;
  }
  const fields = codec.decodePayload(payloadFormatType ?? "", serializedPayload, envelope.schemaFingerprint);
  return { type: messageType as MessageType, fields };
}

/** Read what came on a connection, of which one side has declared these types. Throws a `DecodeError`. */
export function readData(envelope: EventEnvelope, slot: Slot, types: readonly PayloadType[]): Data {
  const { messageType, payloadFormatType, serializedPayload } = checked(envelope);
  const accepted = slot.role === "plugin" ? slot.input : slot.output;
  if (messageType === null || serializedPayload === null) {
    return accepted.supportEmptySchema || accepted.supportUndefinedSchema || envelope.correlationIdentifier !== null
      ? { kind: "value", name: null, value: undefined }
      : { kind: "refused", name: "an empty event" };
  }
  const fingerprint = envelope.schemaFingerprint;
  if (messageType === "OperationErrorMessage") {
    const error = CODECS.OperationErrorMessage.decodePayload(payloadFormatType ?? "", serializedPayload, fingerprint);
    return { kind: "error", error };
  }
  if (messageType === "CancelInputMessage") {
    const cancel = CODECS.CancelInputMessage.decodePayload(payloadFormatType ?? "", serializedPayload, fingerprint);
    return { kind: "cancel", cancel };
  }
  const type = typeOf(messageType, fingerprint, types, accepted.supportUndefinedSchema);
  if (type?.codec != null && acceptsPayload(accepted, type)) {
    const message = type.codec.decodePayload(payloadFormatType ?? "", serializedPayload, fingerprint);
    return { kind: "value", name: type.name, value: type.fromMessage(message) };
  }
  const foreign = fingerprint === null ? undefined : slot.foreign?.get(fingerprint);
  if (foreign !== undefined) {
    const mine = types.find((one) => one.schema === foreign.reader) ?? typeOfSchema(foreign.reader);
    const read = mine.resolving(foreign);
    if (read !== null) {
      try {
        return { kind: "value", name: mine.name, value: mine.fromMessage(read(inAvro(envelope))) };
      } catch (error) {
        if (error instanceof DecodeError) {
          return { kind: "unreadable", name: messageType, error };
        }
        throw error;
      }
    }
  }
  return accepted.supportUndefinedSchema
    ? { kind: "undecoded", name: messageType, data: serializedPayload }
    : { kind: "refused", name: messageType };
}

/** The type of a payload: one of the protocol's by its name, one of users by its fingerprint or else by its name. */
function typeOf(
  name: string,
  fingerprint: string | null,
  types: readonly PayloadType[],
  hasAnything: boolean,
): PayloadType | undefined {
  const known = protocolType(name);
  if (known !== undefined) {
    const declared = types.find((one) => one.isOfProtocol && one.name === name);
    return declared ?? (hasAnything ? known : undefined);
  }
  const named = types.filter((one) => !one.isOfProtocol && one.name === name);
  return fingerprint === null ? named[0] : named.find((one) => one.fingerprint === fingerprint);
}

function checked(
  envelope: EventEnvelope,
): Pick<EventEnvelope, "messageType" | "payloadFormatType" | "serializedPayload"> {
  const { messageType, payloadFormatType, serializedPayload } = envelope;
  if (serializedPayload === null) {
    if (messageType !== null) {
      throw new DecodeError(
        "EventEnvelope",
        "serialized_payload",
        `expected a payload of type "${messageType.slice(0, 100)}", got nothing`,
      );
    }
  } else if (messageType === null || payloadFormatType === null) {
    const missing = messageType === null ? "message_type" : "payload_format_type";
    throw new DecodeError("EventEnvelope", missing, "is missing beside a payload");
  }
  return envelope;
}

/** A payload in Avro binary; messages of the protocol may come in a form of their own. */
function inAvro(envelope: EventEnvelope): Uint8Array {
  const { messageType, payloadFormatType, serializedPayload } = envelope;
  const data = serializedPayload ?? new Uint8Array();
  if (payloadFormatType === "avro") {
    return data;
  }
  const codec = codecOf(messageType ?? "");
  if (codec === undefined) {
    throw new DecodeError(
      "EventEnvelope",
      "payload_format_type",
      `expected "avro", got "${(payloadFormatType ?? "").slice(0, 100)}"`,
    );
  }
  return codec.encode(codec.decodePayload(payloadFormatType ?? "", data));
}
