import type { Cluster } from "../../cluster/cluster.ts";
import { emptyMachine, textFile, type Origin } from "../../machine/machine.ts";
import type { Component } from "../component.ts";

const origin: Origin = { kind: "component", component: "host" };
const script = "/etc/slipway/install-packages";

/** What Debian's and Ubuntu's cloud images lack, with the program by which its absence is seen. */
function packages(cluster: Cluster): readonly { readonly program: string; readonly name: string }[] {
  return [
    { program: "curl", name: "curl" },
    ...(cluster.orchestrator === "swarm"
      ? [
          { program: "dockerd", name: "docker.io" },
          { program: "socat", name: "socat" },
        ]
      : []),
  ];
}

const text = (wanted: ReturnType<typeof packages>): string => `#!/bin/bash
set -eu -o pipefail
missing=()
${wanted.map(({ program, name }) => `command -v ${program} >/dev/null || missing+=(${name})`).join("\n")}
[ \${#missing[@]} -gt 0 ] || exit 0
export DEBIAN_FRONTEND=noninteractive
apt-get -o DPkg::Lock::Timeout=300 -q update
apt-get -o DPkg::Lock::Timeout=300 -q install -y --no-install-recommends "\${missing[@]}"
`;

const unit = `[Unit]
Description=Packages that this node needs
Wants=network-online.target
After=network-online.target
Before=docker.service containerd.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/bash ${script}
Restart=on-failure
RestartSec=10

[Install]
WantedBy=multi-user.target
`;

/** What a host's own system must bring before the other components can run; the node image of Docker brings it all. */
export const host: Component = {
  name: "host",
  machine(cluster) {
    if (cluster.target === "docker" || (cluster.os !== "debian" && cluster.os !== "ubuntu")) return emptyMachine;
    return {
      ...emptyMachine,
      files: [textFile(script, text(packages(cluster)), origin, "0755")],
      units: [{ name: "slipway-packages.service", content: unit, dropIns: [], state: "on", origin }],
    };
  },
  ports: () => [],
};
