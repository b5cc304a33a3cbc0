/** A place inside a file's data: keys and list indexes from the root. */
export type Path = readonly (string | number)[];

/**
 * Every kind of problem there is. A closed union: each code has a golden case in `test/problems/`,
 * so that no message changes unseen.
 */
export const problemCodes = [
  "yaml-syntax",
  "yaml-duplicate-key",
  "yaml-too-large",
  "yaml-alias-bomb",
  "yaml-control-character",
  "unknown-key",
  "missing-key",
  "wrong-type",
  "out-of-range",
  "invalid-name",
  "invalid-value",
  "duplicate-name",
  "duplicate-port",
  "even-control-count",
  "no-control-group",
  "overlapping-address",
  "conflicting-path",
  "unsupported",
  "unreadable-file",
] as const;
export type ProblemCode = (typeof problemCodes)[number];

/** Something the user should change. */
export type Problem = {
  readonly code: ProblemCode;
  readonly severity: "error" | "warning";
  readonly path: Path;
  /** What is wrong, with the value. */
  readonly message: string;
  /** What would be right: the nearest word, the range, the line to write. */
  readonly fix?: string;
  /** Point at the key itself, not at what stands behind it. */
  readonly at?: "key";
  /** Other places that have to do with it, such as the first of two that clash. */
  readonly related?: readonly {
    readonly path: Path;
    readonly message: string;
    readonly at?: "key";
  }[];
};

/** A value that cannot be half right, or all its problems. */
export type Read<T> =
  | { readonly kind: "good"; readonly value: T; readonly warnings: readonly Problem[] }
  | { readonly kind: "bad"; readonly problems: readonly Problem[] };
