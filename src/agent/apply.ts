import type { NodePorts } from "../components/node.ts";
import { difference, sameText, type Difference } from "../machine/difference.ts";
import type { MachineConfig, MachineUnit } from "../machine/machine.ts";
import { accountDrift, applyAccounts } from "./accounts.ts";
import { bytesToWrite, holds } from "./contents.ts";

const unitFolder = "/etc/systemd/system";
const rootOwned = { mode: 0o644, user: "root", group: "root" } as const;

function dropInPath(unit: MachineUnit, name: string): string {
  return `${unitFolder}/${unit.name}.d/${name}`;
}

type Ports = Pick<NodePorts, "files" | "systemd" | "processes" | "download">;

/** Makes accounts, writes files, then units, then brings units to their state: always in this order, and only what changed. */
export async function applyMachine(node: Ports, before: MachineConfig, after: MachineConfig): Promise<Difference> {
  const { files, systemd } = node;
  const change = difference(before, after);
  await applyAccounts(node, before, after, change);
  for (const directory of change.directories)
    await files.makeFolder(directory.path, { ...directory, mode: Number.parseInt(directory.mode, 8) });
  for (const file of change.files)
    await files.write(file.path, await bytesToWrite(node, file.contents), {
      ...file,
      mode: Number.parseInt(file.mode, 8),
    });
  for (const link of change.links) await files.link(link.path, link.target);
  for (const path of change.removedPaths) await files.remove(path);

  const old = new Map(before.units.map((unit) => [unit.name, unit]));
  let reload = false;
  for (const unit of change.units) {
    const was = old.get(unit.name);
    if (was !== undefined && sameText(was, unit)) continue;
    for (const dropIn of was?.dropIns ?? [])
      if (!unit.dropIns.some(({ name }) => name === dropIn.name)) await files.remove(dropInPath(unit, dropIn.name));
    if (unit.content !== undefined) await files.write(`${unitFolder}/${unit.name}`, unit.content, rootOwned);
    else if (was?.content !== undefined) await files.remove(`${unitFolder}/${unit.name}`);
    for (const dropIn of unit.dropIns) await files.write(dropInPath(unit, dropIn.name), dropIn.content, rootOwned);
    reload = true;
  }
  for (const unit of change.removedUnits) {
    await systemd.stop([unit.name]);
    if (unit.state === "on") await systemd.enable([unit.name], "off");
    if (unit.state === "masked") await systemd.mask([unit.name], false);
    if (unit.content !== undefined) await files.remove(`${unitFolder}/${unit.name}`);
    for (const dropIn of unit.dropIns) await files.remove(dropInPath(unit, dropIn.name));
    reload = true;
  }
  // Nothing masked can be enabled.
  await systemd.mask(
    change.units
      .filter((unit) => old.get(unit.name)?.state === "masked" && unit.state !== "masked")
      .map((unit) => unit.name),
    false,
  );
  const on = change.units.filter((unit) => unit.state === "on").map((unit) => unit.name);
  const known = on.filter((name) => old.get(name)?.state === "on");
  // New links count after the reload that new texts need anyway.
  await systemd.enable(
    on.filter((name) => !known.includes(name)),
    "on",
  );
  if (reload) await systemd.reload();

  const named = (state: MachineUnit["state"]): string[] =>
    change.units.filter((unit) => unit.state === state).map((unit) => unit.name);
  const off = named("off");
  if (off.length > 0) {
    await systemd.stop(off);
    await systemd.enable(off, "off");
  }
  const masked = named("masked");
  if (masked.length > 0) {
    await systemd.stop(masked);
    await systemd.mask(masked, true);
  }
  await systemd.start(on.filter((name) => !known.includes(name)));
  await systemd.restart(known);
  return change;
}

