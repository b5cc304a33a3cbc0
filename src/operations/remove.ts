import type { ClusterName, NodeName } from "../cluster/cluster.ts";
import type { Context } from "./context.ts";
import { deriveStatus } from "./derive.ts";
import { look, observePresent } from "./look.ts";
import { pickNode } from "./pick.ts";
import { changePatience, passGate } from "./quorum-gate.ts";
import { removeNode } from "./retire.ts";
import { step, underLock, type Locked } from "./under-lock.ts";

export type RemoveInput = {
  readonly cluster: ClusterName;
  readonly node: string;
  /** Removes a control node though quorum would be lost. */
  readonly force: boolean;
};
export type Removed = {
  readonly cluster: ClusterName;
  readonly node: NodeName;
  /** What the user should know: the file still asks for it. */
  readonly note: string;
};
/** Makes one node leave and takes away all that it had; the caller holds the cluster's lock and has asked the guard. */
export type RemoveNode = (locked: Locked, cluster: ClusterName, node: NodeName, force: boolean) => Promise<void>;

/** A node leaves for good: its memberships, its container and its data. */
export async function remove(context: Context, input: RemoveInput, retire: RemoveNode = removeNode): Promise<Removed> {
  const { cluster } = input;
  await observePresent(context, cluster);
  return underLock(context, { cluster, operation: "remove" }, async (locked) => {
    const { nodes } = deriveStatus(await look(context, cluster), context.target);
    const node = pickNode(cluster, nodes, input.node);
    if (!input.force) {
      await passGate(locked.context, { cluster, node: node.name, kind: "remove", patience: changePatience });
    }
    await step(locked, "remove", node.name, () => retire(locked, cluster, node.name, input.force));
    const count = nodes.filter((other) => other.group === node.group).length;
    const asks = `cluster.yml still asks for ${count} in group ${node.group}: the next launch would`;
    const less = `write count: ${count - 1} to keep it away`;
    const note =
      context.target.userData === undefined
        ? `${asks} make ${node.name} again; ${less}`
        : `its machine is yours to take away, with what is on its disks; its agent has ended\n${asks} write a token for another machine; ${less}`;
    return { result: { cluster, node: node.name, note }, changes: 1 };
  });
}
