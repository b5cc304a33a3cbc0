import type { RecordValue } from "../records/table.ts";
import type { Recorded } from "./look.ts";
import type { EtcdMemberState, EtcdStatus, NodeState, NodeStatus } from "./status-shape.ts";

export type EtcdView = RecordValue<"node"> & {
  readonly etcd: NonNullable<RecordValue<"node">["etcd"]>;
};

function etcdViews(recorded: Recorded): readonly EtcdView[] {
  return recorded.nodes
    .flatMap((record) => (record.etcd === undefined ? [] : [{ ...record, etcd: record.etcd }]))
    .toSorted((a, b) => b.seen - a.seen);
}

/** What the newest control node that sees a leader says of etcd, else the newest that runs; a stopped or silent node is not asked. */
export function newestEtcdView(recorded: Recorded, nodes: readonly NodeStatus[]): EtcdView | undefined {
  const states = new Map(nodes.map((node) => [node.instance, node.state]));
  const live = etcdViews(recorded).filter((view) => isRunning(states.get(view.instance)));
  return live.find((candidate) => candidate.etcd.leader !== "") ?? live[0];
}

/** The members as that view has them, by their nodes' names. Pure. */
export function deriveEtcd(recorded: Recorded, nodes: readonly NodeStatus[]): EtcdStatus {
  const states = new Map(nodes.map((node) => [node.instance, node.state]));
  const view = newestEtcdView(recorded, nodes);
  if (view === undefined) return { leader: "", members: [] };
  const owner = new Map(etcdViews(recorded).map((candidate) => [candidate.etcd.memberId, candidate]));
  const nameOf = (id: string, told: string): string => owner.get(id)?.node ?? told;
  // A member whose node has not told its own id since it changed is known by the name that etcd has for it.
  const leader = view.etcd.members.find((member) => member.id === view.etcd.leader);
  return {
    leader: nameOf(view.etcd.leader, leader?.name || view.etcd.leader),
    members: view.etcd.members
      .map((member) => {
        const holder = owner.get(member.id);
        const running = holder === undefined || isRunning(states.get(holder.instance));
        return {
          name: nameOf(member.id, member.name),
          id: member.id,
          state: memberState(member, running),
        };
      })
      .toSorted((a, b) => a.name.localeCompare(b.name, "en", { numeric: true })),
  };
}

/** Whether a node in this state runs and speaks. */
export const isRunning = (state: NodeState | undefined): boolean =>
  state === "starting" || state === "ready" || state === "degraded" || state === "failed";

function memberState(
  member: { readonly name: string; readonly learner: boolean; readonly healthy: boolean },
  running: boolean,
): EtcdMemberState {
  if (member.learner) return "learner";
  // etcd knows a member's name only once it has started.
  if (member.name === "") return "unstarted";
  return member.healthy && running ? "voter" : "unhealthy";
}
