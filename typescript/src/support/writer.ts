/** Bytes that grow while Avro binary is written. */

import { Guard } from "./guard.js";
import { checkText, writeText } from "./text.js";

const FIRST_SIZE = 1024;
/** What is kept for the next message is not larger. */
const LARGEST_KEPT = 65_536;
/** Up to so many characters, one after the other is faster. */
const FEW = 32;
/** Twice an integer below this, and one less, is exact. */
const EXACT = 2 ** 51;

/** Takes the primitives of Avro, one after the other. */
export class Writer extends Guard {
  #bytes = new Uint8Array(FIRST_SIZE);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** Return a copy of what was written, and begin anew. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#length);
    this.clear();
    return taken;
  }

  /** Forget what was written. */
  clear(): void {
    this.reset();
    this.#length = 0;
    if (this.#bytes.length > LARGEST_KEPT) {
      this.#bytes = new Uint8Array(FIRST_SIZE);
      this.#view = new DataView(this.#bytes.buffer);
    }
  }

  /** Write one byte. */
  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  /** Write an integer that a number holds exactly, zigzag and in as many bytes as it takes. */
  integer(value: number): void {
    if (value >= EXACT || value < -EXACT) {
      this.bigInteger(BigInt(value));
      return;
    }
    this.#reserve(8);
    let zigzag = value < 0 ? -2 * value - 1 : 2 * value;
    const bytes = this.#bytes;
    let position = this.#length;
    while (zigzag > 0x7fffffff) {
      bytes[position++] = (zigzag % 128) | 0x80;
      zigzag = Math.floor(zigzag / 128);
    }
    while (zigzag > 0x7f) {
      bytes[position++] = (zigzag & 0x7f) | 0x80;
      zigzag >>>= 7;
    }
    bytes[position++] = zigzag;
    this.#length = position;
  }

  /** Write an integer of 64 bits. */
  bigInteger(value: bigint): void {
    this.#reserve(10);
    let zigzag = value < 0n ? -2n * value - 1n : 2n * value;
    while (zigzag > 0x7fn) {
      this.#bytes[this.#length++] = Number(zigzag & 0x7fn) | 0x80;
      zigzag >>= 7n;
    }
    this.#bytes[this.#length++] = Number(zigzag);
  }

  /** Write a number of single precision. */
  float(value: number): void {
    this.#reserve(4);
    this.#view.setFloat32(this.#length, value, true);
    this.#length += 4;
  }

  /** Write a number of double precision. */
  double(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /** Write bytes without their length. */
  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /** Write a text with its length in bytes; throws a `Fault` if UTF-8 cannot say it. */
  text(value: string): void {
    if (value.length <= FEW) {
      this.#reserve(1 + value.length);
      const bytes = this.#bytes;
      const start = this.#length;
      let index = 0;
      while (index < value.length) {
        const code = value.charCodeAt(index);
        if (code > 0x7f) {
          break;
        }
        bytes[start + ++index] = code;
      }
      if (index === value.length) {
        bytes[start] = index << 1;
        this.#length = start + 1 + index;
        return;
      }
    }
    checkText(value);
    this.#longText(value);
  }

  #longText(value: string): void {
    // The length takes as many bytes as that of the most that the text can take, or fewer: then it is moved.
    const most = value.length * 3;
    this.#reserve(most + 8);
    const guess = this.#length + bytesOfLength(value.length);
    const written = writeText(value, this.#bytes, guess);
    const start = this.#length + bytesOfLength(written);
    if (start !== guess) {
      this.#bytes.copyWithin(start, guess, guess + written);
    }
    this.integer(written);
    this.#length = start + written;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(2 * this.#bytes.length, needed));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
  }
}

function bytesOfLength(length: number): number {
  return length < 0x40 ? 1 : length < 0x2000 ? 2 : length < 0x10_0000 ? 3 : length < 0x800_0000 ? 4 : 5;
}
