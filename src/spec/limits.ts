/** What a file may not exceed; all far beyond what people write. */
export const limits = {
  /** Bytes; 5,000 nodes need a few hundred. */
  bytes: 1_000_000,
  /** Lists and maps inside each other. */
  depth: 64,
  /** Values in all; what judges them keeps the problems of each on the stack for a moment. */
  values: 20_000,
  /** Values that only stand there because an alias repeats them. */
  repeated: 10_000,
  /** Problems of one kind, found by position, that are shown. */
  shown: 10,
} as const;
