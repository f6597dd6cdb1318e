/** Points in time at which something is due, earliest first. */

interface Entry<Item> {
  readonly at: number;
  /** A number that no other entry has. */
  readonly sequence: number;
  /** `null` if it is due no more. */
  item: Item | null;
}

/**
 * A heap of items by the time at which they are due; an item has at most one deadline.
 *
 * A deadline that is taken back stays in the heap for a while, but without its item.
 */
export class Deadlines<Item extends object> {
  /** Whether something is due earlier than anything was before; a caller that has looked resets it. */
  hasMoved = false;
  #heap: Entry<Item>[] = [];
  readonly #entries = new Map<Item, Entry<Item>>();
  #sequence = 0;

  /** How many items have a deadline. */
  get size(): number {
    return this.#entries.size;
  }

  /** When an item is due; `null` while it is not. */
  dueAt(item: Item): number | null {
    return this.#entries.get(item)?.at ?? null;
  }

  /** Whether an item has a deadline. */
  has(item: Item): boolean {
    return this.#entries.has(item);
  }

  /** Let an item be due at a time instead of when it was before. */
  set(item: Item, at: number): void {
    const before = this.#entries.get(item);
    if (before !== undefined) {
      if (before.at === at) {
        return;
      }
      before.item = null;
    }
    this.#sequence += 1;
    const entry: Entry<Item> = { at, sequence: this.#sequence, item };
    this.#entries.set(item, entry);
    this.#push(entry);
    if (this.#heap[0] === entry) {
      this.hasMoved = true;
    }
    if (this.#heap.length > 64 + 4 * this.#entries.size) {
      this.#heap = this.#heap.filter((one) => one.item !== null).sort(inOrder);
    }
  }

  /** Let an item be due no more. */
  discard(item: Item): void {
    const entry = this.#entries.get(item);
    if (entry !== undefined) {
      entry.item = null;
      this.#entries.delete(item);
      if (this.#entries.size === 0) {
        this.#heap = [];
      }
    }
  }

  /** Let nothing be due. */
  clear(): void {
    this.#heap = [];
    this.#entries.clear();
  }

  /** When the first item is due, or `null` if none is. */
  next(): number | null {
    let first = this.#heap[0];
    while (first?.item === null) {
      this.#pop();
      first = this.#heap[0];
    }
    return first?.at ?? null;
  }

  /** Remove and return all items that are due by now, in the order of their deadlines. */
  popDue(now: number): Item[] {
    const due: Item[] = [];
    for (let first = this.#heap[0]; first !== undefined && first.at <= now; first = this.#heap[0]) {
      this.#pop();
      if (first.item !== null) {
        this.#entries.delete(first.item);
        due.push(first.item);
      }
    }
    return due;
  }

  #push(entry: Entry<Item>): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || inOrder(parent, entry) <= 0) {
        break;
      }
      heap[index] = parent;
      index = above;
    }
    heap[index] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) {
      return;
    }
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const one = heap[left];
      if (one === undefined) {
        break;
      }
      const other = heap[left + 1];
      const isRight = other !== undefined && inOrder(other, one) < 0;
      const least = isRight ? other : one;
      if (inOrder(last, least) <= 0) {
        break;
      }
      heap[index] = least;
      index = isRight ? left + 1 : left;
    }
    heap[index] = last;
  }
}

function inOrder(one: Entry<object>, other: Entry<object>): number {
  return one.at === other.at ? one.sequence - other.sequence : one.at < other.at ? -1 : 1;
}
