import { architectureOf } from "../../../cluster/aws.ts";
import { zoneCount } from "../../../cluster/aws-network.ts";
import type { Cluster } from "../../../cluster/cluster.ts";
import type { ProgramSums } from "../../target.ts";
import type { Image } from "../clients/ec2.ts";
import type { Session } from "../clients/session.ts";
import { tagNames } from "../../../records/tags.ts";
import { imageOwners } from "../judge.ts";
import { tagOf } from "../tags.ts";
import { callerFor } from "./caller.ts";
import type { AwsFacts } from "./facts.ts";
import { keptFor } from "./kept.ts";

/** What `--refresh` may name. */
export const factNames = ["zones", "images", "security-groups", "caller", "programs"] as const;
type FactName = (typeof factNames)[number];
type Architecture = "x86_64" | "arm64";

/**
 * What AWS has to say before a cluster can be compiled. What is pinned is not asked again, unless it is named, or does not do
 * for what the file asks now.
 */
export async function gatherFacts(
  session: Session,
  cluster: Cluster,
  pinned: AwsFacts | undefined,
  refresh: readonly string[],
  programs: () => Promise<ProgramSums>,
  /** Whether there is a stack: then it says what disks it stands on. */
  stands: () => Promise<boolean>,
): Promise<AwsFacts> {
  const anew = (name: FactName): boolean => refresh.includes(name);
  const [{ account }, region] = await Promise.all([session.identity(), session.region()]);
  const [zones, images, securityGroups, caller, kept, sums] = await Promise.all([
    zonesFor(session, cluster, region, anew("zones") ? undefined : pinned?.zones),
    imagesFor(session, cluster, region, anew("images") ? undefined : pinned?.images),
    groupsFor(session, cluster, anew("security-groups") ? undefined : pinned?.securityGroups),
    callerFor(session, cluster, anew("caller") ? undefined : pinned?.caller),
    keptStill(),
    anew("programs") || pinned?.programs === undefined ? programs() : pinned.programs,
  ]);
  return {
    account,
    region,
    ...(zones === undefined ? {} : { zones: [...zones] }),
    ...(Object.keys(images).length === 0 ? {} : { images }),
    ...(securityGroups === undefined ? {} : { securityGroups }),
    ...(caller === undefined ? {} : { caller }),
    ...(kept === undefined ? {} : { kept }),
    programs: { agent: sums.agent, node: { ...sums.node } },
  };

  /** What was never launched has left nothing. */
  async function keptStill(): Promise<AwsFacts["kept"]> {
    if (pinned === undefined) return undefined;
    return (await stands()) ? pinned.kept : keptFor(session, cluster);
  }
}

/** Zones in which each group finds one of its types; undefined where the network is given with its subnets. */
async function zonesFor(
  session: Session,
  cluster: Cluster,
  region: string,
  pinned: readonly string[] | undefined,
): Promise<readonly string[] | undefined> {
  const { network } = cluster.aws;
  if (network.kind === "given") return undefined;
  if (pinned !== undefined && pinned.length >= zoneCount(network.zones)) return pinned;
  const types = [...new Set(cluster.groups.flatMap(({ aws }) => aws.instanceTypes))];
  const offered = await (await session.ec2()).offerings(types);
  const byZone = new Map<string, Set<string>>();
  for (const { InstanceType = "", Location = "" } of offered)
    byZone.set(Location, (byZone.get(Location) ?? new Set()).add(InstanceType));
  return (
    [...byZone]
      .filter(([, its]) => cluster.groups.every(({ aws }) => aws.instanceTypes.some((type) => its.has(type))))
      .map(([zone]) => zone)
      // Local zones have longer names, and lack much of what a zone has.
      .filter((zone) => zone.startsWith(region) && zone.length === region.length + 1)
      .toSorted()
  );
}

