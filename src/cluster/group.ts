import type { Path } from "../problems/problem.ts";
import type { FileSpec, GroupSpec, UnitSpec } from "../spec/groups.ts";
import type { ExtraFile, ExtraUnit, Group, Role } from "./cluster.ts";
import { groupName, labelsOf } from "./names.ts";

/** A group with every default filled in. */
export function resolveGroup(name: string, spec: GroupSpec, role: Role): Group {
  const path = ["groups", name];
  return {
    name: groupName(name),
    role,
    count: spec.count ?? 1,
    labels: labelsOf(spec.labels),
    files: (spec.files ?? []).map((file, index) => resolveFile(file, [...path, "files", index])),
    units: (spec.units ?? []).map((unit, index) => resolveUnit(unit, [...path, "units", index])),
    path,
  };
}

function resolveFile(file: FileSpec, at: Path): ExtraFile {
  return {
    path: file.path,
    content: file.content,
    mode: file.mode ?? "0644",
    user: file.user ?? "root",
    group: file.group ?? "root",
    at,
  };
}

function resolveUnit(unit: UnitSpec, at: Path): ExtraUnit {
  const masked = unit.masked ?? false;
  return {
    name: unit.name,
    content: unit.content,
    enabled: unit.enabled ?? !masked,
    masked,
    dropIns: (unit.drop_ins ?? []).map((dropIn, index) => ({
      ...dropIn,
      at: [...at, "drop_ins", index],
    })),
    at,
  };
}
