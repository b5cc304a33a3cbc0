import type { Problem } from "../problems/problem.ts";
import type { Cluster, Group, Volume } from "./cluster.ts";

/** What the machines' system cannot do of what the file asks; nodes on Docker have no system of their own to keep up to date. */
export function machineProblems(cluster: Cluster): Problem[] {
  return [
    ...(cluster.target === "docker" ? [] : updateProblems(cluster)),
    ...cluster.groups.flatMap((group) => [
      ...kernelProblems(cluster, group),
      ...group.volumes.flatMap((volume) => volumeProblems(cluster, volume)),
    ]),
  ];
}

const systems: Readonly<Record<Cluster["os"], string>> = {
  debian: "Debian",
  ubuntu: "Ubuntu",
  flatcar: "Flatcar",
  "fedora-coreos": "Fedora CoreOS",
};

function unsupported(key: readonly string[], message: string, fix: string): Problem {
  return { code: "unsupported", severity: "error", path: ["updates", ...key], message, fix };
}

function updateProblems({ os, updates }: Cluster): Problem[] {
  const system = systems[os];
  const debian = os === "debian" || os === "ubuntu";
  const { channel, group, server, window } = updates;
  const days = window?.days.length ?? 7;
  return [
    ...(channel !== undefined && os !== "flatcar"
      ? [unsupported(["channel"], `${system} has no channel that a machine is told: its image decides`, "leave it out")]
      : []),
    ...(channel !== undefined && group !== undefined && os === "flatcar"
      ? [unsupported(["group"], "Flatcar knows one of channel and group", "keep one of the two")]
      : []),
    ...(debian && group !== undefined
      ? [unsupported(["group"], `${system} knows no update groups`, "leave it out")]
      : []),
    ...(debian && server !== undefined
      ? [unsupported(["server"], `${system} has sources of packages, not an update server`, "a file below /etc/apt")]
      : []),
    ...(debian && days < 7
      ? [unsupported(["window", "days"], `${system} can only reboot at a time of every day`, "leave out days")]
      : []),
    ...(os === "flatcar" && days > 1 && days < 7
      ? [unsupported(["window", "days"], "Flatcar's window is on one day of the week or on all", "one day, or none")]
      : []),
    ...(debian && window !== undefined
      ? [
          {
            ...unsupported(
              ["window", "length"],
              `${system} reboots when the window opens, however long it is`,
              "no change",
            ),
            severity: "warning" as const,
          },
        ]
      : []),
  ];
}

function kernelProblems({ target, os }: Cluster, group: Group): Problem[] {
  const first = group.kernelArguments[0];
  if (first === undefined || (target !== "docker" && (os === "flatcar" || os === "fedora-coreos"))) return [];
  const docker = target === "docker";
  return [
    {
      code: "unsupported",
      severity: docker ? "warning" : "error",
      path: first.at,
      message: docker
        ? "nodes on Docker share this machine's kernel: its arguments stay as they are"
        : `${systems[os]} cannot be told kernel arguments at its first boot`,
      fix: docker ? "no change, for --on docker" : "leave them out, or use Flatcar or Fedora CoreOS",
    },
  ];
}

function volumeProblems({ target }: Cluster, volume: Volume): Problem[] {
  // On AWS the disk is made with the machine; what it needs is judged with the rest of `aws:`.
  if (target === "aws" || volume.device !== undefined) return [];
  const at = { path: volume.at, at: "key" } as const;
  if (target !== "docker")
    return [
      {
        ...at,
        code: "missing-key",
        severity: "error",
        message: `the volume ${volume.name} has no device: machines of your own bring their disks themselves`,
        fix: "add device: /dev/disk/by-id/…",
      },
    ];
  // With a place to be mounted it is a directory of the node's own data there, which is as lasting.
  if (volume.mount !== undefined) return [];
  return [
    {
      ...at,
      code: "unsupported",
      severity: "warning",
      message: `the swap ${volume.name} has no device, so nodes on Docker go without`,
      fix: "no change, for --on docker",
    },
  ];
}
