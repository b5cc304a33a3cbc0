import { describe, expect, it } from "vitest";
import type { ClusterName, NodeName } from "../../src/cluster/cluster.ts";
import type { Operations } from "../../src/cli/operations.ts";
import { clusterFile, run, type Setting } from "./fakeWorld.ts";

const demo = "demo" as ClusterName;
const worker = "demo-worker-1" as NodeName;

/** Operations that note what they are given and answer with the least. */
function noting() {
  const calls: [string, unknown][] = [];
  const note =
    <Result>(name: string, result: Result) =>
    async () =>
    async (_: unknown, input?: unknown): Promise<Result> => {
      calls.push([name, plain(input)]);
      return result;
    };
  const nodes = { cluster: demo, nodes: [worker] };
  const operations: Partial<Operations> = {
    status: note("status", {
      cluster: demo,
      target: "docker" as const,
      state: "ready" as const,
      nodes: [],
      services: [],
      etcd: { leader: "", members: [] },
    }),
    list: note("list", [{ cluster: demo, state: "ready" as const, nodes: 5 }]),
    units: note("units", { cluster: demo, nodes: [] }),
    dns: note("dns", {
      cluster: demo,
      names: [{ name: "web", kind: "service" as const, addresses: ["http://127.0.0.1:8080"] }],
    }),
    ip: note("ip", {
      cluster: demo,
      nodes: [{ name: worker, address: "10.0.0.11" }],
      published: [],
    }),
    doctor: note("doctor", { state: "good" as const, findings: [] }),
    events: note("events", { count: 1 }),
    logs: note("logs", { sources: [] }),
    cp: note("cp", { node: worker, direction: "to" as const, path: "/etc/app.conf", bytes: 12 }),
    env: note("env", {
      cluster: demo,
      variables: { DOCKER_HOST: "tcp://127.0.0.1:1", X: "it's" },
      expires: "2026-11-22T12:00:00.000Z",
    }),
    start: note("start", nodes),
    stop: note("stop", nodes),
    terminate: note("terminate", nodes),
    restart: note("restart", nodes),
    remove: note("remove", { cluster: demo, node: worker, note: "the file still asks for it" }),
    exec: note("exec", { nodes: [{ node: worker, code: 0 }], code: 0 }),
  };
  return { calls, operations };
}

/** Functions among the input are the way back, not words. */
function plain(input: unknown): unknown {
  return input === undefined ? undefined : JSON.parse(JSON.stringify(input));
}

