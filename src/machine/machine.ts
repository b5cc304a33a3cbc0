import type { Path } from "../problems/problem.ts";

/** Where a generated value comes from: a place in cluster.yml, or the component that made it. */
export type Origin =
  | { readonly kind: "field"; readonly path: Path }
  | { readonly kind: "component"; readonly component: string };

export type MachineFile = {
  readonly path: string;
  readonly content: string;
  /** Permission bits as octal text, such as "0644". */
  readonly mode: string;
  readonly user: string;
  readonly group: string;
  readonly origin: Origin;
};
export type MachineDirectory = Omit<MachineFile, "content">;
export type MachineLink = {
  readonly path: string;
  readonly target: string;
  readonly origin: Origin;
};
export type DropIn = { readonly name: string; readonly content: string; readonly origin: Origin };
export type MachineUnit = {
  readonly name: string;
  /** The unit's text; absent where the image brings the unit and only drop-ins or state are ours. */
  readonly content?: string;
  readonly dropIns: readonly DropIn[];
  /** `on`: enabled and started. `off`: neither. `masked`: cannot start. `installed`: there, started by someone else. */
  readonly state: "on" | "off" | "masked" | "installed";
  readonly origin: Origin;
};

/** Files, directories, links and units of a node; holds nothing that is decided at run time. Lists are sorted by path or name. */
export type MachineConfig = {
  readonly files: readonly MachineFile[];
  readonly directories: readonly MachineDirectory[];
  readonly links: readonly MachineLink[];
  readonly units: readonly MachineUnit[];
};

export const emptyMachine: MachineConfig = { files: [], directories: [], links: [], units: [] };
