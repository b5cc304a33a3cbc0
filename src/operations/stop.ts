import type { ClusterName, NodeName } from "../cluster/cluster.ts";
import type { Context } from "./context.ts";
import { goDown } from "./good-order.ts";
import { observePresent } from "./look.ts";
import { pickNodes } from "./pick.ts";
import { step, underLock } from "./under-lock.ts";

export type StopInput = {
  readonly cluster: ClusterName;
  /** Node names, group names or `all`; none: all. */
  readonly nodes: readonly string[];
  /** Stops control nodes though quorum would be lost. */
  readonly force: boolean;
  /** Seconds for each node to stop in good order. */
  readonly grace: number;
};
/** `nodes`: those that were stopped; empty when there was nothing to do. */
export type Stopped = { readonly cluster: ClusterName; readonly nodes: readonly NodeName[] };

/** Stops nodes, workers first; all of them together, or some as long as quorum holds. */
export async function stop(context: Context, input: StopInput): Promise<Stopped> {
  await observePresent(context, input.cluster);
  return underLock(context, { cluster: input.cluster, operation: "stop" }, async (locked) => {
    const { nodes } = await observePresent(context, input.cluster);
    const chosen = pickNodes(input.cluster, nodes, input.nodes).filter(({ state }) => state === "running");
    const { target, emit, signal } = locked.context;
    await goDown(locked, {
      ...input,
      nodes,
      chosen,
      before: async () => target.still?.before(input.cluster, chosen, { emit, signal }),
      down: (node) => step(locked, "stop", node.name, () => target.node(node.name, input.cluster).stop(input.grace)),
    });
    return {
      result: { cluster: input.cluster, nodes: chosen.map((node) => node.name) },
      changes: chosen.length,
    };
  });
}