/** Which files and units no longer are as the machine config says; cheap enough for every half minute. */
export async function drifted(node: Ports, machine: MachineConfig): Promise<readonly string[]> {
  const { files, systemd } = node;
  const found: string[] = [...(await accountDrift(node, machine))];
  for (const file of machine.files) {
    const [same, there, ids] = await Promise.all([
      holds(node, file.path, file.contents),
      files.ownership(file.path),
      files.ids({ ...file, mode: 0 }),
    ]);
    if (same === undefined || there === undefined) found.push(`${file.path}: is gone`);
    else if (!same) found.push(`${file.path}: was edited`);
    else if (there.mode !== Number.parseInt(file.mode, 8) || there.uid !== ids?.uid || there.gid !== ids.gid)
      found.push(`${file.path}: has another mode or owner`);
  }
  for (const link of machine.links)
    if ((await files.linkTarget(link.path)) !== link.target) found.push(`${link.path}: leads elsewhere`);
  for (const unit of machine.units) {
    const texts = [
      ...(unit.content === undefined ? [] : [{ path: `${unitFolder}/${unit.name}`, content: unit.content }]),
      ...unit.dropIns.map((dropIn) => ({ path: dropInPath(unit, dropIn.name), content: dropIn.content })),
    ];
    for (const text of texts) {
      const content = await files.read(text.path);
      if (content !== text.content) found.push(`${text.path}: ${content === undefined ? "is gone" : "was edited"}`);
    }
  }
  const states = await systemd.states(machine.units.map((unit) => unit.name));
  for (const unit of machine.units) {
    const state = states.get(unit.name);
    if (state === undefined) continue;
    // A oneshot that has done its work is inactive and well.
    if (
      unit.state === "on" &&
      state.active === "inactive" &&
      state.result === "success" &&
      state.sub === "dead" &&
      !oneshot(unit)
    )
      found.push(`${unit.name}: is stopped`);
    if (unit.state === "off" && state.active === "active") found.push(`${unit.name}: is started`);
    if (unit.state === "masked" && state.load !== "masked") found.push(`${unit.name}: is not masked`);
  }
  return found;
}

/**
 * A machine config as this node really is, as far as a wanted one can be compared with it: what differs is left out or
 * marked, so that applying the wanted one puts it back. What only the old config had is kept, so that it is removed.
 */
export async function found(node: Ports, old: MachineConfig, wanted: MachineConfig): Promise<MachineConfig> {
  const only = <T>(values: readonly T[], keep: readonly T[], name: (value: T) => string): readonly T[] => {
    const names = new Set(keep.map(name));
    return values.filter((value) => !names.has(name(value)));
  };
  const path = (value: { readonly path: string }): string => value.path;
  const gone = await drifted(node, wanted);
  const differs = (name: string): boolean => gone.some((line) => line.startsWith(`${name}: `));
  const states = await node.systemd.states(wanted.units.map((unit) => unit.name));
  const units = wanted.units.flatMap((unit): MachineUnit[] => {
    const texts = [`${unitFolder}/${unit.name}`, ...unit.dropIns.map((dropIn) => dropInPath(unit, dropIn.name))];
    const was = old.units.find((candidate) => candidate.name === unit.name);
    if (was === undefined) return [];
    // A text of its own makes the unit count as changed: it is written anew and restarted.
    if (texts.some(differs)) return [{ ...was, content: "" }];
    const state = states.get(unit.name);
    const well =
      (state?.active === "active" || state?.active === "activating") && !/^(disabled|masked)/.test(state.enabled);
    const asItShould = unit.state === "on" ? well : !differs(unit.name);
    return asItShould ? [was] : [{ ...was, state: "installed" }];
  });
  return {
    files: [
      ...wanted.files
        .filter((file) => !differs(file.path) && old.files.some((was) => was.path === file.path))
        .map((file) => old.files.find((was) => was.path === file.path) ?? file),
      ...only(old.files, wanted.files, path),
    ],
    directories: [],
    users: [
      ...wanted.users.filter(
        (user) => !differs(`user ${user.name}`) && old.users.some((was) => was.name === user.name),
      ),
      ...only(old.users, wanted.users, (user) => user.name),
    ],
    groups: wanted.groups.filter((group) => !differs(`group ${group.name}`)),
    kernelArguments: old.kernelArguments,
    links: [...wanted.links.filter((link) => !differs(link.path)), ...only(old.links, wanted.links, path)],
    units: [...units, ...only(old.units, wanted.units, (unit) => unit.name)],
  };
}

function oneshot(unit: MachineUnit): boolean {
  const text = unit.content ?? "";
  const remains = /^\s*RemainAfterExit\s*=\s*(?:yes|true|on|1)\s*$/m.test(text);
  return (/^\s*Type\s*=\s*oneshot\s*$/m.test(text) && !remains) || /\.(timer|target)$/.test(unit.name);
}
