import type * as z from "zod";
import { nodeKeys, securityGroups, type groupAws } from "./aws-groups.ts";
import {
  account,
  boundary,
  image,
  kmsKey,
  ranges,
  rangesOrCaller,
  region,
  storeBucket,
  subnet,
  vpc,
  zoneName,
} from "./aws-words.ts";
import { boolean, choice, integer, listOf, mapOf, section, text, type Complaint } from "./fields.ts";
import { quoted } from "../problems/visible.ts";
import { privateNetwork } from "./docker.ts";

const network = section("The network of the machines: made when left out, or one that is there.", {
  cidr: text({
    description: "The addresses of the network that is made; 10.42.0.0/16 when left out.",
    check: (cidr) => privateNetwork(cidr, 16, 24),
  }).optional(),
  zones: integer(
    "How many availability zones the nodes are spread over; as many as control nodes, at most 3, when left out.",
    1,
    6,
  ).optional(),
  zone_names: listOf(
    "The zones by name, in place of zones.",
    text({ description: "A zone, such as eu-central-1a.", check: zoneName }),
  ).optional(),
  nodes: choice(
    "public: nodes have public addresses, and nothing is open but what the file opens; private: they have none. public in a network that is made, private in a given one.",
    ["public", "private"],
  ).optional(),
  outbound: choice(
    "How private nodes reach the outside: nat, by one gateway; nat-per-zone; endpoints, AWS alone. nat when left out.",
    ["nat", "nat-per-zone", "endpoints"],
  ).optional(),
  vpc: text({ description: "A VPC that is there; with subnets.", check: vpc }).optional(),
  subnets: mapOf(
    "The subnets of the given VPC in which nodes are, by zone.",
    text({ description: "The subnet's id.", check: subnet }),
    zoneKey,
  ).optional(),
});

function zoneKey(name: string): Complaint | undefined {
  const complaint = zoneName(name);
  return complaint === undefined ? undefined : { ...complaint, code: "invalid-name" };
}

function regionKey(name: string): Complaint | undefined {
  const complaint = region(name);
  return complaint === undefined ? undefined : { ...complaint, code: "invalid-name" };
}

/** What CloudWatch Logs takes (PutRetentionPolicy). */
const retentions = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

function retentionComplaint(days: string): Complaint | undefined {
  if (retentions.some((one) => String(one) === days)) return undefined;
  const more = retentions.find((one) => one >= Number(days)) ?? 3653;
  return {
    code: "invalid-value",
    message: `${quoted(days)} is not a number of days that CloudWatch Logs takes`,
    fix: /^\d+$/.test(days) ? String(more) : "such as 30, 90 or 365",
  };
}

/** `aws:` — what concerns machines on AWS. */
export const aws = section("Settings for --on aws; --on docker leaves them alone.", {
  region: text({
    description: "The region; that of the caller's AWS settings when left out.",
    check: region,
  }).optional(),
  accounts: listOf(
    "The accounts in which this cluster may be; any when left out.",
    text({ description: "An account's twelve digits.", check: account }),
  ).optional(),
  network: network.optional(),
  ...nodeKeys,
  images: mapOf(
    "The image that nodes start from, by region; the system's newest when left out.",
    text({ description: "The image's id.", check: image }),
    regionKey,
  ).optional(),
  allow_ssh_from: rangesOrCaller(
    "Networks that reach SSH on every node, or caller: the public address of who launches; none when left out.",
  ).optional(),
  allow_api_from: ranges("Networks that reach the managers' Docker API; none when left out.").optional(),
  allow_services_from: ranges("Networks that reach the ports that services publish; none when left out.").optional(),
  security_groups: securityGroups.optional(),
  session_manager: boolean("Whether nodes may be reached through AWS Systems Manager; true when left out.").optional(),
  bucket: text({
    description:
      "The bucket of the cluster's store, which is made where it is not there; named after cluster, account and region when left out.",
    check: storeBucket,
  }).optional(),
  kms_key: text({
    description: "The key that encrypts disks and the store; AWS's own when left out.",
    check: kmsKey,
  }).optional(),
  permissions_boundary: text({
    description: "A policy that bounds the nodes' roles; none when left out.",
    check: boundary,
  }).optional(),
  log_retention: text({
    description: "How many days nodes' logs are kept; 30 when left out.",
    check: retentionComplaint,
  }).optional(),
});

export type AwsSpec = z.output<typeof aws>;
export type GroupAwsSpec = z.output<typeof groupAws>;
