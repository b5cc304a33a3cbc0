import type { Cluster, Group } from "../../cluster/cluster.ts";
import { isTrouble } from "./clients/caller.ts";
import type { Session } from "./clients/session.ts";
import type { Graph, Resource } from "./graph/resource.ts";
import { scalingGroups } from "./stack/changes.ts";

/** AWS counts months as so many hours. */
const hours = 730;
const gibibyte = 1024 ** 3;

/**
 * Dollars an hour on demand, us-east-1, Linux: AWS's list prices from memory, for where the price list cannot be asked. The month
 * says how old they are.
 */
export const listed = "2026-11";
const sizes = ["nano", "micro", "small", "medium", "large", "xlarge", "2xlarge", "4xlarge"] as const;
/** Within a family each size costs twice the one before. */
const families: Readonly<Record<string, { readonly size: (typeof sizes)[number]; readonly price: number }>> = {
  c5: { size: "large", price: 0.085 },
  c6g: { size: "large", price: 0.068 },
  c6i: { size: "large", price: 0.085 },
  c7g: { size: "large", price: 0.0725 },
  m5: { size: "large", price: 0.096 },
  m6g: { size: "large", price: 0.077 },
  m6i: { size: "large", price: 0.096 },
  m7g: { size: "large", price: 0.0816 },
  m7i: { size: "large", price: 0.1008 },
  r5: { size: "large", price: 0.126 },
  r6g: { size: "large", price: 0.1008 },
  r6i: { size: "large", price: 0.126 },
  t3: { size: "nano", price: 0.0052 },
  t3a: { size: "nano", price: 0.0047 },
  t4g: { size: "nano", price: 0.0042 },
};
/** Dollars a GiB and month. */
const disks: Readonly<Record<string, number>> = {
  gp2: 0.1,
  gp3: 0.08,
  io1: 0.125,
  io2: 0.125,
  sc1: 0.015,
  st1: 0.045,
  standard: 0.05,
};
const publicAddress = 0.005 * hours;
const natGateway = 0.045 * hours;
const endpoint = 0.01 * hours;
const monitoring = 2.1;
/**
 * What a node at rest asks of the store, dollars a month at $0.005 and $0.0004 a thousand: each half minute a control node lists
 * five times, reads fourteen records and writes its own; a worker reads five and writes its own.
 */
const requests = { control: 3.1, worker: 0.7 } as const;
/** What spot costs of the price on demand, as a rule. */
const spotShare = 0.35;

/** Dollars an hour by instance type, as far as anyone has said. */
export type Prices = {
  readonly hour: (type: string) => number | undefined;
  /** Where they are from, for people. */
  readonly source: string;
};

export const listPrices: Prices = {
  hour(type) {
    const [family = "", size = ""] = type.split(".");
    const found = Object.hasOwn(families, family) ? families[family] : undefined;
    const [at, from] = [sizes.findIndex((one) => one === size), found === undefined ? -1 : sizes.indexOf(found.size)];
    return found === undefined || at < from ? undefined : found.price * 2 ** (at - from);
  },
  source: `list prices of us-east-1 of ${listed}, which other regions exceed by up to a fifth`,
};

/** Prices of the region, asked of AWS; the table where it gives none. */
export async function pricesFor(session: Session, cluster: Cluster): Promise<Prices> {
  const types = [...new Set(cluster.groups.flatMap(({ aws }) => aws.instanceTypes.slice(0, 1)))];
  try {
    const [pricing, region] = await Promise.all([session.pricing(), session.region()]);
    const found = new Map(
      await Promise.all(types.map(async (type) => [type, await pricing.hour(type, region)] as const)),
    );
    if ([...found.values()].some((price) => price === undefined)) return listPrices;
    return {
      hour: (type) => found.get(type) ?? listPrices.hour(type),
      source: `AWS's price list of ${region}, today; disks and addresses at ${listPrices.source}`,
    };
  } catch (error) {
    // A plan is worth having without today's prices.
    if (isTrouble(error, "forbidden", "unreachable", "throttled", "invalid", "gone")) return listPrices;
    throw error;
  }
}

/** Dollars a month of each resource that costs something; an instance type without a price leaves its group out. */
export function monthlyOf(cluster: Cluster, graph: Graph, prices: Prices): ReadonlyMap<string, number> {
  const groups = new Map(scalingGroups(cluster).map((one) => [one.resource, one]));
  const isPublic = cluster.aws.network.nodes === "public";
  const cost = (resource: Resource): number | undefined => {
    const { properties } = resource;
    switch (resource.type) {
      case "AWS::AutoScaling::AutoScalingGroup": {
        const found = groups.get(resource.id);
        const each = found === undefined ? undefined : nodeMonth(found.group, prices, isPublic);
        return found === undefined || each === undefined ? undefined : each * found.count;
      }
      case "AWS::EC2::Volume": {
        const { VolumeType: type, Size: size } = properties;
        return typeof type === "string" && typeof size === "number" ? diskMonth(type, size) : undefined;
      }
      case "AWS::EC2::EIP":
        return publicAddress;
      case "AWS::EC2::NatGateway":
        return natGateway;
      case "AWS::EC2::VPCEndpoint": {
        const subnets = properties["SubnetIds"];
        return Array.isArray(subnets) ? endpoint * subnets.length : undefined;
      }
      default:
        return undefined;
    }
  };
  return new Map(
    graph.resources.flatMap((resource) => {
      const month = cost(resource);
      return month === undefined ? [] : [[resource.id, month] as const];
    }),
  );
}

/** Dollars a month of a disk of so many GiB. */
export function diskMonth(type: string, size: number): number {
  return (disks[type] ?? disks["gp3"] ?? 0) * size;
}

/** One node with the disks that come with it, and its address. */
function nodeMonth(group: Group, prices: Prices, isPublic: boolean): number | undefined {
  const hour = prices.hour(group.aws.instanceTypes[0] ?? "");
  if (hour === undefined) return undefined;
  const { count } = group;
  const certain = Math.min(count, group.aws.onDemandBase);
  const spot = count === 0 ? 0 : ((count - certain) * group.aws.spotPercent) / 100 / count;
  const attached = group.role === "control" ? [] : group.volumes;
  return (
    hour * hours * (1 - spot + spot * spotShare) +
    requests[group.role] +
    diskMonth(group.aws.rootVolume.type, group.aws.rootVolume.size / gibibyte) +
    attached.reduce((sum, { type, size }) => sum + diskMonth(type ?? "gp3", (size ?? gibibyte) / gibibyte), 0) +
    (isPublic ? publicAddress : 0) +
    (group.aws.detailedMonitoring ? monitoring : 0)
  );
}
