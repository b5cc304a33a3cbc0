import { peerUrl, type EtcdMember, type Joined } from "../../src/components/etcd/membership.ts";
import { tendNext } from "../../src/components/etcd/tend.ts";
import { guard, quorumOf } from "../../src/components/quorum.ts";
import { seen, unknown } from "../../src/components/reconciler.ts";
import type { Roster } from "../../src/components/roster.ts";
import { swarmTendNext, type SwarmIdentity, type SwarmNode } from "../../src/components/swarm/tend.ts";
import type { Labels } from "../../src/cluster/cluster.ts";

/**
 * etcd and Swarm of one cluster in memory, with the decisions of the real agents' pure functions.
 * - A member is healthy while the node that has its data runs. Every change of the list needs a quorum of healthy voters.
 * - A learner is in sync at once and has no vote; there is one at a time.
 * - Once etcd has had quorum, every moment without is noted in `lost`; the same for Swarm's managers.
 */
export type Members = {
  etcd: { readonly clusterId: string; members: EtcdMember[]; formed: boolean } | undefined;
  swarm: { readonly clusterId: string; nodes: StoredNode[]; formed: boolean } | undefined;
  /** Moments without quorum. */
  readonly lost: string[];
  next: number;
};
export type StoredNode = Omit<SwarmNode, "state" | "reachable" | "leader" | "counted" | "address"> & {
  readonly hostname: string;
};

/** Which members' data is on a node that runs now. */
export type Alive = { readonly etcd: Set<string>; readonly swarm: Set<string> };

export const noMembers = (): Members => ({ etcd: undefined, swarm: undefined, lost: [], next: 1 });

export function newId(members: Members, kind: string): string {
  return `${kind}${members.next++}`;
}

const voters = (members: Members): EtcdMember[] => (members.etcd?.members ?? []).filter((member) => !member.learner);

export function hasQuorum(members: Members, alive: Alive): boolean {
  const all = voters(members);
  return all.length > 0 && all.filter(({ id }) => alive.etcd.has(id)).length >= quorumOf(all.length);
}

export function managersHaveQuorum(members: Members, alive: Alive): boolean {
  const all = (members.swarm?.nodes ?? []).filter(({ role }) => role === "manager");
  return all.length > 0 && all.filter(({ id }) => alive.swarm.has(id)).length >= quorumOf(all.length);
}

/** Notes a moment without quorum; called after every change of the world. */
export function watch(members: Members, alive: Alive, when: string): void {
  if (members.etcd !== undefined) {
    if (hasQuorum(members, alive)) members.etcd.formed = true;
    else if (members.etcd.formed)
      members.lost.push(
        `etcd: ${voters(members).length} voters, ${voters(members).filter(({ id }) => alive.etcd.has(id)).length} healthy, after ${when}`,
      );
  }
  if (members.swarm !== undefined) {
    if (managersHaveQuorum(members, alive)) members.swarm.formed = true;
    else if (members.swarm.formed) members.lost.push(`swarm: managers without quorum after ${when}`);
  }
}

export function etcdLeader(members: Members, alive: Alive): string | undefined {
  return hasQuorum(members, alive) ? voters(members).find(({ id }) => alive.etcd.has(id))?.id : undefined;
}

