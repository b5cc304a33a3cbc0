import type { AwsCredentials } from "../../../src/host/aws/request.ts";
import type { Instance } from "./ec2/instances.ts";

export type MetadataOf = {
  readonly instance: Instance;
  readonly role: string;
  /** New credentials of the role, and until when they are good (milliseconds since 1970). */
  readonly credentials: () => { readonly credentials: AwsCredentials; readonly until: number };
};

export const metadataHost = "169.254.169.254";
const token = "stand-in-metadata-token";

/** The metadata service of an instance, version 2 only, with its tags (EC2 user guide, "Instance metadata categories"). */
export function metadataAnswer(request: Request, { instance, role, credentials }: MetadataOf): Response {
  const path = new URL(request.url).pathname.replace(/^\/latest\//, "");
  if (request.method === "PUT" && path === "api/token") return new Response(token);
  if (request.headers.get("x-aws-ec2-metadata-token") !== token) return new Response("", { status: 401 });
  const text = textOf(path, instance, role, credentials);
  return text === undefined ? new Response("", { status: 404 }) : new Response(text);
}

function textOf(
  path: string,
  instance: Instance,
  role: string,
  credentials: MetadataOf["credentials"],
): string | undefined {
  const tag = /^meta-data\/tags\/instance\/(.+)$/.exec(path)?.[1];
  if (tag !== undefined) return instance.tags[decodeURIComponent(tag)];
  switch (path) {
    case "meta-data/instance-id":
      return instance.id;
    case "meta-data/instance-type":
      return instance.type;
    case "meta-data/ami-id":
      return instance.image;
    case "meta-data/local-ipv4":
      return instance.privateAddress;
    case "meta-data/public-ipv4":
      return instance.publicAddress === "" ? undefined : instance.publicAddress;
    case "meta-data/placement/availability-zone":
      return instance.zone;
    case "meta-data/placement/region":
      return instance.region;
    case "meta-data/tags/instance":
    case "meta-data/tags/instance/":
      return Object.keys(instance.tags)
        .filter((key) => !key.startsWith("aws:"))
        .join("\n");
    case "meta-data/iam/security-credentials/":
      return role;
    case `meta-data/iam/security-credentials/${role}`: {
      const { credentials: made, until } = credentials();
      return JSON.stringify({
        Code: "Success",
        Type: "AWS-HMAC",
        AccessKeyId: made.accessKeyId,
        SecretAccessKey: made.secretAccessKey,
        Token: made.sessionToken,
        Expiration: new Date(until).toISOString(),
      });
    }
    case "dynamic/instance-identity/document":
      return JSON.stringify({
        accountId: instance.account,
        architecture: "x86_64",
        availabilityZone: instance.zone,
        imageId: instance.image,
        instanceId: instance.id,
        instanceType: instance.type,
        privateIp: instance.privateAddress,
        region: instance.region,
        version: "2017-09-30",
      });
    case "user-data":
      return instance.userData === "" ? undefined : instance.userData;
    default:
      return undefined;
  }
}
