import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemProcesses } from "../../src/host/processes.ts";
import { clearAway, cleanUp, docker, slipway } from "./harness.ts";

// Every configuration of the older systems, as it was converted, and op.py's own file as it is.
const name = "converted";
const folder = join(import.meta.dirname, "../convert/inputs");
const inputs = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);
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

test.each(inputs)("%s launches, and a second look finds nothing to change", async (input) => {
  await launched(join(folder, input, "expected/cluster.yml"));
});

test("op.py's conf file is launched as it is", async () => {
  await launched(join(folder, "op-py/config/cluster-conf.yml.example"));
});
