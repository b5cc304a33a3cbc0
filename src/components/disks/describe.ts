import type { Group, Volume } from "../../cluster/cluster.ts";
import { sharedDevices, type SharedDevice } from "../../cluster/devices.ts";
import { emptyMachine, textFile, type MachineConfig, type MachineUnit, type Origin } from "../../machine/machine.ts";
import { systemdCommand, systemdEscapePath, systemdPath } from "../../machine/quote.ts";
import type { Component } from "../component.ts";
import { disksFolder, prepareScript, tableScript } from "./blank.ts";
import { prepareText } from "./script.ts";
import { tableText } from "./table.ts";

const origin: Origin = { kind: "component", component: "disks" };
const volumesFolder = "/var/lib/slipway/volumes";

type Command = readonly [string, ...string[]];

/** Units that write below a path which may be a disk of its own. */
const writers: readonly { readonly unit: string; readonly path: string }[] = [
  { unit: "docker.service", path: "/var/lib/docker" },
  { unit: "containerd.service", path: "/var/lib/containerd" },
  { unit: "etcd.service", path: "/var/lib/slipway" },
  { unit: "slipway-agent.service", path: "/var/lib/slipway" },
];

function prepareUnit(volume: Volume, table: string | undefined, at: Origin): MachineUnit {
  const words: Command = [
    "/bin/bash",
    prepareScript,
    volume.name,
    volume.format,
    volume.device ?? "",
    String(volume.size ?? 0),
  ];
  const content = onceUnit(
    `Description=Disk of the volume ${volume.name}\n${table === undefined ? "" : `Requires=${table}\nAfter=${table}\n`}`,
    volume.partition === undefined ? words : [...words, String(volume.partition)],
  );
  return { name: unitOf(volume), content, dropIns: [], state: "on", origin: at };
}

/** A disk that volumes share gets its table before any of them is looked at. */
function tableUnit({ device, partitions }: SharedDevice): MachineUnit {
  const places = partitions.map(({ name, partition, size }) => `${partition}:${size ?? 0}:${name}`);
  const content = onceUnit(
    `Description=Table of the disk with the volumes ${partitions.map(({ name }) => name).join(", ")}\n`,
    ["/bin/bash", tableScript, device, ...places],
  );
  return { name: tableUnitOf(partitions), content, dropIns: [], state: "on", origin };
}

function tableUnitOf([first]: readonly Volume[]): string {
  return `slipway-table-${first?.name}.service`;
}

/** Runs once at a boot, and stays. */
function onceUnit(heading: string, command: Command): string {
  return `[Unit]
${heading}
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${systemdCommand(command)}

[Install]
WantedBy=multi-user.target
`;
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
  // Mounts and swap come before sysinit.target by default, and the unit that prepares the disk after it: systemd would
  // break that circle by leaving one of them out.
  const after = `DefaultDependencies=no\nRequires=${unitOf(volume)}\nAfter=${unitOf(volume)}\nBefore=umount.target\nConflicts=umount.target`;
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

/** Volumes that the node prepares itself. */
function prepared(group: Group): readonly Volume[] {
  return group.volumes.filter(({ device }) => device !== undefined);
}

/** Disks for data: made once, when they are blank, in every format by the same unit. */
export const disks: Component = {
  name: "disks",
  machine(cluster, group) {
    if (cluster.target === "docker") return withFolders(group, diskMachine(group));
    return diskMachine(group);
  },
  ports: () => [],
};

/** On Docker a volume without a device lies on the node's data volume, which outlives its containers. */
function withFolders(group: Group, machine: MachineConfig): MachineConfig {
  const volumes = group.volumes.filter(({ device, mount }) => device === undefined && mount !== undefined);
  return {
    ...machine,
    directories: volumes.map(({ name, at }) => ({
      path: `${volumesFolder}/${name}`,
      mode: "0755",
      user: "root",
      group: "root",
      origin: { kind: "field", path: at },
    })),
    units: [
      ...machine.units,
      ...volumes.map(({ name, mount = "", at }): MachineUnit => {
        const content = `[Unit]\nDescription=The volume ${name}\n\n[Mount]\nWhat=${volumesFolder}/${name}\nWhere=${systemdPath(mount)}\nType=none\nOptions=bind\n\n[Install]\nWantedBy=multi-user.target\n`;
        const origin: Origin = { kind: "field", path: at };
        return { name: `${systemdEscapePath(mount)}.mount`, content, dropIns: [], state: "on", origin };
      }),
    ],
  };
}

function diskMachine(group: Group): MachineConfig {
  const volumes = prepared(group);
  if (volumes.length === 0) return emptyMachine;
  const shared = sharedDevices(volumes);
  const tables = new Map(
    shared.flatMap(({ partitions }) => partitions.map(({ name }) => [name, tableUnitOf(partitions)])),
  );
  return {
    ...emptyMachine,
    files: [
      textFile(prepareScript, prepareText, origin, "0755"),
      ...(shared.length === 0 ? [] : [textFile(tableScript, tableText, origin, "0755")]),
    ],
    units: [
      ...shared.map(tableUnit),
      ...volumes.flatMap((volume) => {
        const at: Origin = { kind: "field", path: volume.at };
        return [prepareUnit(volume, tables.get(volume.name), at), useUnit(volume, at)];
      }),
      ...guards(group),
    ],
  };
}
