import type { Place } from "../place.ts";
import { listAt, textAt } from "../xml.ts";
import { collect, durationOf } from "./signals.ts";
import type { Resource, Stack } from "./stack.ts";
import type { Json, Section } from "./template.ts";

/**
 * Replaces a group's instances in batches when its launch template has changed (template reference, "UpdatePolicy attribute",
 * AutoScalingRollingUpdate); gives why not. Without the policy nothing is replaced.
 */
export async function roll(
  place: Place,
  stack: Stack,
  resource: Resource,
  policy: Json,
  before: Section,
  cut: AbortSignal,
  said: (reason: string) => void,
): Promise<string | undefined> {
  const rolling = (policy as { readonly AutoScalingRollingUpdate?: Section }).AutoScalingRollingUpdate;
  if (rolling === undefined || resource.type !== "AWS::AutoScaling::AutoScalingGroup") return undefined;
  const changed = ["LaunchTemplate", "MixedInstancesPolicy", "VPCZoneIdentifier"].some(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(resource.properties[name]),
  );
  if (!changed) return undefined;
  const name = resource.physical;
  const suspended = Array.isArray(rolling["SuspendProcesses"]) ? rolling["SuspendProcesses"].map(String) : [];
  const size = Number(rolling["MaxBatchSize"] ?? 1);
  const timeout = durationOf(String(rolling["PauseTime"] ?? "PT0S"));
  const waits = String(rolling["WaitOnResourceSignals"]) === "true";
  const members = async (): Promise<readonly string[]> => {
    const answer = await place.ask("autoscaling", "DescribeAutoScalingGroups", { AutoScalingGroupNames: [name] });
    const [group] = listAt(answer, "DescribeAutoScalingGroupsResult", "AutoScalingGroups");
    return listAt(group, "Instances")
      .filter((one) => !textAt(one, "LifecycleState").startsWith("Terminat"))
      .map((one) => textAt(one, "InstanceId"));
  };
  const old = await members();
  if (old.length === 0) return undefined;
  if (suspended.length > 0)
    await place.ask("autoscaling", "SuspendProcesses", { AutoScalingGroupName: name, ScalingProcesses: suspended });
  said(`Rolling update initiated. Terminating ${old.length} obsolete instance(s) in batches of ${size}.`);
  try {
    for (let first = 0; first < old.length; first += size) {
      const batch = old.slice(first, first + size);
      said(`Terminating instance(s) [${batch.join(",")}]; replacing with ${batch.length} new instance(s).`);
      const known = new Set([...old, ...(stack.signals.get(resource.id)?.keys() ?? [])]);
      for (const id of batch)
        await place.ask("autoscaling", "TerminateInstanceInAutoScalingGroup", {
          InstanceId: id,
          ShouldDecrementDesiredCapacity: false,
        });
      if (!waits) {
        await place.clock.inner.sleep(timeout, cut);
        continue;
      }
      const missed = await collect(place, stack, resource.id, {
        count: batch.length,
        timeout,
        cut,
        said,
        from: (unique) => !known.has(unique),
      });
      if (missed !== undefined) return missed;
    }
  } finally {
    if (suspended.length > 0)
      await place.ask("autoscaling", "ResumeProcesses", { AutoScalingGroupName: name, ScalingProcesses: suspended });
  }
  return undefined;
}
