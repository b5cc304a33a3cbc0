import type { Cluster, ClusterName } from "../../cluster/cluster.ts";
import { listRecords, readRecord } from "../../records/access.ts";
import { objectKey, recordKey } from "../../records/objects.ts";
import type { RecordValue } from "../../records/table.ts";
import { s3Store } from "../../store/s3.ts";
import { StoreError, type ClusterStore } from "../../store/store.ts";
import { bucketTags, isOwn } from "./bucket/make.ts";
import { bucketName } from "./bucket/name.ts";
import type { Place } from "./bucket/requests.ts";
import { unlessGone } from "./clients/caller.ts";
import type { Stack } from "./clients/cloudformation.ts";
import type { Instance } from "./clients/ec2.ts";
import type { Session } from "./clients/session.ts";
import { tagNames } from "../../records/tags.ts";
import { launching } from "./graph/names.ts";
import { storeParameter } from "./graph/store.ts";
import { tagOf } from "./tags.ts";

/** What AWS and the store said of a cluster at one moment. */
export type Look = {
  readonly cluster: ClusterName;
  /** Undefined: there is none, nor one that is being deleted. */
  readonly stack: Stack | undefined;
  /** The store's bucket, where it is there. */
  readonly place: Place | undefined;
  /** All that are not gone yet. */
  readonly instances: readonly Instance[];
  readonly roster: readonly RecordValue<"roster">[];
  readonly pointer: RecordValue<"pointer"> | undefined;
  readonly services: RecordValue<"servicesRevision"> | undefined;
  /** Whether the store answered; else there is nothing of it here. */
  readonly read: boolean;
};

/** One stack by its name; undefined where there is none. */
export async function stackOf(session: Session, name: string): Promise<Stack | undefined> {
  const cloudFormation = await session.cloudFormation();
  const [stack] = (await unlessGone(cloudFormation.stacks(name))) ?? [];
  return stack?.StackStatus === "DELETE_COMPLETE" ? undefined : stack;
}

/** The cluster's stack; one of that name which is not the cluster's is nobody's to touch. */
export async function ownStackOf(session: Session, cluster: ClusterName): Promise<Stack | undefined> {
  const stack = await stackOf(session, cluster);
  const whose = tagOf(stack, tagNames.cluster);
  if (stack === undefined || whose === cluster) return stack;
  // A stack bears its tags only when its first change set is executed; until then it is known by that.
  if (stack.StackStatus === "REVIEW_IN_PROGRESS") {
    const sets = await (await session.cloudFormation()).changeSets(cluster);
    if (sets.every((name) => name === launching)) return stack;
  }
  throw Object.assign(
    new Error(`there is a stack ${cluster} that Slipway has not made: it does not bear the tag ${tagNames.cluster}`),
    { next: "give the cluster another name" },
  );
}

export function parameterOf(stack: Stack | undefined, name: string): string | undefined {
  return stack?.Parameters?.find(({ ParameterKey }) => ParameterKey === name)?.ParameterValue;
}

export function outputOf(stack: Stack | undefined, name: string): string | undefined {
  return stack?.Outputs?.find(({ OutputKey }) => OutputKey === name)?.OutputValue;
}

/** The account that a stack is in, from its ARN. */
function accountOf(stack: Stack): string | undefined {
  return stack.StackId?.split(":")[4];
}

/** Where the cluster's store is, or would be; the stack knows it, else its name follows from the account. */
export async function placeOf(session: Session, cluster: ClusterName, stack: Stack | undefined): Promise<Place> {
  const named = parameterOf(stack, storeParameter.name) || outputOf(stack, "StoreName");
  const owner = (stack === undefined ? undefined : accountOf(stack)) ?? (await session.identity()).account;
  const bucket = named ?? session.buckets.get(cluster) ?? bucketName(cluster, owner, await session.region());
  return { session, bucket, owner };
}

/**
 * Where the store of a cluster is that has no stack; undefined: nowhere. A bucket that a file has named is found by its tag
 * where no file is at hand.
 */
export async function foundPlace(session: Session, cluster: ClusterName): Promise<Place | undefined> {
  const place = await placeOf(session, cluster, undefined);
  if (await isThere(place, cluster)) return place;
  const [other] = await taggedBuckets(place, cluster);
  if (other !== undefined) session.buckets.set(cluster, other);
  return other === undefined ? undefined : { ...place, bucket: other };
}

