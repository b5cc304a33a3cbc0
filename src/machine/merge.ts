import type { Problem } from "../problems/problem.ts";
import {
  emptyMachine,
  type MachineConfig,
  type MachineGroup,
  type MachineUnit,
  type MachineUser,
  type Origin,
} from "./machine.ts";

function where(origin: Origin): string {
  return origin.kind === "component" ? `the component ${origin.component}` : origin.path.join(".");
}

function conflict(what: string, first: Origin, second: Origin): Problem {
  const path = second.kind === "field" ? second.path : first.kind === "field" ? first.path : [];
  return {
    code: "conflicting-path",
    severity: "error",
    path,
    message: `${what} is written by ${where(first)} and by ${where(second)}`,
    fix: "choose another path, or take one of the two away",
  };
}

/** A unit that a component brings may get drop-ins and another state from the file; two texts of one unit are a problem. */
function mergeUnits(first: MachineUnit, second: MachineUnit, problems: Problem[]): MachineUnit {
  if (first.content !== undefined && second.content !== undefined)
    problems.push(conflict(`unit ${first.name}`, first.origin, second.origin));
  const content = first.content ?? second.content;
  return {
    name: first.name,
    ...(content === undefined ? {} : { content }),
    dropIns: [...first.dropIns, ...second.dropIns],
    state: second.state,
    origin: second.content === undefined ? first.origin : second.origin,
  };
}

/** One machine config of several; the same path twice is a problem that names both origins. Lists come out sorted. */
export function mergeMachines(parts: readonly MachineConfig[]): {
  readonly machine: MachineConfig;
  readonly problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const paths = new Map<string, Origin>();
  const units = new Map<string, MachineUnit>();
  const merged = {
    ...emptyMachine,
    files: [...emptyMachine.files],
    directories: [...emptyMachine.directories],
    links: [...emptyMachine.links],
    kernelArguments: [...emptyMachine.kernelArguments],
  };
  const users = new Map<string, MachineUser>();
  const groups = new Map<string, MachineGroup>();
  for (const part of parts) {
    for (const entry of [...part.files, ...part.directories, ...part.links]) {
      const there = paths.get(entry.path);
      if (there !== undefined) problems.push(conflict(entry.path, there, entry.origin));
      paths.set(entry.path, entry.origin);
    }
    merged.files.push(...part.files);
    merged.directories.push(...part.directories);
    merged.links.push(...part.links);
    merged.kernelArguments.push(...part.kernelArguments);
    for (const [named, what] of [
      [part.users, "user"],
      [part.groups, "group"],
    ] as const)
      for (const one of named) {
        const there = (what === "user" ? users : groups).get(one.name);
        if (there !== undefined) problems.push(conflict(`${what} ${one.name}`, there.origin, one.origin));
      }
    for (const user of part.users) users.set(user.name, user);
    for (const group of part.groups) groups.set(group.name, group);
    for (const unit of part.units) {
      const there = units.get(unit.name);
      units.set(unit.name, there === undefined ? unit : mergeUnits(there, unit, problems));
    }
  }
  const byPath = (a: { readonly path: string }, b: { readonly path: string }): number => (a.path < b.path ? -1 : 1);
  const byName = (a: { readonly name: string }, b: { readonly name: string }): number => (a.name < b.name ? -1 : 1);
  return {
    machine: {
      files: merged.files.toSorted(byPath),
      directories: merged.directories.toSorted(byPath),
      links: merged.links.toSorted(byPath),
      users: [...users.values()].toSorted(byName),
      groups: [...groups.values()].toSorted(byName),
      units: [...units.values()].toSorted(byName),
      kernelArguments: merged.kernelArguments,
    },
    problems,
  };
}
