import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemProcesses } from "../../src/host/processes.ts";
import {
  cleanUp,
  clearAway,
  clusterFile,
  docker,
  freePort,
  inNode,
  shell,
  status,
  slipway,
  succeeds,
  untilTrue,
} from "./harness.ts";

const name = "ops";
const folder = mkdtempSync(join(tmpdir(), "slipway-ops-"));
const port = await freePort();

const text = (control: number, workers: number): string => `name: ${name}
groups:
  control: { role: control, count: ${control} }
  worker: { count: ${workers}, labels: { disk: ssd } }
services:
  web: { image: demo/hello, replicas: 1, ports: ["${port}:80"], constraints: { disk: ssd } }
`;
const file = clusterFile(text(1, 1));

const launch = async (control: number, workers: number): Promise<void> => {
  file.write(text(control, workers));
  await succeeds(["launch", file.path, "--yes"]);
};
/** Starting times of the cluster's containers: what nobody touched has the same. */
const started = async (): Promise<Readonly<Record<string, string>>> => {
  const ids = (await docker("ps", "--quiet", "--filter", `label=slipway.cluster=${name}`)).split("\n");
  const lines = await docker("inspect", "--format", "{{.Name}} {{.State.StartedAt}}", ...ids);
  return Object.fromEntries(
    lines.split("\n").map((line): [string, string] => [line.split(" ")[0] ?? "", line.split(" ")[1] ?? ""]),
  );
};
const swarmNodes = async (): Promise<readonly string[]> =>
  (await shell(`${name}-control-1`, "docker node ls --format '{{.Hostname}} {{.Status}}'")).split("\n").toSorted();

