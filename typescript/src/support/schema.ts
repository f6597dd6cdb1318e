/** What is known of a message without its codec. */

/** One version of a message that grows, or of the envelope. */
export interface SchemaVersion {
  /** The version of the protocol that its last fields came with, such as `1.1`. */
  readonly version: string;
  /** Number of its fields, which are the first ones of the newest version. */
  readonly fields: number;
  /** CRC-64-AVRO of its canonical form: 16 hexadecimal digits, least significant byte first. */
  readonly fingerprint: string;
}

/** What one message is on the wire. */
export interface MessageSchema<Type extends string = string> {
  /** Name of the record, as the envelope carries it. */
  readonly messageType: Type;
  /** The record's schema as JSON text, with every named type that it uses. */
  readonly schema: string;
  /** Canonical form of the schema: Avro's parsing canonical form, with logical types. */
  readonly canonicalForm: string;
  /** CRC-64-AVRO of the canonical form: 16 hexadecimal digits, least significant byte first. */
  readonly fingerprint: string;
  /** All versions, the oldest first; empty for what users send, which does not grow. */
  readonly versions: readonly SchemaVersion[];
}

/**
 * How many fields data has whose writer sent a fingerprint, or none.
 *
 * Messages grow at their end. Without a fingerprint, data is of the oldest version. With one that is not known, it is of
 * a newer version: it has the fields that are known, and more behind them, which is ignored; that is `null`.
 */
export function fieldsOf(versions: readonly SchemaVersion[], fingerprint: string | null): number | null {
  if (fingerprint === null) {
    return versions[0]?.fields ?? null;
  }
  return versions.find((one) => one.fingerprint === fingerprint)?.fields ?? null;
}
