import type { ClusterName } from "../cluster/cluster.ts";
import type { Context } from "./context.ts";
import { status } from "./status.ts";
import type { NodeState } from "./status-shape.ts";

export type Listed = {
  readonly cluster: ClusterName;
  readonly state: NodeState;
  readonly nodes: number;
};

/** The target's clusters, by name. */
export async function list(context: Context): Promise<readonly Listed[]> {
  const clusters = await context.target.list();
  return Promise.all(
    clusters.toSorted().map(async (cluster) => {
      const { state, nodes } = await status(context, { cluster });
      return { cluster, state, nodes: nodes.length };
    }),
  );
}
