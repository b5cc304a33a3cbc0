import type { Cluster } from "../cluster/cluster.ts";
import { listRecords, readRecord, updateRecord } from "../records/access.ts";
import type { ClusterStore } from "../store/store.ts";
import type { FactData } from "../targets/target.ts";
import { OperationError } from "./context.ts";
import { setRoster } from "./run.ts";
import type { Locked } from "./under-lock.ts";

/**
 * Before anything new is done: what an earlier run left under way is waited for, and a creation that failed is taken away, with
 * its generation closed first, so that no node of it counts any more.
 */
export async function comeToRest(locked: Locked, cluster: Cluster, facts?: FactData): Promise<void> {
  const { context, store } = locked;
  const { interrupted } = context.target;
  if (interrupted === undefined) return;
  const run = { emit: context.emit, signal: context.signal };
  const state = await interrupted.rest(cluster, run);
  if (state === "there") return;
  const continues = facts !== undefined && interrupted.continues(cluster, facts);
  if (state === "failed" && continues) return interrupted.discard(cluster, run);
  if (state === "failed") {
    await closeGeneration(locked);
    await locked.lock.check();
    await interrupted.discard(cluster, run);
    return forgetCreation(store);
  }
  const record = await readRecord(store, "cluster");
  if (record === undefined) return;
  const { generation } = record.value;
  if ((await readRecord(store, "generation", { generation }))?.value.state === "closed") return forgetCreation(store);
  if (continues) return dismissWorkers(locked);
  // Its nodes have agreed on something once, and nobody is there who knows it.
  if ((await readRecord(store, "etcdProposal", { generation })) !== undefined)
    throw new OperationError(
      `${cluster.name} was formed, and nothing but its store is there any more: somebody has removed the rest`,
      `slipway cleanup ${cluster.name}, then slipway launch makes it anew`,
    );
}

/** No node of this creation may form anything any more. */
async function closeGeneration({ context, store }: Locked): Promise<void> {
  const record = await readRecord(store, "cluster");
  if (record === undefined) return;
  const { generation } = record.value;
  await updateRecord(store, "generation", { generation }, (now) =>
    now?.state === "closed" ? undefined : { generation, state: "closed", nonce: context.random.hex(8) },
  );
}

/** Of a cluster whose data was kept nothing runs: workers were their machines, and their names are free. */
async function dismissWorkers(locked: Locked): Promise<void> {
  for (const { value } of await listRecords(locked.store, "roster"))
    if (value.role === "worker") await setRoster(locked, value.instance, "gone");
}

/** All that a creation has written but the journal, who holds the lock, and that it is closed; the cluster's own record last. */
async function forgetCreation(store: ClusterStore): Promise<void> {
  const keys = [...(await store.list("")).keys()].filter((key) => !/^(?:lock$|journal\/|generation\/)/.test(key));
  for (const key of keys.toSorted((a, b) => Number(a === "cluster") - Number(b === "cluster"))) {
    const there = await store.get(key);
    if (there !== undefined) await store.delete(key, there.version);
  }
}
