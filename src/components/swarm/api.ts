import { at, listAt, textAt, textsAt } from "../../host/answer.ts";
import { EngineRefusal, EngineSilence, type Engine } from "../docker/engine.ts";
import type { LocalSwarm } from "./local.ts";
import type { SwarmNode } from "./tend.ts";

const madeLabel = "slipway.made";
/**
 * A manager answers for its swarm within milliseconds, and one without a leader only when its own patience of 20 s is at an
 * end, each time it is asked. Milliseconds.
 */
const managersAnswer = 8_000;

/**
 * Makes a swarm of this engine alone. The key with which it lets nodes in is in the engine's memory until the swarm's own
 * state has it: an engine that is killed in between goes on as a manager that can sign for nobody ("no valid signer found"),
 * for ever. The label is written last, by the same life of the engine; a swarm without it is such a one.
 */
export async function makeSwarm(engine: Engine, listening: object): Promise<void> {
  await engine.call("POST", "/swarm/init", { ...listening, Spec: { Labels: { [madeLabel]: "yes" } } });
}

/** What the local engine says of its membership; a manager is also asked for the swarm itself. */
export async function lookAtSwarm(engine: Engine): Promise<LocalSwarm> {
  const info = await engine.call("GET", "/info");
  const state = textAt(info, "Swarm", "LocalNodeState");
  const nodeId = textAt(info, "Swarm", "NodeID");
  switch (state) {
    case "inactive":
      return { kind: "inactive" };
    case "pending":
      return { kind: "pending", manages: at(info, "Swarm", "ControlAvailable") === true };
    case "locked":
      return { kind: "locked" };
    case "active":
      break;
    default:
      return { kind: "error", text: textAt(info, "Swarm", "Error") || `the engine's swarm state is "${state}"` };
  }
  const remotes = listAt(info, "Swarm", "RemoteManagers");
  const manager =
    at(info, "Swarm", "ControlAvailable") === true || remotes.some((remote) => textAt(remote, "NodeID") === nodeId);
  if (!manager) return { kind: "worker", nodeId };
  try {
    const [swarm, nodes] = await Promise.all([
      engine.call("GET", "/swarm", undefined, {}, managersAnswer),
      swarmNodes(engine, managersAnswer),
    ]);
    return {
      kind: "manager",
      nodeId,
      state: {
        clusterId: textAt(swarm, "ID"),
        made: textAt(swarm, "Spec", "Labels", madeLabel) !== "",
        managerToken: textAt(swarm, "JoinTokens", "Manager"),
        workerToken: textAt(swarm, "JoinTokens", "Worker"),
        managers: nodes.filter((node) => node.role === "manager" && node.reachable).map((node) => node.managerAddress),
        // Its role says only what a node is to be.
        sole: nodes.every((node) => !node.counted || node.id === nodeId),
      },
    };
  } catch (error) {
    // 503: no leader, so nobody can say; 500 with a deadline, or nothing: the same, seen from a follower.
    const leaderless = error instanceof EngineRefusal && (error.status === 503 || error.status === 500);
    if (!leaderless && !(error instanceof EngineSilence)) throw error;
    return { kind: "manager", nodeId, state: undefined };
  }
}

/** Whether this node leads its swarm. */
export async function leads(engine: Engine): Promise<boolean> {
  const local = await lookAtSwarm(engine);
  if (local.kind !== "manager") return false;
  return (await swarmNodes(engine)).some((entry) => entry.id === local.nodeId && entry.leader);
}

/** `docker node ls`, as a manager sees it. */
export async function swarmNodes(
  engine: Engine,
  timeout?: number,
): Promise<readonly (SwarmNode & { readonly managerAddress: string; readonly hostname: string })[]> {
  const states = ["ready", "down", "unknown", "disconnected"] as const;
  return listAt(await engine.call("GET", "/nodes", undefined, {}, timeout)).map((node) => {
    const availability = textAt(node, "Spec", "Availability");
    return {
      id: textAt(node, "ID"),
      hostname: textAt(node, "Description", "Hostname"),
      labels: textsAt(node, "Spec", "Labels"),
      role: textAt(node, "Spec", "Role") === "manager" ? "manager" : "worker",
      availability: availability === "drain" || availability === "pause" ? availability : "active",
      state: states.find((state) => state === textAt(node, "Status", "State")) ?? "unknown",
      reachable: textAt(node, "ManagerStatus", "Reachability") === "reachable",
      leader: at(node, "ManagerStatus", "Leader") === true,
      counted: textAt(node, "ManagerStatus", "Addr") !== "",
      address: textAt(node, "Status", "Addr"),
      managerAddress: textAt(node, "ManagerStatus", "Addr"),
    };
  });
}

/** Changes one node's specification (role, labels, availability); someone else's change in between is an error and is tried again later. */
export async function changeNode(
  engine: Engine,
  nodeId: string,
  change: {
    readonly Role?: string;
    readonly Labels?: Readonly<Record<string, string>>;
    readonly Availability?: string;
  },
): Promise<void> {
  const node = await engine.call("GET", `/nodes/${encodeURIComponent(nodeId)}`);
  const spec = at(node, "Spec");
  await engine.call(
    "POST",
    `/nodes/${encodeURIComponent(nodeId)}/update?version=${Number(at(node, "Version", "Index"))}`,
    {
      ...(typeof spec === "object" && spec !== null ? spec : {}),
      ...change,
    },
  );
}

/** `docker node rm --force`; a node that is not there is removed. */
export async function removeNode(engine: Engine, nodeId: string): Promise<void> {
  try {
    await engine.call("DELETE", `/nodes/${encodeURIComponent(nodeId)}?force=true`);
  } catch (error) {
    if (!(error instanceof EngineRefusal && error.status === 404)) throw error;
  }
}

/** Whether this kernel can balance Swarm's virtual addresses; without it ports are published in host mode. */
export async function hasMesh(
  run: (command: readonly [string, ...string[]]) => Promise<number>,
  exists: (path: string) => Promise<boolean>,
): Promise<boolean> {
  if (await exists("/proc/net/ip_vs")) return true;
  // The module may be there and not loaded yet; loading it is what dockerd itself would do.
  await run(["modprobe", "ip_vs"]);
  return exists("/proc/net/ip_vs");
}
