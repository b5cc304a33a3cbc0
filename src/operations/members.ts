import type { NodeName } from "../cluster/cluster.ts";
import { guard, type QuorumChange, type QuorumMember, type Verdict } from "../components/quorum.ts";
import { seen as known, unknown, type Seen as Known } from "../components/reconciler.ts";
import { deriveStatus, type On } from "./derive.ts";
import { isRunning, newestEtcdView } from "./etcd-view.ts";
import { recordOf, type Seen } from "./look.ts";
import type { NodeStatus, Status } from "./status-shape.ts";

export type Members = {
  readonly members: Known<readonly QuorumMember[]>;
  /** The member that a node is; undefined when it is none. */
  readonly idOf: (node: NodeStatus) => string | undefined;
};

/** etcd's members as the newest control node sees them, corrected by what the target shows at this moment. */
export function etcdMembers(seen: Seen, status: Status): Members {
  if (seen.recorded.kind === "unreadable") {
    return { members: unknown(seen.recorded.why), idOf: () => undefined };
  }
  const told = (node: NodeStatus): string | undefined => recordOf(seen, node.instance)?.etcd?.memberId;
  const view = newestEtcdView(seen.recorded.value, status.nodes);
  if (view === undefined) {
    // Before etcd has formed there is nothing that could be lost.
    const why = "no control node that runs has told of etcd's members lately";
    return { members: seen.recorded.value.formed.etcd ? unknown(why) : known([]), idOf: told };
  }
  const idOf = (node: NodeStatus): string | undefined => {
    // A node whose etcd does not answer leaves its id out, and is a member all the same.
    const named = view.etcd.members.filter((member) => member.name === node.name);
    return told(node) ?? (named.length === 1 ? named[0]?.id : undefined);
  };
  const holders = new Map(
    status.nodes
      .filter((node) => node.role === "control")
      .flatMap((node) => {
        const id = idOf(node);
        return id === undefined ? [] : [[id, node] as const];
      }),
  );
  const members = view.etcd.members.map(({ id, learner, healthy }): QuorumMember => ({
    id,
    voter: !learner,
    healthy: healthOf(holders.get(id), healthy),
  }));
  return { members: known(members), idOf };
}

/** Swarm's managers: every control node is one, or is about to be, once there is a swarm. */
export function swarmMembers(seen: Seen, status: Status): Members {
  const idOf = (node: NodeStatus): string => node.instance;
  if (seen.recorded.kind === "unreadable") return { members: unknown(seen.recorded.why), idOf };
  const isManager = (node: NodeStatus): boolean => recordOf(seen, node.instance)?.swarm?.manager === true;
  const control = status.nodes.filter(
    (node) => node.role === "control" && !isOutside(node, recordOf(seen, node.instance)),
  );
  if (!control.some(isManager)) {
    const { swarm } = seen.recorded.value.formed;
    return { members: swarm ? unknown("no control node tells of the swarm") : known([]), idOf };
  }
  const members = control.map((node): QuorumMember => ({
    id: node.instance,
    voter: true,
    healthy: healthOf(node, isManager(node)),
  }));
  return { members: known(members), idOf };
}

/** One that leaves is no manager any more as soon as it says so, and one that never ran was none. */
function isOutside(node: NodeStatus, record: ReturnType<typeof recordOf>): boolean {
  if (record === undefined) return !isRunning(node.state) && node.state !== "unknown";
  return record.phase === "left" || (record.phase === "leaving" && record.swarm?.manager === false);
}

function healthOf(node: NodeStatus | undefined, told: boolean): Known<boolean> {
  if (node === undefined) return known(told);
  if (node.state === "unknown") return unknown(node.reason ?? "it is silent");
  return known(told && isRunning(node.state));
}

/** How many voters there are, and how many of them are seen healthy. */
export function votes(members: readonly QuorumMember[]): {
  readonly voters: number;
  readonly healthy: number;
} {
  const voters = members.filter((member) => member.voter);
  const healthy = voters.filter((member) => member.healthy.kind === "seen" && member.healthy.value).length;
  return { voters: voters.length, healthy };
}

/** The node of an instance that is gone and whose etcd member is still there. */
function goneMember(seen: Seen, members: readonly QuorumMember[]): string | undefined {
  if (seen.recorded.kind === "unreadable") return undefined;
  const { nodes, roster } = seen.recorded.value;
  const gone = new Set(roster.filter((entry) => entry.state === "gone").map((entry) => entry.instance));
  return nodes.find(
    (record) => gone.has(record.instance) && members.some((member) => member.id === record.etcd?.memberId),
  )?.node;
}

/** May this control node be stopped, or leave, as far as is seen now? Both etcd and Swarm must keep their quorum. */
export function guardNode(seen: Seen, target: On, node: NodeName, kind: QuorumChange["kind"]): Verdict {
  const status = deriveStatus(seen, target);
  const found = status.nodes.find((candidate) => candidate.name === node);
  if (found === undefined || found.role !== "control") return { allowed: true };
  for (const [system, { members, idOf }] of [
    ["etcd", etcdMembers(seen, status)],
    ["Swarm", swarmMembers(seen, status)],
  ] as const) {
    const id = idOf(found);
    // Without an id and with members in sight, this instance is none of them.
    if (id === undefined && members.kind === "seen") continue;
    const verdict = guard(members, { kind, id: id ?? found.instance });
    if (verdict.allowed) continue;
    // The agents are about to take it out of the list, and the votes are counted anew then.
    const dead = verdict.because === "quorum" && members.kind === "seen" ? goneMember(seen, members.value) : undefined;
    if (dead !== undefined)
      return {
        allowed: false,
        because: "in-flight",
        why: `${system}: the member of ${dead}, which is gone, is still in the list`,
      };
    return { ...verdict, why: `${system}: ${verdict.why}` };
  }
  return { allowed: true };
}
