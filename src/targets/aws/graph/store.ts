import type { Cluster } from "../../../cluster/cluster.ts";
import type { Origin } from "../../../machine/machine.ts";
import { clusterTags } from "./names.ts";
import type { Condition, Parameter, Resource } from "./resource.ts";
import { attributeOf, idOf, parameter, textOf, type Value } from "./value.ts";

const origin: Origin = { kind: "component", component: "store" };
const made = "StoreIsMade";

/** A launch makes the bucket before the stack, which holds the lock and the journal, and names it; published, the stack makes its own. */
export const storeParameter: Parameter = {
  name: "StoreBucket",
  type: "String",
  description: "The bucket of the cluster's store; the stack makes one when this is empty",
  default: "",
  pattern: "^$|^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
};
export const storeCondition: Condition = { name: made, empty: storeParameter.name };

/** The name of the store's bucket. */
export const storeBucket: Value = {
  $: "if",
  condition: made,
  held: idOf("Store"),
  otherwise: parameter(storeParameter.name),
};

/** ARN of what lies in the store under a key, which may have IAM's wildcards and variables in it. */
export function storeArn(key: string): Value {
  return textOf("arn:", { $: "pseudo", name: "Partition" }, ":s3:::", storeBucket, key === "" ? "" : `/${key}`);
}

/** ARN of the key that encrypts the store, where the file names one. */
export function storeResources(cluster: Cluster): readonly Resource[] {
  const { kmsKey } = cluster.aws;
  const encryption =
    kmsKey === undefined
      ? { ServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" } }
      : { ServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms", KMSMasterKeyID: kmsKey }, BucketKeyEnabled: true };
  return [
    {
      id: "Store",
      type: "AWS::S3::Bucket",
      layer: "store",
      condition: made,
      // It holds the cluster's root and what nodes have said: it outlives a stack that fails, and who wants it gone empties it.
      lasting: { deleted: "keep", replaced: "keep" },
      properties: {
        BucketEncryption: { ServerSideEncryptionConfiguration: [encryption] },
        LifecycleConfiguration: {
          Rules: [
            {
              Id: "earlier-versions",
              Status: "Enabled",
              NoncurrentVersionExpiration: { NoncurrentDays: 30 },
              AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
            },
          ],
        },
        OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] },
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        VersioningConfiguration: { Status: "Enabled" },
      },
      tags: clusterTags(cluster, `${cluster.name}-store`),
      origin,
    },
    {
      id: "StoreTransport",
      type: "AWS::S3::BucketPolicy",
      layer: "store",
      condition: made,
      properties: {
        Bucket: idOf("Store"),
        PolicyDocument: onlyByTls(attributeOf("Store", "Arn"), textOf(attributeOf("Store", "Arn"), "/*")),
      },
      tags: {},
      origin,
    },
    {
      id: "Logs",
      type: "AWS::Logs::LogGroup",
      layer: "store",
      properties: { LogGroupName: logGroup(cluster), RetentionInDays: cluster.aws.logRetention },
      tags: clusterTags(cluster, cluster.name),
      lasting: { deleted: "delete", replaced: "delete" },
      origin: { kind: "field", path: ["aws", "log_retention"] },
    },
  ];
}

export function logGroup(cluster: Cluster): string {
  return `/slipway/${cluster.name}`;
}

/** The policy of a store's bucket, whoever makes it: nobody speaks to it but by TLS. By the ARNs of the bucket and of all in it. */
export function onlyByTls<Arn>(bucket: Arn, contents: Arn) {
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "OnlyByTls",
        Effect: "Deny",
        Principal: "*",
        Action: "s3:*",
        Resource: [bucket, contents],
        Condition: { Bool: { "aws:SecureTransport": false } },
      },
    ],
  };
}
