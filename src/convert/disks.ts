import type { OldUnit } from "./cloud-config.ts";
import type { DraftVolume, Subject } from "./draft.ts";
import type { Outcome } from "./outcome.ts";
import { settingsOf, valuesOf } from "./unit.ts";

/** A disk that machines were given. */
export type Disk = {
  /** `/dev/sdb`, as AWS was told; Xen calls it xvdb. */
  readonly device: string;
  readonly size: string | undefined;
  readonly type: string | undefined;
  readonly onTermination: "keep" | "delete" | undefined;
  readonly subject: Subject;
};

type Disks = { readonly volumes: readonly DraftVolume[]; readonly rest: readonly OldUnit[] };

const formats = /\b(?:wipefs|mkfs(?:\.\w+)?|mke2fs|mkswap|sgdisk|parted|fdisk)\b/;
// The engine's data has a volume of its own on every node.
const engine = "/var/lib/docker";

/** Volumes of disks and of the units that formatted and mounted them; the other units stay. */
export function volumesOf(units: readonly OldUnit[], disks: readonly Disk[], outcome: Outcome): Disks {
  const rest: OldUnit[] = [];
  const volumes: DraftVolume[] = [];
  const used = new Set<Disk>();
  const labels = labelsOf(units);
  for (const unit of units) {
    const content = unit.content ?? "";
    if (unit.name.endsWith(".service") && formats.test(content)) {
      outcome.replaced(
        `unit ${unit.name}`,
        unit.at,
        "volumes:",
        "a disk is formatted once, when it is empty, and never again",
      );
      continue;
    }
    const settings = settingsOf(content);
    const what = valuesOf(settings, "What")[0] ?? "";
    if (!unit.name.endsWith(".mount") || !what.startsWith("/dev/")) {
      rest.push(unit);
      continue;
    }
    const mount = valuesOf(settings, "Where")[0] ?? "";
    const device = labels.get(what) ?? what;
    const disk = disks.find((candidate) => inNode(candidate.device) === inNode(device));
    if (disk !== undefined) used.add(disk);
    const subject = { what: `unit ${unit.name}`, at: unit.at };
    if (mount === engine) {
      outcome.replaced(subject.what, unit.at, "the engine's own volume", "every node keeps its engine's data on one");
      if (disk !== undefined) outcome.replaced(disk.subject.what, disk.subject.at, "the engine's own volume");
      continue;
    }
    const volume = volumeOf(disk, device, mount, formatOf(valuesOf(settings, "Type")[0]), volumes, subject);
    volumes.push(volume);
    outcome.replaced(subject.what, unit.at, `volumes.${volume.name}`, `mounted at ${mount}`);
    if (disk !== undefined) outcome.kept(disk.subject.what, disk.subject.at, `volumes.${volume.name}`);
  }
  for (const disk of disks) {
    if (used.has(disk)) continue;
    const mount = `/mnt/${disk.device.split("/").at(-1) ?? "data"}`;
    const volume = volumeOf(disk, disk.device, mount, undefined, volumes, disk.subject);
    volumes.push(volume);
    outcome.kept(
      disk.subject.what,
      disk.subject.at,
      `volumes.${volume.name}`,
      `nothing mounted it; it is at ${mount} now`,
    );
  }
  return { volumes, rest };
}

/** `/dev/disk/by-label/x` by the device that a unit formatted with that label. */
function labelsOf(units: readonly OldUnit[]): ReadonlyMap<string, string> {
  const labels = new Map<string, string>();
  for (const { content = "" } of units) {
    const label = /mkfs\.?\w*\s[^\n]*-L\s*(\S+)/.exec(content)?.[1];
    const device = /mkfs[^\n]*\s(\/dev\/\S+)/.exec(content)?.[1];
    if (label !== undefined && device !== undefined) labels.set(`/dev/disk/by-label/${label}`, device);
  }
  return labels;
}

function inNode(device: string): string {
  return device.replace(/^\/dev\/(?:sd|xvd)/, "/dev/");
}

function formatOf(type: string | undefined): string | undefined {
  return type === "xfs" || type === "btrfs" ? type : undefined;
}

function volumeOf(
  disk: Disk | undefined,
  device: string,
  mount: string,
  format: string | undefined,
  others: readonly DraftVolume[],
  subject: Subject,
): DraftVolume {
  const word = (mount.split("/").at(-1) ?? "").toLowerCase().replace(/[^a-z0-9]+/g, "-");
  const base = word.slice(0, 12).replace(/^-+|-+$/g, "") || "data";
  let name = base;
  for (let n = 2; others.some((other) => other.name === name); n++) name = `${base.slice(0, 9)}-${n}`;
  return {
    name,
    size: disk?.size,
    type: disk?.type,
    format,
    mount,
    onTermination: disk?.onTermination,
    notes: [
      `It was ${device} (${disk?.subject.at ?? subject.at}). Name a device only where machines bring the disk themselves.`,
    ],
    subject,
  };
}
