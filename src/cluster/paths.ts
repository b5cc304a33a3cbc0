import type { Path, Problem } from "../problems/problem.ts";
import { quoted } from "../problems/visible.ts";
import type { ExtraUnit, Group, Service } from "./cluster.ts";
import { deviceProblems } from "./devices.ts";

const systemd = "/etc/systemd/system";
const ownUnits = ["etcd.service", "slipway-agent.service"] as const;
const owned = [
  "/etc/slipway",
  "/var/lib/slipway",
  "/opt/slipway",
  "/run/slipway",
  "/etc/docker/daemon.json",
  ...ownUnits.map((unit) => `${systemd}/${unit}`),
];

/** Slipway's own data may lie on a disk of its own. */
const mountable = "/var/lib/slipway";

/** Paths on a group's nodes that two things want, or that are Slipway's own. */
export function machinePathProblems(group: Group): Problem[] {
  const claims = new Claims();
  const mounts = group.volumes.flatMap(({ mount, at }) =>
    mount === undefined ? [] : [{ path: mount, at, key: "mount" }],
  );
  const twice = [
    ...duplicateNames(group.users, "user"),
    ...duplicateNames(group.userGroups, "group of users"),
    ...duplicateNames(group.units, "unit"),
    ...group.units.flatMap((unit) => duplicateNames(unit.dropIns, "drop-in")),
  ];
  const conflicts = [
    // Units first: it is the file that is in the way.
    ...group.units.flatMap((unit) =>
      unitClaims(unit).flatMap((claim) => claims.take(claim.path, claim.at, "the unit")),
    ),
    ...[
      ...group.files.map((file) => ({ ...file, who: "the file" })),
      ...group.links.map((link) => ({ ...link, who: "the link" })),
    ].flatMap(({ path, at, who }) => [
      ...ownedProblems(path, [...at, "path"]),
      ...claims.take(path, [...at, "path"], who),
    ]),
    ...group.directories.flatMap(({ path, at }) => [
      ...insideOwned(path, [...at, "path"]),
      ...claims.takeFolder(path, [...at, "path"], "the directory"),
    ]),
    ...mounts.flatMap(({ path, at, key }) => [
      ...(path === mountable ? [] : ownedProblems(path, [...at, key])),
      ...claims.takeFolder(path, [...at, key], "the volume"),
    ]),
    ...deviceProblems(group.volumes),
  ];
  // The same name twice is the same path twice: once said is enough.
  const said = new Set(twice.map(({ path }) => JSON.stringify(path)));
  return [
    ...twice,
    ...group.units.flatMap(ownUnitProblems),
    ...conflicts.filter(({ path }) => !said.has(JSON.stringify(path))),
  ];
}

/** Paths in a service's containers that two mounts or secrets want. */
export function containerPathProblems(service: Service): Problem[] {
  const claims = new Claims();
  return [
    ...service.mounts.flatMap((mount, index) =>
      claims.takeExactly(mount.target, [...service.path, "mounts", index, "target"], "the mount"),
    ),
    ...service.secrets.flatMap((secret) =>
      claims.takeExactly(secret.target, [...service.path, "secrets", secret.name, "target"], "the secret"),
    ),
  ];
}

/** Who has which path; the second to ask is the problem, and the first is named. */
class Claims {
  private readonly taken = new Map<string, { readonly at: Path; readonly who: string }>();
  private readonly folders = new Set<string>();
  private readonly parents = new Map<string, { readonly at: Path; readonly who: string }>();

  takeExactly(path: string, at: Path, who: string): Problem[] {
    const first = this.taken.get(path);
    if (first !== undefined) return [conflict(at, `${quoted(path)} is taken`, first.at, `${first.who} is here`)];
    this.taken.set(path, { at, who });
    return [];
  }

  /** A directory may have others inside; a file can be neither it nor above it. */
  takeFolder(path: string, at: Path, who: string): Problem[] {
    const problems = this.takeExactly(path, at, who);
    this.folders.add(path);
    return [...problems, ...this.belowFiles(path, at, who)];
  }

  take(path: string, at: Path, who: string): Problem[] {
    const problems = this.takeExactly(path, at, who);
    const inside = this.parents.get(path);
    if (inside !== undefined)
      problems.push(
        conflict(at, `${quoted(path)} cannot be a file and a directory`, inside.at, `${inside.who} lies inside it`),
      );
    return [...problems, ...this.belowFiles(path, at, who)];
  }

  private belowFiles(path: string, at: Path, who: string): Problem[] {
    return parentsOf(path).flatMap((parent) => {
      if (!this.parents.has(parent)) this.parents.set(parent, { at, who });
      const file = this.taken.get(parent);
      if (file === undefined || this.folders.has(parent)) return [];
      return [conflict(at, `${quoted(parent)} cannot be a file and a directory`, file.at, `${file.who} is here`)];
    });
  }
}

function conflict(path: Path, message: string, other: Path, where: string): Problem {
  return {
    code: "conflicting-path",
    severity: "error",
    path,
    message,
    fix: "choose another path for one of the two",
    related: [{ path: other, message: where }],
  };
}

function parentsOf(path: string): string[] {
  const parts = path.split("/").slice(1, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`);
}

function unitClaims(unit: ExtraUnit): { readonly path: string; readonly at: Path }[] {
  const path = `${systemd}/${unit.name}`;
  const dropIns = unit.dropIns.map((dropIn) => ({
    path: `${path}.d/${dropIn.name}`,
    at: [...dropIn.at, "name"],
  }));
  const own = unit.content !== undefined || unit.masked;
  return own ? [{ path, at: [...unit.at, "name"] }, ...dropIns] : dropIns;
}

/** What is not a directory can lie neither inside nor in the way of what is Slipway's. */
function ownedProblems(path: string, at: Path): Problem[] {
  const above = owned.find((its) => its.startsWith(`${path}/`));
  return above === undefined ? insideOwned(path, at) : [ownedProblem(path, at, above)];
}

function insideOwned(path: string, at: Path): Problem[] {
  const own = owned.find((its) => path === its || path.startsWith(`${its}/`));
  return own === undefined ? [] : [ownedProblem(path, at, own)];
}

function ownedProblem(path: string, at: Path, own: string): Problem {
  return {
    code: "conflicting-path",
    severity: "error",
    path: at,
    message: `${quoted(path)} belongs to Slipway, as ${own} does`,
    fix: "choose a path elsewhere",
  };
}

function ownUnitProblems(unit: ExtraUnit): Problem[] {
  const own = ownUnits.some((name) => name === unit.name);
  if (!own || (unit.content === undefined && !unit.masked && unit.enabled)) return [];
  return [
    {
      code: "conflicting-path",
      severity: "error",
      path: [...unit.at, "name"],
      message: `the unit ${unit.name} belongs to Slipway`,
      fix: "change it with drop_ins only",
    },
  ];
}

function duplicateNames(items: readonly { readonly name: string; readonly at: Path }[], what: string): Problem[] {
  const first = new Map<string, Path>();
  return items.flatMap(({ name, at }): Problem[] => {
    const path = [...at, "name"];
    const other = first.get(name);
    first.set(name, other ?? path);
    if (other === undefined) return [];
    return [
      {
        code: "duplicate-name",
        severity: "error",
        path,
        message: `the ${what} ${name} stands here twice`,
        fix: "write both into one",
        related: [{ path: other, message: "first here" }],
      },
    ];
  });
}
