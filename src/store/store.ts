/** A record's place: `[A-Za-z0-9._/-]` only, so that every back end signs and stores it alike. */
export type Key = string;
export type Bytes = Uint8Array;
/** Changes with every write of a key, never repeats for a key, compared only for equality. */
export type Version = string;
export type Entry = { readonly value: Bytes; readonly version: Version };

/** The five verbs that every cluster store gives; one contract suite runs on each of them. */
export interface ClusterStore {
  /** Absent is `undefined`; forbidden and unreachable are `StoreError`s, never `undefined`. */
  get(key: Key): Promise<Entry | undefined>;
  /** Every key under the prefix, sorted, with its version: what is known already need not be read. */
  list(prefix: Key): Promise<ReadonlyMap<Key, Version>>;
  putIfAbsent(key: Key, value: Bytes): Promise<{ readonly kind: "written" | "exists"; readonly version: Version }>;
  putIfUnchanged(
    key: Key,
    value: Bytes,
    version: Version,
  ): Promise<{ readonly kind: "written" | "changed"; readonly version: Version }>;
  delete(key: Key, version: Version): Promise<"deleted" | "changed">;
}

export type StoreErrorKind = "forbidden" | "unreachable" | "invalid" | "closed";

/** The store could not answer; `kind` tells whether to wait (unreachable) or to give up (the others). */
export class StoreError extends Error {
  readonly kind: StoreErrorKind;
  constructor(kind: StoreErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StoreError";
    this.kind = kind;
  }
}

/** The store answers, and knows nobody by what was shown to it; `gone` where it once did and says that this is over for good. */
export class UnknownCaller extends StoreError {
  readonly gone: boolean;
  constructor(message: string, gone: boolean) {
    super("forbidden", message);
    this.name = "UnknownCaller";
    this.gone = gone;
  }
}

const keyPattern = /^[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/;

/** Whether a text may be a key: no empty parts, no `.` or `..` parts, at most 512 characters. */
export function isKey(text: string): boolean {
  return text.length <= 512 && keyPattern.test(text) && !text.split("/").some((part) => part === "." || part === "..");
}