const cases: readonly (readonly [line: string, operation: string, input: unknown])[] = [
  ["status", "status", { cluster: "demo" }],
  ["status demo", "status", { cluster: "demo" }],
  ["status --name other", "status", { cluster: "other" }],
  ["status cluster.yml", "status", { cluster: "demo" }],
  ["list", "list", undefined],
  ["units demo control", "units", { cluster: "demo", nodes: ["control"] }],
  ["units demo-worker-1", "units", { cluster: "demo", nodes: ["demo-worker-1"] }],
  ["dns", "dns", { cluster: "demo" }],
  ["ip demo worker", "ip", { cluster: "demo", nodes: ["worker"] }],
  ["doctor", "doctor", {}],
  ["doctor demo", "doctor", { cluster: "demo" }],
  ["doctor --name demo", "doctor", { cluster: "demo" }],
  [
    "events demo --operation launch --since 1h -f",
    "events",
    { cluster: "demo", operation: "launch", since: "1h", follow: true },
  ],
  [
    "logs demo control -u etcd -n 5",
    "logs",
    {
      cluster: "demo",
      of: { kind: "nodes", nodes: ["control"] },
      unit: "etcd",
      lines: 5,
      follow: false,
    },
  ],
  [
    "logs demo --service web",
    "logs",
    { cluster: "demo", of: { kind: "service", name: "web" }, lines: 100, follow: false },
  ],
  [
    "cp ./app.conf demo-worker-1:/etc/app.conf",
    "cp",
    { cluster: "demo", from: "./app.conf", to: "demo-worker-1:/etc/app.conf" },
  ],
  ["env demo", "env", { cluster: "demo", folder: "/home/ada/run/demo" }],
  ["env demo --folder keys", "env", { cluster: "demo", folder: "/home/ada/keys" }],
  ["start demo", "start", { cluster: "demo", nodes: [], timeout: 300_000 }],
  ["start demo-worker-1 --timeout 0", "start", { cluster: "demo", nodes: ["demo-worker-1"], timeout: 0 }],
  ["terminate demo --yes", "terminate", { cluster: "demo", nodes: [], force: false, grace: 30 }],
  ["stop demo --yes", "stop", { cluster: "demo", nodes: [], force: false, grace: 30 }],
  ["stop demo worker --yes --force --grace 5", "stop", { cluster: "demo", nodes: ["worker"], force: true, grace: 5 }],
  [
    "restart demo --yes --timeout 90s",
    "restart",
    { cluster: "demo", nodes: [], force: false, grace: 30, timeout: 90_000 },
  ],
  ["remove demo-worker-1 --yes", "remove", { cluster: "demo", node: "demo-worker-1", force: false }],
  [
    "exec demo-control-1 -- docker node ls --format {{.Status}} --json -- x",
    "exec",
    {
      cluster: "demo",
      nodes: ["demo-control-1"],
      command: ["docker", "node", "ls", "--format", "{{.Status}}", "--json", "--", "x"],
    },
  ],
  [
    "exec demo control worker -- uptime",
    "exec",
    { cluster: "demo", nodes: ["control", "worker"], command: ["uptime"] },
  ],
  ["exec all -- uptime", "exec", { cluster: "demo", nodes: ["all"], command: ["uptime"] }],
  [
    "exec demo-worker-1 --stdin -- sh",
    "exec",
    {
      cluster: "demo",
      nodes: ["demo-worker-1"],
      command: ["sh"],
      input: { type: "Buffer", data: [104, 105] },
    },
  ],
];

describe("a verb's words", () => {
  it.each(cases)("slipway %s", async (line, operation, input) => {
    const { calls, operations } = noting();
    const { code, stderr } = await run(line.split(" "), {
      operations,
      files: { "cluster.yml": clusterFile },
      input: "hi",
    });
    expect([stderr.match(/^error.*/m)?.[0], code]).toEqual([undefined, 0]);
    expect(calls).toEqual([[operation, input]]);
  });

  const two: Setting = { clusters: ["a", "a-b"] };
  it("name the cluster by the node's name, the longest that fits", async () => {
    const { calls, operations } = noting();
    await run(["exec", "a-b-worker-1", "--", "true"], { ...two, operations });
    expect(calls).toEqual([["exec", { cluster: "a-b", nodes: ["a-b-worker-1"], command: ["true"] }]]);
  });

  it("must name the cluster where there are several and no file", async () => {
    const { code, stderr } = await run(["status"], { ...two, operations: noting().operations });
    expect(code).toBe(1);
    expect(stderr).toContain("a, a-b");
  });

  it("are refused where a command is missing or too much is named", async () => {
    const { operations, calls } = noting();
    expect((await run(["exec", "demo"], { operations })).stderr).toContain("slipway exec NODE -- COMMAND");
    expect((await run(["exec", "demo", "--"], { operations })).code).toBe(2);
    expect((await run(["remove", "demo", "--yes"], { operations })).code).toBe(2);
    expect((await run(["logs", "demo", "--service", "web", "--unit", "etcd"], { operations })).code).toBe(2);
    expect((await run(["ssh", "demo-worker-1"], { operations })).stderr).toContain("slipway exec");
    expect(calls).toEqual([]);
  });
});

