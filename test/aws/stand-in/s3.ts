import { type Answer, type Call, Refusal } from "./call.ts";
import type { Place } from "./place.ts";
import { listAt, parseXml } from "./xml.ts";

/** What is done in S3 has no name in the request: it follows from method, path and query. */
export function s3Action(method: string, path: string, query: URLSearchParams, headers: Headers): string {
  const [bucket = "", ...key] = path.slice(1).split("/");
  if (bucket === "") return "ListBuckets";
  const onObject = key.join("/") !== "";
  const verb = { GET: "Get", HEAD: "Head", PUT: "Put", DELETE: "Delete", POST: "Post" }[method] ?? method;
  if (!onObject) {
    for (const [part, name] of bucketParts)
      if (query.has(part)) {
        if (part === "versions") return "ListObjectVersions";
        if (part === "uploads") return "ListMultipartUploads";
        if (part === "delete") return "DeleteObjects";
        return `${verb}${name}`;
      }
    if (method === "PUT") return "CreateBucket";
    if (method === "GET") return query.get("list-type") === "2" ? "ListObjectsV2" : "ListObjects";
    return `${verb}Bucket`;
  }
  if (query.has("tagging")) return `${verb}ObjectTagging`;
  if (query.has("uploadId"))
    return (
      { PUT: "UploadPart", POST: "CompleteMultipartUpload", DELETE: "AbortMultipartUpload", GET: "ListParts" }[
        method
      ] ?? verb
    );
  if (query.has("uploads")) return "CreateMultipartUpload";
  if (method === "PUT" && headers.has("x-amz-copy-source")) return "CopyObject";
  return `${verb}Object`;
}

const bucketParts = [
  ["versions", "Versions"],
  ["versioning", "BucketVersioning"],
  ["location", "BucketLocation"],
  ["tagging", "BucketTagging"],
  ["policy", "BucketPolicy"],
  ["policyStatus", "BucketPolicyStatus"],
  ["publicAccessBlock", "PublicAccessBlock"],
  ["encryption", "BucketEncryption"],
  ["lifecycle", "BucketLifecycleConfiguration"],
  ["ownershipControls", "BucketOwnershipControls"],
  ["acl", "BucketAcl"],
  ["logging", "BucketLogging"],
  ["uploads", "MultipartUploads"],
  ["delete", "Objects"],
] as const;

/** Which account a bucket belongs to; names are taken in the whole world. */
export type Buckets = Map<string, { readonly account: string; readonly region: string }>;

export type S3 = {
  serve(call: Call): Promise<Answer>;
  /** Callers (by the beginning of their ARN) to whom S3 does not say that a key is absent: they may not list. */
  readonly blind: Set<string>;
};

/** S3: moto's, with buckets that somebody owns, and that are not deleted while something is in them. */
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
      region: buckets.get(bucketIn(call))?.region ?? place.region,
      account,
      method: call.method,
      path: `${call.path}${query === "" ? "" : `?${query}`}`,
      headers,
      body: call.body,
    });
  };

  const serve = async (call: Call): Promise<Answer> => {
    const name = bucketIn(call);
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
      if (answer.status === 200) buckets.set(name, { account: caller.account, region: place.region });
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
      const listed = await pass(
        { ...call, method: "GET", query: new URLSearchParams("versions&max-keys=1") },
        there.account,
      );
      const root = parseXml(text(listed));
      if (listAt(root).some((one) => one.name === "Version" || one.name === "DeleteMarker"))
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
    const paging = place.settings.pageSize;
    const asked =
      paging !== undefined && action.startsWith("ListObject")
        ? {
            ...call,
            query: new URLSearchParams(
              [...call.query].filter(([key]) => key !== "max-keys").concat([["max-keys", String(paging)]]),
            ),
          }
        : call;
    const answer = await pass(asked, there.account);
    if (
      answer.status === 404 &&
      /^(?:Get|Head)Object$/.test(action) &&
      [...blind].some((arn) => caller.arn.startsWith(arn))
    )
      throw new Refusal("AccessDenied", "Access Denied", 403);
    return answer;
  };
  return { serve, blind };
}

function bucketIn({ path }: Call): string {
  return path.slice(1).split("/")[0] ?? "";
}

function text({ body }: Answer): string {
  return typeof body === "string" ? body : new TextDecoder().decode(body);
}
