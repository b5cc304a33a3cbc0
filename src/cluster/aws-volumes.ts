import type { Group, Orchestrator, Volume } from "./cluster.ts";

const gibibyte = 1024 ** 3;

/** Where a node shows the disk of a volume, under the volume's name, once it is attached. */
const attached = "/dev/disk/by-slipway";

/** What a control member cannot lose: Slipway's own data with etcd's, and the engine's with Swarm's. */
const lasting = [
  { name: "data", mount: "/var/lib/slipway", size: 10 * gibibyte, swarm: false },
  { name: "engine", mount: "/var/lib/docker", size: 20 * gibibyte, swarm: true },
] as const;

/** A group's volumes on AWS: control members have theirs on disks that outlive the machine, unless the file names such disks. */
export function awsVolumes(group: Group, orchestrator: Orchestrator): readonly Volume[] {
  // Each is a disk of its own here, also what shares one elsewhere.
  const own = group.volumes.map((volume) => onDisk(volume, volume.name));
  if (group.role !== "control") return own;
  const missing = lasting
    .filter(({ mount, swarm }) => (!swarm || orchestrator === "swarm") && !own.some((one) => one.mount === mount))
    .map(({ name, mount, size }) => {
      const at = [...group.path, "volumes", name];
      const free = own.some((one) => one.name === name) ? `slipway-${name}`.slice(0, 12) : name;
      return onDisk({ size, type: "gp3", format: "ext4", mount, onTermination: "keep", at }, free);
    });
  return [...own, ...missing].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function onDisk(volume: Omit<Volume, "name" | "device" | "partition">, name: string): Volume {
  return { ...volume, name, device: `${attached}/${name}`, partition: undefined };
}
