/** Text as UTF-8: written, read strictly, and what is wrong with it. */

import { Fault } from "./fault.js";

const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ENCODER = new TextEncoder();
/** Up to so many bytes, one character after the other is faster. */
const FEW = 32;

/** How many bytes a text takes; each half of a surrogate pair that is alone counts as the three that replace it. */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code >= 0x80) {
      // The two code units of a pair take four bytes.
      const isPair = code >= 0xd800 && code <= 0xdbff && isLowSurrogate(text.charCodeAt(index + 1));
      length += code < 0x800 ? 1 : 2;
      index += isPair ? 1 : 0;
    }
  }
  return length;
}

/** Refuse a text in which half of a surrogate pair is alone: UTF-8 cannot say that. */
export function checkText(text: string): void {
  if (!text.isWellFormed()) {
    const code = (loneSurrogate(text) ?? 0).toString(16).toUpperCase();
    throw new Fault(`expected text, got the lone surrogate U+${code}`);
  }
}

/** Write a text that is the whole of something. */
export function bytesOfText(text: string): Uint8Array {
  checkText(text);
  return ENCODER.encode(text);
}

/** Write a text into `bytes`, which have room for it; returns how many bytes it takes. */
export function writeText(text: string, bytes: Uint8Array, position: number): number {
  return ENCODER.encodeInto(text, position === 0 ? bytes : bytes.subarray(position)).written;
}

/** Read a part of `bytes` as text; throws a `Fault` if it is not UTF-8. */
export function textOfBytes(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length <= FEW) {
    const units = new Array<number>(length);
    let index = 0;
    for (; index < length; index++) {
      const byte = bytes[start + index] ?? 0x80;
      if (byte >= 0x80) {
        break;
      }
      units[index] = byte;
    }
    if (index === length) {
      return String.fromCharCode.apply(null, units);
    }
  }
  try {
    return DECODER.decode(bytes.subarray(start, end));
  } catch {
    throw new Fault(`expected UTF-8, got byte ${hexOf(bytes, firstInvalid(bytes, start, end))}`);
  }
}

/** Read all of `bytes` as text; what is wrong is said with its position. */
export function wholeTextOfBytes(bytes: Uint8Array): string {
  try {
    return DECODER.decode(bytes);
  } catch {
    const at = firstInvalid(bytes, 0, bytes.length);
    throw new Fault(`expected UTF-8, got byte ${hexOf(bytes, at)} at ${String(at)}`);
  }
}

function hexOf(bytes: Uint8Array, at: number): string {
  return `0x${(bytes[at] ?? 0).toString(16).padStart(2, "0")}`;
}

/** Where the first character begins that is not one. */
function firstInvalid(bytes: Uint8Array, start: number, end: number): number {
  let position = start;
  while (position < end) {
    const length = characterLength(bytes, position, end);
    if (length === 0) {
      return position;
    }
    position += length;
  }
  return start;
}

/** How many bytes the character takes that begins at `position`; 0 if none does. */
function characterLength(bytes: Uint8Array, position: number, end: number): number {
  const first = bytes[position] ?? 0;
  if (first < 0x80) {
    return 1;
  }
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || position + length > end) {
    return 0;
  }
  const second = bytes[position + 1] ?? 0;
  // Too long, half of a surrogate pair, and beyond the last character.
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) {
    return 0;
  }
  for (let index = 2; index < length; index++) {
    const byte = bytes[position + index] ?? 0;
    if (byte < 0x80 || byte > 0xbf) {
      return 0;
    }
  }
  return length;
}

function loneSurrogate(text: string): number | undefined {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code >= 0xd800 && code <= 0xdfff) {
      if (code >= 0xdc00 || !isLowSurrogate(text.charCodeAt(index + 1))) {
        return code;
      }
      index += 1;
    }
  }
  return undefined;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}
