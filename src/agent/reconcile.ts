import type { NodePorts } from "../components/node.ts";
import type { Reason, Reconciler } from "../components/reconciler.ts";

export type Rest = { readonly kind: "settled" } | { readonly kind: "waits"; readonly why: Reason };

/** More acts than any way to rest has; a reconciler that never rests must not starve the others. */
const mostActs = 12;

/** Looks, decides and acts until the reconciler rests. A failing act is a reason to wait, never the end. */
export async function reconcile<View, Act>(
  reconciler: Reconciler<View, Act, NodePorts>,
  node: NodePorts,
): Promise<Rest> {
  for (let acts = 0; acts < mostActs; acts++) {
    const next = reconciler.next(await reconciler.look(node));
    if (next.kind === "settled") return { kind: "settled" };
    if (next.kind === "wait") return { kind: "waits", why: next.why };
    try {
      await reconciler.perform(next.act, node);
    } catch (error) {
      return { kind: "waits", why: { text: error instanceof Error ? error.message : String(error) } };
    }
  }
  return { kind: "waits", why: { text: "still at work" } };
}
