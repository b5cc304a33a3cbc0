import type { AwsSpec, GroupAwsSpec } from "../spec/aws.ts";
import { bytesOf } from "../spec/volumes.ts";
import type { AwsNetwork, AwsSettings, GroupAws, Inbound, OwnSecurityGroup } from "./aws-settings.ts";
import { labelsOf, sortedEntries } from "./names.ts";

const usualType = "t3.small";
const usualNetwork = "10.42.0.0/16";
const usualRoot = 20 * 1024 ** 3;

/** `aws:` with every default filled in; `controls` is the number of control nodes. */
export function resolveAws(spec: AwsSpec, controls: number): AwsSettings {
  return {
    region: spec.region,
    accounts: spec.accounts ?? [],
    network: networkOf(spec.network ?? {}, controls),
    images: labelsOf(spec.images),
    sshFrom: spec.allow_ssh_from ?? [],
    apiFrom: spec.allow_api_from ?? [],
    servicesFrom: spec.allow_services_from ?? [],
    securityGroups: (spec.security_groups ?? []).map((group, index) => securityGroup(group, index)),
    sessionManager: spec.session_manager ?? true,
    bucket: spec.bucket,
    kmsKey: spec.kms_key,
    permissionsBoundary: spec.permissions_boundary,
    logRetention: Number(spec.log_retention ?? "30"),
    tags: labelsOf(spec.tags),
  };
}

function networkOf(spec: NonNullable<AwsSpec["network"]>, controls: number): AwsNetwork {
  if (spec.vpc !== undefined)
    return {
      kind: "given",
      vpc: spec.vpc,
      subnets: sortedEntries(spec.subnets ?? {}).map(([zone, subnet]) => ({ zone, subnet })),
      nodes: spec.nodes ?? "private",
    };
  const nodes = spec.nodes ?? "public";
  return {
    kind: "made",
    cidr: spec.cidr ?? usualNetwork,
    zones:
      spec.zone_names === undefined
        ? { kind: "count", count: spec.zones ?? Math.max(1, Math.min(3, controls)) }
        : { kind: "named", names: spec.zone_names },
    nodes,
    outbound: nodes === "public" ? "gateway" : (spec.outbound ?? "nat"),
  };
}

const sshPort = 22;

function securityGroup(spec: NonNullable<AwsSpec["security_groups"]>[number], index: number): OwnSecurityGroup {
  const at = ["aws", "security_groups", index];
  return {
    name: spec.name,
    action: spec.action ?? "create",
    allowAllOwnTraffic: spec.allow_all_own_traffic ?? false,
    inbound: [
      ...(spec.allow_ssh_from ?? []).map((range): Inbound => ({
        protocol: "tcp",
        from: sshPort,
        to: sshPort,
        range,
        at: [...at, "allow_ssh_from"],
      })),
      ...(spec.allow_inbound ?? []).map(({ protocol, from_port: from, to_port: to, ip }, rule): Inbound => ({
        protocol: protocol ?? "tcp",
        from,
        to: to ?? from,
        range: ip,
        at: [...at, "allow_inbound", rule],
      })),
    ],
    at,
  };
}

/** A group's `aws:` over what the section says for all. */
export function resolveGroupAws(spec: GroupAwsSpec, all: AwsSpec, count: number): GroupAws {
  const root = { ...all.root_volume, ...spec.root_volume };
  return {
    instanceTypes: spec.instance_types ?? [spec.instance_type ?? all.instance_type ?? usualType],
    spotPercent: spec.spot_percent ?? 0,
    onDemandBase: spec.on_demand_base ?? 0,
    min: spec.min ?? Math.min(count, spec.max ?? count),
    max: spec.max ?? Math.max(count, spec.min ?? count),
    rootVolume: {
      size: root.size === undefined ? usualRoot : (bytesOf(root.size) ?? usualRoot),
      type: root.type ?? "gp3",
    },
    keyPair: spec.key_pair ?? all.key_pair,
    detailedMonitoring: spec.detailed_monitoring ?? all.detailed_monitoring ?? false,
    fixedAddress: spec.allocate_ip_address ?? all.allocate_ip_address ?? false,
    securityGroups: spec.security_groups ?? (all.security_groups ?? []).map(({ name }) => name),
    tags: labelsOf(spec.tags),
  };
}

/** Graviton types have a g behind the generation's number; a1 was the first (AWS, "Amazon EC2 instance type naming conventions"). */
export function architectureOf(type: string): "x86_64" | "arm64" {
  return /^(?:a1|[a-z]+\d+[a-z]*g[a-z]*)\./.test(type) ? "arm64" : "x86_64";
}
