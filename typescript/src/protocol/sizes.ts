/** About how many bytes of memory texts and bytes take that remotes have told. */

const OVERHEAD = 48;
const WIDE = /[^\0-\xff]/;

/** About how many bytes a text, or some bytes, take. */
export function sizeOf(value: string | Uint8Array | null): number {
  if (value === null) {
    return 0;
  }
  return OVERHEAD + (typeof value === "string" && WIDE.test(value) ? 2 : 1) * value.length;
}

/** About how many bytes all of these take. */
export function sizeOfAll(values: Iterable<string | Uint8Array | null>): number {
  let size = 0;
  for (const value of values) {
    size += sizeOf(value);
  }
  return size;
}
