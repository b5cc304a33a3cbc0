import type { ClusterName } from "../cluster/cluster.ts";
import type { ObservedNode } from "../plan/plan.ts";
import { look } from "./look.ts";
import { passGate, refused, wouldStop } from "./quorum-gate.ts";
import { together, type Locked } from "./under-lock.ts";

/** How long the guard is asked again while it cannot see the members. Milliseconds. */
const gatePatience = 20_000;

/** Nodes that are to go down, for a while or with their machines. */
export type GoingDown = {
  readonly cluster: ClusterName;
  /** All that there are. */
  readonly nodes: readonly ObservedNode[];
  readonly chosen: readonly ObservedNode[];
  /** Also where quorum would be lost. */
  readonly force: boolean;
  /** When the guard has let all of them pass, and none is touched yet. */
  readonly before?: () => Promise<void>;
  /** Takes one node down. */
  readonly down: (node: ObservedNode) => Promise<void>;
};

/**
 * Takes nodes down in good order: workers first, while there is somebody to tell; then control nodes, all together where no
 * quorum is to be kept, else one by one behind the guard. An `OperationError`, before the first is touched, where it would be lost.
 */
export async function goDown({ context }: Locked, going: GoingDown): Promise<void> {
  const { cluster, nodes, chosen, force, down } = going;
  const control = chosen.filter(({ role }) => role === "control");
  const workers = chosen.filter(({ role }) => role === "worker");
  // A whole cluster that goes down in good order loses nothing: its quorum comes back from its disks.
  const whole = nodes.every((node) => node.state !== "running" || chosen.includes(node));
  const guarded = !whole && !force;
  if (guarded && control.length > 0) {
    const verdict = wouldStop(await look(context, cluster), context.target, control);
    if (!verdict.allowed) throw refused(cluster, verdict.node, verdict.why);
  }
  await going.before?.();
  await together(workers, down);
  if (!guarded) return together(control, down);
  for (const node of control) {
    await passGate(context, { cluster, node: node.name, kind: "stop", patience: gatePatience });
    await down(node);
  }
}