/** What an image of each system is called (see facts of platforms in docs/systems; Debian and Ubuntu: their cloud teams' pages). */
function imageFilter(
  cluster: Cluster,
  architecture: Architecture,
): { readonly Name: string; readonly Values: string[] } {
  const debian = architecture === "arm64" ? "arm64" : "amd64";
  switch (cluster.os) {
    case "flatcar":
      return { Name: "name", Values: [`Flatcar-${cluster.updates.channel ?? "stable"}-*`] };
    case "fedora-coreos":
      return { Name: "description", Values: ["Fedora CoreOS stable *"] };
    case "debian":
      return { Name: "name", Values: [`debian-13-${debian}-*`] };
    case "ubuntu":
      return { Name: "name", Values: [`ubuntu/images/hvm-ssd*/ubuntu-noble-24.04-${debian}-server-*`] };
  }
}

/** The newest image of the system's own publisher: anyone can name one alike. */
async function imagesFor(
  session: Session,
  cluster: Cluster,
  region: string,
  pinned: AwsFacts["images"],
): Promise<NonNullable<AwsFacts["images"]>> {
  if (cluster.aws.images[region] !== undefined) return {};
  const wanted = new Set(cluster.groups.map(({ aws }): Architecture => architectureOf(aws.instanceTypes[0] ?? "")));
  const owner = imageOwners[cluster.os];
  const ec2 = await session.ec2();
  const found = await Promise.all(
    [...wanted].toSorted().map(async (architecture) => {
      const known = pinned?.[architecture];
      if (known !== undefined) return [[architecture, known] as const];
      const images = await ec2.images({
        owner,
        Filters: [
          imageFilter(cluster, architecture),
          { Name: "architecture", Values: [architecture] },
          { Name: "virtualization-type", Values: ["hvm"] },
          { Name: "state", Values: ["available"] },
        ],
      });
      const newest = newestOf(images.filter(({ OwnerId }) => OwnerId === owner));
      return newest?.ImageId === undefined
        ? []
        : [[architecture, { id: newest.ImageId, owner, name: newest.Name ?? "" }] as const];
    }),
  );
  return Object.fromEntries(found.flat());
}

function newestOf(images: readonly Image[]): Image | undefined {
  return images.toSorted((a, b) => {
    const [one = "", other = ""] = [a.CreationDate, b.CreationDate];
    return one < other ? 1 : one > other ? -1 : (a.ImageId ?? "") < (b.ImageId ?? "") ? -1 : 1;
  })[0];
}

/** Security groups that the file finds, and that are not this cluster's own. */
async function groupsFor(
  session: Session,
  cluster: Cluster,
  pinned: AwsFacts["securityGroups"],
): Promise<AwsFacts["securityGroups"]> {
  const { network } = cluster.aws;
  const names = cluster.aws.securityGroups
    .filter(({ name, action }) => action !== "create" && !name.startsWith("sg-"))
    .map(({ name }) => name);
  if (names.length === 0) return undefined;
  if (pinned !== undefined && names.every((name) => Object.hasOwn(pinned, name))) return pinned;
  const found = await (
    await session.ec2()
  ).securityGroups([
    { Name: "group-name", Values: names },
    ...(network.kind === "given" ? [{ Name: "vpc-id", Values: [network.vpc] }] : []),
  ]);
  const others = found.filter((one) => tagOf(one, tagNames.cluster) !== cluster.name);
  return Object.fromEntries(
    others
      .map(({ GroupName = "", GroupId = "" }) => [GroupName, GroupId] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** What a plan stands on, for people. */
export function describeFacts(facts: AwsFacts, gathered: number, now: number): readonly string[] {
  const days = Math.floor((now - gathered) / 86_400_000);
  const age = days === 0 ? "today" : days === 1 ? "a day ago" : `${days} days ago`;
  return [
    `account ${facts.account ?? "?"} in ${facts.region ?? "?"}; what AWS said ${age} is pinned (--refresh asks again)`,
    ...(facts.caller === undefined
      ? []
      : [`ssh from ${facts.caller}, which was whose address it was then; --refresh caller takes today's`]),
    ...Object.entries(facts.kept ?? {}).map(
      ([node, { address, disks }]) =>
        `${node} is on disks that were kept: ${Object.values(disks).join(", ")}, at ${address}`,
    ),
    ...Object.values(facts.images ?? {}).map(({ id, owner, name }) => `image ${id} (${name}, of ${owner})`),
  ];
}
