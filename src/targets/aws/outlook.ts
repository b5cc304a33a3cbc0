import type { Cluster } from "../../cluster/cluster.ts";
import type { Change, Outlook } from "../../plan/plan.ts";
import type { Graph } from "./graph/resource.ts";
import { monthlyOf, type Prices } from "./prices.ts";

/** Calls of AWS's API, beside the store's: what a plan expects, from runs on the stand-in (docs/benchmarks.md). */
const calls = { create: 55, update: 30, same: 8 } as const;

/** The changes with what they cost a month, and what there is to know of the whole. */
export function priced(
  cluster: Cluster,
  graph: Graph,
  changes: readonly Change[],
  kind: keyof typeof calls,
  prices: Prices,
): { readonly changes: readonly Change[]; readonly outlook: Outlook } {
  const monthly = monthlyOf(cluster, graph, prices);
  const sum = [...monthly.values()].reduce((all, one) => all + one, 0);
  const unpriced = cluster.groups.filter(({ aws }) => prices.hour(aws.instanceTypes[0] ?? "") === undefined);
  return {
    changes: changes.map((change) => {
      const amount = change.id.startsWith("stack:") ? monthly.get(change.name) : undefined;
      return amount === undefined || change.action === "delete" ? change : { ...change, monthly: dollars(amount) };
    }),
    outlook: {
      monthly: dollars(sum),
      calls: calls[kind],
      notes: [
        `prices: ${prices.source}; traffic, requests and logs come on top`,
        ...unpriced.map(
          ({ name, aws }) =>
            `the sum is without the machines of ${name}: nobody has said what a ${aws.instanceTypes[0] ?? ""} costs`,
        ),
        ...quorumNotes(cluster, changes),
      ],
    },
  };
}

/** Dollars and cents. */
function dollars(amount: number): number {
  return Math.round(amount * 100) / 100;
}

function quorumNotes(cluster: Cluster, changes: readonly Change[]): readonly string[] {
  const control = cluster.groups.find(({ role }) => role === "control");
  const size = control?.count ?? 0;
  const replaced = new Set(
    changes
      .flatMap(({ nodes }) => nodes.replaced)
      .filter((name) => name.startsWith(`${cluster.name}-${control?.name ?? ""}-`)),
  );
  if (replaced.size === 0) return [];
  const majority = Math.floor(size / 2) + 1;
  return [
    size >= 3
      ? `${replaced.size} control nodes are replaced one after the other, each when the one before is ready: ${size - 1} of ${size} stay, and ${majority} are the quorum`
      : `the only control node is replaced: etcd and the managers are away meanwhile`,
  ];
}
