import ipaddr from "ipaddr.js";
import { parts, zoneCount } from "../../../cluster/aws-network.ts";
import type { AwsNetwork } from "../../../cluster/aws-settings.ts";
import type { Cluster } from "../../../cluster/cluster.ts";
import type { Origin } from "../../../machine/machine.ts";
import type { AwsFacts } from "../facts/facts.ts";
import { clusterTags } from "./names.ts";
import type { Parameter, Resource } from "./resource.ts";
import { attributeOf, idOf, parameter, textOf, pseudo, type Reference, type Value } from "./value.ts";

/** Where nodes of one zone are. */
export type Place = {
  readonly subnet: Value;
  readonly zone: Value;
  /** What must be there before a node of the subnet reaches the outside. */
  readonly ready: readonly string[];
};

export type Network = {
  readonly vpc: Value;
  readonly places: readonly Place[];
  /** Whether nodes have public addresses. */
  readonly public: boolean;
  readonly resources: readonly Resource[];
  readonly parameters: readonly Parameter[];
  /** By which a fixed public address is reached; it comes first, and goes last. */
  readonly gateway: readonly string[];
};

type Made = AwsNetwork & { readonly kind: "made" };
const origin: Origin = { kind: "field", path: ["aws", "network"] };

/** The network of the machines: made, or the one that the file gives. */
export function networkOf(cluster: Cluster, facts: AwsFacts): Network {
  const { network } = cluster.aws;
  if (network.kind === "made") return madeNetwork(cluster, network, facts);
  return {
    vpc: network.vpc,
    places: network.subnets.map(({ subnet }, index) => ({ subnet, zone: parameter(zoneParameter(index)), ready: [] })),
    public: network.nodes === "public",
    resources: [],
    parameters: zoneParameters(zoneNames(network, facts)),
    gateway: [],
  };
}

function zoneParameter(index: number): string {
  return `Zone${index + 1}`;
}

/** A zone that has a name is a parameter: CloudFormation sees before it makes anything whether the region has it. */
function zoneParameters(names: readonly string[] = []): readonly Parameter[] {
  return names.map((name, index) => ({
    name: zoneParameter(index),
    type: "AWS::EC2::AvailabilityZone::Name",
    description: `The zone of the nodes of the number ${index + 1} among zones`,
    default: name,
  }));
}

/** Names of the zones, where the file or AWS has said them. */
export function zoneNames(network: AwsNetwork, facts: AwsFacts): readonly string[] | undefined {
  if (network.kind === "given") return network.subnets.map(({ zone }) => zone);
  const { zones } = network;
  return zones.kind === "named" ? zones.names : facts.zones?.slice(0, zones.count);
}

/** The addresses of one of the network's parts. */
export function partOf(cidr: string, part: number): string {
  const [network, prefix] = ipaddr.IPv4.parseCIDR(cidr);
  const size = prefix + Math.log2(parts);
  const [a = 0, b = 0, c = 0, d = 0] = network.octets;
  const first = ((a * 256 + b) * 256 + c) * 256 + d + part * 2 ** (32 - size);
  return `${[24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join(".")}/${size}`;
}

/** Whether what is in a subnet can be reached from outside. */
type Tier = Made["nodes"];

/** The addresses of one zone's subnet: public ones are in the first half of the network's parts, private ones in the second. */
export function subnetRange({ cidr }: Made, tier: Tier, index: number): string {
  return partOf(cidr, index + (tier === "public" ? 0 : parts / 2));
}

