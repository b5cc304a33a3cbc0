import type { Problem } from "../problems/problem.ts";
import { quoted } from "../problems/visible.ts";
import type { Volume } from "./cluster.ts";

/** A volume that is a part of a device. */
export type Partition = Volume & { readonly device: string; readonly partition: number };

/** A device that volumes share, with its partitions in the order in which they lie on it. */
export type SharedDevice = { readonly device: string; readonly partitions: readonly Partition[] };

/** The devices whose table the file describes, in the order of their names. */
export function sharedDevices(volumes: readonly Volume[]): readonly SharedDevice[] {
  const partitions = volumes.filter(isPartition);
  const devices = [...new Set(partitions.map(({ device }) => device))].toSorted();
  return devices.map((device) => ({
    device,
    partitions: partitions.filter((one) => one.device === device).toSorted((a, b) => a.partition - b.partition),
  }));
}

function isPartition(volume: Volume): volume is Partition {
  return volume.device !== undefined && volume.partition !== undefined;
}

/** A device bears one volume's name, or a table in which every volume has a place of its own. */
export function deviceProblems(volumes: readonly Volume[]): Problem[] {
  return [...takenTwice(volumes), ...sharedDevices(volumes).flatMap(withoutSize)];
}

function takenTwice(volumes: readonly Volume[]): Problem[] {
  return volumes.flatMap((volume, index): Problem[] => {
    const { device, partition } = volume;
    if (device === undefined) return [];
    const other = volumes
      .slice(0, index)
      .find(
        (one) =>
          one.device === device && (one.partition === undefined || (partition ?? one.partition) === one.partition),
      );
    if (other === undefined) return [];
    const key = other.partition === undefined || partition === undefined ? "device" : "partition";
    return [
      {
        code: "conflicting-path",
        severity: "error",
        path: [...volume.at, key],
        message:
          key === "device" ? `${quoted(device)} is taken` : `partition ${partition} of ${quoted(device)} is taken`,
        fix: key === "device" ? "name another device, or give each volume a partition of it" : "choose another number",
        related: [{ path: [...other.at, key], message: "the volume is here" }],
      },
    ];
  });
}

/** What is left of a disk lies at its end: only its last partition can be that. */
function withoutSize({ partitions }: SharedDevice): Problem[] {
  return partitions.slice(0, -1).flatMap(({ name, size, at }): Problem[] =>
    size !== undefined
      ? []
      : [
          {
            code: "missing-key",
            severity: "error",
            path: at,
            at: "key",
            message: `the partition ${name} has no size`,
            fix: "add size: 100G; only the last partition of a device takes what is left",
          },
        ],
  );
}
