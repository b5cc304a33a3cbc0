import type * as z from "zod";
import { quoted } from "../problems/visible.ts";
import { choice, complain, integer, mapOf, section, text, type Complaint } from "./fields.ts";
import { dnsLabel } from "./names.ts";
import { absolutePath } from "./values.ts";

const volume = section("A disk of its own for data.", {
  size: text({
    description: "Its size, such as 100G; where machines bring the disk themselves, how large it must at least be.",
    check: sizeComplaint,
  }).optional(),
  type: text({ description: "The provider's kind of disk, such as gp3 on AWS.", check: kindComplaint }).optional(),
  device: text({
    description:
      "The device, where machines bring the disk themselves: best a path below /dev/disk/by-id. Without one a node on Docker keeps the volume as a directory of its data.",
    check: deviceComplaint,
  }).optional(),
  partition: integer(
    "Which partition of the device, where volumes share one: the table is written once, when the disk is blank, and size is the partition's; the last one may take what is left.",
    1,
    128,
  ).optional(),
  format: choice("The file system that is made on an empty disk; ext4 when left out.", [
    "ext4",
    "xfs",
    "btrfs",
    "swap",
  ]).optional(),
  mount: text({ description: "Where it is mounted: an absolute path.", check: absolutePath }).optional(),
  on_termination: choice(
    "Whether the disk is kept or deleted when its node is terminated for good; delete when left out.",
    ["keep", "delete"],
  ).optional(),
}).superRefine((value, context) => {
  const swap = value.format === "swap";
  if (swap && value.mount !== undefined)
    complain(context, {
      code: "invalid-value",
      message: "swap is not mounted",
      fix: "leave out mount",
      path: ["mount"],
      at: "key",
    });
  if (!swap && value.mount === undefined)
    complain(context, { code: "missing-key", message: "mount is missing", fix: "add mount: /path" });
  if (value.partition !== undefined && value.device === undefined)
    complain(context, {
      code: "missing-key",
      message: "a partition is a part of a device, and none is named",
      fix: "add device: /dev/disk/by-id/…",
      path: ["partition"],
      at: "key",
    });
});

/** `volumes:` — disks beside the machine's own; formatted once, when empty, and never again. */
export const volumes = mapOf("Disks of their own for data, by name.", volume, dnsLabel("volume", 12));

export type VolumeSpec = z.output<typeof volume>;

const units = { M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 } as const;

/** A size such as 100G in bytes; undefined when it is none. */
export function bytesOf(size: string): number | undefined {
  const parts = /^([1-9]\d{0,6})([MGT])(?:iB|B)?$/.exec(size);
  if (parts === null) return undefined;
  const unit = Object.entries(units).find(([name]) => name === parts[2])?.[1] ?? 1;
  return Number(parts[1]) * unit;
}

/** The shortest text of a size in bytes; reads back to the same. */
export function sizeText(bytes: number): string {
  const [name, unit] = Object.entries(units).findLast(([, one]) => bytes % one === 0) ?? ["M", units.M];
  return `${bytes / unit}${name}`;
}

function sizeComplaint(size: string): Complaint | undefined {
  const bytes = bytesOf(size);
  if (bytes === undefined)
    return {
      code: "invalid-value",
      message: `${quoted(size)} is not a size`,
      fix: /^\d+$/.test(size) ? `add the unit: ${size}G` : "such as 512M, 100G or 2T",
    };
  // The largest disk of AWS and the smallest that mkfs.xfs takes.
  return bytes >= 300 * units.M && bytes <= 64 * units.T
    ? undefined
    : { code: "out-of-range", message: `${size} is out of range`, fix: "from 300M to 64T" };
}

function kindComplaint(kind: string): Complaint | undefined {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(kind)
    ? undefined
    : { code: "invalid-value", message: `${quoted(kind)} is not a kind of disk`, fix: "such as gp3" };
}

function deviceComplaint(device: string): Complaint | undefined {
  const complaint = absolutePath(device);
  if (complaint !== undefined) return complaint;
  return /^\/dev\/[A-Za-z0-9/_.:-]+$/.test(device)
    ? undefined
    : { code: "invalid-value", message: `${quoted(device)} is not a device`, fix: "such as /dev/disk/by-id/…" };
}
