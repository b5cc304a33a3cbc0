import type { ClusterName } from "../../cluster/cluster.ts";
import type { ClusterStore } from "../../store/store.ts";
import type { Run } from "../target.ts";
import type { Programs } from "./bucket/programs.ts";
import { removeBucket } from "./bucket/remove.ts";
import { isTrouble, unlessGone } from "./clients/caller.ts";
import type { Instance } from "./clients/ec2.ts";
import type { Session } from "./clients/session.ts";
import { tagNames } from "../../records/tags.ts";
import { placeOf, stackOf, storeAt, ownStackOf } from "./look.ts";
import { mind, startInstance } from "./power.ts";
import { arrivals, groupOf, hasJoined, type Arrivals } from "./stack/arrivals.ts";
import { shortages, tellUneven, type Shortages } from "./stack/shortages.ts";
import { deleteStack, launchStack } from "./stack/launch.ts";
import { stackState } from "./stack/states.ts";
import { tagOf } from "./tags.ts";
import type { AwsWork, Thing } from "./work.ts";

/** Does one piece of work; done again it changes nothing. */
export async function applyWork(
  session: Session,
  work: AwsWork,
  programs: () => Promise<Programs>,
  run: Run,
): Promise<void> {
  switch (work.kind) {
    case "stack":
      return launchStack(session, work, programs, run);
    case "protect": {
      await (await session.cloudFormation()).protect(work.cluster, true);
      return;
    }
    case "arrive":
      return arrive(session, work, run);
    case "replace":
      return replace(session, work, run);
    case "start":
      return startInstance(session, work.instance, run.signal);
    case "resize": {
      if (work.resume) await mind(session, work.group);
      await (await session.autoScaling()).resize(work.group, work.size);
      return;
    }
    case "shrink":
      return shrink(session, work, run);
    case "delete":
      return remove(session, work, run);
  }
}

/** Instances come within minutes, or never. Milliseconds. */
const arrivalPatience = 20 * 60_000;
/** Looks are frequent while something is about to happen, and rarer when it has not for long. Milliseconds. */
const pace = { first: 5_000, growth: 1.15, longest: 20_000 };
const next = (pause: number): number => Math.min(pace.longest, pause * pace.growth);

/** Waits until every group has its instances, and control nodes have put each into the roster. */
async function arrive(
  session: Session,
  { cluster, bucket, owner, groups, zones }: Extract<AwsWork, { readonly kind: "arrive" }>,
  run: Run,
): Promise<void> {
  const store = await storeAt({ session, bucket, owner });
  const instances = await untilNobodyIsMissing(session, { cluster, store, run, groups }, (joined) =>
    Object.entries(groups).flatMap(([name, count]) => {
      const there = joined.filter((instance) => groupOf(instance) === name).length;
      return there < count ? [`${name} has ${there} of ${count} nodes`] : [];
    }),
  );
  await tellUneven(session, run, instances, zones);
}

/** The instance goes, its group brings another, and that one has joined. */
async function replace(
  session: Session,
  { cluster, instance, node, group }: Extract<AwsWork, { readonly kind: "replace" }>,
  run: Run,
): Promise<void> {
  const autoScaling = await session.autoScaling();
  await unlessGone(autoScaling.terminate(instance, false));
  const store = await storeAt(await placeOf(session, cluster, await stackOf(session, cluster)));
  await untilNobodyIsMissing(session, { cluster, store, run, groups: { [group]: 1 } }, (joined) =>
    joined.some((one) => one.InstanceId !== instance && tagOf(one, tagNames.node) === node)
      ? []
      : [`no instance has taken ${node}'s place`],
  );
}

/**
 * Looks at instances as they become nodes until `missing` names nobody, by those that have joined; gives all that are there.
 * One that will not become a node ends it, as time does: an error with a line for each that is missing and each that has
 * failed, and why `groups` have fewer instances than they are to have.
 */
async function untilNobodyIsMissing(
  session: Session,
  given: {
    readonly cluster: ClusterName;
    readonly store: ClusterStore;
    readonly run: Run;
    readonly groups: Readonly<Record<string, number>>;
  },
  missing: (joined: readonly Instance[]) => readonly string[],
): Promise<readonly Instance[]> {
  const { clock } = session;
  const { cluster, run, groups } = given;
  const here = arrivals({ session, ...given });
  const short = shortages(session, run);
  const deadline = clock.now() + arrivalPatience;
  for (let pause = pace.first, first = true; ; pause = next(pause), first = false) {
    run.signal.throwIfAborted();
    const instances = await here.instances(first);
    await here.look();
    await short.look(here.seen(), groups);
    const roster = await here.roster();
    const lines = missing(instances.filter((instance) => hasJoined(roster, here.records, instance)));
    if (lines.length === 0) return instances;
    if (clock.now() > deadline || here.failures.size > 0)
      throw Object.assign(new Error([...lines, ...reasons(here, short)].join("\n")), {
        next: `slipway status ${cluster}`,
      });
    await clock.sleep(pause, run.signal);
  }
}

