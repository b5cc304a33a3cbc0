import type { ClusterName, NodeName } from "../cluster/cluster.ts";
import type { Context } from "./context.ts";
import { deriveStatus } from "./derive.ts";
import { look, observePresent, recordOf } from "./look.ts";
import { pickNodes } from "./pick.ts";
import type { NodeState } from "./status-shape.ts";

export type UnitStatus = {
  readonly name: string;
  readonly active: string;
  readonly sub: string;
  readonly result: string;
  /** Whether Slipway's machine config brings it. */
  readonly ours: boolean;
  readonly failed: boolean;
};
export type NodeUnits = {
  readonly node: NodeName;
  readonly state: NodeState;
  /** Ours first, then by name. */
  readonly units: readonly UnitStatus[];
  /** Paths and units that no longer are as the machine config says. */
  readonly drift: readonly string[];
};
export type Units = { readonly cluster: ClusterName; readonly nodes: readonly NodeUnits[] };

/** The units of all nodes, or of those that the words name, as each node last told them. */
export async function units(
  context: Context,
  input: { readonly cluster: ClusterName; readonly nodes: readonly string[] },
): Promise<Units> {
  await observePresent(context, input.cluster);
  const seen = await look(context, input.cluster);
  const { nodes } = deriveStatus(seen, context.target);
  return {
    cluster: input.cluster,
    nodes: pickNodes(input.cluster, nodes, input.nodes).map((node) => {
      const record = recordOf(seen, node.instance);
      return {
        node: node.name,
        state: node.state,
        units: (record?.units ?? [])
          .map((unit) => ({ ...unit, failed: unit.active === "failed" }))
          .toSorted((a, b) => Number(b.ours) - Number(a.ours) || a.name.localeCompare(b.name, "en")),
        drift: record?.drift ?? [],
      };
    }),
  };
}
