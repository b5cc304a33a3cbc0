import type { MachineUnit } from "../../machine/machine.ts";
import type { Component } from "../component.ts";

/** The files and units that the file itself names for a group. */
export const extras: Component = {
  name: "extras",
  machine(_cluster, group) {
    return {
      files: group.files.map(({ at, ...file }) => ({ ...file, origin: { kind: "field", path: at } })),
      directories: [],
      links: [],
      units: group.units.map((unit): MachineUnit => ({
        name: unit.name,
        ...(unit.content === undefined ? {} : { content: unit.content }),
        dropIns: unit.dropIns.map(({ at, ...dropIn }) => ({ ...dropIn, origin: { kind: "field", path: at } })),
        state: unit.masked ? "masked" : unit.enabled ? "on" : "off",
        origin: { kind: "field", path: unit.at },
      })),
    };
  },
  ports: () => [],
};
