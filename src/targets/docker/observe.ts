import type { ClusterName, NodeName } from "../../cluster/cluster.ts";
import type { Observed, ObservedNode } from "../../plan/plan.ts";
import { at, listAt, textAt, textsAt } from "../../host/answer.ts";
import { type Engine } from "./engine.ts";
import { label } from "./names.ts";

export type SeenContainer = {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ports: readonly {
    readonly inside: number;
    readonly outside: number;
    readonly address: string;
    readonly protocol: "tcp" | "udp";
  }[];
};
export type SeenVolume = { readonly name: string; readonly labels: Readonly<Record<string, string>> };
export type SeenNetwork = {
  readonly id: string;
  readonly name: string;
  readonly subnets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
};

/** Everything on the engine that bears the cluster's label. */
export type World = {
  readonly cluster: ClusterName;
  readonly containers: readonly SeenContainer[];
  readonly volumes: readonly SeenVolume[];
  readonly networks: readonly SeenNetwork[];
};

function networkOf(network: unknown): SeenNetwork {
  return {
    id: textAt(network, "Id"),
    name: textAt(network, "Name"),
    labels: textsAt(network, "Labels"),
    subnets: listAt(network, "IPAM", "Config")
      .map((config) => textAt(config, "Subnet"))
      .filter((subnet) => subnet !== ""),
  };
}

/** Reads back all that belongs to one cluster, or to any when none is named. Throws when the engine does not answer. */
export async function look(engine: Engine, cluster: ClusterName | undefined): Promise<Omit<World, "cluster">> {
  const filters = JSON.stringify({ label: [cluster === undefined ? label.cluster : `${label.cluster}=${cluster}`] });
  const [containers, volumes, networks] = await Promise.all([
    engine.call("list containers", "GET", "/containers/json", { query: { all: true, filters } }),
    engine.call("list volumes", "GET", "/volumes", { query: { filters } }),
    engine.call("list networks", "GET", "/networks", { query: { filters } }),
  ]);
  return {
    containers: listAt(containers).map((container) => ({
      id: textAt(container, "Id"),
      name: textAt(container, "Names", 0).replace(/^\//, ""),
      state: textAt(container, "State"),
      labels: textsAt(container, "Labels"),
      ports: listAt(container, "Ports").flatMap((port) => {
        const protocol = textAt(port, "Type");
        const outside = at(port, "PublicPort");
        if (typeof outside !== "number" || (protocol !== "tcp" && protocol !== "udp")) return [];
        return [
          { inside: Number(at(port, "PrivatePort")), outside, address: textAt(port, "IP") || "0.0.0.0", protocol },
        ];
      }),
    })),
    volumes: listAt(volumes, "Volumes").map((volume) => ({
      name: textAt(volume, "Name"),
      labels: textsAt(volume, "Labels"),
    })),
    networks: listAt(networks).map(networkOf),
  };
}

/** The subnets of every network of the engine, for choosing a free one. */
export async function takenSubnets(engine: Engine): Promise<readonly string[]> {
  return listAt(await engine.call("list networks", "GET", "/networks")).flatMap(
    (network) => networkOf(network).subnets,
  );
}

const states: Readonly<Record<string, ObservedNode["state"]>> = {
  running: "running",
  restarting: "running",
  paused: "running",
  created: "created",
};

/** The nodes and published ports of a world; a volume of a node without its container is a node that is missing. */
export function observed(world: World): Observed {
  const nodes = new Map<string, ObservedNode>();
  const add = (labels: Readonly<Record<string, string>>, state: ObservedNode["state"]): void => {
    const name = labels[label.node];
    const role = labels[label.role];
    const instance = labels[label.instance];
    if (name === undefined || instance === undefined || (role !== "control" && role !== "worker")) return;
    nodes.set(name, {
      // The label was written from a node's name.
      name: name as NodeName,
      group: labels[label.group] ?? "",
      role,
      instance,
      address: labels[label.address] ?? "",
      state,
      shape: labels[label.shape] ?? "",
    });
  };
  // A removal may end between a node's two volumes; where both are there, the data's word counts.
  for (const part of ["docker", "data"])
    for (const volume of world.volumes) if (volume.labels[label.part] === part) add(volume.labels, "missing");
  for (const container of world.containers) {
    if (container.labels[label.part] === "node") add(container.labels, states[container.state] ?? "stopped");
  }
  const gateway = world.containers.find((container) => container.labels[label.part] === "gateway");
  return {
    cluster: world.cluster,
    state: world.containers.length + world.volumes.length + world.networks.length === 0 ? "absent" : "present",
    nodes: [...nodes.values()].toSorted((a, b) => a.name.localeCompare(b.name, "en", { numeric: true })),
    published: (gateway?.ports ?? [])
      .filter((port) => !port.address.includes(":"))
      .map((port) => ({
        port: port.inside,
        protocol: port.protocol,
        address: `${port.address === "0.0.0.0" ? "127.0.0.1" : port.address}:${port.outside}`,
      }))
      .toSorted((a, b) => a.port - b.port),
  };
}