/** What nodes and Auto Scaling say of it, a line for each. */
function reasons({ failures }: Arrivals, { causes }: Shortages): readonly string[] {
  return [...failures.values(), ...causes.values()].map((line) => `  ${line}`);
}

/** A node goes for good: its group is one smaller, whichever it is. */
async function shrink(session: Session, work: Extract<AwsWork, { readonly kind: "shrink" }>, run: Run): Promise<void> {
  const autoScaling = await session.autoScaling();
  const id = work.instance;
  const groups = await autoScaling.groups(tagNames.cluster, work.cluster);
  const group = groups.find(({ Instances = [] }) => Instances.some(({ InstanceId }) => InstanceId === id));
  if (group?.AutoScalingGroupName === undefined) return gone();
  const less = Math.max(0, (group.DesiredCapacity ?? 1) - 1);
  if ((group.MinSize ?? 0) > less) await autoScaling.resize(group.AutoScalingGroupName, { MinSize: less });
  try {
    await autoScaling.terminate(id, true);
  } catch (error) {
    // It goes already, and the group is smaller: by the answer that was lost.
    if (!isTrouble(error, "unreachable", "invalid", "gone")) throw error;
    const [now] = (await autoScaling.groups(tagNames.cluster, work.cluster)).filter(
      ({ AutoScalingGroupName }) => AutoScalingGroupName === group.AutoScalingGroupName,
    );
    if ((now?.DesiredCapacity ?? 0) > less) throw error;
  }
  return gone();

  async function gone(): Promise<void> {
    const ec2 = await session.ec2();
    const deadline = session.clock.now() + arrivalPatience;
    for (;;) {
      const [found] = await ec2.instances([{ Name: "instance-id", Values: [id] }]);
      const state = found?.State?.Name ?? "terminated";
      if (state === "terminated") return;
      if (session.clock.now() > deadline) throw new Error(`${id} is still ${state}`);
      await session.clock.sleep(2 * pace.first, run.signal);
      run.signal.throwIfAborted();
    }
  }
}

/** How often a thing that something else still holds is tried again, and how long in all. Milliseconds. */
const dependency = { pace: 15_000, patience: 12 * 60_000 };

async function remove(
  session: Session,
  { cluster, thing, id }: Extract<AwsWork, { readonly kind: "delete" }>,
  run: Run,
): Promise<void> {
  if (thing === "stack") return removeStack(session, cluster, run);
  if (thing === "bucket") {
    const stack = await stackOf(session, cluster);
    if (stackState(stack?.StackStatus) !== "none")
      throw new Error("the stack is still there, and its nodes need their store");
    const place = await placeOf(session, cluster, undefined);
    return removeBucket({ ...place, bucket: id }, cluster, run.signal);
  }
  for (let waited = 0; ; waited += dependency.pace) {
    try {
      await unlessGone(removeOne(session, thing, id));
      return;
    } catch (error) {
      if (!isTrouble(error, "conflict") || waited >= dependency.patience) throw error;
    }
    await session.clock.sleep(dependency.pace, run.signal);
    run.signal.throwIfAborted();
  }
}

async function removeOne(session: Session, thing: Exclude<Thing, "stack" | "bucket">, id: string): Promise<unknown> {
  switch (thing) {
    case "address":
      return (await session.ec2()).releaseAddress(id);
    case "instance":
      return (await session.ec2()).terminate([id]);
    case "interface":
      return (await session.ec2()).deleteInterface(id);
    case "log-group":
      return (await session.logs()).remove(id);
    case "security-group":
      return (await session.ec2()).deleteSecurityGroup(id);
    case "snapshot":
      return (await session.ec2()).deleteSnapshot(id);
    case "volume":
      return (await session.ec2()).deleteVolume(id);
  }
}

/** A stack may fail to go because of what is not its own; that is named, and where it is the cluster's it was removed before. */
async function removeStack(session: Session, cluster: ClusterName, run: Run): Promise<void> {
  const mostAttempts = 3;
  let causes: readonly string[] = [];
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const stack = await ownStackOf(session, cluster);
    if (stack === undefined) return;
    const left = await deleteStack(session, cluster, stack, run);
    if (left === undefined) return;
    causes = left.causes;
    await clearWay(session, cluster, run);
  }
  throw Object.assign(new Error(`the stack ${cluster} does not go: ${causes.join("; ")}`), {
    next: `slipway cleanup ${cluster}`,
  });
}

/** Interfaces that nobody uses any more, and that somebody made for the cluster, are in the way of its network. */
async function clearWay(session: Session, cluster: ClusterName, run: Run): Promise<void> {
  const ec2 = await session.ec2();
  const interfaces = await ec2.interfaces([
    { Name: `tag:${tagNames.cluster}`, Values: [cluster] },
    { Name: "status", Values: ["available"] },
  ]);
  for (const { NetworkInterfaceId: id = "" } of interfaces)
    await remove(session, { kind: "delete", cluster, thing: "interface", id }, run);
}
