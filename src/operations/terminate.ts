import type { ClusterName, NodeName } from "../cluster/cluster.ts";
import type { ObservedNode } from "../plan/plan.ts";
import { listRecords } from "../records/access.ts";
import { NotHere } from "../targets/target.ts";
import type { Context } from "./context.ts";
import { look, observePresent } from "./look.ts";
import { pickNodes } from "./pick.ts";
import { passGate, refused, wouldStop } from "./quorum-gate.ts";
import { setRoster } from "./run.ts";
import { step, together, underLock, type Locked } from "./under-lock.ts";

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

/** How long the guard is asked again while it cannot see the members. Milliseconds. */
const gatePatience = 20_000;

/**
 * Ends machines and keeps network, access, store and data, so that a launch brings the same nodes back. Workers first, in
 * good order, while there is somebody to tell; the control nodes' memberships are on their disks, and stay there.
 */
export async function terminate(context: Context, input: TerminateInput): Promise<Terminated> {
  const { target, signal } = context;
  const { cluster, force } = input;
  const { ending } = target;
  if (ending === undefined)
    throw new NotHere(
      `the machines of ${cluster} are not ours to end: whoever started them ends them`,
      `slipway remove ${cluster}-worker-1 takes a node out for good; slipway cleanup ${cluster} forgets the cluster`,
    );
  await observePresent(context, cluster);
  return underLock(context, { cluster, operation: "terminate" }, async (locked) => {
    const { emit } = locked.context;
    const { nodes } = await observePresent(context, cluster);
    const picked = pickNodes(cluster, [...nodes, ...(await former(locked, nodes))], input.nodes);
    const chosen = nodes.filter((node) => node.state !== "missing" && picked.includes(node));
    const running = nodes.filter(({ state }) => state === "running");
    // A whole cluster that ends in good order loses nothing: its quorum comes back from its disks.
    const whole = running.every((node) => chosen.includes(node));
    const control = chosen.filter(({ role }) => role === "control");
    const workers = chosen.filter(({ role }) => role === "worker");
    const guarded = !whole && !force;
    if (guarded && control.length > 0) {
      const verdict = wouldStop(await look(context, cluster), target.name, control);
      if (!verdict.allowed) throw refused(cluster, verdict.node, verdict.why);
    }
    const end = (node: ObservedNode): Promise<void> =>
      step(locked, "terminate", node.name, async () => {
        const instance = await ending.end(node, cluster, input.grace, { emit, signal });
        // Whoever keeps the roster may be about to end too, and the name is to be free for the next one.
        if (instance === "gone") await setRoster(locked, node.instance, "gone");
      });
    await together(workers, end);
    if (!guarded) await together(control, end);
    else
      for (const node of control) {
        const deadline = context.clock.now() + gatePatience;
        await passGate(context, { cluster, node: node.name, kind: "stop", deadline });
        await end(node);
      }
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
