import type { Group, Volume } from "../../cluster/cluster.ts";
import { emptyMachine, textFile, type MachineUnit, type Origin } from "../../machine/machine.ts";
import { systemdCommand, systemdEscapePath, systemdPath } from "../../machine/quote.ts";
import type { Component } from "../component.ts";
import { disksFolder, prepareScript, prepareText } from "./script.ts";

const origin: Origin = { kind: "component", component: "disks" };

/** Units that write below a path which may be a disk of its own. */
const writers: readonly { readonly unit: string; readonly path: string }[] = [
  { unit: "docker.service", path: "/var/lib/docker" },
  { unit: "containerd.service", path: "/var/lib/containerd" },
  { unit: "etcd.service", path: "/var/lib/slipway" },
  { unit: "slipway-agent.service", path: "/var/lib/slipway" },
];

function prepareUnit(volume: Volume, at: Origin): MachineUnit {
  const words = [
    "/bin/bash",
    prepareScript,
    volume.name,
    volume.format,
    volume.device ?? "",
    String(volume.size ?? 0),
  ] as const;
  const content = `[Unit]
Description=Disk of the volume ${volume.name}

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${systemdCommand(words)}

[Install]
WantedBy=multi-user.target
`;
  return { name: unitOf(volume), content, dropIns: [], state: "on", origin: at };
}

function unitOf(volume: Volume): string {
  return `slipway-disk-${volume.name}.service`;
}

/**
 * Mounts by what the preparing unit has found by label, never by the kernel's name of the day. Not among the file systems that
 * the system waits for before it begins: the preparing unit needs a running system, and a missing disk must leave one.
 */
function useUnit(volume: Volume, at: Origin): MachineUnit {
  const what = `${disksFolder}/${volume.name}`;
  const after = `DefaultDependencies=no\nConflicts=umount.target\nBefore=umount.target\nRequires=${unitOf(volume)}\nAfter=${unitOf(volume)}`;
  const install = "[Install]\nWantedBy=multi-user.target\n";
  if (volume.mount === undefined) {
    const content = `[Unit]\nDescription=Swap on the volume ${volume.name}\n${after}\n\n[Swap]\nWhat=${what}\n\n${install}`;
    return { name: `${systemdEscapePath(what)}.swap`, content, dropIns: [], state: "on", origin: at };
  }
  const where = systemdPath(volume.mount);
  const before = writers
    .filter(({ path }) => isBelow(path, volume.mount ?? ""))
    .map(({ unit }) => `Before=${unit}\n`)
    .join("");
  const content = `[Unit]\nDescription=The volume ${volume.name}\n${after}\n${before}\n[Mount]\nWhat=${what}\nWhere=${where}\nType=${volume.format}\nOptions=noatime\n\n${install}`;
  return { name: `${systemdEscapePath(volume.mount)}.mount`, content, dropIns: [], state: "on", origin: at };
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** Who writes below a mount must not start without it: else it would fill the disk underneath, and find it empty next time. */
function guards(group: Group): readonly MachineUnit[] {
  return writers
    .filter(({ path }) => prepared(group).some(({ mount }) => mount !== undefined && isBelow(path, mount)))
    .map(({ unit, path }) => ({
      name: unit,
      dropIns: [{ name: "10-slipway-disk.conf", content: `[Unit]\nRequiresMountsFor=${path}\n`, origin }],
      state: "installed" as const,
      origin,
    }));
}

/** Volumes that the node prepares itself: those with a device of the machine, or a disk that a provider attaches. */
function prepared(group: Group): readonly Volume[] {
  return group.volumes.filter(({ device }) => device !== undefined);
}

/** Disks for data: made once, when they are blank, in every format by the same unit. */
export const disks: Component = {
  name: "disks",
  machine(_cluster, group) {
    const volumes = prepared(group);
    if (volumes.length === 0) return emptyMachine;
    return {
      ...emptyMachine,
      files: [textFile(prepareScript, prepareText, origin, "0755")],
      units: [
        ...volumes.flatMap((volume) => {
          const at: Origin = { kind: "field", path: volume.at };
          return [prepareUnit(volume, at), useUnit(volume, at)];
        }),
        ...guards(group),
      ],
    };
  },
  ports: () => [],
};
