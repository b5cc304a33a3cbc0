import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readCluster } from "../../src/cluster/read.ts";
import type { Problem } from "../../src/problems/problem.ts";
import type { Source } from "../../src/problems/source.ts";

const folder = import.meta.dirname;

/** The names of the folders beside this file: each is a bad or doubtful cluster.yml. */
export const caseNames = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort();

/** Where a case's golden text stands. */
export function expectedPath(name: string): string {
  return join(folder, name, "expected.txt");
}

/** A case's file; a file `repeat` beside it says how often its text follows itself. */
function caseBytes(name: string): Uint8Array {
  const bytes = readFileSync(join(folder, name, "cluster.yml"));
  const repeat = join(folder, name, "repeat");
  return existsSync(repeat) ? Buffer.alloc(bytes.length * Number(readFileSync(repeat, "utf8")), bytes) : bytes;
}

/** What a case's file is told. */
export function caseProblems(name: string): {
  readonly problems: readonly Problem[];
  readonly source: Source;
} {
  const read = readCluster(caseBytes(name), "cluster.yml");
  return { problems: read.kind === "bad" ? read.problems : read.warnings, source: read.source };
}
