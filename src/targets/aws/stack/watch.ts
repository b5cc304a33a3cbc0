import type { ClusterName } from "../../../cluster/cluster.ts";
import type { Path } from "../../../problems/problem.ts";
import type { ClusterStore } from "../../../store/store.ts";
import type { Run } from "../../target.ts";
import { AwsFailure, isTrouble } from "../clients/caller.ts";
import type { Stack, StackEvent } from "../clients/cloudformation.ts";
import type { Instance } from "../clients/ec2.ts";
import type { Session } from "../clients/session.ts";
import { arrivals, groupOf } from "./arrivals.ts";
import { isOfStack, rootFailures, type EventReader } from "./events.ts";
import { shortages } from "./shortages.ts";
import { stackState } from "./states.ts";

/** What a watched stack came to. */
export type Watched = {
  readonly stack: Stack | undefined;
  /** Why it failed, a line for each cause: what CloudFormation says, and what nodes say. Empty: it did not. */
  readonly causes: readonly string[];
};

/** Nodes' records are read so often, and CloudFormation is asked by and by less often: its calls are counted. Milliseconds. */
const pace = { records: 5_000, events: 10_000, growth: 1.25, longest: 20_000 };
/** CloudFormation ends by itself long before. */
const patience = 2 * 3_600_000;

/**
 * Follows a stack until CloudFormation has ended with it, for better or worse: events of its resources, phases of its nodes,
 * and a console where a node stays silent. The stack goes on when the watcher does not.
 */
export async function watchStack(given: {
  readonly session: Session;
  readonly cluster: ClusterName;
  readonly stack: string;
  readonly events: EventReader;
  readonly store: ClusterStore | undefined;
  readonly run: Run;
  /** The stack's resource that waits for an autoscaling group's instances, and how many they are to be, by the group's name. */
  readonly groups: Readonly<Record<string, { readonly resource: string; readonly count: number }>>;
  /** The field of the file that asked for a resource, by its id. */
  readonly origins: Readonly<Record<string, Path>>;
  readonly total: number;
  /** Whether the stack's state is news: right after a request the old one may still be seen. */
  readonly isNew: (stack: Stack | undefined) => boolean;
}): Promise<Watched> {
  const { session, stack, run, events, store, groups, origins } = given;
  const { clock } = session;
  const cloudFormation = await session.cloudFormation();
  const nodes =
    store === undefined ? undefined : arrivals({ session, cluster: given.cluster, store, run, lost: giveUp });
  const short = shortages(session, run);
  const deadline = clock.now() + patience;
  const all: StackEvent[] = [];
  const done = new Set<string>();
  let gap: number = pace.events;
  let askAt = clock.now();
  let machines = false;
  for (;;) {
    run.signal.throwIfAborted();
    if (clock.now() >= askAt) {
      const fresh = await events.next();
      all.push(...fresh);
      machines ||= fresh.some(({ ResourceType }) => ResourceType === "AWS::AutoScaling::AutoScalingGroup");
      tell(fresh);
      const state = all.findLast(isOfStack)?.ResourceStatus;
      if (state !== undefined && stackState(state) !== "busy") {
        const [now] = await statusOf();
        if (stackState(now?.StackStatus) !== "busy" && given.isNew(now)) return { stack: now, causes: causesOf(now) };
      }
      gap = Math.min(pace.longest, gap * pace.growth);
      askAt = clock.now() + gap;
    }
    if (machines && nodes !== undefined) {
      await nodes.look();
      await short.look(nodes.seen(), begun());
    }
    if (clock.now() > deadline)
      throw new AwsFailure(
        "unreachable",
        "",
        "cloudformation:DescribeStackEvents",
        `the stack ${stack} has not come to an end for two hours`,
      );
    await clock.sleep(Math.min(pace.records, Math.max(0, askAt - clock.now())) || 1, run.signal);
  }

  /** How many instances the groups are to have at which CloudFormation has been: the others may not be there yet. */
  function begun(): Readonly<Record<string, number>> {
    const seen = new Set(all.map(({ LogicalResourceId }) => LogicalResourceId));
    return Object.fromEntries(
      Object.entries(groups).flatMap(([name, { resource, count }]) => (seen.has(resource) ? [[name, count]] : [])),
    );
  }

  async function statusOf(): Promise<readonly Stack[]> {
    try {
      return await cloudFormation.stacks(stack);
    } catch (error) {
      if (isTrouble(error, "gone")) return [];
      throw error;
    }
  }

  function tell(fresh: readonly StackEvent[]): void {
    for (const event of fresh) {
      const {
        LogicalResourceId = "",
        ResourceType = "",
        ResourceStatus = "",
        ResourceStatusReason: reason = "",
      } = event;
      if (isOfStack(event)) continue;
      if (ResourceStatus.endsWith("_COMPLETE")) done.add(LogicalResourceId);
      else done.delete(LogicalResourceId);
      if (!ResourceStatus.endsWith("_FAILED") || /cancell?ed/i.test(reason)) continue;
      const origin = origins[LogicalResourceId];
      run.emit("resource.failed", {
        resource: LogicalResourceId,
        kind: ResourceType,
        reason,
        ...(origin === undefined ? {} : { origin: origin.join(".") }),
      });
    }
    const state = all.findLast(isOfStack)?.ResourceStatus;
    if (fresh.length > 0 && state !== undefined)
      run.emit("stack.progress", { stack: given.cluster, state, done: done.size, total: given.total });
  }

  function causesOf(now: Stack | undefined): readonly string[] {
    const status = now?.StackStatus ?? "DELETE_COMPLETE";
    if (/^(?:CREATE|UPDATE|DELETE)_COMPLETE$/.test(status)) return [];
    const resources = rootFailures(all).map(({ LogicalResourceId: id = "", ResourceType, ResourceStatusReason }) => {
      const origin = origins[id];
      return `${id} (${ResourceType}${origin === undefined ? "" : `, ${origin.join(".")}`}): ${ResourceStatusReason ?? "CloudFormation gives no reason"}`;
    });
    const causes = [...(nodes?.failures.values() ?? []), ...short.causes.values(), ...resources];
    return causes.length === 0 ? [now?.StackStatusReason ?? `it ended in ${status}`] : causes;
  }

  /** A silent node is spoken for: nobody waits a quarter of an hour for it, and its console is kept. */
  async function giveUp(instance: Instance): Promise<void> {
    const resource = groups[groupOf(instance)]?.resource;
    if (resource === undefined || instance.InstanceId === undefined) return;
    try {
      await cloudFormation.signal({
        StackName: given.cluster,
        LogicalResourceId: resource,
        UniqueId: instance.InstanceId,
        Status: "FAILURE",
      });
    } catch (error) {
      // The stack does not wait for it any more: another one has failed before.
      if (!isTrouble(error, "invalid", "conflict", "gone")) throw error;
    }
  }
}
