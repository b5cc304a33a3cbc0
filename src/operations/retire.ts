import type { ClusterName, NodeName } from "../cluster/cluster.ts";
import { listRecords } from "../records/access.ts";
import { OperationError } from "./context.ts";
import { awaitForgotten, retire, setRoster } from "./run.ts";
import type { Locked } from "./under-lock.ts";

/** Makes one node leave and takes away all that it had; the caller holds the cluster's lock. */
export async function removeNode(locked: Locked, cluster: ClusterName, node: NodeName, force: boolean): Promise<void> {
  const { context } = locked;
  const { target, emit, signal } = context;
  const there = (await target.observe(cluster)).nodes.find((candidate) => candidate.name === node);
  if (there === undefined) {
    // Container and data are gone already: only its memberships are left to remove.
    const entries = (await listRecords(locked.store, "roster")).filter(
      ({ value }) => value.node === node && value.state !== "gone",
    );
    if (entries.length === 0) throw new OperationError(`${cluster} has no node ${node}`, `slipway status ${cluster}`);
    for (const { value } of entries) await setRoster(locked, value.instance, "gone");
    emit("node.removed", { node });
    return;
  }
  await retire(locked, cluster, there, force);
  for (const step of target.removal(there, cluster)) {
    if (step.kind === "work") await target.apply(step.work, { emit, signal });
  }
  await setRoster(locked, there.instance, "gone");
  await awaitForgotten(locked, cluster, [there.instance]);
  emit("node.removed", { node });
}
