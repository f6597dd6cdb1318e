/** Identifiers of events, connections and orbiters: new each time, and not to be guessed. */

/** Make an identifier. */
export function newIdentifier(): string {
  return globalThis.crypto.randomUUID();
}

/** Makes identifiers, and knows which ones it has made. */
export class IdentifierSource {
  readonly #prefix = newIdentifier();
  #count = 0;

  /** Make one that is new. */
  readonly next = (): string => {
    this.#count += 1;
    return `${this.#prefix}-${this.#count.toString(36)}`;
  };

  /** Make one that nobody can guess. */
  readonly unguessable = (): string => `${this.next()}-${newIdentifier()}`;

  /** Whether it has made this one. */
  readonly hasMade = (identifier: string): boolean => identifier.startsWith(`${this.#prefix}-`);
}
