import type { ClusterName } from "../cluster/cluster.ts";
import type { Context } from "./context.ts";
import { deriveStatus } from "./derive.ts";
import { look, observePresent } from "./look.ts";

export type DnsName = {
  readonly name: string;
  readonly kind: "node" | "service";
  /** A node's address inside the cluster, or where a service's published ports answer. */
  readonly addresses: readonly string[];
};
export type Dns = { readonly cluster: ClusterName; readonly names: readonly DnsName[] };

/** Every name of the cluster with its addresses. */
export async function dns(context: Context, input: { readonly cluster: ClusterName }): Promise<Dns> {
  await observePresent(context, input.cluster);
  const { nodes, services } = deriveStatus(await look(context, input.cluster), context.target);
  return {
    cluster: input.cluster,
    names: [
      ...nodes.map((node) => ({
        name: node.name,
        kind: "node" as const,
        addresses: [node.address],
      })),
      ...services.map((service) => ({
        name: service.name,
        kind: "service" as const,
        addresses: service.addresses,
      })),
    ],
  };
}
