/** Codecs of Avro's types that have parts, but no name: arrays, maps, unions; and of enumerations and fixed bytes. */

import type { Codec } from "./codec.js";
import { Fault, keyPart, located, unexpected } from "./fault.js";

/** An array: blocks of items, and an empty one at the end. */
export function array<T>(item: Codec<T>): Codec<readonly T[]> {
  return {
    minimum: 1,
    matches: (value) => Array.isArray(value),
    write(to, value) {
      if (!Array.isArray(value)) {
        throw unexpected("an array", value);
      }
      const items = value as readonly T[];
      if (items.length > 0) {
        if (item.minimum === 0) {
          to.count(items.length);
        }
        to.integer(items.length);
        let index = 0;
        try {
          for (; index < items.length; index++) {
            item.write(to, items[index] as T);
          }
        } catch (error) {
          throw located(error, `[${String(index)}]`);
        }
      }
      to.byte(0);
    },
    read(from) {
      const items: T[] = [];
      for (let block = from.block(item.minimum); block !== null; block = from.block(item.minimum)) {
        try {
          for (let left = block.count; left > 0; left--) {
            items.push(item.read(from));
          }
        } catch (error) {
          throw located(error, `[${String(items.length)}]`);
        }
        from.endBlock(block);
      }
      return items;
    },
  };
}

/** A map from texts: blocks of keys and values, and an empty one at the end. A key that comes twice is refused. */
export function map<T>(item: Codec<T>): Codec<ReadonlyMap<string, T>> {
  const minimum = 1 + item.minimum;
  return {
    minimum: 1,
    matches: (value) => value instanceof Map,
    write(to, value) {
      if (!(value instanceof Map)) {
        throw unexpected("a Map", value);
      }
      if (value.size > 0) {
        to.integer(value.size);
        for (const [key, one] of value as ReadonlyMap<unknown, T>) {
          try {
            if (typeof key !== "string") {
              throw unexpected("a string", key);
            }
            to.text(key);
            item.write(to, one);
          } catch (error) {
            throw located(error, keyPart(key));
          }
        }
      }
      to.byte(0);
    },
    read(from) {
      const entries = new Map<string, T>();
      for (let block = from.block(minimum); block !== null; block = from.block(minimum)) {
        for (let left = block.count; left > 0; left--) {
          const key = from.text();
          if (entries.has(key)) {
            // Two readers could see different maps.
            throw new Fault("the key comes twice").inside(keyPart(key));
          }
          try {
            entries.set(key, item.read(from));
          } catch (error) {
            throw located(error, keyPart(key));
          }
        }
        from.endBlock(block);
      }
      return entries;
    },
  };
}

/** A union of null and one other type; `nullIndex` says which of the two null is. */
export function nullable<T>(inner: Codec<T>, nullIndex: 0 | 1 = 0): Codec<T | null> {
  const other = 1 - nullIndex;
  return {
    minimum: 1,
    matches: (value) => value === null || inner.matches(value),
    write(to, value) {
      if (value === null) {
        to.byte(nullIndex << 1);
      } else {
        to.byte(other << 1);
        inner.write(to, value);
      }
    },
    read: (from) => (from.branch(2) === nullIndex ? null : inner.read(from)),
  };
}

/**
 * A union, in the order of its branches.
 *
 * A value is written as the first branch, in the order of `tests`, that it matches. `expected` says what fits.
 */
export function union<T>(branches: readonly Codec<unknown>[], tests: readonly number[], expected: string): Codec<T> {
  const codecs = branches;
  const find = (value: unknown): number | undefined => tests.find((index) => codecs[index]?.matches(value));
  return {
    minimum: 1 + Math.min(...codecs.map((one) => one.minimum)),
    matches: (value) => find(value) !== undefined,
    write(to, value) {
      const index = find(value);
      const codec = index === undefined ? undefined : codecs[index];
      if (index === undefined || codec === undefined) {
        throw unexpected(expected, value);
      }
      to.integer(index);
      codec.write(to, value);
    },
    read(from) {
      return codecs[from.branch(codecs.length)]?.read(from) as T;
    },
  };
}

/** A symbol of an enumeration, written as its index. */
export function enumeration<T extends string>(name: string, symbols: readonly T[]): Codec<T> {
  const indexes = new Map<unknown, number>(symbols.map((symbol, index) => [symbol, index]));
  return {
    minimum: 1,
    matches: (value) => indexes.has(value),
    write(to, value) {
      const index = indexes.get(value);
      if (index === undefined) {
        throw unexpected(`a symbol of ${name}`, value);
      }
      to.integer(index);
    },
    read: (from) => symbols[from.index(symbols.length)] as T,
  };
}

/** So many bytes. */
export function fixed(size: number): Codec<Uint8Array> {
  return {
    minimum: size,
    matches: (value) => value instanceof Uint8Array && value.length === size,
    write(to, value) {
      if (!(value instanceof Uint8Array)) {
        throw unexpected("a Uint8Array", value);
      }
      if (value.length !== size) {
        throw new Fault(`expected ${String(size)} bytes, got ${String(value.length)}`);
      }
      to.raw(value);
    },
    read: (from) => from.raw(size),
  };
}

/** A type that is defined further below, or contains this place. */
export function lazy<T>(codec: () => Codec<T>, minimum: number): Codec<T> {
  return {
    minimum,
    matches: (value) => codec().matches(value),
    write(to, value) {
      codec().write(to, value);
    },
    read: (from) => codec().read(from),
  };
}
