import { isDeepStrictEqual } from "node:util";
import type {
  Contents,
  MachineConfig,
  MachineDirectory,
  MachineFile,
  MachineGroup,
  MachineLink,
  MachineUnit,
  MachineUser,
} from "./machine.ts";

/** What must be written, removed, started to get from one machine config to another; only what changed. */
export type Difference = {
  readonly groups: readonly MachineGroup[];
  readonly users: readonly MachineUser[];
  readonly directories: readonly MachineDirectory[];
  readonly files: readonly MachineFile[];
  readonly links: readonly MachineLink[];
  readonly units: readonly MachineUnit[];
  /** Paths of files and links that the old config had and the new one has not. */
  readonly removedPaths: readonly string[];
  readonly removedUnits: readonly MachineUnit[];
};

type Same<T> = (one: T, other: T) => boolean;

function changed<T>(
  before: readonly T[],
  after: readonly T[],
  name: (value: T) => string,
  same: Same<T>,
): readonly T[] {
  const old = new Map(before.map((value) => [name(value), value]));
  return after.filter((value) => {
    const there = old.get(name(value));
    return there === undefined || !same(there, value);
  });
}

function removed<T>(before: readonly T[], after: readonly T[], name: (value: T) => string): readonly T[] {
  const kept = new Set(after.map(name));
  return before.filter((value) => !kept.has(name(value)));
}

const byPath = ({ path }: { readonly path: string }): string => path;
const byName = ({ name }: { readonly name: string }): string => name;

// Origins tell where a value comes from; that a line moved in cluster.yml changes nothing on a node.
const sameFile: Same<MachineFile> = (a, b) => sameContents(a.contents, b.contents) && sameDirectory(a, b);
const sameDirectory: Same<MachineDirectory> = (a, b) => a.mode === b.mode && a.user === b.user && a.group === b.group;
const sameLink: Same<MachineLink> = (a, b) => a.target === b.target;

const sameGroup: Same<MachineGroup> = (a, b) => a.gid === b.gid && a.system === b.system;
const sameUser: Same<MachineUser> = (a, b) => isDeepStrictEqual({ ...a, origin: b.origin }, b);

/** Whether two files hold the same; where one is fetched from does not matter when the sum is the same. */
export function sameContents(a: Contents, b: Contents): boolean {
  return a.kind === "remote" && b.kind === "remote" ? a.hash === b.hash : isDeepStrictEqual(a, b);
}

/** Whether two units have the same text and drop-ins, whatever their state. */
export function sameText(a: MachineUnit, b: MachineUnit): boolean {
  return (
    a.content === b.content &&
    a.dropIns.length === b.dropIns.length &&
    a.dropIns.every((dropIn, n) => dropIn.name === b.dropIns[n]?.name && dropIn.content === b.dropIns[n]?.content)
  );
}

/** The way from one machine config to another. */
export function difference(before: MachineConfig, after: MachineConfig): Difference {
  // A file may become a link, or the other way round: then its path is written anew and not removed.
  const kept = new Set([...after.files, ...after.links, ...after.directories].map(byPath));
  return {
    groups: changed(before.groups, after.groups, byName, sameGroup),
    users: changed(before.users, after.users, byName, sameUser),
    directories: changed(before.directories, after.directories, byPath, sameDirectory),
    files: changed(before.files, after.files, byPath, sameFile),
    links: changed(before.links, after.links, byPath, sameLink),
    units: changed(before.units, after.units, byName, (a, b) => a.state === b.state && sameText(a, b)),
    removedPaths: [...removed(before.files, after.files, byPath), ...removed(before.links, after.links, byPath)]
      .map(byPath)
      .filter((path) => !kept.has(path)),
    removedUnits: removed(before.units, after.units, byName),
  };
}
