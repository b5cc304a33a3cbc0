import type { ClusterName } from "../../cluster/cluster.ts";
import type { Leftover } from "../target.ts";
import { bucketTags } from "./bucket/make.ts";
import { isTrouble } from "./clients/caller.ts";
import type { Session } from "./clients/session.ts";
import { tagNames } from "../../records/tags.ts";
import { diskMonth } from "./prices.ts";
import { isThere, ownBuckets, ownStackOf, placeOf } from "./look.ts";
import type { Thing } from "./work.ts";

/** Something of a cluster, and what would take it away; `stack`: the stack's, which goes with it. */
export type Found = {
  readonly kind: string;
  readonly id: string;
  readonly thing: Thing | undefined;
  readonly data: boolean;
  readonly blocker?: string;
};

/** Kinds of EC2's that are removed one by one where the stack has left them; the rest belongs to a network. */
const things: Readonly<Record<string, Thing>> = {
  "elastic-ip": "address",
  instance: "instance",
  "network-interface": "interface",
  "security-group": "security-group",
  snapshot: "snapshot",
  volume: "volume",
};
const data = new Set<Thing>(["snapshot", "volume", "bucket"]);

/**
 * All that bears the cluster's tag, in every service that Slipway or its clusters use: by EC2's own list of tags, by Auto
 * Scaling, by IAM's path, by the log group's and the bucket's names, and by the tagging service. What is gone and only
 * remembered is left out.
 */
export async function search(session: Session, cluster: ClusterName): Promise<readonly Found[]> {
  const stack = await ownStackOf(session, cluster);
  const place = await placeOf(session, cluster, stack);
  const [ec2, autoScaling, iam, logs] = await Promise.all([
    session.ec2(),
    session.autoScaling(),
    session.iam(),
    session.logs(),
  ]);
  const [tags, groups, roles, log, bucket, listed] = await Promise.all([
    ec2.tags(tagNames.cluster, cluster),
    autoScaling.groups(tagNames.cluster, cluster),
    iam.roles(`/slipway/${cluster}/`),
    logs.there(`/slipway/${cluster}`),
    bucketThere(),
    (async () => (await session.tagging()).resources(tagNames.cluster, cluster))(),
  ]);
  const own = tags.map(({ ResourceId = "", ResourceType = "" }) => ({ id: ResourceId, kind: String(ResourceType) }));
  // A list of tags may be older than the things: each kind that is in it is asked for once.
  const there = new Map(
    await Promise.all(
      [...new Set(own.map(({ kind }) => kind))].map(
        async (kind) => [kind, await ec2.idsOfKind(kind, tagNames.cluster, cluster)] as const,
      ),
    ),
  );
  const found: Found[] = [
    ...(stack === undefined ? [] : [one("stack", cluster, "stack", stack.StackStatus)]),
    ...own
      .filter(({ id, kind }) => there.get(kind)?.has(id) !== false)
      .map(({ id, kind }) => one(kind, id, Object.hasOwn(things, kind) ? things[kind] : undefined)),
    ...groups.map(({ AutoScalingGroupName = "", Status }) =>
      one("autoscaling-group", AutoScalingGroupName, undefined, Status),
    ),
    ...roles.map((name) => one("role", name, undefined)),
    ...(log ? [one("log-group", `/slipway/${cluster}`, "log-group")] : []),
    ...(bucket ? [one("bucket", place.bucket, "bucket")] : []),
    ...(await ownBuckets(place, cluster, listed)).map((name) => one("bucket", name, "bucket")),
  ];
  // What the services themselves were asked for is known better than the tagging service knows it: it forgets slowly.
  const asked = /^arn:[^:]*:(?:ec2|autoscaling|cloudformation|logs|s3|iam):/;
  return [...found, ...listed.filter((arn) => !asked.test(arn)).map((arn) => one("resource", arn, undefined))];

  async function bucketThere(): Promise<boolean> {
    const there = await isThere(place, cluster);
    // One whose making was interrupted before it was tagged is known by its name, and empty.
    return there || (await bucketTags(place))?.size === 0;
  }
}

function one(kind: string, id: string, thing: Thing | undefined, state?: string): Found {
  const blocker = state === undefined ? {} : { blocker: `it is ${state}` };
  return { kind, id, thing, data: thing !== undefined && data.has(thing), ...blocker };
}

/** What each of the cluster's disks costs a month, by list prices. */
async function monthsOf(session: Session, cluster: ClusterName): Promise<ReadonlyMap<string, number>> {
  const volumes = await (await session.ec2()).volumes([{ Name: `tag:${tagNames.cluster}`, Values: [cluster] }]);
  return new Map(
    volumes.map(({ VolumeId = "", VolumeType = "gp3", Size = 0 }) => [
      VolumeId,
      Math.round(diskMonth(VolumeType, Size) * 100) / 100,
    ]),
  );
}

/** The proof of zero. A search that is not allowed is something that nobody knows: it is in the list. */
export async function leftoversOf(session: Session, cluster: ClusterName): Promise<readonly Leftover[]> {
  try {
    const found = await search(session, cluster);
    const months = found.some(({ thing }) => thing === "volume")
      ? await monthsOf(session, cluster)
      : new Map<string, number>();
    return found.map(({ kind, id, data: kept, blocker }) => ({
      kind,
      name: id,
      ...(months.has(id) ? { monthly: months.get(id) ?? 0 } : {}),
      ...(kept ? { data: true as const } : {}),
      ...(blocker === undefined ? {} : { blocker }),
    }));
  } catch (error) {
    if (!isTrouble(error, "forbidden")) throw error;
    return [{ kind: "search", name: error.action, blocker: error.message }];
  }
}