describe("exec", () => {
  type Said = readonly [node: string, stream: "stdout" | "stderr", text: string];
  const saying = (said: readonly Said[], code: number): Setting => ({
    operations: {
      exec: async () => async (_, input) => {
        for (const [node, stream, text] of said) input.output(node as NodeName, stream, Buffer.from(text, "latin1"));
        return {
          nodes: [...new Set(said.map(([node]) => node))].map((node) => ({
            node: node as NodeName,
            code,
          })),
          code,
        };
      },
    },
  });

  it("gives one node's bytes and code as they are", async () => {
    const ran = await run(
      ["exec", "demo-worker-1", "--", "x"],
      saying(
        [
          ["demo-worker-1", "stdout", "\u001b[1ma\r\n"],
          ["demo-worker-1", "stderr", "no end"],
        ],
        37,
      ),
    );
    expect(ran).toMatchObject({ code: 37, stdout: "\u001b[1ma\r\n", stderr: "no end" });
  });

  it("gives several nodes' output in whole lines with their names, harmless", async () => {
    const ran = await run(
      ["exec", "demo", "--", "x"],
      saying(
        [
          ["demo-worker-1", "stdout", "one\ntw"],
          ["demo-worker-2", "stdout", "\u001b[2J\n"],
          ["demo-worker-1", "stdout", "o\nlast"],
        ],
        1,
      ),
    );
    expect(ran.stdout).toBe("demo-worker-1: one\ndemo-worker-2: ␛[2J\ndemo-worker-1: two\ndemo-worker-1: last\n");
    expect(ran.code).toBe(1);
  });

  it("gives one document with --json", async () => {
    const ran = await run(
      ["exec", "demo", "--json", "--", "x"],
      saying(
        [
          ["demo-worker-1", "stdout", "a"],
          ["demo-worker-1", "stderr", "b"],
        ],
        0,
      ),
    );
    expect(JSON.parse(ran.stdout)).toEqual({
      cluster: "demo",
      nodes: [{ node: "demo-worker-1", code: 0, stdout: "a", stderr: "b" }],
    });
  });
});

describe("output", () => {
  it("of env is for a shell, quoted", async () => {
    const { operations } = noting();
    expect((await run(["env", "demo"], { operations })).stdout).toBe(
      "export DOCKER_HOST='tcp://127.0.0.1:1'\nexport X='it'\\''s'\n",
    );
    expect((await run(["env", "demo", "--shell", "fish"], { operations })).stdout).toContain("set -gx X 'it\\'s'");
    expect((await run(["env", "--unset"], { operations })).stdout).toContain("unset DOCKER_HOST\n");
  });

  it("of ip on one node is the bare address", async () => {
    expect((await run(["ip", "demo-worker-1"], noting())).stdout).toBe("10.0.0.11\n");
  });

  it("of schema is a JSON schema", async () => {
    expect(JSON.parse((await run(["schema"])).stdout)).toMatchObject({ type: "object" });
  });

  it("of check --resolved is the file with its defaults", async () => {
    const files = { "cluster.yml": clusterFile };
    expect((await run(["check", "--resolved"], { files })).stdout).toContain("orchestrator: swarm");
    expect((await run(["check"], { files })).stdout).toBe("cluster.yml: good: demo on docker, 5 nodes\n");
    expect(JSON.parse((await run(["check", "--json"], { files })).stdout)).toEqual({
      file: "cluster.yml",
      problems: [],
    });
    expect((await run(["check", "--quiet"], { files })).stdout).toBe("");
  });

  it("of every verb's help has examples that begin with that verb", async () => {
    const { stdout } = await run(["--help"]);
    const names = [...stdout.matchAll(/^ {2}([a-z]+) {2,}\S/gm)]
      .map(([, name]) => name ?? "")
      .filter((name) => name !== "slipway");
    expect(names.length).toBeGreaterThan(20);
    for (const name of names) {
      const help = (await run([name, "--help"])).stdout;
      expect(help).toMatch(new RegExp(`EXAMPLES\n  slipway ${name}\\b`));
    }
  });
});
