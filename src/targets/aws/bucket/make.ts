import type { Cluster } from "../../../cluster/cluster.ts";
import { tagNames } from "../../../records/tags.ts";
import { isTrouble } from "../clients/caller.ts";
import { onlyByTls } from "../graph/store.ts";
import { askBucket, xmlOne, xmlParts, xmlText, type Place } from "./requests.ts";

/** Set when everything else about the bucket is as it is to be. */
const finished = "slipway.store";

/** A bucket's name is taken by somebody whose it is. */
class BucketError extends Error {
  readonly next: string;
  constructor(message: string, next: string) {
    super(message);
    this.name = "BucketError";
    this.next = next;
  }
}

/** The bucket's tags; undefined: there is no such bucket. */
export async function bucketTags(place: Place): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    const answer = await askBucket(
      place,
      { action: "s3:GetBucketTagging", method: "GET", path: "?tagging" },
      "NoSuchTagSet",
      "NoSuchBucket",
    );
    if (answer.status === 404) return (await untagged(place)) ? new Map() : undefined;
    return new Map(
      xmlParts(answer, "Tag").map((tag) => [xmlOne(tag, "Key") ?? "", xmlOne(tag, "Value") ?? ""] as const),
    );
  } catch (error) {
    if (!isTrouble(error, "forbidden")) throw error;
    throw new BucketError(
      `the bucket ${place.bucket} is there, and it is not this account's (${place.owner}), or you may not look at it: nothing was written to it`,
      "slipway policy FILE shows what a caller needs; if the bucket is somebody else's, aws: { bucket: another name }",
    );
  }

  // Both "no tags" and "no bucket" are 404; a list tells them apart.
  async function untagged(its: Place): Promise<boolean> {
    const answer = await askBucket(
      its,
      { action: "s3:ListBucket", method: "GET", path: "?list-type=2&max-keys=1" },
      "NoSuchBucket",
    );
    if (answer.status === 404) return false;
    if (xmlParts(answer, "Contents").length > 0)
      throw new BucketError(
        `the bucket ${its.bucket} is there, has objects, and does not bear a cluster's tag`,
        "tag it with slipway.cluster, or aws: { bucket: another name }",
      );
    return true;
  }
}

/** Whether the bucket is this cluster's; an error where it is another's. */
export function isOwn(tags: ReadonlyMap<string, string>, place: Place, cluster: string): boolean {
  const whose = tags.get(tagNames.cluster);
  if (whose === undefined) return false;
  if (whose === cluster) return true;
  throw new BucketError(`the bucket ${place.bucket} is that of the cluster ${whose}`, "aws: { bucket: another name }");
}

/**
 * The store's bucket: made first, tagged at once, and finished before anything is put into it: versioned, encrypted, private, by
 * TLS alone, objects the owner's. Idempotent; a bucket that is finished costs one call.
 */
export async function ensureBucket(place: Place, cluster: Cluster): Promise<void> {
  const there = await bucketTags(place);
  if (there !== undefined && isOwn(there, place, cluster.name) && there.get(finished) === "ready") return;
  // One without any tag is empty: it was made a moment before, or handed over by the file.
  if (there !== undefined && there.size > 0 && !isOwn(there, place, cluster.name))
    throw new BucketError(
      `the bucket ${place.bucket} is there, bears tags, and none that says it is this cluster's: nothing was written to it`,
      `tag it ${tagNames.cluster}=${cluster.name} where it is to be that, or aws: { bucket: another name }`,
    );
  const region = await place.session.region();
  if (there === undefined) {
    const where =
      region === "us-east-1"
        ? ""
        : `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`;
    await makeBucket(place, where);
  }
  await tag(place, cluster, false);
  const { kmsKey } = cluster.aws;
  const put = (action: string, subresource: string, body: string) =>
    askBucket(place, { action, method: "PUT", path: `?${subresource}`, body });
  await put("s3:PutBucketPublicAccessBlock", "publicAccessBlock", closed);
  await put(
    "s3:PutBucketVersioning",
    "versioning",
    "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
  );
  await put(
    "s3:PutEncryptionConfiguration",
    "encryption",
    `<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>${
      kmsKey === undefined
        ? "<SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault>"
        : `<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>${xmlText(kmsKey)}</KMSMasterKeyID></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true</BucketKeyEnabled>`
    }</Rule></ServerSideEncryptionConfiguration>`,
  );
  await put("s3:PutLifecycleConfiguration", "lifecycle", lifecycle);
  await askBucket(place, {
    action: "s3:PutBucketPolicy",
    method: "PUT",
    path: "?policy",
    body: transport(place.bucket, region),
    headers: { "content-type": "application/json" },
  });
  await tag(place, cluster, true);
}

async function makeBucket(place: Place, body: string): Promise<void> {
  try {
    await askBucket(
      place,
      {
        action: "s3:CreateBucket",
        method: "PUT",
        ...(body === "" ? {} : { body }),
        headers: { "x-amz-object-ownership": "BucketOwnerEnforced" },
      },
      "BucketAlreadyOwnedByYou",
    );
  } catch (error) {
    if (!isTrouble(error, "exists")) throw error;
    throw new BucketError(
      `the bucket ${place.bucket} is another account's: nothing was written to it`,
      "aws: { bucket: another name }",
    );
  }
}

const closed = `<PublicAccessBlockConfiguration>${["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"].map((name) => `<${name}>true</${name}>`).join("")}</PublicAccessBlockConfiguration>`;

/** As the template has it where the stack makes the bucket. */
const lifecycle =
  "<LifecycleConfiguration><Rule><ID>earlier-versions</ID><Status>Enabled</Status><Filter><Prefix></Prefix></Filter><NoncurrentVersionExpiration><NoncurrentDays>30</NoncurrentDays></NoncurrentVersionExpiration><AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule></LifecycleConfiguration>";

export function partitionOf(region: string): string {
  return region.startsWith("cn-") ? "aws-cn" : region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}

function transport(bucket: string, region: string): string {
  const arn = `arn:${partitionOf(region)}:s3:::${bucket}`;
  return JSON.stringify(onlyByTls(arn, `${arn}/*`));
}

async function tag(place: Place, cluster: Cluster, ready: boolean): Promise<void> {
  const tags = {
    ...cluster.aws.tags,
    Name: `${cluster.name}-store`,
    [tagNames.cluster]: cluster.name,
    ...(ready ? { [finished]: "ready" } : {}),
  };
  const set = Object.entries(tags)
    .map(([key, value]) => `<Tag><Key>${xmlText(key)}</Key><Value>${xmlText(value)}</Value></Tag>`)
    .join("");
  await askBucket(place, {
    action: "s3:PutBucketTagging",
    method: "PUT",
    path: "?tagging",
    body: `<Tagging><TagSet>${set}</TagSet></Tagging>`,
  });
}
