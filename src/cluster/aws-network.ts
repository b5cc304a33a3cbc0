import ipaddr from "ipaddr.js";
import type { Problem } from "../problems/problem.ts";
import type { AwsSpec } from "../spec/aws.ts";
import type { AwsNetwork, Zones } from "./aws-settings.ts";
import { problem } from "./aws-problem.ts";
import type { Cluster } from "./cluster.ts";
import { overlays } from "./network.ts";

type Said = NonNullable<AwsSpec["network"]>;
const at = ["aws", "network"];

/** The network of the machines: what contradicts itself, what is too small, what lies on top of another. */
export function awsNetworkProblems(cluster: Cluster, said: Said): Problem[] {
  const { network } = cluster.aws;
  return network.kind === "given"
    ? [
        ...givenProblems(said),
        ...zoneProblems(cluster, network.subnets.length, "subnets"),
        ...regionProblems(cluster, network),
      ]
    : [...madeProblems(cluster, network, said), ...regionProblems(cluster, network)];
}

function givenProblems(said: Said): Problem[] {
  const none = Object.keys(said.subnets ?? {}).length === 0;
  return [
    ...(none
      ? [
          problem(
            "missing-key",
            [...at, "vpc"],
            "the subnets of this VPC are missing",
            "subnets: { eu-central-1a: subnet-… }",
            {
              at: "key",
            },
          ),
        ]
      : []),
    ...(["cidr", "zones", "zone_names", "outbound"] as const)
      .filter((key) => said[key] !== undefined)
      .map((key) =>
        problem(
          "invalid-value",
          [...at, key],
          `a VPC that is given has its own ${key}`,
          "leave it out, or leave out vpc and subnets",
          {
            at: "key",
            related: [{ path: [...at, "vpc"], message: "the VPC is given here" }],
          },
        ),
      ),
  ];
}

/** How many zones there are. */
export function zoneCount(zones: Zones): number {
  return zones.kind === "count" ? zones.count : zones.names.length;
}

function madeProblems(cluster: Cluster, network: AwsNetwork & { kind: "made" }, said: Said): Problem[] {
  const { zones } = network;
  const count = zoneCount(zones);
  const twice = zones.kind === "named" ? zones.names.findIndex((name, index) => zones.names.indexOf(name) < index) : -1;
  return [
    ...(said.subnets === undefined
      ? []
      : [
          problem("missing-key", [...at, "subnets"], "the VPC of these subnets is missing", "add vpc: vpc-…", {
            at: "key",
          }),
        ]),
    ...(said.zones !== undefined && said.zone_names !== undefined
      ? [
          problem(
            "invalid-value",
            [...at, "zone_names"],
            "zones are counted or named, not both",
            "keep one of the two",
            {
              at: "key",
              related: [{ path: [...at, "zones"], message: "they are counted here" }],
            },
          ),
        ]
      : []),
    ...(zones.kind === "named" && (count === 0 || count > 6)
      ? [problem("out-of-range", [...at, "zone_names"], `${count} zones are out of range`, "from 1 to 6 zones")]
      : []),
    ...(twice === -1
      ? []
      : [problem("duplicate-name", [...at, "zone_names", twice], "this zone stands here twice", "leave it out once")]),
    ...(said.outbound !== undefined && network.nodes === "public"
      ? [
          problem(
            "invalid-value",
            [...at, "outbound"],
            "public nodes reach the outside by themselves",
            "nodes: private, or leave it out",
            {
              at: "key",
            },
          ),
        ]
      : []),
    ...zoneProblems(cluster, count, said.zone_names === undefined ? "zones" : "zone_names"),
    ...cidrProblems(cluster, network),
    ...endpointProblems(cluster, network),
  ];
}

/** With fewer zones than three, one that fails can take the majority along. */
function zoneProblems(cluster: Cluster, zones: number, key: string): Problem[] {
  const controls = cluster.groups.filter(({ role }) => role === "control").reduce((sum, { count }) => sum + count, 0);
  if (controls < 3 || zones >= 3 || zones === 0) return [];
  return [
    problem(
      "out-of-range",
      [...at, key],
      zones === 1
        ? `all ${controls} control nodes are in one zone, and fail with it`
        : `${controls} control nodes in 2 zones: one of the zones has the majority, and takes it along`,
      "3 zones or more",
      { severity: "warning" },
    ),
  ];
}

