import { readCluster } from "../src/cluster/read.ts";
import { describe } from "../src/operations/revision.ts";
import { planLaunch } from "../src/targets/docker/plan.ts";

const sizes = [5, 50, 500, 5000];
const image = "slipway/node:bench";
const subnet = "10.192.0.0/16";

/** A file with three control nodes, workers in groups of fifty, and a service for each ten nodes. */
function fileOf(nodes: number): string {
  const workers = nodes - 3;
  const groups = Array.from({ length: Math.ceil(workers / 50) }, (_, n) => {
    const count = Math.min(50, workers - n * 50);
    return `  pool${n}: { count: ${count}, labels: { pool: p${n} } }`;
  });
  const services = Array.from(
    { length: Math.ceil(nodes / 10) },
    (_, n) => `  web${n}: { image: "demo/hello:${n}", replicas: 2, ports: ["${10_000 + n}:80"] }`,
  );
  return `name: bench\ngroups:\n  control: { role: control, count: 3 }\n${groups.join("\n")}\nservices:\n${services.join("\n")}\n`;
}

/** The text of a file becomes every group's machine config, the services, and the steps that make each node. */
function compile(text: string): number {
  const read = readCluster(text, "cluster.yml");
  if (read.kind === "bad") throw new Error(read.problems.map((problem) => JSON.stringify(problem)).join("\n"));
  const revision = describe(read.value, { imageIds: new Map(), secretVersions: new Map() });
  if (revision.kind === "bad") throw new Error("no revision");
  let made = 0;
  const desired = { cluster: read.value, image, runtime: "bench", subnet, instance: () => `i-${made++}` };
  const world = { cluster: read.value.name, containers: [], volumes: [], networks: [] };
  return planLaunch(desired, world, { cluster: read.value.name, state: "absent", nodes: [], published: [] }).steps
    .length;
}

/** For each size: the first compilation of this process, and the median of the next, in milliseconds. */
export function measure(
  runs: number,
): readonly { readonly nodes: number; readonly first: number; readonly median: number }[] {
  return sizes.map((nodes) => {
    const text = fileOf(nodes);
    const times = Array.from({ length: runs + 1 }, () => {
      const begun = performance.now();
      if (compile(text) < nodes) throw new Error(`fewer steps than nodes at ${nodes}`);
      return performance.now() - begun;
    });
    const [first = 0, ...rest] = times;
    return { nodes, first, median: rest.toSorted((a, b) => a - b)[Math.floor(rest.length / 2)] ?? first };
  });
}
