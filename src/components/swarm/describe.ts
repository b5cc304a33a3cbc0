import { emptyMachine, type Origin } from "../../machine/machine.ts";
import type { Component } from "../component.ts";
import { apiUnit } from "./paths.ts";
import { pkiFolder } from "../etcd/paths.ts";

const origin: Origin = { kind: "component", component: "swarm" };

// dockerd itself stays on its unix socket: it would have to wait for its certificate before it could start.
const unit = `[Unit]
Description=Docker API for operators (mTLS)
After=docker.service
ConditionPathExists=${pkiFolder}/docker-server.crt

[Service]
ExecStart=/usr/bin/socat OPENSSL-LISTEN:2376,reuseaddr,fork,cert=${pkiFolder}/docker-server.crt,key=${pkiFolder}/docker-server.key,cafile=${pkiFolder}/docker-server.ca.crt,verify=1,openssl-min-proto-version=TLS1.2 UNIX-CONNECT:/var/run/docker.sock
Restart=always
RestartSec=1
`;

/** Docker Swarm: managers on the control group, workers elsewhere. */
export const swarm: Component = {
  name: "swarm",
  machine(cluster, group) {
    if (cluster.orchestrator !== "swarm" || group.role !== "control") return emptyMachine;
    return { ...emptyMachine, units: [{ name: apiUnit, content: unit, dropIns: [], state: "installed", origin }] };
  },
  ports(cluster, group) {
    if (cluster.orchestrator !== "swarm") return [];
    return [
      ...(group.role === "control"
        ? [
            { port: 2377, protocol: "tcp", from: "nodes", what: "Swarm managers" } as const,
            { port: 2376, protocol: "tcp", from: "operators", what: "Docker API" } as const,
          ]
        : []),
      { port: 7946, protocol: "tcp", from: "nodes", what: "Swarm gossip" },
      { port: 7946, protocol: "udp", from: "nodes", what: "Swarm gossip" },
      { port: 4789, protocol: "udp", from: "nodes", what: "overlay networks" },
    ];
  },
};
