import { readCluster } from "../cluster/read.ts";
import type { Path } from "../problems/problem.ts";
import type { Subject } from "./draft.ts";
import type { Outcome } from "./outcome.ts";
import { Branch, List, treeText, type Value } from "./tree.ts";

const rounds = 40;

/**
 * The text of the file, without what Slipway refuses: each such thing is left out and said. What the old files held is
 * judged by nobody else, so that there is one rule for a good file.
 */
export function settledText(tree: Branch, outcome: Outcome): string {
  for (let round = 0; round < rounds; round++) {
    const text = treeText(tree);
    const read = readCluster(text, "cluster.yml");
    if (read.kind === "good") return text;
    // Behind an item that was taken out of a list, the others have other places: the next round finds them again.
    const touched = new Set<List>();
    for (const problem of read.problems) {
      if (problem.severity !== "error") continue;
      const found = target(tree, problem.path);
      if (found.around instanceof List && touched.has(found.around)) continue;
      if (found.around instanceof List) touched.add(found.around);
      remove(found);
      if (found.own) outcome.refused(found.own, problem.message);
      else outcome.dropped(`${found.of?.what ?? "cluster.yml"}: ${found.key}`, found.of?.at ?? "", problem.message);
    }
  }
  throw new Error("what was converted is still refused");
}

type Target = {
  readonly around: List | Branch;
  readonly step: Path[number];
  /** What it was in the old files, where it was something of its own. */
  readonly own: Subject | undefined;
  /** What it is a part of. */
  readonly of: Subject | undefined;
  readonly key: string;
};

/** Keys without which an item of a list is nothing. */
const essential: ReadonlySet<Path[number]> = new Set(["name", "path", "content"]);

/** What to leave out for a problem's path: an item of a list, else the last key that there is. */
function target(tree: Branch, path: Path): Target {
  let here: Value = tree;
  let found: Target | undefined;
  let named = "";
  for (const [index, step] of path.entries()) {
    const next = inside(here, step);
    if (next === undefined || !(here instanceof List || here instanceof Branch)) break;
    if (typeof step === "string") named = step;
    // A section of the file is not left out for what is missing in it.
    if (here !== tree) found = { around: here, step, key: named, own: next.subject, of: found?.own ?? found?.of };
    const key = path[index + 1];
    if (here instanceof List && (key === undefined || essential.has(key))) break;
    here = next.value;
  }
  if (found === undefined) throw new Error(`what was converted is refused at ${path.join(".")}`);
  return found;
}

function inside(value: Value, step: Path[number]): { readonly value: Value; readonly subject?: Subject } | undefined {
  if (value instanceof List) return typeof step === "number" ? value.items[step] : undefined;
  return value instanceof Branch ? value.entries.find(({ key }) => key === step) : undefined;
}

function remove({ around, step }: Target): void {
  if (around instanceof List) around.items = around.items.filter((_, index) => index !== step);
  else around.entries = around.entries.filter(({ key }) => key !== step);
}
