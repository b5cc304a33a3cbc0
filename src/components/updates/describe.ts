import type { Cluster, Updates } from "../../cluster/cluster.ts";
import { emptyMachine, textFile, type MachineConfig, type Origin } from "../../machine/machine.ts";
import type { Component } from "../component.ts";

const origin: Origin = { kind: "field", path: ["updates"] };

function clock(minutes: number): string {
  return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
}

/** update.conf of Flatcar, which update-engine and locksmithd read (flatcar/locksmith, README; flatcar/update_engine). */
function flatcar({ channel, group, server, reboot, window }: Updates): MachineConfig["files"] {
  const [day] = window?.days.length === 1 ? window.days : [];
  const lines = [
    ...(group === undefined && channel === undefined ? [] : [`GROUP=${group ?? channel}`]),
    ...(server === undefined ? [] : [`SERVER=${server}`]),
    `REBOOT_STRATEGY=${reboot === "never" ? "off" : "reboot"}`,
    ...(window === undefined
      ? []
      : [
          `LOCKSMITHD_REBOOT_WINDOW_START="${day === undefined ? "" : `${day} `}${clock(window.start)}"`,
          `LOCKSMITHD_REBOOT_WINDOW_LENGTH=${window.length}m`,
        ]),
  ];
  return [textFile("/etc/flatcar/update.conf", lines.map((line) => `${line}\n`).join(""), origin)];
}

/** Zincati's settings (coreos/zincati, docs/usage). */
function fedora({ group, server, reboot, window }: Updates): MachineConfig["files"] {
  const word = (text: string): string => JSON.stringify(text);
  const strategy = { never: "", window: "periodic", always: "immediate" }[reboot];
  const lines = [
    ...(group === undefined ? [] : ["[identity]", `group = ${word(group)}`, ""]),
    ...(server === undefined ? [] : ["[cincinnati]", `base_url = ${word(server)}`, ""]),
    "[updates]",
    ...(reboot === "never" ? ["enabled = false"] : [`strategy = ${word(strategy)}`]),
    ...(window === undefined
      ? []
      : [
          "",
          "[updates.periodic]",
          'time_zone = "UTC"',
          "",
          "[[updates.periodic.window]]",
          `days = [${window.days.map(word).join(", ")}]`,
          `start_time = ${word(clock(window.start))}`,
          `length_minutes = ${window.length}`,
        ]),
  ];
  return [textFile("/etc/zincati/config.d/55-slipway.toml", lines.map((line) => `${line}\n`).join(""), origin)];
}

/** Settings of unattended-upgrades, which Debian's and Ubuntu's cloud images bring. */
function debian({ reboot, window }: Updates): MachineConfig["files"] {
  const lines = [
    'APT::Periodic::Update-Package-Lists "1";',
    'APT::Periodic::Unattended-Upgrade "1";',
    `Unattended-Upgrade::Automatic-Reboot "${reboot !== "never"}";`,
    ...(window === undefined ? [] : [`Unattended-Upgrade::Automatic-Reboot-Time "${clock(window.start)}";`]),
  ];
  return [textFile("/etc/apt/apt.conf.d/52slipway-upgrades", lines.map((line) => `${line}\n`).join(""), origin)];
}

const filesOf: Readonly<Record<Cluster["os"], (updates: Updates) => MachineConfig["files"]>> = {
  flatcar,
  "fedora-coreos": fedora,
  debian,
  ubuntu: debian,
};

/** How machines keep their system up to date, in the words of the system; containers have no system of their own. */
export const updates: Component = {
  name: "updates",
  machine: (cluster) =>
    cluster.target === "docker" ? emptyMachine : { ...emptyMachine, files: filesOf[cluster.os](cluster.updates) },
  ports: () => [],
};
