import { nodeName, type Cluster, type Group } from "../../../cluster/cluster.ts";
import type { AwsFacts } from "./facts.ts";

/** Control members that come back on kept disks, by their names. */
export type Kept = NonNullable<AwsFacts["kept"]>;

/** Whether a majority of the members comes back with what it knew. */
export function isWhole(cluster: Cluster, kept: Kept | undefined): boolean {
  const all = members(cluster);
  const there = all.filter(({ node }) => kept?.[node] !== undefined).length;
  return there * 2 > all.length;
}

/** The control nodes of a cluster, in their order. */
export function members(
  cluster: Cluster,
): readonly { readonly group: Group; readonly node: string; readonly n: number }[] {
  return cluster.groups
    .filter(({ role }) => role === "control")
    .flatMap((group) =>
      Array.from({ length: group.count }, (_, index) => ({
        group,
        n: index + 1,
        node: nodeName(cluster.name, group.name, index + 1),
      })),
    );
}
