import type { GroupSpec } from "../spec/groups.ts";
import type { Path, Problem } from "../problems/problem.ts";
import type { Role } from "./cluster.ts";

/** The groups' roles: without any `role: control`, the group called control has it. */
export function rolesOf(groups: Readonly<Record<string, GroupSpec>>): ReadonlyMap<string, Role> {
  const said = Object.values(groups).some((group) => group.role === "control");
  return new Map(
    Object.entries(groups).map(([name, group]) => [
      name,
      group.role ?? (!said && name === "control" ? "control" : "worker"),
    ]),
  );
}

/** One control group of 1, 3 or 5: what a majority can be counted in. */
export function roleProblems(groups: Readonly<Record<string, GroupSpec>>): Problem[] {
  const control = [...rolesOf(groups)].filter(([, role]) => role === "control").map(([name]) => name);
  const [first, ...others] = control;
  if (first === undefined)
    return [
      {
        code: "no-control-group",
        severity: "error",
        path: ["groups"],
        at: "key",
        message: "no group has the role control",
        fix: "control: { role: control, count: 3 }",
      },
    ];
  return [
    ...others.map((name): Problem => {
      const roleOf = (group: string): Path => ["groups", group, "role"];
      return {
        code: "no-control-group",
        severity: "error",
        path: roleOf(name),
        message: `${name} is a second control group; a cluster has one`,
        fix: "role: worker, or one control group with a larger count",
        related: [{ path: roleOf(first), message: "the first is here" }],
      };
    }),
    ...control.flatMap((name) => countProblems(name, groups[name]?.count ?? 1)),
  ];
}

function countProblems(name: string, count: number): Problem[] {
  if ([1, 3, 5].includes(count)) return [];
  const path = ["groups", name, "count"];
  if (count === 2 || count === 4)
    return [
      {
        code: "even-control-count",
        severity: "error",
        path,
        message: `${count} control nodes survive no more failures than ${count - 1}`,
        fix: `${count - 1} or ${count + 1}`,
      },
    ];
  return [
    {
      code: "out-of-range",
      severity: "error",
      path,
      message: `${count} control nodes are out of range`,
      fix: "1, 3 or 5",
    },
  ];
}
