import type { ClusterName, NodeName } from "../cluster/cluster.ts";
import type { ObservedNode } from "../plan/plan.ts";
import { listRecords } from "../records/access.ts";
import { NotHere } from "../targets/target.ts";
import type { Context } from "./context.ts";
import { goDown } from "./good-order.ts";
import { observePresent } from "./look.ts";
import { pickNodes } from "./pick.ts";
import { setRoster } from "./run.ts";
import { step, underLock, type Locked } from "./under-lock.ts";

export type TerminateInput = {
  readonly cluster: ClusterName;
  /** Node names, group names or `all`; none: all. */
  readonly nodes: readonly string[];
  /** Ends control nodes though quorum would be lost. */
  readonly force: boolean;
  /** Seconds for each machine to stop in good order, where the target asks for them. */
  readonly grace: number;
};
/** `nodes`: those whose machines were ended; empty when there was nothing to do. */
export type Terminated = { readonly cluster: ClusterName; readonly nodes: readonly NodeName[] };

/**
 * Ends machines and keeps network, access, store and data, so that a launch brings the same nodes back. Workers first, in
 * good order, while there is somebody to tell; the control nodes' memberships are on their disks, and stay there.
 */
export async function terminate(context: Context, input: TerminateInput): Promise<Terminated> {
  const { cluster, force, grace } = input;
  const { ending } = context.target;
  if (ending === undefined)
    throw new NotHere(
      `the machines of ${cluster} are not ours to end: whoever started them ends them`,
      `slipway remove ${cluster}-worker-1 takes a node out for good; slipway cleanup ${cluster} forgets the cluster`,
    );
  await observePresent(context, cluster);
  return underLock(context, { cluster, operation: "terminate" }, async (locked) => {
    const { emit, signal } = locked.context;
    const { nodes } = await observePresent(context, cluster);
    const picked = pickNodes(cluster, [...nodes, ...(await former(locked, nodes))], input.nodes);
    const chosen = nodes.filter((node) => node.state !== "missing" && picked.includes(node));
    await goDown(locked, {
      cluster,
      nodes,
      chosen,
      force,
      down: (node) =>
        step(locked, "terminate", node.name, async () => {
          const instance = await ending.end(node, cluster, grace, { emit, signal });
          // Whoever keeps the roster may be about to end too, and the name is to be free for the next one.
          if (instance === "gone") await setRoster(locked, node.instance, "gone");
        }),
    });
    await ending.settle(cluster);
    return { result: { cluster, nodes: chosen.map(({ name }) => name) }, changes: chosen.length };
  });
}

/** Nodes that the roster remembers and nobody sees any more: what an interrupted run has ended may still be named. */
async function former(
  { store }: Locked,
  nodes: readonly ObservedNode[],
): Promise<readonly Pick<ObservedNode, "name" | "group">[]> {
  const seen = new Set<string>(nodes.map(({ name }) => name));
  const roster = await listRecords(store, "roster");
  // The roster's names were node names when they were written.
  return roster.flatMap(({ value: { node, group } }) => (seen.has(node) ? [] : [{ name: node as NodeName, group }]));
}
