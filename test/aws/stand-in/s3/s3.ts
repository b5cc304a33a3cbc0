import { type Answer, type Call, Refusal } from "../call.ts";
import type { Place } from "../place.ts";
import { anyObject, bucketOf, emptyShelf, isOfObjects, serveObjects, type Shelf } from "./objects.ts";

/** Which account a bucket belongs to; names are taken in the whole world. */
export type Buckets = Map<string, { readonly account: string; readonly region: string; readonly shelf: Shelf }>;

export type S3 = {
  serve(call: Call): Promise<Answer>;
  /** Callers (by the beginning of their ARN) to whom S3 does not say that a key is absent: they may not list. */
  readonly blind: Set<string>;
};

/** S3: objects in memory here, buckets and their settings moto's; each bucket has an owner, and is not deleted while something is in it. */
export function s3Of(place: Place, buckets: Buckets): S3 {
  const blind = new Set<string>();
  const policies = new Map<string, Uint8Array>();
  const pass = (call: Call, account: string): Promise<Answer> => {
    const headers: Record<string, string> = {};
    for (const [name, value] of call.headers)
      if (
        !/^(?:host|authorization|connection|content-length|x-amz-security-token|accept-encoding|x-amz-expected-bucket-owner)$/.test(
          name,
        )
      )
        headers[name] = value;
    const query = call.query.toString();
    return place.backend.moto.forward({
      service: "s3",
      region: buckets.get(bucketOf(call))?.region ?? place.region,
      account,
      method: call.method,
      path: `${call.path}${query === "" ? "" : `?${query}`}`,
      headers,
      body: call.body,
    });
  };

  const serve = async (call: Call): Promise<Answer> => {
    const name = bucketOf(call);
    const there = buckets.get(name);
    const { action, caller } = call;
    if (action === "CreateBucket") {
      if (there !== undefined)
        throw there.account === caller.account
          ? new Refusal(
              "BucketAlreadyOwnedByYou",
              "Your previous request to create the named bucket succeeded and you already own it.",
              409,
            )
          : new Refusal(
              "BucketAlreadyExists",
              "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.",
              409,
            );
      const answer = await pass(call, caller.account);
      if (answer.status === 200)
        buckets.set(name, { account: caller.account, region: place.region, shelf: emptyShelf() });
      return answer;
    }
    if (name === "") return pass(call, caller.account);
    if (there === undefined) throw new Refusal("NoSuchBucket", "The specified bucket does not exist", 404);
    const owner = call.headers.get("x-amz-expected-bucket-owner");
    if ((owner !== null && owner !== there.account) || caller.account !== there.account)
      throw new Refusal("AccessDenied", "Access Denied", 403);
    // moto would hold everyone to a policy without its conditions: it is kept here, and nobody is held to it.
    if (action === "PutBucketPolicy") {
      policies.set(name, call.body.slice());
      return { status: 204, body: "" };
    }
    if (action === "GetBucketPolicy") {
      const policy = policies.get(name);
      if (policy === undefined) throw new Refusal("NoSuchBucketPolicy", "The bucket policy does not exist", 404);
      return { status: 200, headers: { "content-type": "application/json" }, body: policy };
    }
    if (action === "DeleteBucketPolicy") {
      policies.delete(name);
      return { status: 204, body: "" };
    }
    if (action === "DeleteBucket") {
      if (anyObject(there.shelf))
        throw new Refusal(
          "BucketNotEmpty",
          `The bucket you tried to delete is not empty. You must delete all versions in the bucket.`,
          409,
        );
      const answer = await pass(call, there.account);
      if (answer.status < 300) {
        buckets.delete(name);
        policies.delete(name);
      }
      return answer;
    }
    if (!isOfObjects(action)) return pass(call, there.account);
    try {
      return serveObjects(call, name, there.shelf, {
        now: place.clock.now(),
        id: place.id,
        pageSize: place.settings.pageSize,
      });
    } catch (error) {
      const hidden = error instanceof Refusal && error.status === 404 && /^(?:Get|Head)Object$/.test(action);
      if (hidden && [...blind].some((arn) => caller.arn.startsWith(arn)))
        throw new Refusal("AccessDenied", "Access Denied", 403);
      throw error;
    }
  };
  return { serve, blind };
}
