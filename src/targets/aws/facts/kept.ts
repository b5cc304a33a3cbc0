import type { Cluster } from "../../../cluster/cluster.ts";
import { listRecords, readRecord } from "../../../records/access.ts";
import type { ClusterStore } from "../../../store/store.ts";
import type { Volume as Disk } from "../clients/ec2.ts";
import type { Session } from "../clients/session.ts";
import { foundPlace, storeAt } from "../look.ts";
import { tagOf } from "../tags.ts";
import { tagNames } from "../../../records/tags.ts";
import { members, type Kept } from "./members.ts";

/**
 * Control members of which nothing but disks and what the store says is left, after a cleanup that kept data. A disk is its
 * member: it comes back on the same disks and at the same address, at which the other members know it.
 */
export async function keptFor(session: Session, cluster: Cluster): Promise<Kept | undefined> {
  const place = await foundPlace(session, cluster.name);
  if (place === undefined) return undefined;
  const store = await storeAt(place);
  if (!(await isOpen(store))) return undefined;
  const [roster, disks] = await Promise.all([
    listRecords(store, "roster"),
    (await session.ec2()).volumes([
      { Name: `tag:${tagNames.cluster}`, Values: [cluster.name] },
      { Name: "status", Values: ["available"] },
    ]),
  ]);
  const kept = new Map<string, Kept[string]>();
  for (const { group, node } of members(cluster)) {
    const entry = roster.find(({ value }) => value.node === node && value.state !== "gone")?.value;
    const found = group.volumes
      .filter(({ onTermination }) => onTermination === "keep")
      .map(({ name }) => [name, diskOf(disks, node, name)] as const);
    const [first] = found;
    const zone = first?.[1]?.AvailabilityZone;
    // Its identity is on one of them, its engine's on another: with some of them only it is nobody.
    if (entry === undefined || zone === undefined || found.some(([, disk]) => disk === undefined)) continue;
    kept.set(node, {
      address: entry.address,
      zone,
      disks: Object.fromEntries(found.map(([name, disk]) => [name, disk?.VolumeId ?? ""])),
    });
  }
  return kept.size === 0 ? undefined : Object.fromEntries(kept);
}

/** A creation that was taken back has left nothing that counts. */
async function isOpen(store: ClusterStore): Promise<boolean> {
  const record = await readRecord(store, "cluster");
  if (record === undefined) return false;
  const { generation } = record.value;
  const [state, formed] = await Promise.all([
    readRecord(store, "generation", { generation }),
    readRecord(store, "etcdProposal", { generation }),
  ]);
  return state?.value.state === "open" && formed !== undefined;
}

function diskOf(disks: readonly Disk[], node: string, volume: string): Disk | undefined {
  const mine = disks.filter(
    (disk) => tagOf(disk, tagNames.node) === node && tagOf(disk, "Name") === `${node}-${volume}`,
  );
  // Two under one name: nobody says which of them is the member.
  return mine.length === 1 ? mine[0] : undefined;
}
