/** Bytes as the text of base64, with padding; nothing else is read. */

import { Fault } from "./fault.js";

const ALPHABET = new TextEncoder().encode("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
const PADDING = 0x3d;
const FORM = /^[A-Za-z0-9+/]*={0,2}$/;
const DECODER = new TextDecoder();
const DIGITS = new Uint8Array(128);
ALPHABET.forEach((code, digit) => {
  DIGITS[code] = digit;
});

/** Write bytes. */
export function base64OfBytes(data: Uint8Array): string {
  const written = new Uint8Array(Math.ceil(data.length / 3) * 4);
  let position = 0;
  for (let index = 0; index < data.length; index += 3) {
    const second = data[index + 1];
    const third = data[index + 2];
    const bits = ((data[index] ?? 0) << 16) | ((second ?? 0) << 8) | (third ?? 0);
    written[position] = ALPHABET[bits >>> 18] ?? 0;
    written[position + 1] = ALPHABET[(bits >>> 12) & 0x3f] ?? 0;
    written[position + 2] = second === undefined ? PADDING : (ALPHABET[(bits >>> 6) & 0x3f] ?? 0);
    written[position + 3] = third === undefined ? PADDING : (ALPHABET[bits & 0x3f] ?? 0);
    position += 4;
  }
  return DECODER.decode(written);
}

/** Read bytes; throws a `Fault` if the text is not base64. */
export function bytesOfBase64(text: string): Uint8Array {
  if (text.length % 4 !== 0 || !FORM.test(text)) {
    throw new Fault("expected base64");
  }
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const data = new Uint8Array((text.length / 4) * 3 - padding);
  let position = 0;
  for (let index = 0; index < text.length; index += 4) {
    const bits =
      (digit(text, index) << 18) |
      (digit(text, index + 1) << 12) |
      (digit(text, index + 2) << 6) |
      digit(text, index + 3);
    // What is written behind the end is ignored.
    data[position] = bits >>> 16;
    data[position + 1] = (bits >>> 8) & 0xff;
    data[position + 2] = bits & 0xff;
    position += 3;
  }
  return data;
}

function digit(text: string, index: number): number {
  return DIGITS[text.charCodeAt(index)] ?? 0;
}
