import type { Path, Problem } from "../problems/problem.ts";
import { Plain, type Data } from "./plain.ts";

/** A file's data without what the problems name, and the paths that are no longer there. */
export type Pruned = { readonly data: Data; readonly without: readonly Path[] };

/**
 * Leaves out what is wrong, so that what is right can be judged further in the same run. Of a list all is left out,
 * since the paths of the items behind would no longer be theirs. Undefined when nothing would be left.
 */
export function prune(data: Data, problems: readonly Problem[]): Pruned | undefined {
  const without = problems.map((problem) => lastMap(data, problem.path, problem.code === "missing-key"));
  if (without.some((path) => path.length === 0)) return undefined;
  const keys = new Set(without.map((path) => JSON.stringify(path)));
  return { data: copy(data, [], keys), without };
}

/** The data under a short name of ours. */
export function withName(data: Data): Data {
  if (typeof data === "string" || data instanceof Plain || Array.isArray(data)) return data;
  return { ...data, name: "x" };
}

/** The path to leave out: the last key in a map that is there; for what is missing, the map that lacks it. */
function lastMap(data: Data, path: Path, missing: boolean): Path {
  let here: Data | undefined = data;
  let end = 0;
  for (const [index, step] of path.entries()) {
    if (typeof here !== "object" || here instanceof Plain || Array.isArray(here)) break;
    const next: Data | undefined = here[step];
    if (next === undefined) break;
    if (missing && index === path.length - 1) break;
    here = next;
    end = index + 1;
  }
  return path.slice(0, end);
}

function copy(data: Data, path: Path, without: ReadonlySet<string>): Data {
  if (typeof data === "string" || data instanceof Plain || Array.isArray(data)) return data;
  const kept: { [key: string]: Data } = Object.create(null);
  for (const [key, value] of Object.entries(data)) {
    const inside = [...path, key];
    if (!without.has(JSON.stringify(inside))) kept[key] = copy(value, inside, without);
  }
  return kept;
}
