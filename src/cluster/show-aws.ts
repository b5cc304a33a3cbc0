import { sizeText } from "../spec/volumes.ts";
import type { AwsNetwork, AwsSettings, GroupAws, Inbound, OwnSecurityGroup } from "./aws-settings.ts";

/** Only what has a value. */
export function said(keys: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(keys).filter(([, value]) => value !== undefined));
}

/** The section `aws:` with every default written down. */
export function awsKeys(aws: AwsSettings): object {
  return {
    ...said({ region: aws.region }),
    accounts: aws.accounts,
    network: networkKeys(aws.network),
    images: aws.images,
    allow_ssh_from: aws.sshFrom,
    allow_api_from: aws.apiFrom,
    allow_services_from: aws.servicesFrom,
    security_groups: aws.securityGroups.map(securityGroupKeys),
    session_manager: aws.sessionManager,
    ...said({ bucket: aws.bucket, kms_key: aws.kmsKey, permissions_boundary: aws.permissionsBoundary }),
    log_retention: aws.logRetention,
    tags: aws.tags,
  };
}

function networkKeys(network: AwsNetwork): object {
  if (network.kind === "given") {
    const subnets = Object.fromEntries(network.subnets.map(({ zone, subnet }) => [zone, subnet]));
    return { vpc: network.vpc, subnets, nodes: network.nodes };
  }
  const { cidr, zones, nodes, outbound } = network;
  return {
    cidr,
    ...(zones.kind === "count" ? { zones: zones.count } : { zone_names: zones.names }),
    nodes,
    ...(outbound === "gateway" ? {} : { outbound }),
  };
}

function securityGroupKeys({ name, action, allowAllOwnTraffic, inbound }: OwnSecurityGroup): object {
  const [ssh, others] = [inbound.filter(isSsh), inbound.filter((rule) => !isSsh(rule))];
  return {
    name,
    action,
    allow_all_own_traffic: allowAllOwnTraffic,
    allow_ssh_from: ssh.map(({ range }) => range),
    allow_inbound: others.map(({ protocol, from, to, range }) => ({
      protocol,
      ...said({ from_port: from, to_port: to }),
      ip: range,
    })),
  };
}

/** The file says it in a word of its own. */
function isSsh({ at }: Inbound): boolean {
  return at.at(-1) === "allow_ssh_from";
}

/** A group's `aws:` with every default written down; one control node's number is its count alone. */
export function groupAwsKeys(aws: GroupAws, control: boolean): object {
  const [first, ...others] = aws.instanceTypes;
  return {
    ...(others.length === 0 ? { instance_type: first } : { instance_types: aws.instanceTypes }),
    spot_percent: aws.spotPercent,
    on_demand_base: aws.onDemandBase,
    ...(control ? {} : { min: aws.min, max: aws.max }),
    root_volume: { size: sizeText(aws.rootVolume.size), type: aws.rootVolume.type },
    ...said({ key_pair: aws.keyPair }),
    detailed_monitoring: aws.detailedMonitoring,
    allocate_ip_address: aws.fixedAddress,
    security_groups: aws.securityGroups,
    tags: aws.tags,
  };
}
