import { keyOf } from "../records/access.ts";
import type { ClusterStore, Key, Version } from "../store/store.ts";

/** How many operations the journal remembers. */
const journalEntries = 200;

async function remove(store: ClusterStore, records: readonly (readonly [Key, Version])[]): Promise<void> {
  for (const [key, version] of records) await store.delete(key, version);
}

/** Takes away what nobody reads any more: revisions but those given, and the journal's oldest entries. The caller holds the lock. */
export async function prune(store: ClusterStore, keep: readonly string[]): Promise<void> {
  const [journal, revisions] = await Promise.all([store.list("journal/"), store.list("revisions/")]);
  const kept = new Set(
    keep.map((revision) => `${keyOf("servicesRevision", { revision }).split("/").slice(0, 2).join("/")}/`),
  );
  await remove(store, [...journal].slice(0, -journalEntries));
  await remove(
    store,
    [...revisions].filter(([key]) => ![...kept].some((prefix) => key.startsWith(prefix))),
  );
}