/** One act of tending, as a healthy voter's agent does it; true when something changed. */
export function tendEtcd(
  members: Members,
  alive: Alive,
  me: string,
  instance: string,
  roster: Roster,
  joined: readonly Joined[],
): boolean {
  const { etcd } = members;
  if (etcd === undefined || !hasQuorum(members, alive)) return false;
  const next = tendNext({
    me: { instance, memberId: me },
    clusterId: etcd.clusterId,
    roster: seen(roster),
    joined: seen(joined),
    members: seen(
      etcd.members.map((member) => ({
        ...member,
        healthy: seen(alive.etcd.has(member.id)),
        inSync: member.learner ? seen(alive.etcd.has(member.id)) : unknown("not asked"),
      })),
    ),
    leader: seen(etcdLeader(members, alive)),
  });
  if (next.kind !== "act") return false;
  switch (next.act.kind) {
    case "promote": {
      const { memberId } = next.act;
      etcd.members = etcd.members.map((member) => (member.id === memberId ? { ...member, learner: false } : member));
      return true;
    }
    case "removeMember": {
      const { memberId } = next.act;
      etcd.members = etcd.members.filter((member) => member.id !== memberId);
      return true;
    }
    case "moveLeader": {
      const { to } = next.act;
      // The first healthy voter leads.
      etcd.members = etcd.members.toSorted((a, b) => Number(b.id === to) - Number(a.id === to));
      return true;
    }
  }
}

/** A new member for an instance without data: first its old one out, then in as a learner, one at a time. Gives the member's id. */
export function enterEtcd(members: Members, alive: Alive, node: string, address: string): string | undefined {
  const { etcd } = members;
  if (etcd === undefined || !hasQuorum(members, alive)) return undefined;
  const old = etcd.members.find((member) => member.peerUrls.includes(peerUrl(address)));
  if (old !== undefined) {
    const verdict = guard(
      seen(
        etcd.members.map((member) => ({
          id: member.id,
          voter: !member.learner,
          healthy: seen(alive.etcd.has(member.id)),
        })),
      ),
      { kind: "remove", id: old.id },
    );
    if (verdict.allowed) etcd.members = etcd.members.filter((member) => member !== old);
    return undefined;
  }
  if (etcd.members.some(({ learner }) => learner)) return undefined;
  const id = newId(members, "etcd");
  etcd.members = [...etcd.members, { id, name: node, peerUrls: [peerUrl(address)], learner: true }];
  return id;
}

export function swarmNodesNow(members: Members, alive: Alive): readonly SwarmNode[] {
  const nodes = members.swarm?.nodes ?? [];
  const leader = nodes.find((node) => node.role === "manager" && alive.swarm.has(node.id))?.id;
  return nodes.map((node) => ({
    ...node,
    state: alive.swarm.has(node.id) ? "ready" : "down",
    reachable: node.role === "manager" && alive.swarm.has(node.id),
    leader: node.id === leader,
    counted: node.role === "manager",
    address: "",
  }));
}

/** One act of tending the swarm, as a manager's agent does it; true when something changed. */
export function tendSwarm(
  members: Members,
  alive: Alive,
  me: SwarmIdentity,
  roster: Roster,
  identities: readonly SwarmIdentity[],
  labels: Readonly<Record<string, Labels>> | undefined,
): boolean {
  const { swarm } = members;
  if (swarm === undefined || !managersHaveQuorum(members, alive)) return false;
  const next = swarmTendNext({
    me,
    nodes: seen(swarmNodesNow(members, alive)),
    roster: seen(roster),
    turn: seen({ first: me.instance, grown: true, full: [], joining: [], whole: false }),
    identities: seen(identities),
    labels: labels === undefined ? unknown("no revision yet") : seen(labels),
  });
  if (next.kind !== "act") return false;
  const change = (id: string, fields: Partial<StoredNode>): void => {
    swarm.nodes = swarm.nodes.map((node) => (node.id === id ? { ...node, ...fields } : node));
  };
  const { act } = next;
  if (act.kind === "setLabels") for (const { nodeId, labels } of act.nodes) change(nodeId, { labels });
  if (act.kind === "promote") change(act.nodeId, { role: "manager" });
  if (act.kind === "demote") change(act.nodeId, { role: "worker" });
  if (act.kind === "drain") for (const nodeId of act.nodeIds) change(nodeId, { availability: "drain" });
  if (act.kind === "remove") swarm.nodes = swarm.nodes.filter((node) => !act.nodeIds.includes(node.id));
  return true;
}
