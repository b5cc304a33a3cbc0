/** What S3's operations are called in IAM, where the names differ (service authorization reference, "Amazon S3"). */
const s3Names: Readonly<Record<string, readonly string[]>> = {
  CopyObject: ["GetObject", "PutObject"],
  DeleteObjects: ["DeleteObject"],
  GetBucketEncryption: ["GetEncryptionConfiguration"],
  GetBucketLifecycleConfiguration: ["GetLifecycleConfiguration"],
  GetPublicAccessBlock: ["GetBucketPublicAccessBlock"],
  HeadBucket: ["ListBucket"],
  HeadObject: ["GetObject"],
  ListObjectVersions: ["ListBucketVersions"],
  ListObjects: ["ListBucket"],
  ListObjectsV2: ["ListBucket"],
  PutBucketEncryption: ["PutEncryptionConfiguration"],
  PutBucketLifecycleConfiguration: ["PutLifecycleConfiguration"],
  PutPublicAccessBlock: ["PutBucketPublicAccessBlock"],
  CreateMultipartUpload: ["PutObject"],
  UploadPart: ["PutObject"],
  CompleteMultipartUpload: ["PutObject"],
};

/** The rights that a call needs, as policies name them; `tagged`: it gives tags, which is a right of its own in some services. */
export function iamActions({
  service,
  action,
  tagged = false,
}: {
  readonly service: string;
  readonly action: string;
  readonly tagged?: boolean;
}): readonly string[] {
  const names = service === "s3" ? (s3Names[action] ?? [action]) : [action];
  const tag = tagged ? { ec2: "CreateTags", iam: "TagRole", logs: "TagResource" }[service] : undefined;
  const all = tag === undefined ? names : [...names, tag];
  return all.map((name) => `${service}:${name}`);
}
