import type { ClusterName, NodeName } from "../cluster/cluster.ts";
import type { QuorumChange } from "../components/quorum.ts";
import type { ObservedNode } from "../plan/plan.ts";
import { OperationError, type Context } from "./context.ts";
import type { On } from "./derive.ts";
import { look, type Seen } from "./look.ts";
import { guardNode } from "./members.ts";

/** Milliseconds between two looks while the guard says "wait". */
const askEvery = 1000;

/** How long a change of the members waits for another one that is under way. Milliseconds. */
export const changePatience = 60_000;

/** Asks the guard with a fresh look; what is unknown or under way is waited for, anything else is an `OperationError`. */
export async function passGate(
  context: Context,
  input: {
    readonly cluster: ClusterName;
    readonly node: NodeName;
    readonly kind: QuorumChange["kind"];
    /** How long it is asked again. Milliseconds. */
    readonly patience: number;
  },
): Promise<void> {
  const deadline = context.clock.now() + input.patience;
  for (;;) {
    context.signal.throwIfAborted();
    const verdict = guardNode(await look(context, input.cluster), context.target, input.node, input.kind);
    if (verdict.allowed) return;
    if (!isPatient(verdict.because) || context.clock.now() >= deadline)
      throw refused(input.cluster, input.node, verdict.why);
    await context.clock.sleep(askEvery, context.signal);
  }
}

export type Foreseen =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly node: NodeName; readonly why: string };

/** Whether all these control nodes could stop one after the other; asked before the first is touched. Pure. */
export function wouldStop(seen: Seen, target: On, nodes: readonly ObservedNode[]): Foreseen {
  let world = seen;
  for (const node of nodes) {
    const verdict = guardNode(world, target, node.name, "stop");
    if (!verdict.allowed && !isPatient(verdict.because)) return { allowed: false, node: node.name, why: verdict.why };
    const after = world.observed.nodes.map((other) =>
      other.name === node.name ? { ...other, state: "stopped" as const } : other,
    );
    world = { ...world, observed: { ...world.observed, nodes: after } };
  }
  return { allowed: true };
}

/** Reasons that pass by themselves. */
const isPatient = (because: "unknown" | "in-flight" | "quorum" | "only-voter"): boolean =>
  because === "unknown" || because === "in-flight";

/** The error that says why a control node may not be touched. */
export function refused(cluster: ClusterName, node: NodeName, why: string): OperationError {
  return new OperationError(`${node} must stay: ${why}; --force does it all the same`, `slipway status ${cluster}`);
}
