import { emptyMachine, type Origin } from "../../machine/machine.ts";
import type { Component } from "../component.ts";
import { apiUnit } from "./paths.ts";
import { pkiFolder } from "../etcd/paths.ts";

const origin: Origin = { kind: "component", component: "swarm" };

// dockerd itself stays on its unix socket: it would have to wait for its certificate before it could start.
// socat reads its certificate once, so a renewed one takes a second listener on the same port; the first stops listening
// once that one stands, and its connections go on in processes of their own. Connections that it had not taken yet go over
// to the other one where the kernel can do that (Linux 5.14).
const listener = [
  "OPENSSL-LISTEN:2376,reuseaddr,so-reuseport,fork",
  `cert=${pkiFolder}/docker-server.crt,key=${pkiFolder}/docker-server.key,cafile=${pkiFolder}/docker-server.ca.crt`,
  "verify=1,openssl-min-proto-version=TLS1.2",
].join(",");
const serve = [
  `listen() { socat ${listener} UNIX-CONNECT:/var/run/docker.sock & new=$$!; }`,
  "renew() { old=$$new; listen; sleep 1; if kill -0 $$new; then kill $$old; else new=$$old; fi; }",
  "trap renew HUP",
  "listen",
  // A signal ends the wait, too.
  "while wait $$new || kill -0 $$new; do :; done",
].join("; ");
const unit = `[Unit]
Description=Docker API for operators (mTLS)
After=docker.service
ConditionPathExists=${pkiFolder}/docker-server.crt

[Service]
ExecStartPre=-/bin/sh -c 'echo 1 >/proc/sys/net/ipv4/tcp_migrate_req'
ExecStart=/bin/sh -c '${serve}'
ExecReload=/bin/kill -HUP $MAINPID
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
