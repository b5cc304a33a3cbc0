import type { ClusterName } from "../cluster/cluster.ts";
import type { Context } from "./context.ts";
import { deriveStatus } from "./derive.ts";
import { look } from "./look.ts";
import type { Status } from "./status-shape.ts";

export type { EtcdMemberState, EtcdStatus, NodeState, NodeStatus, ServiceStatus, Status } from "./status-shape.ts";

/** Looks at a cluster and changes nothing; a cluster that is not there has the state `absent`. */
export async function status(context: Context, input: { readonly cluster: ClusterName }): Promise<Status> {
  return deriveStatus(await look(context, input.cluster), context.target);
}