describe("operations on a real cluster", () => {
  beforeAll(async () => {
    await clearAway(name);
    await launch(1, 1);
  }, 240_000);
  afterAll(async () => {
    await cleanUp(name);
    file.remove();
    rmSync(folder, { recursive: true, force: true });
  }, 120_000);

  it("answers with the page, and a second launch touches nothing", async () => {
    const before = await started();
    const page = await fetch(`http://127.0.0.1:${port}/`);
    expect(await page.text()).toContain("<title>");
    await succeeds(["launch", file.path, "--yes"]);
    expect(await started()).toEqual(before);
    await succeeds(["plan", file.path, "--exit-code"]);
  });

  it("copies files to a node and back", async () => {
    const here = join(folder, "note.txt");
    writeFileSync(here, "kept\n");
    await succeeds(["cp", here, `${name}-worker-1:/root/note.txt`]);
    expect(await shell(`${name}-worker-1`, "cat /root/note.txt")).toBe("kept");
    await succeeds(["cp", `${name}-worker-1:/root/note.txt`, join(folder, "back.txt")]);
    expect(readFileSync(join(folder, "back.txt"), "utf8")).toBe("kept\n");
  });

  it("passes a command's exit code and output through, and prefixes those of many", async () => {
    const one = await slipway(["exec", `${name}-worker-1`, "--", "sh", "-c", "echo out; echo err >&2; exit 7"]);
    expect(one).toMatchObject({ code: 7, stdout: "out\n" });
    expect(one.stderr).toContain("err");
    const all = await succeeds(["exec", name, "--", "hostname"]);
    expect(all).toContain(`${name}-control-1`);
    expect(all.split("\n").filter((line) => line.includes(`${name}-worker-1`))).not.toEqual([]);
  });

  it("reaches an engine through a docker context, as the docker command does", async () => {
    const here = await docker("context", "inspect", "--format", "{{.Endpoints.docker.Host}}");
    const environment = { DOCKER_CONFIG: join(folder, "docker"), DOCKER_CONTEXT: "elsewhere", DOCKER_HOST: "" };
    await systemProcesses.run(["docker", "context", "create", "elsewhere", "--docker", `host=${here}`], {
      environment: { ...environment, DOCKER_CONTEXT: "" },
    });
    await succeeds(["launch", file.path, "--yes"], { environment });
    const words = ["exec", `${name}-worker-1`, "--stdin", "--", "sh", "-c", "cat; echo aside >&2; exit 7"];
    expect(await slipway(words, { environment, input: "given" })).toMatchObject({
      code: 7,
      stdout: "given",
      stderr: "aside\n",
    });
    expect((await slipway(["plan", file.path, "--exit-code"], { environment })).code).toBe(0);
  });

  it("gives a shell what it needs to speak to the managers' engine and to etcd", async () => {
    const home = join(folder, "home");
    const said = await succeeds(["env", name], { environment: { HOME: home, XDG_STATE_HOME: home } });
    const variables = Object.fromEntries(
      [...said.matchAll(/^export (\w+)='(.*)'$/gm)].map((found): [string, string] => [found[1] ?? "", found[2] ?? ""]),
    );
    const { stdout } = await systemProcesses.run(["docker", "node", "ls", "--format", "{{.Hostname}}"], {
      environment: variables,
      timeout: 20_000,
    });
    expect(stdout.trim().split("\n").toSorted()).toEqual([`${name}-control-1`, `${name}-worker-1`]);
    // Without the certificate the same port answers nothing.
    const bare = await systemProcesses.run(["docker", "version"], {
      environment: { DOCKER_HOST: variables["DOCKER_HOST"] ?? "", DOCKER_TLS_VERIFY: "", DOCKER_CERT_PATH: folder },
      accept: [0, 1],
      timeout: 20_000,
    });
    expect(bare.code).toBe(1);
  });

  it("restarts a worker, which stays the same swarm node", async () => {
    const before = await shell(`${name}-control-1`, "docker node ls --format '{{.ID}}'");
    await succeeds(["restart", `${name}-worker-1`, "--yes"]);
    expect(await shell(`${name}-control-1`, "docker node ls --format '{{.ID}}'")).toBe(before);
  });

  it("does not stop the only control node without being told so twice", async () => {
    const refused = await slipway(["stop", `${name}-control-1`, "--yes"]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("must stay");
    expect((await inNode(`${name}-control-1`, ["etcdctl", "endpoint", "health"])).code).toBe(0);
  });

  it("grows to three control nodes one learner at a time, and shrinks again, with every acked write kept", async () => {
    await shell(`${name}-control-1`, "etcdctl put grow before");
    await launch(3, 2);
    const grown = await status(name);
    expect(grown.etcd.members.map((member) => member.state)).toEqual(["voter", "voter", "voter"]);
    expect(await shell(`${name}-control-3`, "etcdctl get grow --print-value-only")).toBe("before");
    expect(await swarmNodes()).toHaveLength(5);
    await shell(`${name}-control-2`, "etcdctl put grow after");
    await launch(1, 1);
    expect(await shell(`${name}-control-1`, "etcdctl get grow --print-value-only")).toBe("after");
    await untilTrue(
      "two swarm nodes, both ready",
      async () => (await swarmNodes()).join() === `${name}-control-1 Ready,${name}-worker-1 Ready`,
      60_000,
    );
    await succeeds(["plan", file.path, "--exit-code"]);
  }, 300_000);

  it("starts what a machine's reboot left stopped, the store first", async () => {
    await shell(`${name}-control-1`, "etcdctl put reboot kept");
    await docker("stop", "--time", "20", `${name}-worker-1`, `${name}-control-1`, `${name}-gateway`);
    await succeeds(["start", name]);
    expect(await shell(`${name}-control-1`, "etcdctl get reboot --print-value-only")).toBe("kept");
    await untilTrue("the cluster is ready", async () => (await status(name)).state === "ready", 120_000);
  }, 240_000);

  it("ends the machines and keeps their data: the next launch brings the same nodes back", async () => {
    const before = await shell(`${name}-control-1`, "etcdctl member list; docker node ls --format '{{.ID}}' | sort");
    await shell(`${name}-control-1`, "etcdctl put terminate kept");
    await succeeds(["terminate", name, "--yes"]);
    const away = await docker("ps", "--all", "--filter", `label=slipway.cluster=${name}`, "--format", "{{.Names}}");
    expect(away.trim()).toBe(`${name}-gateway`);
    const stopped = await status(name);
    expect(stopped.state).toBe("stopped");
    expect(JSON.parse(await succeeds(["status", name, "--json"]))).toEqual(stopped);
    await launch(1, 1);
    expect(await shell(`${name}-control-1`, "etcdctl get terminate --print-value-only")).toBe("kept");
    const after = await shell(`${name}-control-1`, "etcdctl member list; docker node ls --format '{{.ID}}' | sort");
    expect(after).toBe(before);
  }, 240_000);

  it("removes a node for good, and the file brings it back", async () => {
    await succeeds(["remove", `${name}-worker-1`, "--yes"]);
    expect((await status(name)).nodes.map((node) => node.name)).toEqual([`${name}-control-1`]);
    expect(await swarmNodes()).toEqual([`${name}-control-1 Ready`]);
    await launch(1, 1);
    expect(await swarmNodes()).toHaveLength(2);
  }, 240_000);

  it("keeps what was done in the journal", async () => {
    const said = await succeeds(["events", name, "--json"]);
    const events: { readonly name: string }[] = said
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(events.map((event) => event.name)).toContain("operation.finished");
    expect(said).not.toContain("AGE-SECRET-KEY");
  });
});
