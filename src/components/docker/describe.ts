import { emptyMachine, textFile, type MachineLink, type Origin } from "../../machine/machine.ts";
import type { Component } from "../component.ts";

const origin: Origin = { kind: "component", component: "docker" };

const daemon = {
  "log-driver": "json-file",
  "log-opts": { "max-size": "10m", "max-file": "3" },
  // Swarm refuses live-restore; the bridge is of no use where all services run on overlay or host ports.
  "live-restore": false,
};

// Fedora's own options name the log driver, which may not stand in daemon.json too, and live-restore, which Swarm refuses.
const fedoraOptions = `OPTIONS="--selinux-enabled \\
  --default-ulimit nofile=1024:1024 \\
  --init-path /usr/libexec/docker/docker-init \\
  --userland-proxy-path /usr/libexec/docker/docker-proxy"
`;

/** On Flatcar and Fedora CoreOS Docker waits for a first call on its socket; what must run from boot on is wanted explicitly. */
const wantedAtBoot: MachineLink = {
  path: "/etc/systemd/system/multi-user.target.wants/docker.service",
  target: "/usr/lib/systemd/system/docker.service",
  origin,
};

/** The container engine of the node, on its unix socket alone. */
export const docker: Component = {
  name: "docker",
  machine(cluster) {
    if (cluster.orchestrator !== "swarm") return emptyMachine;
    const container = cluster.os === "flatcar" || cluster.os === "fedora-coreos";
    return {
      ...emptyMachine,
      files: [
        textFile("/etc/docker/daemon.json", `${JSON.stringify(daemon, undefined, 2)}\n`, origin),
        ...(cluster.os === "fedora-coreos" ? [textFile("/etc/sysconfig/docker", fedoraOptions, origin)] : []),
      ],
      links: container ? [wantedAtBoot] : [],
      units: [
        { name: "containerd.service", dropIns: [], state: "on", origin },
        { name: "docker.service", dropIns: [], state: "on", origin },
        { name: "docker.socket", dropIns: [], state: "on", origin },
      ],
    };
  },
  ports: () => [],
};
