import type { Path, Problem } from "../../problems/problem.ts";
import type { MachineConfig, Origin } from "../machine.ts";

export type FormatName = "agent" | "ignition" | "coreos-cloud-config" | "cloud-init";
/** The systems that read a format. */
export type System = "debian" | "ubuntu" | "flatcar" | "fedora-coreos";

/** What each system's images read at their first boot, where nobody asks for another format. */
export const ownFormat: Readonly<Record<System, FormatName>> = {
  flatcar: "ignition",
  "fedora-coreos": "ignition",
  debian: "cloud-init",
  ubuntu: "cloud-init",
};

/** A machine config in the words of one format, and what that format cannot say: then the text is not to be used. */
export type Rendered = { readonly text: string; readonly problems: readonly Problem[] };

/** What a node's machine config is rendered for. */
export type Setting = {
  readonly system: System;
  /** Absent: the node learns its name when it joins. */
  readonly hostName?: string;
};

export interface Format {
  readonly name: FormatName;
  /** Systems that read it from user data. */
  readonly systems: readonly System[];
  render(machine: MachineConfig, setting: Setting): Rendered;
}

/** The place of an origin in the file; what a component made has none of its own. */
export function placeOf(origin: Origin): Path {
  return origin.kind === "field" ? origin.path : [];
}

/** Something that a format has no words for, at the field that asks for it. */
export function unsaid(origin: Origin, format: string, what: string, fix: string): Problem {
  const who = origin.kind === "component" ? ` (the component ${origin.component} asks for it)` : "";
  return {
    code: "unsupported",
    severity: "error",
    path: placeOf(origin),
    message: `${format} cannot say ${what}${who}`,
    fix,
  };
}
