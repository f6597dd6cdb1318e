/**
 * Bytes from anybody, while Avro binary is read.
 *
 * A length or count is held against what is left before anything is made of it. What does not fit is a `Fault`.
 */

import { Fault } from "./fault.js";
import { Guard } from "./guard.js";
import { textOfBytes } from "./text.js";

const MOST_BYTES = 10;
const MOST_SHIFT = 49;
/** So many have an index of one byte. */
const FEW_BRANCHES = 64;
const LARGEST = 0xffff_ffff_ffff_ffffn;

const SCRATCH = new Uint8Array(8);
const SCRATCH_VIEW = new DataView(SCRATCH.buffer);

/** The head of a block of an array or map. */
export interface Block {
  readonly count: number;
  /** The position after its last item; -1 where the block does not say it. */
  readonly end: number;
}

/** Gives the primitives of Avro, one after the other. */
export class Reader extends Guard {
  readonly #bytes: Uint8Array;
  #position: number;

  constructor(bytes: Uint8Array, position = 0) {
    super();
    // Parts of a Buffer of Node would be Buffers.
    this.#bytes =
      bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#position = position;
  }

  /** Where it is. */
  get position(): number {
    return this.#position;
  }

  /** How many bytes are left. */
  get left(): number {
    return this.#bytes.length - this.#position;
  }

  /** Read one byte. */
  byte(): number {
    const byte = this.#bytes[this.#position];
    if (byte === undefined) {
      throw tooEarly();
    }
    this.#position += 1;
    return byte;
  }

  /** Read an integer of 64 bits: as a number where one holds it exactly. */
  integer(): number | bigint {
    const first = this.byte();
    if (first < 0x80) {
      return (first >>> 1) ^ -(first & 1);
    }
    const start = this.#position - 1;
    let zigzag = first & 0x7f;
    let factor = 0x80;
    for (let shift = 7; shift < MOST_SHIFT; shift += 7) {
      const byte = this.byte();
      zigzag += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
      }
      factor *= 0x80;
    }
    this.#position = start;
    const value = this.bigInteger();
    return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
  }

  /** Read an integer of 64 bits. */
  bigInteger(): bigint {
    const start = this.#position;
    let zigzag = 0n;
    let shift = 0n;
    for (;;) {
      const byte = this.byte();
      zigzag |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        break;
      }
      shift += 7n;
      if (this.#position - start === MOST_BYTES) {
        throw new Fault(`an integer of more than ${String(MOST_BYTES)} bytes`);
      }
    }
    if (zigzag > LARGEST) {
      throw new Fault("an integer of more than 64 bits");
    }
    return (zigzag & 1n) === 0n ? zigzag >> 1n : -((zigzag + 1n) >> 1n);
  }

  /** Read a number of single precision. */
  float(): number {
    return this.#scratch(4).getFloat32(0, true);
  }

  /** Read a number of double precision. */
  double(): number {
    return this.#scratch(8).getFloat64(0, true);
  }

  /** Read so many bytes, as a copy. */
  raw(size: number): Uint8Array {
    const start = this.#skip(size);
    return this.#bytes.slice(start, start + size);
  }

  /** Read the length of what follows, which has to be there. */
  length(): number {
    const length = this.integer();
    if (length < 0) {
      throw new Fault(`expected a length, got ${String(length)}`);
    }
    if (typeof length === "bigint" || length > this.left) {
      throw new Fault(`a length of ${String(length)} bytes, but only ${String(this.left)} are left`);
    }
    return length;
  }

  /** Read a text after its length. */
  text(): string {
    const length = this.length();
    const start = this.#position;
    const text = textOfBytes(this.#bytes, start, start + length);
    this.#position = start + length;
    return text;
  }

  /** Read the index of a symbol of an enumeration. */
  index(choices: number): number {
    const index = this.integer();
    if (typeof index === "bigint" || index < 0 || index >= choices) {
      throw new Fault(`expected an index below ${String(choices)}, got ${String(index)}`);
    }
    return index;
  }

  /** Read the index of a branch of a union, which takes no more bytes than it has to. */
  branch(choices: number): number {
    const start = this.#position;
    const index = this.index(choices);
    if (choices <= FEW_BRANCHES && this.#position - start > 1) {
      throw new Fault(`the index ${String(index)} takes one byte, got more`);
    }
    return index;
  }

  /** Read the head of a block whose items take `minimum` bytes at least; `null` at the end of all blocks. */
  block(minimum: number): Block | null {
    const start = this.#position;
    const signed = this.integer();
    if (signed === 0) {
      if (this.#position - start > 1) {
        throw new Fault("a count of 0 items takes one byte, got more");
      }
      return null;
    }
    const count = signed < 0 ? -signed : signed;
    let left = this.left;
    let end = -1;
    if (signed < 0) {
      left = this.length();
      end = this.#position + left;
    }
    if (minimum === 0) {
      this.count(Number(count));
    }
    if (typeof count === "bigint" || count * minimum > left) {
      throw new Fault(`a count of ${String(count)} items, but only ${String(left)} bytes are left`);
    }
    return { count, end };
  }

  /** Refuse a block that is not as long as its head says. */
  endBlock(block: Block): void {
    const more = this.#position - block.end;
    if (block.end >= 0 && more !== 0) {
      const signed = more > 0 ? `+${String(more)}` : String(more);
      throw new Fault(`a block that is ${signed} bytes longer than its head says`);
    }
  }

  /** Copy so many bytes to where they can be read as a number: a view of the data itself costs more to make. */
  #scratch(size: number): DataView {
    const start = this.#skip(size);
    for (let index = 0; index < size; index++) {
      SCRATCH[index] = this.#bytes[start + index] ?? 0;
    }
    return SCRATCH_VIEW;
  }

  #skip(size: number): number {
    const start = this.#position;
    if (start + size > this.#bytes.length) {
      throw tooEarly();
    }
    this.#position = start + size;
    return start;
  }
}

function tooEarly(): Fault {
  return new Fault("the data ends too early");
}
