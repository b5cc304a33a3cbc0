import type { Path, Problem, Read } from "../problems/problem.ts";
import type { Source } from "../problems/source.ts";
import { clusterFile, type ClusterSpec } from "./cluster.ts";
import { problemsOf } from "./issues.ts";
import { parse } from "./parse.ts";
import type { Data } from "./plain.ts";
import { prune, withName, type Pruned } from "./prune.ts";

/** What a file says, or what is wrong with it; the source turns each problem's path into a line. */
export type SpecRead = Read<ClusterSpec> & {
  readonly source: Source;
  /** What of a bad file can be judged further. */
  readonly rest?: Rest;
};

/** A spec from which what is wrong was left out. */
export type Rest = { readonly spec: ClusterSpec; readonly without: readonly Path[] };

/** Reads the text of cluster.yml, field by field; `file` is its name in messages. Never throws for a bad file. */
export function readSpec(text: string | Uint8Array, file: string): SpecRead {
  const parsed = parse(text, file);
  if (parsed.kind === "bad") return parsed;
  const { data, source } = parsed;
  const read = judge(data);
  if (read.kind === "good") return { ...read, source };
  const rest = restOf(data, read.problems);
  return { ...read, source, ...(rest === undefined ? {} : { rest }) };
}

function judge(data: Data): Read<ClusterSpec> {
  const result = clusterFile.safeParse(data, { reportInput: true });
  return result.success
    ? { kind: "good", value: result.data, warnings: [] }
    : { kind: "bad", problems: problemsOf(result.error) };
}

// Leaving out a value may leave a required key missing, and so its map: each round goes up by one.
const rounds = 6;
// With more than that, what else there may be is not the question.
const mostProblems = 500;

function restOf(data: Data, problems: readonly Problem[]): Rest | undefined {
  if (problems.length > mostProblems) return undefined;
  const named = problems.some((problem) => problem.path[0] === "name");
  const without: Path[] = named ? [["name"]] : [];
  // A cluster without a name cannot be judged, but any name will do for that.
  let now = named ? withName(data) : data;
  let wrong: readonly Problem[] = problems.filter((problem) => problem.path[0] !== "name");
  for (let round = 0; round < rounds; round++) {
    const pruned: Pruned | undefined = prune(now, wrong);
    if (pruned === undefined) return undefined;
    without.push(...pruned.without);
    const read = judge(pruned.data);
    if (read.kind === "good") return { spec: read.value, without };
    now = pruned.data;
    wrong = read.problems;
  }
  return undefined;
}
