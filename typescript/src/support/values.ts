/** Types of values that the language has no type of its own for. */

/** What makes a record of `T` is given: fields with a default may be left out. */
export type Given<T, Defaulted extends keyof T> = Omit<T, Defaulted> & { readonly [Name in Defaulted]?: T[Name] };

/** A decimal: `unscaled` divided by ten to the power of `scale`. */
export interface Decimal {
  /** All of its digits as a whole number. */
  readonly unscaled: bigint;
  /** How many of them are behind the point. */
  readonly scale: number;
}

/** A time span as Avro has it: its parts are kept apart, since neither months nor days are equally long. */
export interface Duration {
  /** Whole months. */
  readonly months: number;
  /** Whole days. */
  readonly days: number;
  /** Whole milliseconds. */
  readonly milliseconds: number;
}
