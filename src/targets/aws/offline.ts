import type { Cluster } from "../../cluster/cluster.ts";
import type { Change, Outlook } from "../../plan/plan.ts";
import type { Problem } from "../../problems/problem.ts";
import { compile } from "./compile.ts";
import type { AwsFacts } from "./facts/facts.ts";
import { priced } from "./outlook.ts";
import { listPrices } from "./prices.ts";
import { creations } from "./stack/changes.ts";

const zeros = "0".repeat(64);

/** A plan from the file alone: all that the stack would have, as if nothing were there. Nobody is asked. */
export function offlinePlan(
  cluster: Cluster,
  facts: AwsFacts,
):
  | { readonly kind: "good"; readonly changes: readonly Change[]; readonly outlook: Outlook }
  | { readonly kind: "bad"; readonly problems: readonly Problem[] } {
  const read = compile(cluster, facts, { runtime: { agent: zeros, node: { x86_64: zeros, aarch64: zeros } } });
  if (read.kind === "bad") return read;
  const { graph } = read.value;
  const { changes, outlook } = priced(cluster, graph, creations(graph), "create", listPrices);
  const notes = ["nothing was asked of AWS: what is there already is not seen", ...outlook.notes];
  return { kind: "good", changes, outlook: { ...outlook, notes } };
}
