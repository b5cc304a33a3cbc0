import { emptyMachine, type Origin } from "../../machine/machine.ts";
import type { Component } from "../component.ts";
import { clientPort, etcdData, etcdEnvironment, etcdUnit, firstStart, peerPort } from "./paths.ts";

const origin: Origin = { kind: "component", component: "etcd" };

// The agent starts it, once it knows whether this instance founds, rejoins or enters; so it is not enabled. On an empty
// data directory it starts only with the agent's permission, which serves once: a restart by systemd after the data was
// lost must never found a second cluster with the settings of the first.
const unit = `[Unit]
Description=etcd
After=network.target
ConditionPathExists=${etcdEnvironment}

[Service]
Type=notify
User=etcd
EnvironmentFile=${etcdEnvironment}
ExecCondition=+/bin/sh -c 'if [ -d ${etcdData}/member ]; then rm -f ${firstStart}; else rm ${firstStart}; fi'
ExecStart=/usr/local/bin/etcd
Restart=on-failure
RestartSec=1
TimeoutStartSec=infinity
TimeoutStopSec=20
LimitNOFILE=65536
`;

/** etcd on the control group, mTLS on every port from the first start. */
export const etcd: Component = {
  name: "etcd",
  machine(_cluster, group) {
    if (group.role !== "control") return emptyMachine;
    return {
      ...emptyMachine,
      directories: [{ path: etcdData, mode: "0700", user: "etcd", group: "etcd", origin }],
      units: [{ name: etcdUnit, content: unit, dropIns: [], state: "installed", origin }],
    };
  },
  ports(cluster, group) {
    if (group.role !== "control") return [];
    return [
      { port: peerPort, protocol: "tcp", from: "control", what: "etcd peers" },
      { port: clientPort, protocol: "tcp", from: cluster.etcd.share === undefined ? "control" : "nodes", what: "etcd clients" },
    ];
  },
};
