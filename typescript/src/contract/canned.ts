/** Canned answers: what the fake of a contract answers with, and what it was asked. */

import { OrbitalisError } from "../errors.js";
import { shownValue } from "../support/shown.js";
import type { Answer } from "./plugin.js";

/** What one operation of a fake answers with: a test says it, and looks at what came. */
export class Canned<I, O> {
  /** What the operation was called with, the first one first; `undefined` for an empty event. */
  readonly inputs: I[] = [];
  #answers: ((input: I) => Answer<O>)[] = [];

  /** Answer with these, one after the other, and with the last one from then on. */
  returns(...answers: [O, ...O[]]): void {
    this.#answers = answers.map((answer) => () => answer);
  }

  /** Throw an error each time: one that the contract declares reaches the caller as it is. */
  throws(error: Error): void {
    this.#answers = [
      () => {
        throw error;
      },
    ];
  }

  /** Answer with what a function returns for the input; it may be `async`. */
  calls(answer: (input: I) => Answer<O>): void {
    this.#answers = [answer];
  }

  /** Note an input, and return the answer to it; throws an `OrbitalisError` if no answer was given. */
  async answer(input: I): Promise<O> {
    this.inputs.push(input);
    const [first] = this.#answers;
    if (first === undefined) {
      throw new OrbitalisError(
        `no answer is given for ${shownValue(input)}: call returns(…), throws(…) or calls(…) before`,
      );
    }
    if (this.#answers.length > 1) {
      this.#answers.shift();
    }
    return first(input);
  }
}

/** What comes for one operation of a fake that gives nothing. */
export class Noted<I> extends Canned<I, undefined> {
  constructor() {
    super();
    this.returns(undefined);
  }
}
