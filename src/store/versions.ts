import type { Random } from "../host/random.ts";
import type { Version } from "./store.ts";

/** Versions of one opening of a store: a nonce of that opening and a counter, so that none ever repeats, deletions and restarts included. */
export function versionSource(random: Random): () => Version {
  const nonce = random.hex(8);
  let counter = 0;
  return () => `${nonce}-${++counter}`;
}
