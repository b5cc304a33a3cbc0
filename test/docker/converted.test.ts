import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readCluster } from "../../src/cluster/read.ts";
import { systemProcesses } from "../../src/host/processes.ts";
import { describe as described } from "../../src/operations/revision.ts";
import { expectedPath, inputNames } from "../convert/inputs.ts";
import { clearAway, cleanUp, docker, slipway } from "./harness.ts";

// Every configuration of the older systems, as it was converted, and op.py's own file as it is: `launch` converts that itself.
const name = "converted";
const own = join(import.meta.dirname, "../convert/inputs/op-py/config/cluster-conf.yml.example");

type Converted = { readonly input: string; readonly revision: string; readonly nodes: number };

/** What a converted file asks of nodes, as the id of its revision, and how many they are. */
function look(input: string): Converted {
  const read = readCluster(readFileSync(expectedPath(input, "cluster.yml")), "cluster.yml", { on: "docker" });
  if (read.kind === "bad") throw new Error(`${input} is not readable`);
  const revision = described(read.value, { imageIds: new Map(), secretVersions: new Map() });
  if (revision.kind === "bad") throw new Error(`${input} cannot be described`);
  const nodes = read.value.groups.reduce((sum, { count }) => sum + count, 0);
  return { input, revision: revision.value.id, nodes };
}

/** Files that differ only by name, counts or what AWS is told are the same revision here: the smallest of them is launched for all. */
const found = inputNames.map(look).toSorted((one, other) => one.nodes - other.nodes);
const launches = [...new Set(found.map(({ revision }) => revision))].map((revision) => {
  const alike = found.filter((one) => one.revision === revision).map(({ input }) => input);
  const [smallest = ""] = alike;
  return [alike.join(", "), smallest === "op-py" ? own : expectedPath(smallest, "cluster.yml")] as const;
});
const busybox = "busybox:latest";
let tagged = false;

beforeAll(async () => {
  await clearAway(name);
  // One of the old units runs it; where no registry can be asked, the example's image is as good: it is busybox.
  const there = await systemProcesses.run(["docker", "image", "inspect", busybox], { accept: [0, 1] });
  if (there.code === 0) return;
  await docker("tag", "demo/hello", busybox);
  tagged = true;
});
afterAll(async () => {
  await cleanUp(name);
  if (tagged) await docker("rmi", busybox);
});

async function launched(file: string): Promise<void> {
  try {
    const { code, stdout, stderr } = await slipway(["launch", file, "--name", name, "--yes"]);
    expect(code, `${stdout}\n${stderr}`).toBe(0);
    const plan = await slipway(["plan", file, "--name", name, "--exit-code"]);
    expect(plan.code, plan.stdout + plan.stderr).toBe(0);
  } finally {
    await slipway(["cleanup", name, "--yes"]);
  }
}

test.each(launches)("%s launches, and a second look finds nothing to change", async (_, file) => {
  await launched(file);
});
