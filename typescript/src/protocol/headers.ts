/** What a machine reads of an event beside its message. */

import { Encoding } from "../../../generated/typescript/envelope.js";

/** Encodings of which a peer reads one if and only if it is of version 1.1 or a later one. */
export const SINCE_1_1: ReadonlySet<string> = new Set(
  Object.values(Encoding).filter((one) => one !== Encoding.JSON && one !== Encoding.AVRO_1_0),
);

/** A remote, as far as it has said what it reads. */
export interface Reader {
  /** Encodings of the envelope that it reads. */
  readonly readableEncodings: readonly string[] | null;
}

/** What an event says of its sender. */
export interface SenderHeaders extends Reader {
  /** Incarnation of its sender. */
  readonly incarnation: string | null;
}

/** What a machine reads of an event beside its message: an envelope has it. */
export interface Headers extends SenderHeaders {
  /** Identifier of the event. */
  readonly identifier: string;
  /** Identifier of the bus client that published it. */
  readonly publisherIdentifier: string;
  /** Identifier of the event that it answers. */
  readonly correlationIdentifier: string | null;
  /** The connection that it belongs to. */
  readonly connectionIdentifier: string | null;
  /** The connections that its sender believes in. */
  readonly openConnections: readonly string[] | null;
  /** Whether its sender wants late offers. */
  readonly lateOffers: boolean | null;
}

/** Whether a remote is of version 1.1 or a later one. */
export function isOfVersion11(remote: Reader): boolean {
  return remote.readableEncodings?.some((one) => SINCE_1_1.has(one)) ?? false;
}

/** Whether an event answers one of these, or is of an older peer, which cannot say what it answers. */
export function mayAnswer(headers: Headers, identifiers: readonly (string | null)[]): boolean {
  const answered = headers.correlationIdentifier;
  return identifiers.includes(answered) || (answered === null && headers.incarnation === null);
}

/** Whether an event names a connection, or none, as older peers do. */
export function isAbout(headers: Headers, connectionIdentifier: string): boolean {
  return headers.connectionIdentifier === null || headers.connectionIdentifier === connectionIdentifier;
}