/** Where a cluster's store is or will be. A store does not move: a file that names another bucket is refused. */
export async function storePlace(
  session: Session,
  { name, aws }: Cluster,
  stack: Stack | undefined,
  seen?: Place,
): Promise<Place> {
  if (aws.bucket !== undefined && !session.buckets.has(name)) session.buckets.set(name, aws.bucket);
  const known = stack === undefined || stack.StackStatus === "REVIEW_IN_PROGRESS" ? undefined : stack;
  const place =
    seen ??
    // What an observation of this run has searched for is known.
    (known === undefined && !session.searched.has(name) ? await foundPlace(session, name) : undefined) ??
    (await placeOf(session, name, known));
  if (aws.bucket === undefined || aws.bucket === place.bucket) return place;
  throw Object.assign(
    new Error(
      `the store of ${name} is in the bucket ${place.bucket}, and the file names ${aws.bucket}: a store does not move`,
    ),
    { next: `aws: { bucket: ${place.bucket} } in the file` },
  );
}

const bucketArn = /^arn:[^:]*:s3:::([^/]+)$/;

/** Other buckets that bear the cluster's tag; asked once in a run. */
async function taggedBuckets(place: Place, cluster: ClusterName): Promise<readonly string[]> {
  const { searched } = place.session;
  if (searched.has(cluster)) return [];
  searched.add(cluster);
  const listed = await (await place.session.tagging()).resources(tagNames.cluster, cluster);
  return ownBuckets(place, cluster, listed);
}

/** Those of the listed things that are the cluster's buckets and are there, beside the one at hand. */
export async function ownBuckets(
  place: Place,
  cluster: ClusterName,
  arns: readonly string[],
): Promise<readonly string[]> {
  const names = arns.flatMap((arn) => bucketArn.exec(arn)?.[1] ?? []).filter((name) => name !== place.bucket);
  const found = await Promise.all(
    names.toSorted().map(async (bucket) => ((await isThere({ ...place, bucket }, cluster)) ? [bucket] : [])),
  );
  return found.flat();
}

/** The cluster's records in its bucket. */
export async function storeAt({ session, bucket, owner }: Place): Promise<ClusterStore> {
  return s3Store({
    url: await session.bucketUrl(bucket),
    owner,
    request: await session.requester(),
    random: session.random,
    names: { object: objectKey, key: recordKey },
  });
}

export async function isThere(place: Place, cluster: ClusterName): Promise<boolean> {
  const tags = await bucketTags(place);
  return tags !== undefined && isOwn(tags, place, cluster);
}

/** Instances of a cluster that are not gone. Throws when a page is missing. */
export async function instancesOf(session: Session, cluster: ClusterName): Promise<readonly Instance[]> {
  const ec2 = await session.ec2();
  return ec2.instances([
    { Name: `tag:${tagNames.cluster}`, Values: [cluster] },
    { Name: "instance-state-name", Values: ["pending", "running", "stopping", "stopped"] },
  ]);
}

/** Looks at everything that tells how a cluster is: two calls where there is a stack, and the store's own. */
export async function lookAt(session: Session, cluster: ClusterName): Promise<Look> {
  const stack = await ownStackOf(session, cluster);
  if (stack === undefined)
    return {
      cluster,
      stack,
      place: await foundPlace(session, cluster),
      instances: [],
      ...nothing,
    };
  const place = await placeOf(session, cluster, stack);
  const [instances, records] = await Promise.all([instancesOf(session, cluster), recordsAt(place)]);
  return { cluster, stack, place, instances, ...records };
}

const nothing = { roster: [], pointer: undefined, services: undefined, read: false } as const;

async function recordsAt(place: Place): Promise<Pick<Look, keyof typeof nothing>> {
  const store = await storeAt(place);
  try {
    const [roster, pointer] = await Promise.all([listRecords(store, "roster"), readRecord(store, "pointer")]);
    const services =
      pointer === undefined
        ? undefined
        : await readRecord(store, "servicesRevision", { revision: pointer.value.revision });
    return { roster: roster.map(({ value }) => value), pointer: pointer?.value, services: services?.value, read: true };
  } catch (error) {
    // What EC2 says is shown all the same; who goes on to the records hears why they cannot be read.
    if (error instanceof StoreError) return nothing;
    throw error;
  }
}