function madeNetwork(cluster: Cluster, network: Made, facts: AwsFacts): Network {
  const names = zoneNames(network, facts);
  const zones = Array.from({ length: zoneCount(network.zones) }, (_, index): Value =>
    names === undefined ? { $: "zone", index } : parameter(zoneParameter(index)),
  );
  const make = (id: string, type: Resource["type"], properties: Resource["properties"], name?: string): Resource => ({
    id,
    type,
    layer: "network",
    properties,
    tags: name === undefined ? {} : clusterTags(cluster, name === "" ? cluster.name : `${cluster.name}-${name}`),
    origin,
  });
  const vpc = idOf("Vpc");
  const outside = network.outbound !== "endpoints";
  const gateways = network.outbound === "nat" ? 1 : network.outbound === "nat-per-zone" ? zones.length : 0;
  const hasPublic = network.nodes === "public" || gateways > 0;
  const subnet = (tier: Tier, zone: Value, index: number): Resource => {
    const properties = {
      VpcId: vpc,
      CidrBlock: subnetRange(network, tier, index),
      AvailabilityZone: zone,
      // Nodes ask for their addresses themselves; nothing else that is put here has one unasked.
      MapPublicIpOnLaunch: false,
    };
    return make(subnetId(tier, index), "AWS::EC2::Subnet", properties, `${tier}-${index + 1}`);
  };
  const route = (table: string, to: Readonly<Record<string, Reference>>, after?: readonly string[]): Resource => ({
    ...make(`${table}Default`, "AWS::EC2::Route", {
      RouteTableId: idOf(table),
      DestinationCidrBlock: "0.0.0.0/0",
      ...to,
    }),
    ...(after === undefined ? {} : { after }),
  });
  const joined = (tier: Tier, index: number, table: string): Resource =>
    make(`${subnetId(tier, index)}Routes`, "AWS::EC2::SubnetRouteTableAssociation", {
      SubnetId: idOf(subnetId(tier, index)),
      RouteTableId: idOf(table),
    });
  const publicZones = network.nodes === "public" ? zones : zones.slice(0, gateways);
  const privateZones = network.nodes === "private" ? zones : [];
  const tables = [
    ...(hasPublic ? ["PublicRoutes"] : []),
    ...privateZones.map((_, index) => `PrivateRoutes${index + 1}`),
  ];
  const resources: readonly Resource[] = [
    make("Vpc", "AWS::EC2::VPC", { CidrBlock: network.cidr, EnableDnsSupport: true, EnableDnsHostnames: true }, ""),
    ...(outside
      ? [
          make("InternetGateway", "AWS::EC2::InternetGateway", {}, ""),
          make("InternetAttachment", "AWS::EC2::VPCGatewayAttachment", {
            VpcId: vpc,
            InternetGatewayId: idOf("InternetGateway"),
          }),
        ]
      : []),
    ...tables.map((table) =>
      make(
        table,
        "AWS::EC2::RouteTable",
        { VpcId: vpc },
        table.startsWith("Public") ? "public" : `private-${table.slice(-1)}`,
      ),
    ),
    ...(hasPublic ? [route("PublicRoutes", { GatewayId: idOf("InternetGateway") }, ["InternetAttachment"])] : []),
    ...publicZones.flatMap((zone, index) => [subnet("public", zone, index), joined("public", index, "PublicRoutes")]),
    ...Array.from({ length: gateways }, (_, index): readonly Resource[] => [
      {
        ...make(`Nat${index + 1}Address`, "AWS::EC2::EIP", { Domain: "vpc" }, `nat-${index + 1}`),
        after: ["InternetAttachment"],
      },
      {
        ...make(
          `Nat${index + 1}`,
          "AWS::EC2::NatGateway",
          {
            AllocationId: attributeOf(`Nat${index + 1}Address`, "AllocationId"),
            SubnetId: idOf(subnetId("public", index)),
          },
          `nat-${index + 1}`,
        ),
        // Without its own way out a gateway is of no use to who comes first.
        after: ["PublicRoutesDefault", `${subnetId("public", index)}Routes`],
      },
    ]).flat(),
    ...privateZones.flatMap((zone, index) => {
      const table = `PrivateRoutes${index + 1}`;
      return [
        subnet("private", zone, index),
        joined("private", index, table),
        ...(gateways === 0 ? [] : [route(table, { NatGatewayId: idOf(`Nat${Math.min(index + 1, gateways)}`) })]),
      ];
    }),
    make(
      "StoreEndpoint",
      "AWS::EC2::VPCEndpoint",
      {
        VpcId: vpc,
        VpcEndpointType: "Gateway",
        ServiceName: textOf("com.amazonaws.", pseudo("Region"), ".s3"),
        RouteTableIds: tables.map(idOf),
      },
      "store",
    ),
    ...(outside ? [] : endpoints(cluster, vpc, privateZones.length, make)),
  ];
  const tier = network.nodes;
  return {
    vpc,
    public: tier === "public",
    resources,
    parameters: zoneParameters(names),
    gateway: outside ? ["InternetAttachment"] : [],
    places: zones.map((_, index) => ({
      subnet: idOf(subnetId(tier, index)),
      zone: attributeOf(subnetId(tier, index), "AvailabilityZone"),
      ready: [
        `${subnetId(tier, index)}Routes`,
        "StoreEndpoint",
        ...(tier === "public"
          ? ["PublicRoutesDefault"]
          : gateways > 0
            ? [`PrivateRoutes${index + 1}Default`]
            : endpointNames(cluster).map(endpointId)),
      ],
    })),
  };
}

function subnetId(tier: Tier, index: number): string {
  return `${tier === "public" ? "Public" : "Private"}Subnet${index + 1}`;
}

/** What nodes ask of AWS, where nothing else leads there. */
function endpointNames({ aws, services, orchestrator }: Cluster): readonly string[] {
  return [
    "autoscaling",
    "cloudformation",
    "ec2",
    "logs",
    "sts",
    ...(aws.kmsKey === undefined ? [] : ["kms"]),
    ...(aws.sessionManager ? ["ssm", "ssmmessages"] : []),
    ...(orchestrator === "swarm" && services.length > 0 ? ["ecr.api", "ecr.dkr"] : []),
  ];
}

function endpointId(name: string): string {
  return `Endpoint${name.replace(/(?:^|\.)([a-z])/g, (_, letter: string) => letter.toUpperCase())}`;
}

/** Security group of the endpoints, which lets in every node. */
export const endpointGroup = "EndpointsGuard";

function endpoints(
  cluster: Cluster,
  vpc: Reference,
  zones: number,
  make: (id: string, type: Resource["type"], properties: Resource["properties"], name?: string) => Resource,
): readonly Resource[] {
  return endpointNames(cluster).map((name) =>
    make(
      endpointId(name),
      "AWS::EC2::VPCEndpoint",
      {
        VpcId: vpc,
        VpcEndpointType: "Interface",
        ServiceName: textOf("com.amazonaws.", pseudo("Region"), `.${name}`),
        PrivateDnsEnabled: true,
        SubnetIds: Array.from({ length: zones }, (_, index) => idOf(subnetId("private", index))),
        SecurityGroupIds: [attributeOf(endpointGroup, "GroupId")],
      },
      name,
    ),
  );
}
