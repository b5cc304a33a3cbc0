import type { StandIn } from "../stand-in/stand-in.ts";
import { world } from "./operator.ts";

/** What an operator sees of the cluster, without the ids that differ from world to world. */
export async function picture(standIn: StandIn): Promise<readonly string[]> {
  const counts = new Map<string, number>();
  for (const line of await world(standIn)) {
    const [kind = "", name = ""] = line.split(" ");
    const key = /^(?:stack|autoscaling-group|bucket|log-group)$/.test(kind) ? `${kind} ${name}` : kind;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const instances = [...standIn.place().ec2.instances.all.values()].filter(({ state }) => state === "running");
  return [
    ...[...counts].map(([kind, count]) => `${count} ${kind}`),
    ...instances.map(({ tags }) => `running in ${tags["slipway.group"] ?? "?"}`),
  ].toSorted();
}
