/** CRC-64-AVRO (Avro 1.11, "Schema Fingerprints"), in two halves: numbers have no 64 bits. */

import { bytesOfText } from "../support/text.js";

const EMPTY_HIGH = 0xc15d213a;
const EMPTY_LOW = 0xa4d7a795;
const HIGH = new Uint32Array(256);
const LOW = new Uint32Array(256);

for (let index = 0; index < 256; index++) {
  let high = 0;
  let low = index;
  for (let bit = 0; bit < 8; bit++) {
    const isOdd = (low & 1) === 1;
    low = (low >>> 1) | (high << 31);
    high >>>= 1;
    if (isOdd) {
      high ^= EMPTY_HIGH;
      low ^= EMPTY_LOW;
    }
  }
  HIGH[index] = high;
  LOW[index] = low;
}

/**
 * The fingerprint of a canonical form: 16 hexadecimal digits, least significant byte first.
 *
 * Throws a `Fault` if the form has characters that no text can hold.
 */
export function fingerprintOf(form: string): string {
  let high = EMPTY_HIGH;
  let low = EMPTY_LOW;
  for (const byte of bytesOfText(form)) {
    const index = (low ^ byte) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ (LOW[index] ?? 0);
    high = (high >>> 8) ^ (HIGH[index] ?? 0);
  }
  return hexOf(low) + hexOf(high);
}

/** The four bytes of a number, least significant first. */
function hexOf(half: number): string {
  return [0, 8, 16, 24].map((shift) => ((half >>> shift) & 0xff).toString(16).padStart(2, "0")).join("");
}