/** A zone's name begins with its region's. */
function regionProblems({ aws: { region } }: Cluster, network: AwsNetwork): Problem[] {
  if (region === undefined) return [];
  const named =
    network.kind === "given"
      ? network.subnets.map(({ zone }) => ({ zone, path: [...at, "subnets", zone] }))
      : network.zones.kind === "named"
        ? network.zones.names.map((zone, index) => ({ zone, path: [...at, "zone_names", index] }))
        : [];
  return named
    .filter(({ zone }) => zone.slice(0, -1) !== region)
    .map(({ zone, path }) =>
      problem("invalid-value", path, `${zone} is not a zone of ${region}`, `${region}${zone.slice(-1)}`, {
        ...(network.kind === "given" ? { at: "key" as const } : {}),
        related: [{ path: ["aws", "region"], message: "the region is here" }],
      }),
    );
}

const bridges = [
  { range: "172.17.0.0/16", who: "Docker's bridge" },
  { range: "172.18.0.0/16", who: "the bridge between Docker and Swarm" },
];
/** A network is cut into this many parts: eight for subnets that are public, eight for private ones, by zone. */
export const parts = 16;
// AWS keeps four addresses of each subnet and its broadcast for itself.
const reserved = 5;

function cidrProblems(cluster: Cluster, { cidr, zones }: AwsNetwork & { kind: "made" }): Problem[] {
  const path = [...at, "cidr"];
  const [network, prefix] = ipaddr.IPv4.parseCIDR(cidr);
  const taken = [
    ...(cluster.orchestrator === "swarm" ? [{ range: overlays, who: "Swarm's overlay networks" }] : []),
    ...bridges,
  ];
  const clash = taken.find(({ range }) => {
    const [other, its] = ipaddr.IPv4.parseCIDR(range);
    const size = Math.min(prefix, its);
    return network.match(other, size);
  });
  // A control node has a second interface, whose address stays.
  const addresses = cluster.groups.reduce(
    (sum, { role, count, aws }) => sum + (role === "control" ? 2 * count : aws.max),
    0,
  );
  const room = (2 ** (32 - prefix) / parts - reserved) * zoneCount(zones);
  return [
    ...(clash === undefined
      ? []
      : [
          problem(
            "overlapping-address",
            path,
            `${cidr} overlaps ${clash.who} in ${clash.range}`,
            `10.42.0.0/${prefix}`,
          ),
        ]),
    ...(addresses > room
      ? [
          problem(
            "overlapping-address",
            path,
            `${cidr} has room for ${room} addresses of nodes in ${zoneCount(zones)} zones; the cluster needs ${addresses}`,
            prefix > 16 ? "a larger network, up to /16" : "more zones",
          ),
        ]
      : []),
  ];
}

/** Behind endpoints alone, what is not AWS is not there. */
function endpointProblems(cluster: Cluster, { outbound }: AwsNetwork & { kind: "made" }): Problem[] {
  if (outbound !== "endpoints") return [];
  const path = [...at, "outbound"];
  const elsewhere = cluster.services.filter(
    ({ image }) => !/^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com\//.test(image),
  );
  return [
    ...(cluster.os === "debian" || cluster.os === "ubuntu"
      ? [
          problem(
            "unsupported",
            path,
            `${cluster.os === "debian" ? "Debian" : "Ubuntu"} installs packages when it first boots, and endpoints lead to AWS alone`,
            "outbound: nat, or os: flatcar",
          ),
        ]
      : []),
    ...elsewhere
      .slice(0, 1)
      .map(({ name, image, path: its }) =>
        problem(
          "unsupported",
          [...its, "image"],
          `nodes cannot fetch ${image} for ${name}: endpoints lead to AWS alone`,
          "an image in Amazon ECR, or outbound: nat",
          { severity: "warning" as const, related: [{ path, message: "the way out is here" }] },
        ),
      ),
  ];
}
