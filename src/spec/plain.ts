/**
 * A scalar that YAML reads as a number, a boolean or null. It keeps its source text, so that a text
 * field can have `012345678901`, `no` or `1e3` just as they were written.
 */
export class Plain {
  readonly source: string;
  readonly value: number | bigint | boolean | null;

  constructor(source: string, value: number | bigint | boolean | null) {
    this.source = source;
    this.value = value;
  }

  /** The value as a sentence names it. */
  describe(): string {
    if (this.value === null) return "nothing";
    return `the ${typeof this.value === "boolean" ? "boolean" : "number"} ${this.source}`;
  }
}

/** What a file holds: maps have no prototype, and no key `__proto__`. */
export type Data = string | Plain | Data[] | { [key: string]: Data };
