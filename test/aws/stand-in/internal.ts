import type { Call, Caller } from "./call.ts";
import { flattened, type Given, parseParameters } from "./parameters.ts";

/** A request that one of AWS's services makes of another. */
export function internalCall(
  service: string,
  action: string,
  given: { readonly [key: string]: Given },
  caller: Caller,
  region: string,
): Call {
  const common = { service, action, region, caller, query: new URLSearchParams(), method: "POST", path: "/" };
  if (service === "s3") {
    const bucket = String(given["Bucket"]);
    const body = new TextEncoder().encode(String(given["Body"] ?? ""));
    const part = {
      PutBucketVersioning: "versioning",
      PutBucketTagging: "tagging",
      PutBucketPolicy: "policy",
      DeleteBucketPolicy: "policy",
    }[action];
    // The first region has no name in S3.
    const made =
      region === "us-east-1"
        ? ""
        : `<CreateBucketConfiguration><LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`;
    return {
      ...common,
      method: action.startsWith("Delete") ? "DELETE" : "PUT",
      path: `/${bucket}`,
      query: new URLSearchParams(part ?? ""),
      parameters: {},
      json: {},
      headers: new Headers(),
      body: action === "CreateBucket" ? new TextEncoder().encode(made) : body,
    };
  }
  if (service === "logs")
    return {
      ...common,
      parameters: {},
      json: given,
      headers: new Headers({ "content-type": "application/x-amz-json-1.1", "x-amz-target": `Logs_20140328.${action}` }),
      body: new TextEncoder().encode(JSON.stringify(given)),
    };
  const version = { ec2: "2016-11-15", iam: "2010-05-08" }[service] ?? "";
  const form = new URLSearchParams([
    ["Action", action],
    ["Version", version],
    ...flattened(given, service === "ec2" ? "" : "member."),
  ]).toString();
  const parameters = parseParameters(form);
  return { ...common, parameters, json: {}, headers: new Headers(), body: new TextEncoder().encode(form) };
}
