import type { Cluster } from "../../cluster/cluster.ts";
import { emptyMachine, textFile, type MachineConfig, type Origin } from "../../machine/machine.ts";
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
import { installScript, installText, installUnit, installUnitText } from "./install.ts";

const origin: Origin = { kind: "component", component: "etcd" };

/** Where etcd's programs lie: in the node image, or where a host's system leaves room for programs. */
function programs(cluster: Cluster): string {
  return cluster.target !== "docker" && cluster.os === "flatcar" ? "/opt/bin" : "/usr/local/bin";
}

// The agent starts it, once it knows whether this instance founds, rejoins or enters; so it is not enabled. On an empty
// data directory it starts only with the agent's permission, which serves once: a restart by systemd after the data was
// lost must never found a second cluster with the settings of the first.
const unitText = (folder: string): string => `[Unit]
Description=etcd
After=network.target
ConditionPathExists=${etcdEnvironment}

[Service]
Type=notify
User=etcd
EnvironmentFile=${etcdEnvironment}
ExecCondition=+/bin/sh -c 'if ls ${etcdData}/member/wal/*.wal >/dev/null 2>&1; then rm -f ${firstStart}; else rm ${firstStart}; fi'
ExecStart=${folder}/etcd
Restart=on-failure
RestartSec=1
TimeoutStartSec=infinity
TimeoutStopSec=20
LimitNOFILE=65536
`;

// Plain TCP: TLS is between etcd and who calls it, so that etcd sees the caller's certificate. Where it leads is known only
// at run time; the agent writes it.
const gatewayText = (folder: string): string => `[Unit]
Description=Local endpoint of the cluster's etcd
After=network.target
ConditionPathExists=${gatewayEnvironment}
StartLimitIntervalSec=0

[Service]
User=etcd
EnvironmentFile=${gatewayEnvironment}
ExecStart=${folder}/etcd gateway start --listen-addr=127.0.0.1:${clientPort} --endpoints=\${SLIPWAY_ETCD_ENDPOINTS} --retry-delay=5s
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
`;

/** What the node image brings and a host does not: the programs and the user that runs them. */
function withHost(cluster: Cluster, machine: MachineConfig): MachineConfig {
  if (cluster.target === "docker") return machine;
  const folder = programs(cluster);
  return {
    ...machine,
    files: [textFile(installScript, installText(folder), origin, "0755")],
    users: [
      {
        name: "etcd",
        keys: [],
        comment: "etcd",
        home: "/var/lib/slipway",
        shell: "/usr/sbin/nologin",
        groups: [],
        system: true,
        origin,
      },
    ],
    units: [
      ...machine.units.map((unit) => ({
        ...unit,
        dropIns: [
          {
            name: "10-slipway-host.conf",
            content: `[Unit]\nRequires=${installUnit}\nAfter=${installUnit}\n`,
            origin,
          },
        ],
      })),
      { name: installUnit, content: installUnitText, dropIns: [], state: "on", origin },
    ],
  };
}

/** etcd on the control group, and where a prefix is shared a way to it on workers; mTLS on every port from the first start. */
export const etcd: Component = {
  name: "etcd",
  machine(cluster, group) {
    const folder = programs(cluster);
    if (group.role !== "control") {
      if (cluster.etcd.share === undefined) return emptyMachine;
      const gateway = { name: gatewayUnit, content: gatewayText(folder), dropIns: [], state: "on", origin } as const;
      return withHost(cluster, { ...emptyMachine, units: [gateway] });
    }
    return withHost(cluster, {
      ...emptyMachine,
      directories: [{ path: etcdData, mode: "0700", user: "etcd", group: "etcd", origin }],
      units: [{ name: etcdUnit, content: unitText(folder), dropIns: [], state: "installed", origin }],
    });
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
