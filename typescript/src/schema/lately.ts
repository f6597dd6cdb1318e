/** What was worked out last, within bounds. */

/**
 * What was worked out last, by a text.
 *
 * When this is full, what is in it becomes old. What is old comes back when it is asked for; when this is full again,
 * the rest is dropped.
 */
export class Lately<Value> {
  #young = new Map<string, Value>();
  #old = new Map<string, Value>();
  #characters = 0;

  constructor(
    private readonly most: number,
    /** Characters of the texts that are kept. */
    private readonly mostCharacters = Infinity,
  ) {}

  /** Whether something was worked out lately. */
  has(key: string): boolean {
    return this.#young.has(key) || this.#old.has(key);
  }

  /** Return what was worked out lately, or work it out. */
  get(key: string, workOut: () => Value): Value {
    const young = this.#young.get(key);
    if (young !== undefined || this.#young.has(key)) {
      return young as Value;
    }
    const value = this.#old.has(key) ? (this.#old.get(key) as Value) : workOut();
    if (this.#young.size >= this.most || this.#characters + key.length > this.mostCharacters) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#characters = 0;
    }
    this.#young.set(key, value);
    this.#characters += key.length;
    return value;
  }
}
