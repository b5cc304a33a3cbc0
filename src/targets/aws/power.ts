import type { ClusterName } from "../../cluster/cluster.ts";
import type { ObservedNode } from "../../plan/plan.ts";
import { isTrouble } from "./clients/caller.ts";
import type { AutoScalingGroup } from "./clients/auto-scaling.ts";
import type { Session } from "./clients/session.ts";
import { tagNames } from "../../records/tags.ts";
import { ec2Id } from "./observe.ts";

/** What Auto Scaling would do about an instance that stands still: replace it, or bring another. */
export const stilled = ["Launch", "Terminate", "HealthCheck", "ReplaceUnhealthy", "AZRebalance"] as const;
/** On a group: that its processes are suspended because its nodes are to stand still. */
const stillTag = "slipway.still";
/** Milliseconds for an instance to stop or start. */
const patience = 10 * 60_000;
const pace = 5_000;

/** EC2 says by and by that an instance has come to a state. */
async function until(session: Session, id: string, wanted: "running" | "stopped", signal: AbortSignal): Promise<void> {
  const ec2 = await session.ec2();
  const deadline = session.clock.now() + patience;
  for (;;) {
    const [found] = await ec2.instances([{ Name: "instance-id", Values: [id] }]);
    const state = found?.State?.Name;
    if (state === wanted) return;
    if (state === undefined || state === "terminated" || state === "shutting-down")
      throw new Error(`the instance ${id} is gone`);
    if (session.clock.now() > deadline) throw new Error(`the instance ${id} is still ${state}`);
    await session.clock.sleep(pace, signal);
    signal.throwIfAborted();
  }
}

export async function stopInstance(session: Session, id: string, signal: AbortSignal): Promise<void> {
  await (await session.ec2()).stop([id]);
  await until(session, id, "stopped", signal);
}

export async function startInstance(session: Session, id: string, signal: AbortSignal): Promise<void> {
  const ec2 = await session.ec2();
  try {
    await ec2.start([id]);
  } catch (error) {
    // It is still stopping.
    if (!isTrouble(error, "conflict")) throw error;
    await until(session, id, "stopped", signal);
    await ec2.start([id]);
  }
  await until(session, id, "running", signal);
}

/** Before nodes stop: their groups are told to leave them alone, and marked so that anyone sees why. */
export async function holdStill(session: Session, cluster: ClusterName, nodes: readonly ObservedNode[]): Promise<void> {
  const autoScaling = await session.autoScaling();
  for (const group of await groupsWith(session, cluster, nodes)) {
    const name = group.AutoScalingGroupName ?? "";
    if (!isStill(group)) await autoScaling.suspend(name, stilled);
    await autoScaling.tag(name, stillTag, "yes");
  }
}

/** After nodes were ready again: where none of a group stands still any more, Auto Scaling minds it again. */
export async function letGo(
  session: Session,
  cluster: ClusterName,
  nodes: readonly ObservedNode[],
  still: ReadonlySet<string>,
): Promise<void> {
  const autoScaling = await session.autoScaling();
  for (const group of await groupsWith(session, cluster, nodes)) {
    const ids = (group.Instances ?? []).flatMap(({ InstanceId }) => InstanceId ?? []);
    if (!isStill(group) || ids.some((id) => still.has(id))) continue;
    // What it thought of them while they stood still would have them replaced.
    for (const id of (group.Instances ?? []).filter(({ HealthStatus }) => HealthStatus !== "Healthy"))
      await autoScaling.healthy(id.InstanceId ?? "");
    await mind(session, group.AutoScalingGroupName ?? "");
  }
}

/** A group that was told to leave its instances alone, and has none any more, would bring none. */
export async function mindEmptied(session: Session, cluster: ClusterName): Promise<void> {
  const autoScaling = await session.autoScaling();
  for (const group of await autoScaling.groups(tagNames.cluster, cluster))
    if (waitsEmpty(group)) await mind(session, group.AutoScalingGroupName ?? "");
}

/** Auto Scaling minds a group again. */
export async function mind(session: Session, group: string): Promise<void> {
  const autoScaling = await session.autoScaling();
  await autoScaling.resume(group, stilled);
  await autoScaling.tag(group, stillTag, "no");
}

/** Whether a group's processes are suspended though it has no instance to leave alone. */
export function waitsEmpty(group: AutoScalingGroup): boolean {
  return isStill(group) && (group.Instances ?? []).length === 0;
}

function isStill({ SuspendedProcesses = [] }: AutoScalingGroup): boolean {
  return stilled.every((one) => SuspendedProcesses.some(({ ProcessName }) => ProcessName === one));
}

async function groupsWith(
  session: Session,
  cluster: ClusterName,
  nodes: readonly ObservedNode[],
): Promise<readonly AutoScalingGroup[]> {
  const ids = new Set(nodes.map(ec2Id));
  const groups = await (await session.autoScaling()).groups(tagNames.cluster, cluster);
  return groups.filter(({ Instances = [] }) => Instances.some(({ InstanceId }) => ids.has(InstanceId ?? "")));
}
