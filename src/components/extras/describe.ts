import type { MachineUnit } from "../../machine/machine.ts";
import type { Path } from "../../problems/problem.ts";
import type { Component } from "../component.ts";

/** A value of the file, with its place as its origin. */
function placed<Value extends { readonly at: Path }>({ at, ...value }: Value) {
  return { ...value, origin: { kind: "field", path: at } as const };
}

/** The files and units that the file itself names for a group. */
export const extras: Component = {
  name: "extras",
  machine(_cluster, group) {
    return {
      files: group.files.map(placed),
      directories: group.directories.map(placed),
      links: group.links.map(placed),
      users: group.users.map(({ uid, shell, primaryGroup, ...user }) => ({
        ...placed(user),
        ...(uid === undefined ? {} : { uid }),
        ...(shell === undefined ? {} : { shell }),
        ...(primaryGroup === undefined ? {} : { primaryGroup }),
      })),
      groups: group.userGroups.map(({ gid, ...one }) => ({ ...placed(one), ...(gid === undefined ? {} : { gid }) })),
      kernelArguments: group.kernelArguments.map(placed),
      units: group.units.map((unit): MachineUnit => ({
        name: unit.name,
        ...(unit.content === undefined ? {} : { content: unit.content }),
        dropIns: unit.dropIns.map(placed),
        state: unit.masked ? "masked" : unit.enabled ? "on" : "off",
        origin: { kind: "field", path: unit.at },
      })),
    };
  },
  ports: () => [],
};
