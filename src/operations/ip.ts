import type { ClusterName, NodeName } from "../cluster/cluster.ts";
import type { Observed } from "../plan/plan.ts";
import type { Context } from "./context.ts";
import { observePresent } from "./look.ts";
import { pickNodes } from "./pick.ts";

export type Ip = {
  readonly cluster: ClusterName;
  readonly nodes: readonly { readonly name: NodeName; readonly address: string }[];
  /** `address` is host and port on the engine's machine. */
  readonly published: Observed["published"];
};

/** The nodes' addresses, and the published ports. */
export async function ip(
  context: Context,
  input: { readonly cluster: ClusterName; readonly nodes: readonly string[] },
): Promise<Ip> {
  const observed = await observePresent(context, input.cluster);
  return {
    cluster: input.cluster,
    nodes: pickNodes(input.cluster, observed.nodes, input.nodes).map(({ name, address }) => ({
      name,
      address,
    })),
    published: observed.published,
  };
}
