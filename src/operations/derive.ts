import type { NodeName } from "../cluster/cluster.ts";
import { isoTime } from "../host/time.ts";
import type { Observed, ObservedNode } from "../plan/plan.ts";
import type { RecordValue } from "../records/table.ts";
import type { Target } from "../targets/target.ts";
import { deriveEtcd } from "./etcd-view.ts";
import type { Recorded, Seen } from "./look.ts";
import type { NodeState, NodeStatus, ServiceStatus, Status } from "./status-shape.ts";

/** A node writes at least every half minute; four missed signs of life are silence. Milliseconds. */
export const silentAfter = 120_000;

/** What of a target its nodes are judged by. */
export type On = Pick<Target, "name" | "disksStay">;

/** The status of a cluster out of what was seen. Pure: the same picture gives the same answer. */
export function deriveStatus(seen: Seen, target: On): Status {
  const { observed } = seen;
  if (observed.state === "absent") {
    return {
      cluster: observed.cluster,
      target: target.name,
      state: "absent",
      nodes: [],
      services: [],
      etcd: { leader: "", members: [] },
    };
  }
  const nodes = deriveNodes(seen, target);
  const recorded = seen.recorded.kind === "read" ? seen.recorded.value : undefined;
  const services = recorded === undefined ? [] : deriveServices(recorded, observed);
  const etcd = recorded === undefined ? { leader: "", members: [] } : deriveEtcd(recorded, nodes);
  return {
    cluster: observed.cluster,
    target: target.name,
    state: clusterState(nodes, services, recorded, endedIn(seen, target)),
    nodes,
    services,
    etcd,
    ...(recorded === undefined || recorded.refused.length === 0
      ? {}
      : {
          refused: recorded.refused.map(({ instance, refused: reason, since }) => ({
            instance,
            reason,
            since: isoTime(since),
          })),
        }),
  };
}

/** The nodes that the target shows, and those that the roster expects and the target does not have. */
function deriveNodes(seen: Seen, target: On): readonly NodeStatus[] {
  const { observed, recorded, now } = seen;
  const read = recorded.kind === "read" ? recorded.value : undefined;
  const shown = observed.nodes.map((node): NodeStatus => {
    const record = read === undefined ? undefined : recordFor(node, read.nodes);
    const roster = read?.roster.find((candidate) => candidate.instance === node.instance);
    const judged = recorded.kind === "read" ? judge(node, record, now) : judgeBlind(node, recorded.why);
    const since = judged.since ?? roster?.since;
    return {
      name: node.name,
      instance: node.instance,
      group: node.group,
      role: node.role,
      state: judged.state,
      phase: judged.phase,
      ...(judged.reason === undefined ? {} : { reason: judged.reason }),
      address: node.address,
      revision: record?.revision ?? "",
      since: since === undefined ? "" : isoTime(since),
    };
  });
  const names = new Set<string>(observed.nodes.map((node) => node.name));
  const lost = (read?.roster ?? [])
    .filter((entry) => entry.state === "present" && !names.has(entry.node))
    .map((entry): NodeStatus => ({
      // The roster's names were node names when the operator wrote them.
      name: entry.node as NodeName,
      instance: entry.instance,
      group: entry.group,
      role: entry.role,
      state: "absent",
      phase: "absent",
      reason: lossOf(entry.role, target),
      address: entry.address,
      revision: "",
      since: isoTime(entry.since),
    }));
  return [...shown, ...lost].toSorted(byRoleThenName);
}

/** Nodes whose machine is away and whose data is there: they come back as they were, like those that are stopped. */
function endedIn({ observed, recorded }: Seen, target: On): ReadonlySet<string> {
  const missing = observed.nodes.filter(({ state }) => state === "missing").map(({ name }) => name);
  const roster = target.disksStay === true && recorded.kind === "read" ? recorded.value.roster : [];
  const seen = new Set<string>(observed.nodes.map(({ name }) => name));
  const away = roster.filter(({ role, state, node }) => role === "control" && state !== "gone" && !seen.has(node));
  return new Set([...missing, ...away.map(({ node }) => node)]);
}

/** What a node says of itself; a machine that is no node yet may speak before anybody knows which instance it is. */
function recordFor(node: ObservedNode, records: Recorded["nodes"]): RecordValue<"node"> | undefined {
  return (
    records.find(({ instance }) => instance === node.instance) ??
    records.find(({ machine }) => machine !== undefined && machine === node.machine)
  );
}

