import { nodeName, type Cluster, type ClusterName, type Group } from "../../cluster/cluster.ts";
import type { Change, Observed, ObservedNode, PlannedNode, Step } from "../../plan/plan.ts";
import type { TargetPlan } from "../target.ts";
import { gatewayShape, nodeShape } from "./container.ts";
import { gatewayName, label } from "./names.ts";
import { freeAddresses } from "./network.ts";
import type { World } from "./observe.ts";
import type { DockerWork, GatewayContainer, NodeContainer } from "./work.ts";

type Desired = {
  readonly cluster: Cluster;
  readonly image: string;
  readonly runtime: string;
  readonly subnet: string;
  /** A new instance id. */
  readonly instance: () => string;
};

const untouched = { restarted: [], replaced: [] } as const;

/** The gateway that a cluster's file asks for. */
export function wantedGateway(cluster: Cluster, image: string, runtime: string, subnet: string): GatewayContainer {
  const ports = cluster.services
    .flatMap((service) => service.ports.map((port) => ({ port: port.published, protocol: port.protocol })))
    .toSorted((a, b) => a.port - b.port || a.protocol.localeCompare(b.protocol));
  return { image, runtime, subnet, publishOn: cluster.docker.publishOn, ports };
}

function names(cluster: Cluster): { name: ReturnType<typeof nodeName>; group: Group }[] {
  return cluster.groups.flatMap((group) =>
    Array.from({ length: group.count }, (_, n) => ({ name: nodeName(cluster.name, group.name, n + 1), group })),
  );
}

/** What launch must do on the engine: bring the gateway up to date, make missing nodes, start stopped ones, remove the surplus. */
export function planLaunch(desired: Desired, world: World, seen: Observed): TargetPlan<DockerWork> {
  const { cluster } = desired;
  const changes: Change[] = [];
  const steps: Step<DockerWork>[] = [];
  let wave = 0;

  const gateway = wantedGateway(cluster, desired.image, desired.runtime, desired.subnet);
  const container = world.containers.find((candidate) => candidate.labels[label.part] === "gateway");
  if (container?.labels[label.shape] !== gatewayShape(gateway) || container.state !== "running") {
    const id = `gateway:${cluster.name}`;
    changes.push({
      id,
      action: container === undefined ? "create" : "update",
      kind: "gateway",
      name: gatewayName(cluster.name),
      reason: container === undefined ? "it is not there" : "published ports or programs changed",
      nodes: untouched,
    });
    steps.push({
      carries: [id],
      kind: "work",
      title: "gateway",
      subject: gatewayName(cluster.name),
      wave: wave++,
      work: { kind: "gateway", cluster: cluster.name, gateway },
    });
  }

  const wanted = names(cluster);
  const byName = new Map<string, ObservedNode>(seen.nodes.map((node) => [node.name, node]));
  const used = new Set(seen.nodes.map((node) => node.address));
  const fresh = wanted.filter(({ name }) => !byName.has(name));
  const addresses = freeAddresses(desired.subnet, used, fresh.length);
  const addressOf = new Map(fresh.map(({ name }, n) => [name, addresses[n] ?? ""]));

  const makeWave = wave++;
  for (const { name, group } of wanted) {
    const there = byName.get(name);
    const planned: PlannedNode = {
      name,
      group: group.name,
      role: group.role,
      instance: there?.instance ?? desired.instance(),
      address: there?.address ?? addressOf.get(name) ?? "",
    };
    const node: NodeContainer = {
      name,
      group: group.name,
      role: group.role,
      instance: planned.instance,
      address: planned.address,
      subnet: desired.subnet,
      image: desired.image,
    };
    const id = `node:${name}`;
    const make = (at: number): void => {
      steps.push({ carries: [id], kind: "enrol", title: "enrol", subject: name, wave: at, node: planned });
      steps.push({
        carries: [id],
        kind: "work",
        title: "create",
        subject: name,
        wave: at,
        work: { kind: "node", cluster: cluster.name, node },
      });
    };
    const origin = [...group.path, "count"];
    if (there === undefined) {
      changes.push({
        id,
        action: "create",
        kind: "node",
        name,
        reason: `${group.name} has ${group.count} nodes`,
        nodes: untouched,
        origin,
      });
      make(makeWave);
    } else if (there.state === "missing" || there.state === "created") {
      changes.push({
        id,
        action: "create",
        kind: "node",
        name,
        reason: there.state === "missing" ? "its container is gone, its data is there" : "its creation was interrupted",
        nodes: untouched,
        origin,
      });
      make(makeWave);
    } else if (there.shape !== nodeShape(node)) {
      changes.push({
        id,
        action: "replace",
        kind: "node",
        name,
        reason: "its image or mounts changed; its data stays",
        nodes: { restarted: [], replaced: [name] },
      });
      const at = wave++;
      steps.push({ carries: [id], kind: "pause", title: "pause", subject: name, wave: at, node: planned });
      make(at);
      steps.push({
        carries: [id],
        kind: "await",
        title: "await",
        subject: name,
        wave: at,
        nodes: [name],
        until: "ready",
      });
    } else if (there.state === "stopped") {
      changes.push({
        id,
        action: "update",
        kind: "node",
        name,
        reason: "it is stopped",
        nodes: { restarted: [name], replaced: [] },
      });
      steps.push({
        carries: [id],
        kind: "work",
        title: "start",
        subject: name,
        wave: makeWave,
        work: { kind: "start", cluster: cluster.name, node: name },
      });
    }
  }

  const keep = new Set<string>(wanted.map(({ name }) => name));
  // The dead first: that gives quorum back before healthy members leave.
  const surplus = seen.nodes
    .filter((node) => !keep.has(node.name))
    .toReversed()
    .toSorted((a, b) => Number(a.state === "running") - Number(b.state === "running"));
  if (surplus.some((node) => node.role === "control")) {
    // The members that stay must be whole before one leaves.
    steps.push({
      carries: [],
      kind: "await",
      title: "await",
      subject: cluster.name,
      wave: wave++,
      nodes: wanted.map(({ name }) => name),
      until: "ready",
    });
  }
  const workersWave = wave++;
  for (const node of surplus) {
    const id = `node:${node.name}`;
    changes.push({
      id,
      action: "delete",
      kind: "node",
      name: node.name,
      reason: "the file no longer has it",
      nodes: { restarted: [], replaced: [] },
    });
    steps.push(...removal(cluster.name, id, node, node.role === "control" ? wave++ : workersWave));
  }
  return { changes, steps };
}

