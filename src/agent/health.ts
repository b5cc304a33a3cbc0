import type { NodePorts } from "../components/node.ts";
import type { MachineConfig } from "../machine/machine.ts";
import { drifted } from "./apply.ts";
import type { NodeRecord } from "./nodeRecord.ts";

export type Health = Pick<NodeRecord, "units" | "drift" | "disk"> & {
  /** Units that failed, ours first. */
  readonly failed: readonly { readonly name: string; readonly ours: boolean }[];
};

const always = ["slipway-agent.service"];

/** Units, drift and disk of this node: what costs processes to find out, so not at every round. */
export async function examine(node: NodePorts, machine: MachineConfig): Promise<Health> {
  const ours = [...machine.units.map((unit) => unit.name), ...always];
  const failedNames = await node.systemd.failed();
  const names = [...new Set([...ours, ...failedNames])].toSorted();
  const states = await node.systemd.states(names);
  const units = names.map((name) => {
    const state = states.get(name);
    return {
      name,
      active: state?.active ?? "",
      sub: state?.sub ?? "",
      result: state?.result ?? "",
      ours: ours.includes(name),
    };
  });
  const disk: NodeRecord["disk"] = [];
  for (const mount of ["/var/lib/slipway", "/var/lib/docker"]) {
    const space = await node.files.space(mount);
    if (space !== undefined) disk.push({ mount, ...space });
  }
  return {
    units,
    disk,
    drift: [...(await drifted(node, machine))],
    failed: units.filter((unit) => unit.active === "failed").map(({ name, ours: own }) => ({ name, ours: own })),
  };
}

/** Less than this is as good as nothing: etcd and Docker write more in one go. Bytes, and a share for small disks. */
const leastFree = { bytes: 64 * 1024 * 1024, share: 0.01 };

/** Names the disks that are full; `undefined` when none is. */
export function fullDisks({ disk }: Health): string | undefined {
  const full = disk.filter(({ size, free }) => size > 0 && free < Math.min(leastFree.bytes, size * leastFree.share));
  if (full.length === 0) return undefined;
  return `no space is left on ${full.map(({ mount, size }) => `${mount} (${Math.round(size / 1024 / 1024)} MiB)`).join(" and ")}`;
}

/** Free space in steps, so that a node's record does not change with every byte. */
export function steady(disk: NodeRecord["disk"]): NodeRecord["disk"] {
  const step = 64 * 1024 * 1024;
  return disk.map(({ mount, size, free }) => ({ mount, size, free: Math.floor(free / step) * step }));
}
