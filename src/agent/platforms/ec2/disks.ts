import type { NodePorts } from "../../../components/node.ts";
import { emptyMachine, type MachineConfig } from "../../../machine/machine.ts";
import { attachedFolder } from "../../../records/tags.ts";
import { applyMachine } from "../../apply.ts";
import type { Attached } from "./own.ts";

type Ports = Pick<NodePorts, "files" | "systemd" | "processes" | "download" | "clock">;

/** Where the kernel shows block devices, each with what it says of itself. */
const blockFolder = "/sys/class/block";

/**
 * The kernel's name for a disk of EBS. On Nitro the volume's id is the disk's serial number, without its dash; on Xen the
 * disk is called after the device that it was attached as (AWS, "Identify the EBS device").
 */
export async function kernelName(
  { files }: Pick<Ports, "files">,
  { id, device }: Attached,
): Promise<string | undefined> {
  const names = (await files.list(blockFolder)) ?? [];
  for (const name of names.filter((one) => /^nvme\d+n\d+$/.test(one)).toSorted()) {
    const serial = (await files.read(`${blockFolder}/${name}/device/serial`))?.trim();
    if (serial?.replace("-", "") === id.replace("-", "")) return `/dev/${name}`;
  }
  const xen = device.replace("/dev/sd", "xvd");
  return names.includes(xen) ? `/dev/${xen}` : undefined;
}

/** Shows each attached disk under its volume's name, where the unit that prepares it looks. */
export async function showDisks(ports: Ports, disks: ReadonlyMap<string, Attached>): Promise<void> {
  for (const [name, disk] of disks) {
    const found = await kernelName(ports, disk);
    if (found === undefined)
      throw new Error(`the disk ${name} (${disk.id}) is attached, and the kernel does not show it`);
    await ports.files.makeFolder(attachedFolder, { mode: 0o755, user: "root", group: "root" });
    if ((await ports.files.linkTarget(`${attachedFolder}/${name}`)) !== found)
      await ports.files.link(`${attachedFolder}/${name}`, found);
  }
}

/** What of a machine config makes disks ready and mounts them. */
export function disksOf(machine: MachineConfig): MachineConfig {
  return {
    ...emptyMachine,
    files: machine.files.filter(({ path }) => /^\/etc\/slipway\/prepare-(?:disk|table)$/.test(path)),
    units: machine.units.filter(
      ({ name, content }) =>
        /^slipway-(?:disk|table)-/.test(name) || /^What=\/run\/slipway\/disks\//m.test(content ?? ""),
    ),
  };
}

const mountWithin = 180_000;
const betweenLooks = 500;

/**
 * Prepares and mounts the disks before anything else is written: what a node keeps lies on them, and what was written
 * beneath would be hidden. Throws with the unit's last lines when one of them fails.
 */
export async function mountDisks(ports: Ports, machine: MachineConfig): Promise<void> {
  const { systemd, clock } = ports;
  const disks = disksOf(machine);
  const mounts = disks.units.map(({ name }) => name).filter((name) => /\.(?:mount|swap)$/.test(name));
  if (mounts.length === 0) return;
  const active = async (): Promise<boolean> =>
    [...(await systemd.states(mounts)).values()].filter((state) => state.active === "active").length === mounts.length;
  if (await active()) return;
  await applyMachine(ports, emptyMachine, disks);
  const units = disks.units.map(({ name }) => name);
  for (const end = clock.now() + mountWithin; !(await active()); await clock.sleep(betweenLooks)) {
    const states = await systemd.states(units);
    const failed = units.find((unit) => states.get(unit)?.active === "failed");
    if (failed !== undefined) {
      const log = await systemd.log(failed, 5);
      await systemd.resetFailed(failed);
      throw new Error(`${failed} failed: ${log.join("; ")}`);
    }
    if (clock.now() >= end) throw new Error(`the disks are not mounted yet: ${mounts.join(", ")}`);
  }
}
