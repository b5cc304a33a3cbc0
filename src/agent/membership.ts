import type { TendView } from "../components/etcd/tend.ts";
import { looking, type NodePorts } from "../components/node.ts";
import { instanceLabel } from "../components/swarm/tend.ts";
import type { Seen } from "../components/reconciler.ts";
import { hasMesh, lookAtSwarm, swarmNodes } from "../components/swarm/api.ts";
import type { LocalSwarm } from "../components/swarm/local.ts";
import type { NodeRecord } from "./nodeRecord.ts";

/** What a node reports of etcd, from what its tending has just seen; nothing while it is not a member. */
export function etcdSeen(members: TendView | undefined): Pick<NodeRecord, "etcd"> {
  if (members?.members.kind !== "seen") return {};
  return {
    etcd: {
      memberId: members.me.memberId,
      clusterId: members.clusterId,
      leader: (members.leader.kind === "seen" ? members.leader.value : undefined) ?? "",
      members: members.members.value.map(({ id, name, learner, healthy }) => ({
        id,
        name,
        learner,
        healthy: healthy.kind === "seen" && healthy.value,
      })),
    },
  };
}

/** Whether this kernel can route Swarm's virtual addresses; asked once, it does not change while the node runs. */
export function meshOf({ processes, files }: Pick<NodePorts, "processes" | "files">): Promise<boolean> {
  return hasMesh(
    async (command) => (await processes.run(command, { accept: [0, 1, 2, 127], timeout: 5_000 })).code,
    async (path) => (await files.ownership(path)) !== undefined,
  );
}

/** What a node reports of the swarm; nothing when its engine cannot say. `said`: what that has just said. */
export async function swarmSeen(
  node: NodePorts,
  said: Seen<LocalSwarm> | undefined,
  mesh: () => Promise<boolean>,
): Promise<Pick<NodeRecord, "swarm">> {
  if (node.me.orchestrator !== "swarm") return {};
  const seen = said ?? (await looking(lookAtSwarm(node.engine)));
  const local = seen.kind === "seen" ? seen.value : undefined;
  if (local?.kind !== "worker" && local?.kind !== "manager") return {};
  const { nodeId } = local;
  if (local.kind === "worker") return { swarm: { nodeId, manager: false, leader: false, mesh: await mesh() } };
  // Without a leader nobody can list them, and each call takes until it gives up.
  if (local.state === undefined) return {};
  try {
    const nodes = await swarmNodes(node.engine);
    const leader = nodes.some((entry) => entry.id === nodeId && entry.leader);
    const listed = leader ? { nodes: nodes.map((entry) => entry.labels[instanceLabel] ?? entry.id).toSorted() } : {};
    return { swarm: { nodeId, manager: true, leader, mesh: await mesh(), ...listed } };
  } catch (error) {
    node.say(`swarm is not seen: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`);
    return {};
  }
}
