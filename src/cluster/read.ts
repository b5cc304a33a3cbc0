import type { Path, Problem, Read } from "../problems/problem.ts";
import type { Source } from "../problems/source.ts";
import { readSpec, type Rest } from "../spec/read.ts";
import type { Cluster } from "./cluster.ts";
import { resolve, type ResolveOptions } from "./resolve.ts";

/** A resolved cluster, or all problems of its file; the source places them. */
export type ClusterRead = Read<Cluster> & { readonly source: Source };

/** Reads and resolves the text of cluster.yml; `file` is its name in messages. Never throws for a bad file. */
export function readCluster(text: string | Uint8Array, file: string, options: ResolveOptions = {}): ClusterRead {
  const { source, ...read } = readSpec(text, file);
  if (read.kind === "good") return { ...resolve(read.value, options), source };
  const further = read.rest === undefined ? [] : furtherProblems(read.rest, options);
  return { kind: "bad", problems: [...read.problems, ...further], source };
}

/** What is wrong with the rest whatever the missing parts will be. */
function furtherProblems(rest: Rest, options: ResolveOptions): Problem[] {
  const resolved = resolve(rest.spec, options);
  if (resolved.kind === "good") return [];
  const groups = rest.without.filter(([section]) => section === "groups");
  // Who has which role is open as long as a group, or a role, is.
  const roles = groups.some((path) => path.length <= 2 || path[2] === "role");
  return resolved.problems.filter(
    (problem) =>
      problem.severity === "error" &&
      !(roles && ["no-control-group", "even-control-count", "out-of-range"].includes(problem.code)) &&
      !rest.without.some((path) => begins(problem.path, path) || begins(path, problem.path)),
  );
}

function begins(path: Path, start: Path): boolean {
  return start.every((step, index) => path[index] === step);
}
