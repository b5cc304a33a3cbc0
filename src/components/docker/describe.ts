import { emptyMachine, textFile, type Origin } from "../../machine/machine.ts";
import type { Component } from "../component.ts";

const origin: Origin = { kind: "component", component: "docker" };

const daemon = {
  "log-driver": "json-file",
  "log-opts": { "max-size": "10m", "max-file": "3" },
  // Swarm refuses live-restore; the bridge is of no use where all services run on overlay or host ports.
  "live-restore": false,
};

/** The container engine of the node, on its unix socket alone. */
export const docker: Component = {
  name: "docker",
  machine(cluster) {
    if (cluster.orchestrator !== "swarm") return emptyMachine;
    return {
      ...emptyMachine,
      files: [textFile("/etc/docker/daemon.json", `${JSON.stringify(daemon, undefined, 2)}\n`, origin)],
      units: [
        { name: "containerd.service", dropIns: [], state: "on", origin },
        { name: "docker.service", dropIns: [], state: "on", origin },
        { name: "docker.socket", dropIns: [], state: "on", origin },
      ],
    };
  },
  ports: () => [],
};
