import type { ExtraUnit } from "../../cluster/cluster.ts";
import type { MachineUnit } from "../../machine/machine.ts";
import type { Path } from "../../problems/problem.ts";
import type { Component } from "../component.ts";

/** A value of the file, with its place as its origin. */
function placed<Value extends { readonly at: Path }>({ at, ...value }: Value) {
  return { ...value, origin: { kind: "field", path: at } as const };
}

/** Only an instance of a template can run: the template itself is no more than there. */
function stateOf({ name, masked, enabled }: ExtraUnit): MachineUnit["state"] {
  if (masked) return "masked";
  if (name.includes("@.")) return "installed";
  return enabled ? "on" : "off";
}

/** What units of a kind are wanted by, where it is not multi-user.target. */
const wantedBy: Readonly<Record<string, string>> = {
  timer: "timers.target",
  socket: "sockets.target",
  path: "paths.target",
};

/** Without an [Install] section a unit cannot be enabled: systemd would put it there and never start it. */
function installable(name: string, content: string): string {
  if (/^\[Install\]\s*$/m.test(content)) return content;
  const kind = name.slice(name.lastIndexOf(".") + 1);
  const end = content === "" || content.endsWith("\n") ? "" : "\n";
  return `${content}${end}\n[Install]\nWantedBy=${wantedBy[kind] ?? "multi-user.target"}\n`;
}

function unitOf(unit: ExtraUnit): MachineUnit {
  const { name, content, dropIns, at } = unit;
  const state = stateOf(unit);
  return {
    name,
    ...(content === undefined ? {} : { content: state === "on" ? installable(name, content) : content }),
    dropIns: dropIns.map(placed),
    state,
    origin: { kind: "field", path: at },
  };
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
      units: group.units.map(unitOf),
    };
  },
  ports: () => [],
};
