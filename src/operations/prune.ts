import { keyOf } from "../records/access.ts";
import type { Key, ClusterStore } from "../store/store.ts";

/** How many operations the journal remembers. */
const journalEntries = 200;

async function remove(store: ClusterStore, keys: readonly Key[]): Promise<void> {
  for (const key of keys) {
    const there = await store.get(key);
    if (there !== undefined) await store.delete(key, there.version);
  }
}

/** Takes away what nobody reads any more: revisions but those given, and the journal's oldest entries. The caller holds the lock. */
export async function prune(store: ClusterStore, keep: readonly string[]): Promise<void> {
  const [journal, revisions] = await Promise.all([store.list("journal/"), store.list("revisions/")]);
  const kept = new Set(
    keep.map((revision) => `${keyOf("servicesRevision", { revision }).split("/").slice(0, 2).join("/")}/`),
  );
  await remove(store, journal.toSorted().slice(0, -journalEntries));
  await remove(
    store,
    revisions.filter((key) => ![...kept].some((prefix) => key.startsWith(prefix))),
  );
}
