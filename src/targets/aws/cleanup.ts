import type { ClusterName } from "../../cluster/cluster.ts";
import type { Change, Step } from "../../plan/plan.ts";
import type { TargetPlan } from "../target.ts";
import type { Session } from "./clients/session.ts";
import { search, type Found } from "./search.ts";
import type { AwsWork } from "./work.ts";

/** In this order things go: what a later one depends on comes before it. */
const order = [
  "stack",
  "instance",
  "address",
  "interface",
  "security-group",
  "volume",
  "snapshot",
  "log-group",
  "bucket",
] as const;

/** What a cleanup does: the stack, then what it has left or the cluster has made beside it, and last the store. */
export async function planCleanup(
  session: Session,
  cluster: ClusterName,
  keepData: boolean,
): Promise<TargetPlan<AwsWork>> {
  const found = await search(session, cluster);
  const stack = found.some(({ thing }) => thing === "stack");
  const changes: Change[] = [];
  const steps: Step<AwsWork>[] = [];
  for (const one of found) {
    if (keepData && one.data) continue;
    const id = `${one.kind}:${one.id}`;
    changes.push({
      id,
      action: "delete",
      kind: one.kind,
      name: one.id,
      reason: reasonOf(one, stack),
      nodes: { restarted: [], replaced: [] },
    });
    if (one.thing === undefined || !isApart(one, stack)) continue;
    steps.push({
      carries: [id],
      kind: "work",
      title: "remove",
      subject: one.id,
      wave: order.indexOf(one.thing),
      work: { kind: "delete", cluster, thing: one.thing, id: one.id },
    });
  }
  return { changes, steps, storeWave: order.indexOf("bucket") };
}

/** What is not the stack's, or what the stack keeps when it goes. */
function isApart({ thing }: Found, stack: boolean): boolean {
  return !stack || thing === "stack" || thing === "volume" || thing === "snapshot" || thing === "bucket";
}

function reasonOf({ thing, data }: Found, stack: boolean): string {
  if (data) return "the cluster's data";
  if (thing === "stack") return "cleanup";
  return stack ? "goes with the stack" : "left by a stack that is gone";
}
