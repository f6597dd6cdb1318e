/** Why the schema of a writer and that of a reader do not go together. */

/** One difference that a reader does not get over. */
export class Refusal {
  constructor(
    /** What differs, such as `is`, `is called` or `has logical type`. */
    readonly verb: string,
    /** What the writer writes; `null` where it has nothing of the kind. */
    readonly writer: string | null,
    /** What the reader reads; `null` where the writer's schema alone is refused. */
    readonly reader: string | null,
    /** Path of the field, such as `Status.position.x`; `[]` are the items of an array, `{}` those of a map. */
    readonly path = "",
  ) {}

  /** The same difference, seen from one level further out. */
  inside(part: string): Refusal {
    return new Refusal(this.verb, this.writer, this.reader, part + this.path);
  }
}
