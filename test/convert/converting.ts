import { readCluster } from "../../src/cluster/read.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { convert } from "../../src/convert/convert.ts";
import type { Row } from "../../src/convert/outcome.ts";
import { showProblems } from "../../src/problems/show.ts";

type Files = Readonly<Record<string, string>>;

/** What files become, under the name `old`; `others` are only read when a file names them. */
export async function convertFiles(files: Files, others: Files = {}, name: string | null = "old") {
  return convert(
    Object.entries(files).map(([file, content]) => ({ file, content })),
    {
      ...(name === null ? {} : { name }),
      read: async (path) => (Object.hasOwn(others, path) ? others[path] : undefined),
    },
  );
}

/** The cluster that files become; the file that is written must be good, without warnings. */
export async function clusterOf(
  files: Files,
  others: Files = {},
): Promise<{ readonly cluster: Cluster; readonly rows: readonly Row[]; readonly yaml: string }> {
  const conversion = await convertFiles(files, others);
  if (conversion.kind !== "good") throw new Error(await problemsOf(files, others));
  const read = readCluster(conversion.yaml, "cluster.yml");
  if (read.kind === "bad") throw new Error(showProblems(read.problems, read.source));
  return { ...conversion, cluster: read.value };
}

/** What is wrong with files, as it is shown. */
export async function problemsOf(files: Files, others: Files = {}): Promise<string> {
  const conversion = await convertFiles(files, others);
  if (conversion.kind !== "bad") throw new Error(`expected problems, found ${conversion.kind}`);
  return conversion.faults.map(({ problems, source }) => showProblems(problems, source)).join("");
}

/** A cloud-config of these lines below `coreos: units:`. */
export function unitsConfig(units: string): string {
  return `#cloud-config\ncoreos:\n  units:\n${units.replace(/^(?=.)/gm, "    ")}`;
}
