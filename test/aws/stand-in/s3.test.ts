import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import { awsRequester } from "../../../src/host/aws/request.ts";
import { objectKey, recordKey } from "../../../src/records/objects.ts";
import { s3Store } from "../../../src/store/s3.ts";
import { seededRandom } from "../seeded.ts";
import { sdkOver } from "./sdk.ts";
import { useStandIn } from "./started.ts";

const started = useStandIn();
const Bucket = "some-store";
const where = { CreateBucketConfiguration: { LocationConstraint: "eu-central-1" as const } };
const s3 = (account?: string) => sdkOver(started.standIn.client(account === undefined ? {} : { account })).s3;
const make = () => s3().send(new CreateBucketCommand({ Bucket, ...where }));

describe("a bucket", () => {
  test("has one owner in the world", async () => {
    await make();
    await expect(make()).rejects.toMatchObject({ name: "BucketAlreadyOwnedByYou", $metadata: { httpStatusCode: 409 } });
    const other = s3("999999999999");
    await expect(other.send(new CreateBucketCommand({ Bucket, ...where }))).rejects.toMatchObject({
      name: "BucketAlreadyExists",
    });
    await expect(other.send(new ListObjectsV2Command({ Bucket }))).rejects.toMatchObject({ name: "AccessDenied" });
    const expecting = new ListObjectsV2Command({ Bucket, ExpectedBucketOwner: "999999999999" });
    await expect(s3().send(expecting)).rejects.toMatchObject({
      name: "AccessDenied",
      $metadata: { httpStatusCode: 403 },
    });
    await s3().send(new ListObjectsV2Command({ Bucket, ExpectedBucketOwner: started.standIn.account }));
  });

  test("is not deleted while anything is in it: a version or a delete marker counts", async () => {
    await make();
    await s3().send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
    const remove = () => s3().send(new DeleteBucketCommand({ Bucket }));
    await s3().send(new PutObjectCommand({ Bucket, Key: "a", Body: "x" }));
    await expect(remove()).rejects.toMatchObject({ name: "BucketNotEmpty", $metadata: { httpStatusCode: 409 } });
    await s3().send(new DeleteObjectCommand({ Bucket, Key: "a" }));
    expect((await s3().send(new ListObjectsV2Command({ Bucket }))).Contents ?? []).toEqual([]);
    await expect(remove()).rejects.toMatchObject({ name: "BucketNotEmpty" });
    const { Versions: versions = [], DeleteMarkers: markers = [] } = await s3().send(
      new ListObjectVersionsCommand({ Bucket }),
    );
    expect([versions.length, markers.length]).toEqual([1, 1]);
    for (const { VersionId } of [...versions, ...markers])
      await s3().send(new DeleteObjectCommand({ Bucket, Key: "a", VersionId }));
    await remove();
    await expect(s3().send(new ListObjectsV2Command({ Bucket }))).rejects.toMatchObject({ name: "NoSuchBucket" });
  });

  test("says 403 of an absent object to who may not list", async () => {
    const { standIn } = started;
    await make();
    const ask = () => s3().send(new GetObjectCommand({ Bucket, Key: "none" }));
    await expect(ask()).rejects.toMatchObject({ name: "NoSuchKey" });
    standIn.place().s3.blind.add("arn:aws:iam::");
    await expect(ask()).rejects.toMatchObject({ name: "AccessDenied" });
  });

  test("gives its policy back, and holds nobody to it", async () => {
    await make();
    await expect(s3().send(new GetBucketPolicyCommand({ Bucket }))).rejects.toMatchObject({
      name: "NoSuchBucketPolicy",
    });
    const Policy = JSON.stringify({
      Statement: [
        {
          Effect: "Deny",
          Principal: "*",
          Action: "s3:*",
          Resource: "*",
          Condition: { Bool: { "aws:SecureTransport": false } },
        },
      ],
    });
    await s3().send(new PutBucketPolicyCommand({ Bucket, Policy }));
    expect((await s3().send(new GetBucketPolicyCommand({ Bucket }))).Policy).toBe(Policy);
    await s3().send(new ListObjectsV2Command({ Bucket }));
  });

  test("writes only what a condition allows, and lists in pages", async () => {
    await make();
    const once = () => s3().send(new PutObjectCommand({ Bucket, Key: "a", Body: "x", IfNoneMatch: "*" }));
    const { ETag } = await once();
    await expect(once()).rejects.toMatchObject({ name: "PreconditionFailed", $metadata: { httpStatusCode: 412 } });
    await s3().send(new PutObjectCommand({ Bucket, Key: "a", Body: "y", IfMatch: ETag }));
    await expect(s3().send(new PutObjectCommand({ Bucket, Key: "a", Body: "z", IfMatch: ETag }))).rejects.toMatchObject(
      { name: "PreconditionFailed" },
    );
    await s3().send(new PutObjectCommand({ Bucket, Key: "b", Body: "x" }));
    started.standIn.settings.pageSize = 1;
    const first = await s3().send(new ListObjectsV2Command({ Bucket }));
    expect([first.KeyCount, first.IsTruncated]).toEqual([1, true]);
    const second = await s3().send(
      new ListObjectsV2Command({ Bucket, ContinuationToken: first.NextContinuationToken }),
    );
    expect(second.Contents?.map(({ Key }) => Key)).toEqual(["b"]);
  });
});

test("the cluster's store works in it, over the host name of its bucket", async () => {
  const { standIn } = started;
  await make();
  const { fetch, clock, credentials } = standIn.client();
  const random = seededRandom(1);
  const request = awsRequester({ region: standIn.region, credentials: async () => credentials, clock, random, fetch });
  const url = `https://${Bucket}.s3.${standIn.region}.amazonaws.com`;
  const store = s3Store({ url, owner: standIn.account, request, random, names: { object: objectKey, key: recordKey } });
  const value = new TextEncoder().encode("one");
  expect(await store.putIfAbsent("nodes/AROA.i-1", value)).toMatchObject({ kind: "written" });
  expect(await store.putIfAbsent("nodes/AROA.i-1", value)).toMatchObject({ kind: "exists" });
  expect([...(await store.list("nodes/")).keys()]).toEqual(["nodes/AROA.i-1"]);
  // A write whose answer is lost is found again by its nonce.
  standIn.faults.dropAfterCommit({ service: "s3", action: "PutObject", times: 1 });
  expect(await store.putIfAbsent("nodes/AROA.i-2", value)).toMatchObject({ kind: "written" });
});