/** What is gone of a node that the roster has and the target does not show. */
function lossOf(role: NodeStatus["role"], target: On): string {
  if (target.disksStay !== true) return "its container and its data are gone; slipway launch makes it anew";
  return role === "control"
    ? "its machine is gone, its disks stay; slipway launch brings another"
    : "its machine is gone; slipway launch brings another";
}

const byRoleThenName = (a: NodeStatus, b: NodeStatus): number =>
  Number(b.role === "control") - Number(a.role === "control") || a.name.localeCompare(b.name, "en", { numeric: true });

type Judged = {
  readonly state: NodeState;
  readonly phase: string;
  readonly reason?: string;
  readonly since?: number;
};

/** One node, when the store could be read. */
function judge(node: ObservedNode, record: RecordValue<"node"> | undefined, now: number): Judged {
  const notRunning = judgeContainer(node);
  if (notRunning !== undefined) return notRunning;
  if (record === undefined) return { state: "starting", phase: "boot" };
  if (record.phase === "left") return { state: "stopped", phase: "left", since: record.since };
  if (record.state === "stopped") return { state: "starting", phase: "boot", since: record.seen };
  const silent = now - record.seen;
  if (silent > silentAfter) {
    return {
      state: "unknown",
      phase: record.phase,
      reason: `no sign of life for ${Math.floor(silent / 60_000)} minutes; it last said "${record.phase}"`,
      since: record.seen,
    };
  }
  return {
    state: record.state,
    phase: record.phase,
    ...(record.reason === undefined ? {} : { reason: record.reason }),
    since: record.since,
  };
}

/** One node, when only the target can be asked. */
function judgeBlind(node: ObservedNode, why: string): Judged {
  return (
    judgeContainer(node) ?? {
      state: "unknown",
      phase: "unknown",
      reason: `the cluster's store cannot be read: ${why}`,
    }
  );
}

function judgeContainer(node: ObservedNode): Judged | undefined {
  switch (node.state) {
    case "running":
      return undefined;
    case "stopped":
      return { state: "stopped", phase: "stopped" };
    case "created":
      return {
        state: "stopped",
        phase: "created",
        reason: "its container was made but never started",
      };
    case "missing":
      return {
        state: "absent",
        phase: "absent",
        reason: "its container is gone, its data is there; slipway launch makes it again",
      };
  }
}

function deriveServices(recorded: Recorded, observed: Observed): readonly ServiceStatus[] {
  return (recorded.wanted?.services ?? []).map((wanted) => {
    const record = recorded.services.find((candidate) => candidate.name === wanted.name);
    return {
      name: wanted.name,
      desired: wanted.replicas === "global" ? (record?.desired ?? 0) : wanted.replicas,
      running: record?.running ?? 0,
      addresses: wanted.ports.flatMap((port) =>
        observed.published
          .filter((place) => place.port === port.published && place.protocol === port.protocol)
          .map((place) => `${place.protocol === "tcp" ? "http" : "udp"}://${place.address}`),
      ),
    };
  });
}

/** One word for the whole: `failed` when the control group does not work, `degraded` when something else does not. */
function clusterState(
  nodes: readonly NodeStatus[],
  services: readonly ServiceStatus[],
  recorded: Recorded | undefined,
  ended: ReadonlySet<string>,
): NodeState {
  const among = (state: NodeState): boolean => nodes.some((node) => node.state === state);
  if (nodes.length === 0) return "starting";
  if (nodes.every((node) => node.state === "stopped" || ended.has(node.name))) return "stopped";
  if (recorded === undefined) return "unknown";
  const control = nodes.filter((node) => node.role === "control");
  const working = control.filter((node) => node.state === "ready" || node.state === "degraded").length;
  const quorum = working * 2 > control.length;
  if (among("failed")) return quorum ? "degraded" : "failed";
  if (!quorum && among("unknown")) return "unknown";
  if (among("starting")) return "starting";
  if (!quorum) return "failed";
  if (nodes.some((node) => node.state !== "ready")) return "degraded";
  return servicesState(services, recorded);
}

/** What was reported under an older revision says nothing of the services that are wanted now. */
function servicesState(services: readonly ServiceStatus[], recorded: Recorded): NodeState {
  const states = services.map((service) => {
    const record = recorded.services.find((candidate) => candidate.name === service.name);
    if (record === undefined || record.revision !== recorded.wanted?.revision) return "starting";
    if (service.running >= service.desired) return "ready";
    return record.state === "ready" ? "degraded" : record.state;
  });
  if (states.every((state) => state === "ready")) return "ready";
  return states.every((state) => state === "ready" || state === "starting") ? "starting" : "degraded";
}
