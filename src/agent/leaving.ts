import { endpointOf } from "../components/etcd/process.ts";
import { etcdUnit } from "../components/etcd/paths.ts";
import { peerUrl } from "../components/etcd/membership.ts";
import { etcdTend } from "../components/etcd/member.ts";
import { looking, rosterOf, type NodePorts } from "../components/node.ts";
import { lookAtSwarm } from "../components/swarm/api.ts";
import { swarmTend } from "../components/swarm/member.ts";
import { reconcile } from "./reconcile.ts";

export type Leaving = { readonly left: boolean; readonly why: string };

/** Whether another member's list no longer has this instance. Nobody to ask is no proof. */
async function outOfEtcd(node: NodePorts): Promise<Leaving> {
  if (node.me.role !== "control") return { left: true, why: "" };
  const roster = await rosterOf(node.store);
  for (const other of roster.filter((entry) => entry.role === "control" && entry.state === "present")) {
    const cluster = await looking(node.etcd.members(endpointOf(other.address)));
    if (cluster.kind === "unknown") continue;
    const there = cluster.value.members.some((member) => member.peerUrls.includes(peerUrl(node.me.address)));
    return { left: !there, why: "its etcd member is still in the list" };
  }
  return { left: false, why: "no etcd member answers" };
}

/** Tasks move away first: the managers drain a leaving node, and it waits until nothing runs on it. */
async function outOfSwarm({ me, engine }: NodePorts): Promise<Leaving> {
  if (me.orchestrator !== "swarm") return { left: true, why: "" };
  const local = await lookAtSwarm(engine);
  switch (local.kind) {
    case "inactive":
      return { left: true, why: "" };
    case "manager":
      return { left: false, why: "it is still a swarm manager" };
    case "pending":
    case "locked":
    case "error":
      break;
    case "worker": {
      const filter = encodeURIComponent(JSON.stringify({ label: ["com.docker.swarm.task.id"], status: ["running"] }));
      const running = await engine.call("GET", `/containers/json?filters=${filter}`);
      if (Array.isArray(running) && running.length > 0)
        return { left: false, why: `${running.length} tasks are moving away` };
    }
  }
  await engine.call("POST", "/swarm/leave?force=true");
  return { left: true, why: "" };
}

/** One round of leaving for good: out of etcd, out of the swarm, then quiet. A reboot in between changes nothing. */
export async function leave(node: NodePorts): Promise<Leaving> {
  try {
    if (node.me.role === "control") {
      // The leaver may be the only one awake: it tends as long as it is a member. What it cannot do, the others do.
      await reconcile(etcdTend, node);
      if (node.me.orchestrator === "swarm") await reconcile(swarmTend, node);
    }
    const swarm = await outOfSwarm(node);
    if (!swarm.left) return swarm;
    const etcd = await outOfEtcd(node);
    if (!etcd.left) return etcd;
    if (node.me.role === "control") await node.systemd.stop([etcdUnit]);
    return { left: true, why: "" };
  } catch (error) {
    return { left: false, why: error instanceof Error ? error.message : String(error) };
  }
}
