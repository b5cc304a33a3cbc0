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
