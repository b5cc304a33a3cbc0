import type { Path } from "../problems/problem.ts";

/** Where a generated value comes from: a place in cluster.yml, or the component that made it. */
export type Origin =
  | { readonly kind: "field"; readonly path: Path }
  | { readonly kind: "component"; readonly component: string };

/** What a file holds: text, bytes that are no text, or where it is fetched from and the sum it must have then. */
export type Contents =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "bytes"; readonly base64: string }
  | {
      readonly kind: "remote";
      readonly url: string;
      /** `sha256-` or `sha512-` and the sum of what is unpacked, in hexadecimal digits. */
      readonly hash: string;
      readonly compression: "none" | "gzip";
    };
export type MachineDirectory = {
  readonly path: string;
  /** Permission bits as octal text, such as "0644". */
  readonly mode: string;
  readonly user: string;
  readonly group: string;
  readonly origin: Origin;
};
export type MachineFile = MachineDirectory & { readonly contents: Contents };
export type MachineLink = {
  readonly path: string;
  readonly target: string;
  readonly origin: Origin;
};
/** A user without a password; one that is there already gets what is said here, and keeps the rest. */
export type MachineUser = {
  readonly name: string;
  /** Public SSH keys. */
  readonly keys: readonly string[];
  readonly uid?: number;
  readonly comment: string;
  readonly home: string;
  /** Absent: the system's usual one. */
  readonly shell?: string;
  /** Absent: a group of the user's name. */
  readonly primaryGroup?: string;
  readonly groups: readonly string[];
  /** Its number is one of the system's, and nobody makes its home: another may own that. */
  readonly system: boolean;
  readonly origin: Origin;
};
export type MachineGroup = {
  readonly name: string;
  readonly gid?: number;
  readonly system: boolean;
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

/**
 * Files, directories, links, users, groups and units of a node; holds nothing that is decided at run time. Disks, swap and
 * updates are files and units of our own in it, so that they are the same in every format. Lists are sorted by path or name.
 */
export type MachineConfig = {
  readonly files: readonly MachineFile[];
  readonly directories: readonly MachineDirectory[];
  readonly links: readonly MachineLink[];
  readonly users: readonly MachineUser[];
  readonly groups: readonly MachineGroup[];
  readonly units: readonly MachineUnit[];
  readonly kernelArguments: readonly { readonly argument: string; readonly origin: Origin }[];
};

export const emptyMachine: MachineConfig = {
  files: [],
  directories: [],
  links: [],
  users: [],
  groups: [],
  units: [],
  kernelArguments: [],
};

/** A text file of root's, as components write them. */
export function textFile(path: string, text: string, origin: Origin, mode = "0644"): MachineFile {
  return { path, contents: { kind: "text", text }, mode, user: "root", group: "root", origin };
}

/** The bytes of contents that are known here. */
export function bytesOf(contents: Exclude<Contents, { readonly kind: "remote" }>): Uint8Array {
  return Buffer.from(
    contents.kind === "text" ? contents.text : contents.base64,
    contents.kind === "text" ? "utf8" : "base64",
  );
}
