import type { RecordValue } from "../../records/table.ts";
import type { QuorumMember } from "../quorum.ts";
import type { Seen } from "../reconciler.ts";
import type { Roster, RosterEntry } from "../roster.ts";

/** One line of etcd's member list. */
export type EtcdMember = {
  /** Hexadecimal, as etcdctl prints it. */
  readonly id: string;
  /** Empty until the member has started for the first time. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly learner: boolean;
};

/** An instance's own word that it runs (or ran) this member of this cluster. */
export type Joined = Pick<RecordValue<"etcdJoined">, "clusterId" | "memberId"> & {
  readonly instance: string;
};

/** Where the members of a cluster speak to each other. */
export function peerUrl(address: string): string {
  return `https://${address}:2380`;
}

/**
 * Whose member this is: the instance that recorded it as its own, else the instance at its address, where one
 * that is still there goes before one that is gone. `undefined`: not ours to judge.
 */
export function ownerOf(member: EtcdMember, joined: readonly Joined[], roster: Roster): RosterEntry | undefined {
  const recorded = joined.find((record) => record.memberId === member.id);
  if (recorded !== undefined) return roster.find((entry) => entry.instance === recorded.instance);
  const here = roster.filter((entry) => entry.role === "control" && member.peerUrls.includes(peerUrl(entry.address)));
  return here.find((entry) => entry.state !== "gone") ?? here[0];
}

/** Members with what each of them answers; the input of the guard and of tending. */
export type ObservedMember = EtcdMember & {
  /** A voter: a linearizable read through its own endpoint; a learner: a serializable one. */
  readonly healthy: Seen<boolean>;
};

/** The same, with what each member answers. */
export type ObservedCluster = {
  readonly clusterId: string;
  readonly members: readonly ObservedMember[];
};

/** The members as the guard counts them. */
export function quorumMembers(members: readonly ObservedMember[]): readonly QuorumMember[] {
  return members.map((member) => ({
    id: member.id,
    voter: !member.learner,
    healthy: member.healthy,
  }));
}
