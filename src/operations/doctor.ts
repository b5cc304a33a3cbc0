import type { ClusterName } from "../cluster/cluster.ts";
import { readRecord } from "../records/access.ts";
import type { RecordValue } from "../records/table.ts";
import type { Context } from "./context.ts";
import { deriveStatus } from "./derive.ts";
import type { Examined, Finding } from "./finding.ts";
import { examineCluster } from "./findings.ts";
import { look, withStore } from "./look.ts";

export type { Finding } from "./finding.ts";
export type Diagnosis = {
  /** The worst first. */
  readonly findings: readonly Finding[];
  /** The worst state of all findings. */
  readonly state: "good" | "warning" | "bad";
};

/** Examines the target and, when one is named, a cluster; changes nothing. */
export async function doctor(context: Context, input: { readonly cluster?: ClusterName }): Promise<Diagnosis> {
  const target = await context.target.examine();
  // A target that cannot be reached has nothing to say of clusters.
  const reachable = target.every((finding) => finding.state !== "bad");
  const findings = [
    ...target,
    ...(input.cluster === undefined || !reachable ? [] : await ofCluster(context, input.cluster)),
  ];
  const rank = { bad: 0, warning: 1, good: 2 } as const;
  const sorted = findings.toSorted((a, b) => rank[a.state] - rank[b.state]);
  return { findings: sorted, state: sorted[0]?.state ?? "good" };
}

async function ofCluster(context: Context, cluster: ClusterName): Promise<readonly Finding[]> {
  const seen = await look(context, cluster);
  if (seen.observed.state === "absent") {
    return [
      {
        subject: cluster,
        state: "bad",
        message: "there is no such cluster",
        fix: "slipway launch",
      },
    ];
  }
  const status = deriveStatus(seen, context.target);
  const held =
    seen.recorded.kind === "read"
      ? await readHeld(context, cluster, seen.recorded.value.cluster?.generation)
      : undefined;
  const examined: Examined = { seen, status, lock: held?.lock, generation: held?.generation };
  const [own, ground] = await Promise.all([
    Promise.all(examineCluster(examined).map((finding) => withLog(context, cluster, finding))),
    context.target.examineCluster?.(cluster) ?? [],
  ]);
  return [...own, ...ground];
}

type Held = {
  readonly lock: RecordValue<"lock"> | undefined;
  readonly generation: RecordValue<"generation"> | undefined;
};

async function readHeld(context: Context, cluster: ClusterName, generation: string | undefined): Promise<Held> {
  return withStore(context, cluster, async (store) => ({
    lock: (await readRecord(store, "lock"))?.value,
    generation: generation === undefined ? undefined : (await readRecord(store, "generation", { generation }))?.value,
  }));
}

/** A failed unit's last journal lines, where its node can be asked. */
async function withLog(context: Context, cluster: ClusterName, finding: Finding): Promise<Finding> {
  const { failed, ...rest } = finding;
  if (failed === undefined) return finding;
  try {
    const command = [
      "journalctl",
      "--no-pager",
      "--quiet",
      "--output=cat",
      "--lines=10",
      `--unit=${failed.unit}`,
    ] as const;
    const { stdout } = await context.target.node(failed.node, cluster).exec(command, { signal: context.signal });
    return { ...rest, log: stdout.split("\n").filter((line) => line.trim() !== "") };
  } catch (error) {
    context.signal.throwIfAborted();
    return {
      ...rest,
      log: [`its journal cannot be read: ${error instanceof Error ? error.message : String(error)}`],
    };
  }
}
