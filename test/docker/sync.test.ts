import { afterAll, beforeAll, expect, test } from "vitest";
import { clearAway, cleanUp, clusterFile, docker, shell, slipway, status, succeeds } from "./harness.ts";

const name = "sync";
const worker = `${name}-worker-1`;
const file = clusterFile("");
const write = (count: number, note: string, more = "") =>
  file.write(`name: ${name}
orchestrator: none
groups:
  control: { role: control, count: 1 }
  worker:
    count: ${count}
    files: [{ path: /etc/note, content: "${note}" }, { path: /etc/other, content: same }]
${more}`);
const started = async () =>
  (
    await docker(
      "ps",
      "--all",
      "--no-trunc",
      "--format",
      "{{.ID}} {{.RunningFor}}",
      "--filter",
      `label=slipway.cluster=${name}`,
    )
  )
    .split("\n")
    .map((line) => line.split(" ")[0])
    .toSorted();

beforeAll(async () => {
  await clearAway(name);
  write(1, "one");
  await succeeds(["launch", file.path, "--yes"]);
});
afterAll(async () => {
  await cleanUp(name);
  file.remove();
});

test("a changed file is on the nodes at once, only it is touched, and no node is made", async () => {
  const [before, other] = [await started(), await shell(worker, "stat -c %Y.%i /etc/other")];
  write(2, "two");
  const { code, stderr } = await slipway(["sync", file.path]);
  expect(code, stderr).toBe(0);
  expect(stderr).toContain("create  node sync-worker-2");
  expect(await shell(worker, "cat /etc/note")).toBe("two");
  expect(await shell(worker, "stat -c %Y.%i /etc/other")).toBe(other);
  expect(await started()).toEqual(before);
  expect((await slipway(["sync", file.path])).stderr).toContain("has all that sync brings");
});

test("a config that makes a node unready is taken back by it, and said with its place", async () => {
  write(
    1,
    "three",
    `    units: [{ name: bad.service, content: "[Service]\\nType=oneshot\\nExecStart=/bin/false\\n[Install]\\nWantedBy=multi-user.target\\n" }]\n`,
  );
  const { code, stderr } = await slipway(["sync", file.path]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/was taken back: units: bad\.service failed \(.*cluster\.yml:8:/);
  expect(await shell(worker, "cat /etc/note")).toBe("two");
  expect((await status(name)).nodes.find((node) => node.name === worker)?.reason).toContain("bad.service failed");
});

test("a cluster that is not there is launched, not synced", async () => {
  file.write("name: nowhere\norchestrator: none\ngroups: { control: { count: 1 } }\n");
  const { code, stderr } = await slipway(["sync", file.path]);
  write(1, "two");
  expect(code).toBe(1);
  expect(stderr).toMatch(/there is no cluster nowhere[\s\S]*slipway/);
});