/** A node leaves for good: out of the memberships, then its container and volumes, then the roster. */
export function removal(
  cluster: ClusterName,
  id: string,
  node: ObservedNode,
  wave: number,
): readonly Step<DockerWork>[] {
  const common = { carries: [id], subject: node.name, wave };
  return [
    { ...common, kind: "retire", title: "retire", node },
    {
      ...common,
      kind: "work",
      title: "remove",
      work: { kind: "removeNode", cluster, node: node.name, instance: node.instance, volumes: true },
    },
    { ...common, kind: "forget", title: "forget", instance: node.instance },
  ];
}

/** What cleanup must do: everything that bears the cluster's label, nodes first, the store last. */
export function planCleanup(world: World): TargetPlan<DockerWork> {
  const { cluster } = world;
  const changes: Change[] = [];
  const steps: Step<DockerWork>[] = [];
  const add = (kind: string, name: string, wave: number, work: DockerWork): void => {
    const id = `${kind}:${name}`;
    changes.push({ id, action: "delete", kind, name, reason: "cleanup", nodes: untouched });
    steps.push({ carries: [id], kind: "work", title: "remove", subject: name, wave, work });
  };
  for (const container of world.containers) {
    if (container.labels[label.part] === "node") {
      // Read back from the label that was written from a node's name.
      add("container", container.name, 0, {
        kind: "removeNode",
        cluster,
        node: container.name as NodeContainer["name"],
        instance: container.labels[label.instance] ?? "",
        volumes: false,
      });
    }
  }
  for (const volume of world.volumes) {
    const part = volume.labels[label.part];
    if (part === "data" || part === "docker")
      add("volume", volume.name, 1, { kind: "removeVolume", cluster, volume: volume.name });
  }
  for (const container of world.containers) {
    if (container.labels[label.part] === "gateway")
      add("container", container.name, 2, { kind: "removeGateway", cluster });
  }
  for (const volume of world.volumes) {
    const part = volume.labels[label.part];
    if (part !== "data" && part !== "docker")
      add("volume", volume.name, 3, { kind: "removeVolume", cluster, volume: volume.name });
  }
  for (const network of world.networks) add("network", network.name, 3, { kind: "removeNetwork", cluster });
  return { changes, steps };
}
