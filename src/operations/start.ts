import type { ClusterName, NodeName } from "../cluster/cluster.ts";
import type { ObservedNode } from "../plan/plan.ts";
import { readRecord } from "../records/access.ts";
import type { ClusterStore, Version } from "../store/store.ts";
import { awaitNodes } from "./await.ts";
import type { Context } from "./context.ts";
import { observePresent } from "./look.ts";
import { pickNodes } from "./pick.ts";
import { step, together, underLock, type Locked } from "./under-lock.ts";

export type StartInput = {
  readonly cluster: ClusterName;
  /** Node names, group names or `all`; none: all. */
  readonly nodes: readonly string[];
  /** Milliseconds to wait until the nodes are ready; 0: do not wait. */
  readonly timeout: number;
};
/** `nodes`: those that were started; empty when there was nothing to do. */
export type Started = { readonly cluster: ClusterName; readonly nodes: readonly NodeName[] };

/** Starts stopped nodes, control nodes first, and waits until all that were named are ready. */
export async function start(context: Context, input: StartInput): Promise<Started> {
  await observePresent(context, input.cluster);
  await context.target.wake(input.cluster);
  return underLock(context, { cluster: input.cluster, operation: "start" }, async (locked) => {
    const { nodes } = await observePresent(context, input.cluster);
    const chosen = pickNodes(input.cluster, nodes, input.nodes);
    for (const node of chosen) warnUnfinished(locked.context, node);
    const stopped = chosen.filter((node) => node.state === "stopped");
    const before = await versions(locked.store, stopped);
    await startTogether(
      locked,
      stopped.filter((node) => node.role === "control"),
    );
    await startTogether(
      locked,
      stopped.filter((node) => node.role === "worker"),
    );
    if (input.timeout > 0) {
      const awaited = chosen
        .filter((node) => node.state === "running" || node.state === "stopped")
        .map((node) => node.name);
      const deadline = context.clock.now() + input.timeout;
      await awaitNodes(locked.context, {
        store: locked.store,
        cluster: input.cluster,
        nodes: awaited,
        until: "ready",
        deadline,
        before,
      });
    }
    // Those that were ready before may have been started by a run that ended before it said so.
    await context.target.still?.after(input.cluster, chosen, { emit: locked.context.emit, signal: context.signal });
    return {
      result: { cluster: input.cluster, nodes: stopped.map((node) => node.name) },
      changes: stopped.length,
    };
  });

  async function startTogether(locked: Locked, nodes: readonly ObservedNode[]): Promise<void> {
    await together(nodes, (node) =>
      step(locked, "start", node.name, () => context.target.node(node.name, input.cluster).start()),
    );
  }
}

/** What nodes that do not run said last, so that it is not taken for what they say after their start. */
export async function versions(
  store: ClusterStore,
  nodes: readonly { readonly instance: string }[],
): Promise<ReadonlyMap<string, Version>> {
  const found = await Promise.all(
    nodes.map(async ({ instance }) => {
      const record = await readRecord(store, "node", { instance });
      return record === undefined ? [] : [[instance, record.version] as const];
    }),
  );
  return new Map(found.flat());
}

/** Only a launch can finish what a launch has begun. */
function warnUnfinished(context: Context, node: ObservedNode): void {
  if (node.state === "missing")
    context.emit("warning", {
      message: `${node.name} has no container; slipway launch makes it again`,
    });
  if (node.state === "created")
    context.emit("warning", { message: `${node.name} was never finished; slipway launch does it` });
}
