import { readCluster } from "../src/cluster/read.ts";
import { compile } from "../src/targets/aws/compile.ts";
import { noFacts } from "../src/targets/aws/facts/facts.ts";

const sum = "0".repeat(64);

export type MeasuredTemplate = {
  readonly nodes: number;
  /** Milliseconds from the file's text to the template's. */
  readonly median: number;
  readonly bytes: number;
  readonly resources: number;
};

/** Clusters on AWS with three control nodes and so many workers. */
export function measureTemplates(runs: number): readonly MeasuredTemplate[] {
  return [3, 97, 4_997].map((workers) => {
    const text = `name: demo\ngroups: { control: { role: control, count: 3 }, worker: { count: ${workers} } }\n`;
    const run = () => {
      const read = readCluster(text, "cluster.yml", { on: "aws" });
      if (read.kind === "bad") throw new Error(JSON.stringify(read.problems));
      const made = compile(read.value, noFacts, { runtime: { agent: sum, node: { x86_64: sum, aarch64: sum } } });
      if (made.kind === "bad") throw new Error(JSON.stringify(made.problems));
      return made.value;
    };
    const times = Array.from({ length: runs }, () => {
      const begun = performance.now();
      run();
      return performance.now() - begun;
    }).toSorted((a, b) => a - b);
    const { size, graph } = run();
    return {
      nodes: workers + 3,
      median: times[Math.floor(runs / 2)] ?? 0,
      bytes: size,
      resources: graph.resources.length,
    };
  });
}
