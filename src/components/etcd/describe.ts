import { emptyMachine, type Origin } from "../../machine/machine.ts";
import type { Component } from "../component.ts";
import {
  clientPort,
  etcdData,
  etcdEnvironment,
  etcdUnit,
  firstStart,
  gatewayEnvironment,
  gatewayUnit,
  peerPort,
} from "./paths.ts";

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
ExecCondition=+/bin/sh -c 'if ls ${etcdData}/member/wal/*.wal >/dev/null 2>&1; then rm -f ${firstStart}; else rm ${firstStart}; fi'
ExecStart=/usr/local/bin/etcd
Restart=on-failure
RestartSec=1
TimeoutStartSec=infinity
TimeoutStopSec=20
LimitNOFILE=65536
`;

// Plain TCP: TLS is between etcd and who calls it, so that etcd sees the caller's certificate. Where it leads is known only
// at run time; the agent writes it.
const gateway = `[Unit]
Description=Local endpoint of the cluster's etcd
After=network.target
ConditionPathExists=${gatewayEnvironment}
StartLimitIntervalSec=0

[Service]
User=etcd
EnvironmentFile=${gatewayEnvironment}
ExecStart=/usr/local/bin/etcd gateway start --listen-addr=127.0.0.1:${clientPort} --endpoints=\${SLIPWAY_ETCD_ENDPOINTS} --retry-delay=5s
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
`;

/** etcd on the control group, and where a prefix is shared a way to it on workers; mTLS on every port from the first start. */
export const etcd: Component = {
  name: "etcd",
  machine(cluster, group) {
    if (group.role !== "control") {
      if (cluster.etcd.share === undefined) return emptyMachine;
      return { ...emptyMachine, units: [{ name: gatewayUnit, content: gateway, dropIns: [], state: "on", origin }] };
    }
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
      {
        port: clientPort,
        protocol: "tcp",
        from: cluster.etcd.share === undefined ? "control" : "nodes",
        what: "etcd clients",
      },
    ];
  },
};
