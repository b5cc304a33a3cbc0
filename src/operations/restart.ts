import type { ClusterName, NodeName } from "../cluster/cluster.ts";
import type { ObservedNode } from "../plan/plan.ts";
import { awaitNodes } from "./await.ts";
import type { Context } from "./context.ts";
import { look, observePresent } from "./look.ts";
import { pickNodes } from "./pick.ts";
import { passGate, refused, wouldStop } from "./quorum-gate.ts";
import { versions } from "./start.ts";
import { step, underLock, type Locked } from "./under-lock.ts";

export type RestartInput = {
  readonly cluster: ClusterName;
  /** Node names, group names or `all`; none: all. */
  readonly nodes: readonly string[];
  readonly force: boolean;
  /** Seconds for each node to stop in good order. */
  readonly grace: number;
  /** Milliseconds to wait until a restarted node is ready again. */
  readonly timeout: number;
};
export type Restarted = { readonly cluster: ClusterName; readonly nodes: readonly NodeName[] };

/** Restarts running nodes one after the other, workers first, each only when the one before is ready again. */
export async function restart(context: Context, input: RestartInput): Promise<Restarted> {
  await observePresent(context, input.cluster);
  return underLock(context, { cluster: input.cluster, operation: "restart" }, async (locked) => {
    const { nodes } = await observePresent(context, input.cluster);
    const chosen = pickNodes(input.cluster, nodes, input.nodes)
      .filter((node) => node.state === "running")
      .toSorted((a, b) => Number(a.role === "control") - Number(b.role === "control"));
    const controls = nodes.filter((node) => node.role === "control");
    // The only control node has no quorum to keep; who restarts the whole cluster has said that it may pause.
    const alone = controls.length === 1 && nodes.every((node) => node.state !== "running" || chosen.includes(node));
    const guarded = !input.force && !alone;
    if (guarded) await refuseEarly(context, input, chosen);
    for (const node of chosen) await restartOne(locked, input, node, guarded && node.role === "control");
    return {
      result: { cluster: input.cluster, nodes: chosen.map((node) => node.name) },
      changes: chosen.length,
    };
  });
}

/** Each control node alone must be able to stop; they never do so at the same time. */
async function refuseEarly(context: Context, input: RestartInput, chosen: readonly ObservedNode[]): Promise<void> {
  const seen = await look(context, input.cluster);
  for (const node of chosen.filter((candidate) => candidate.role === "control")) {
    const verdict = wouldStop(seen, context.target, [node]);
    if (!verdict.allowed) throw refused(input.cluster, verdict.node, verdict.why);
  }
}

/** Stop, remember what it said last, start, wait until it says that it is ready. */
async function restartOne(locked: Locked, input: RestartInput, node: ObservedNode, guarded: boolean): Promise<void> {
  const { context, store } = locked;
  const { cluster, grace, timeout } = input;
  if (guarded) await passGate(context, { cluster, node: node.name, kind: "stop", patience: timeout });
  await step(locked, "restart", node.name, async () => {
    const access = context.target.node(node.name, cluster);
    await access.stop(grace);
    const before = await versions(store, [node]);
    await access.start();
    await awaitNodes(context, {
      store,
      cluster,
      nodes: [node.name],
      until: "ready",
      deadline: context.clock.now() + timeout,
      before,
    });
  });
}
