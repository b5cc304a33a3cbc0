import type { ClusterName, NodeName } from "../cluster/cluster.ts";
import type { ObservedNode } from "../plan/plan.ts";
import type { Context } from "./context.ts";
import { look, observePresent } from "./look.ts";
import { pickNodes } from "./pick.ts";
import { passGate, refused, wouldStop } from "./quorum-gate.ts";
import { step, together, underLock, type Locked } from "./under-lock.ts";

export type StopInput = {
  readonly cluster: ClusterName;
  /** Node names, group names or `all`; none: all. */
  readonly nodes: readonly string[];
  /** Stops control nodes though quorum would be lost. */
  readonly force: boolean;
  /** Seconds for each node to stop in good order. */
  readonly grace: number;
};
/** `nodes`: those that were stopped; empty when there was nothing to do. */
export type Stopped = { readonly cluster: ClusterName; readonly nodes: readonly NodeName[] };

/** How long the guard is asked again while it cannot see the members. Milliseconds. */
const gatePatience = 20_000;

/** Stops nodes, workers first; all of them together, or some as long as quorum holds. */
export async function stop(context: Context, input: StopInput): Promise<Stopped> {
  await observePresent(context, input.cluster);
  return underLock(context, { cluster: input.cluster, operation: "stop" }, async (locked) => {
    const { nodes } = await observePresent(context, input.cluster);
    const isRunning = (node: ObservedNode): boolean => node.state === "running";
    const chosen = pickNodes(input.cluster, nodes, input.nodes).filter(isRunning);
    // A whole cluster that stops in good order loses nothing: its quorum comes back when it starts.
    const whole = nodes.filter(isRunning).every((node) => chosen.includes(node));
    const [control, workers] = [
      chosen.filter((node) => node.role === "control"),
      chosen.filter((node) => node.role === "worker"),
    ];
    const guarded = !whole && !input.force;
    if (guarded && control.length > 0) {
      const verdict = wouldStop(await look(context, input.cluster), context.target.name, control);
      if (!verdict.allowed) throw refused(input.cluster, verdict.node, verdict.why);
    }
    await context.target.still?.before(input.cluster, chosen, { emit: locked.context.emit, signal: context.signal });
    await stopTogether(locked, input, workers);
    if (!guarded) await stopTogether(locked, input, control);
    else for (const node of control) await stopGuarded(locked, input, node);
    return {
      result: { cluster: input.cluster, nodes: chosen.map((node) => node.name) },
      changes: chosen.length,
    };
  });
}

async function stopTogether(locked: Locked, input: StopInput, nodes: readonly ObservedNode[]): Promise<void> {
  await together(nodes, (node) => stopOne(locked, input, node));
}

async function stopGuarded(locked: Locked, input: StopInput, node: ObservedNode): Promise<void> {
  const { context } = locked;
  await passGate(context, {
    cluster: input.cluster,
    node: node.name,
    kind: "stop",
    deadline: context.clock.now() + gatePatience,
  });
  await stopOne(locked, input, node);
}

async function stopOne(locked: Locked, input: StopInput, node: ObservedNode): Promise<void> {
  await step(locked, "stop", node.name, () => locked.context.target.node(node.name, input.cluster).stop(input.grace));
}
