import ipaddr from "ipaddr.js";
import type { Path, Problem } from "../problems/problem.ts";
import type { Cluster, Service, ServicePort } from "./cluster.ts";

/** What listens on every node already, by port and protocol. */
export const nodePorts: Readonly<Record<string, string>> = {
  "2377/tcp": "Swarm's managers",
  "7946/tcp": "Swarm's gossip",
  "7946/udp": "Swarm's gossip",
  "4789/udp": "Swarm's overlay network",
  "2379/tcp": "etcd's clients",
  "2380/tcp": "etcd's peers",
};

/** Ports that two services publish, or that the nodes need themselves: a port is the same on every node. */
export function portProblems(services: readonly Service[]): Problem[] {
  const taken = new Map<string, { readonly port: ServicePort; readonly service: Service }>();
  return services.flatMap((service) =>
    service.ports.flatMap((port): Problem[] => {
      const key = `${port.published}/${port.protocol}`;
      const own = nodePorts[key];
      if (own !== undefined) return [duplicatePort(port, `the port ${key} belongs to ${own}`, undefined)];
      const first = taken.get(key);
      if (first === undefined) {
        taken.set(key, { port, service });
        return [];
      }
      const by = first.service === service ? "above" : `by ${first.service.name}`;
      return [
        duplicatePort(port, `the port ${key} is published twice`, {
          path: first.port.path,
          message: `${by}, here`,
        }),
      ];
    }),
  );
}

function duplicatePort(
  port: ServicePort,
  message: string,
  other: { readonly path: Path; readonly message: string } | undefined,
): Problem {
  const free = port.published < 1024 ? port.published + 8000 : port.published + 1;
  return {
    code: "duplicate-port",
    severity: "error",
    path: port.path,
    message,
    fix: `publish another, such as "${Math.min(free, 65_535)}:${port.target}"`,
    ...(other === undefined ? {} : { related: [other] }),
  };
}

// The network's own address, broadcast, the bridge, the gateway container and the store.
const reserved = 5;
// Swarm cuts its overlay networks from the front of 10.0.0.0/8, the ingress network first.
export const overlays = "10.0.0.0/16";

/** A network of the nodes that is too small for them, or that lies on top of Swarm's. */
export function subnetProblems(cluster: Cluster): Problem[] {
  const { subnet } = cluster.docker;
  if (subnet === undefined) return [];
  const path = ["docker", "subnet"];
  const [network, prefix] = ipaddr.IPv4.parseCIDR(subnet);
  const nodes = cluster.groups.reduce((sum, group) => sum + group.count, 0);
  const room = 2 ** (32 - prefix) - reserved;
  const problems: Problem[] = [];
  if (nodes > room)
    problems.push({
      code: "overlapping-address",
      severity: "error",
      path,
      message: `${subnet} has room for ${room} nodes; the cluster has ${nodes}`,
      fix: `a network of the size /${32 - Math.ceil(Math.log2(nodes + reserved))} or larger`,
    });
  if (cluster.orchestrator === "swarm" && network.match(ipaddr.IPv4.parseCIDR(overlays)))
    problems.push({
      code: "overlapping-address",
      severity: "error",
      path,
      message: `${subnet} overlaps Swarm's overlay networks in ${overlays}`,
      fix: `10.77.0.0/${prefix}`,
    });
  return problems;
}
