import { architectureOf } from "../../cluster/aws.ts";
import { zoneCount } from "../../cluster/aws-network.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import type { Path, Problem } from "../../problems/problem.ts";
import ipaddr from "ipaddr.js";
import type { AwsFacts } from "./facts/facts.ts";
import { members } from "./facts/members.ts";
import { subnetRange, zoneNames } from "./graph/network.ts";

/** What the file asks for and AWS, as far as it was asked, does not have. */
export function factProblems(cluster: Cluster, facts: AwsFacts): readonly Problem[] {
  const { aws } = cluster;
  const region = aws.region ?? facts.region;
  const problem = (path: Path, message: string, fix: string): Problem => ({
    code: "invalid-value",
    severity: "error",
    path,
    message,
    fix,
  });
  const { network } = aws;
  const wanted = network.kind === "made" ? zoneCount(network.zones) : 0;
  const named = network.kind === "made" && network.zones.kind === "named" ? network.zones.names : [];
  return [
    ...(facts.account !== undefined && aws.accounts.length > 0 && !aws.accounts.includes(facts.account)
      ? [
          problem(
            ["aws", "accounts"],
            `the account is ${facts.account}, which the file does not allow`,
            "use the credentials of another account, or add it",
          ),
        ]
      : []),
    ...(facts.region !== undefined && aws.region !== undefined && facts.region !== aws.region
      ? [
          problem(
            ["aws", "region"],
            `the facts are of ${facts.region}, the file is for ${aws.region}`,
            `facts of ${aws.region}`,
          ),
        ]
      : []),
    ...(facts.zones !== undefined && wanted > facts.zones.length && named.length === 0
      ? [
          problem(
            ["aws", "network", "zones"],
            `${region ?? "the region"} has ${facts.zones.length} zones that offer these instance types; ${wanted} are asked for`,
            `zones: ${facts.zones.length}, or other instance types`,
          ),
        ]
      : []),
    ...named
      .filter((zone) => facts.zones !== undefined && !facts.zones.includes(zone))
      .map((zone) =>
        problem(
          ["aws", "network", "zone_names", named.indexOf(zone)],
          `${zone} does not offer these instance types`,
          (facts.zones ?? []).join(", "),
        ),
      ),
    ...keptProblems(cluster, facts),
    ...imageProblems(cluster, facts, region),
  ];
}

/** Members that come back on kept disks must find zone and address as they were: a disk does not change its zone. */
function keptProblems(cluster: Cluster, facts: AwsFacts): readonly Problem[] {
  const { network } = cluster.aws;
  const names = zoneNames(network, facts);
  return members(cluster).flatMap(({ node, n }): readonly Problem[] => {
    const kept = facts.kept?.[node];
    if (kept === undefined) return [];
    const index = names === undefined ? -1 : (n - 1) % names.length;
    const range = network.kind === "made" && index >= 0 ? subnetRange(network, network.nodes, index) : undefined;
    const why =
      names !== undefined && names[index] !== kept.zone
        ? `its disks are in ${kept.zone}, and the file has it in ${names[index] ?? "another zone"}`
        : range !== undefined && !isWithin(kept.address, range)
          ? `the other members know it at ${kept.address}, which is not in ${range}`
          : undefined;
    if (why === undefined) return [];
    return [
      {
        code: "invalid-value",
        severity: "error",
        path: ["aws", "network"],
        message: `${node} was kept with its data: ${why}`,
        fix: `the network as it was; or slipway cleanup ${cluster.name}, which removes what was kept`,
      },
    ];
  });
}

function isWithin(address: string, range: string): boolean {
  return ipaddr.IPv4.isValid(address) && ipaddr.IPv4.parse(address).match(ipaddr.IPv4.parseCIDR(range));
}

/**
 * Who publishes the images of each system (Flatcar: kops and typhoon name it; Fedora CoreOS: typhoon; Debian: wiki.debian.org/Cloud;
 * Ubuntu: Canonical's documentation). Anyone can name an image alike.
 */
export const imageOwners: Readonly<Record<Cluster["os"], string>> = {
  flatcar: "075585003325",
  "fedora-coreos": "125523088429",
  debian: "136693071363",
  ubuntu: "099720109477",
};

function imageProblems(cluster: Cluster, facts: AwsFacts, region: string | undefined): readonly Problem[] {
  const own = region === undefined ? undefined : cluster.aws.images[region];
  const architectures = new Set(cluster.groups.map(({ aws }) => architectureOf(aws.instanceTypes[0] ?? "")));
  if (own !== undefined && architectures.size > 1)
    return [
      {
        code: "invalid-value",
        severity: "error",
        path: ["aws", "images", region ?? ""],
        message: `the groups have machines of two architectures, and ${own} is an image of one`,
        fix: "instance types of one architecture, or leave the image out",
      },
    ];
  if (own !== undefined) return [];
  return [...architectures].flatMap((architecture): readonly Problem[] => {
    const image = facts.images?.[architecture];
    if (image === undefined || image.owner === imageOwners[cluster.os]) return [];
    return [
      {
        code: "invalid-value",
        severity: "error",
        path: ["os"],
        message: `${image.id} (${image.name}) is of the account ${image.owner}, and ${cluster.os} is published by ${imageOwners[cluster.os]}`,
        fix: "gather the facts again; or name an image that you trust in aws: images",
      },
    ];
  });
}
