import ipaddr from "ipaddr.js";
import * as z from "zod";
import { quoted } from "../problems/visible.ts";
import { listOf, text, type Complaint } from "./fields.ts";

/** A check by pattern; `what` names the thing, `fix` shows one. */
function like(pattern: RegExp, what: string, fix: string): (value: string) => Complaint | undefined {
  return (value) =>
    pattern.test(value)
      ? undefined
      : { code: "invalid-value", message: `${quoted(value)} is not ${what}`, fix: `such as ${fix}` };
}

export const region = like(/^[a-z]{2,3}(?:-[a-z]+)+-[1-9]$/, "a region of AWS", "eu-central-1");
export const zoneName = like(/^[a-z]{2,3}(?:-[a-z]+)+-[1-9][a-z]$/, "an availability zone", "eu-central-1a");
export const account = like(/^\d{12}$/, "an account's number", '"012345678901", all twelve digits');
export const instanceType = like(/^[a-z][a-z0-9-]{0,20}\.[a-z0-9-]{1,20}$/, "an instance type", "t3.small");
export const vpc = like(/^vpc-(?:[0-9a-f]{8}|[0-9a-f]{17})$/, "a VPC's id", "vpc-0123456789abcdef0");
export const subnet = like(/^subnet-(?:[0-9a-f]{8}|[0-9a-f]{17})$/, "a subnet's id", "subnet-0123456789abcdef0");
export const image = like(/^ami-(?:[0-9a-f]{8}|[0-9a-f]{17})$/, "an image's id", "ami-0123456789abcdef0");
/** Two braces begin what CloudFormation replaces. */
export const keyPair = like(/^(?!.*\{\{)[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/, "a key pair's name", "my-key");
export const kmsKey = like(
  /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]{1,128}$/,
  "the ARN of a key",
  "arn:aws:kms:eu-central-1:012345678901:key/…",
);
export const boundary = like(
  /^arn:aws[a-z-]*:iam::(?:\d{12}|aws):policy\/[A-Za-z0-9+=,.@_/-]{1,512}$/,
  "the ARN of a policy",
  "arn:aws:iam::012345678901:policy/boundary",
);
/** AWS boots from no other kinds (AWS, "Amazon EBS volume types"). */
export const bootVolumeKind = like(
  /^(?:gp2|gp3|io1|io2|standard)$/,
  "a kind of EBS volume that machines boot from",
  "gp3",
);
/** A security group by its name, or by its id where it is only found. */
export const securityGroupName = like(
  /^(?!.*\{\{)(?:sg-(?:[0-9a-f]{8}|[0-9a-f]{17})|(?!sg-)[A-Za-z0-9][A-Za-z0-9 ._:/()#,@+=&;{}!$*-]{0,200})$/,
  "a security group's name",
  "web, or sg-0123456789abcdef0",
);

/**
 * A bucket's name (S3 user guide, "General purpose bucket naming rules"), without dots: its address is that of a
 * certificate with one wildcard.
 */
export function storeBucket(name: string): Complaint | undefined {
  const complaint = like(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/, "a bucket's name without dots", "web-store-4711")(name);
  if (complaint !== undefined) return complaint;
  return /^(?:xn--|sthree-|amzn-s3-demo-)|(?:-s3alias|--ol-s3|--x-s3|--table-s3|-an)$/.test(name)
    ? {
        code: "invalid-value",
        message: `${quoted(name)} begins or ends with what S3 keeps for itself`,
        fix: "another name",
      }
    : undefined;
}

/** A tag's key. Nodes read their own tags from the metadata service, which takes fewer characters than tags do elsewhere. */
export function tagKey(name: string): Complaint | undefined {
  const invalid = (why: string, fix: string): Complaint => ({
    code: "invalid-name",
    message: `the tag name ${quoted(name)} ${why}`,
    fix,
  });
  if (/^(?:aws:|slipway\.)/i.test(name)) return invalid("is reserved", "use another prefix");
  if (name === "Name") return invalid("is Slipway's own: it is the node's name", "use another key");
  return /^[A-Za-z0-9+=.,_:@-]{1,128}$/.test(name) && !/^(?:\.|\.\.|_index)$/.test(name)
    ? undefined
    : invalid("is not valid", "use at most 128 letters, digits and + - = . , _ : @");
}

/** A tag's value. */
export function tagValue(value: string): Complaint | undefined {
  return value.length <= 256 && /^[\p{L}\p{Z}\p{N}_.:/=+@-]*$/u.test(value)
    ? undefined
    : {
        code: "invalid-value",
        message: `${quoted(value)} cannot be a tag's value`,
        fix: "at most 256 letters, digits, spaces and _ . : / = + - @",
      };
}

/** Networks of who may come in: one text, or a list. */
export function ranges(description: string) {
  const range = text({ description: "A network, such as 203.0.113.0/24.", check: rangeComplaint });
  return z
    .preprocess((input) => (typeof input === "string" ? [input] : input), listOf(description, range))
    .meta({ description });
}

/** The same, or `caller`: the address by which the world sees who launches. */
export function rangesOrCaller(description: string) {
  const range = text({
    description: "A network, such as 203.0.113.0/24; or caller, whoever launches.",
    check: (value) => (value === "caller" ? undefined : rangeComplaint(value)),
  });
  return z
    .preprocess((input) => (typeof input === "string" ? [input] : input), listOf(description, range))
    .meta({ description });
}

/** An IPv4 network with its size. */
export function rangeComplaint(range: string): Complaint | undefined {
  const parts = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/.exec(range);
  const [, address = "", size = ""] = parts ?? [];
  if (parts === null || !ipaddr.IPv4.isValidFourPartDecimal(address) || Number(size) > 32)
    return {
      code: "invalid-value",
      message: `${quoted(range)} is not an IPv4 network`,
      fix: ipaddr.IPv4.isValidFourPartDecimal(range) ? `${range}/32` : "such as 203.0.113.0/24",
    };
  const network = ipaddr.IPv4.networkAddressFromCIDR(`${address}/${size}`).toString();
  return network === address
    ? undefined
    : { code: "invalid-value", message: `${range} is an address inside a network`, fix: `${network}/${Number(size)}` };
}
