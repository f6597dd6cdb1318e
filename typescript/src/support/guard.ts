/** Bounds that no length in the data gives: how deep values nest, how many items take no bytes. */

import { Fault } from "./fault.js";

/** How many items that take no bytes, such as nulls, one message may hold. */
const ITEMS_WITHOUT_BYTES = 1024;

/** Counts what no length bounds, while one message is written or read. */
export class Guard {
  #depth = 0;
  #items = 0;

  /** Go one level down in a record that contains itself. */
  enter(deepest: number): void {
    this.#depth += 1;
    if (this.#depth > deepest) {
      throw new Fault(`nested more than ${String(deepest)} levels deep`);
    }
  }

  /** Come back up. */
  leave(): void {
    this.#depth -= 1;
  }

  /** Account for items that take no bytes. */
  count(items: number): void {
    this.#items += items;
    if (this.#items > ITEMS_WITHOUT_BYTES) {
      throw new Fault(`more than ${String(ITEMS_WITHOUT_BYTES)} items that take no bytes`);
    }
  }

  /** Begin anew. */
  protected reset(): void {
    this.#depth = 0;
    this.#items = 0;
  }
}
