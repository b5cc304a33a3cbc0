import { describe, expect, it } from "vitest";
import type { ClusterName } from "../../src/cluster/cluster.ts";
import type { Change } from "../../src/plan/plan.ts";
import { clusterFile, run, type Setting } from "./fakeWorld.ts";
import { recordedEvents, status } from "./recording.ts";

const files = { "cluster.yml": clusterFile, "sub/other.yml": clusterFile.replace("demo", "other") };

function change(action: Change["action"], name: string): Change {
  return {
    id: name,
    action,
    kind: "node",
    name,
    reason: "because",
    nodes: { restarted: [], replaced: [] },
  };
}

/** Operations that note which ran on what, with the plan that they are given. */
function world(changes: readonly Change[] = []): {
  readonly did: string[];
  readonly setting: Setting;
} {
  const did: string[] = [];
  const operations: Setting["operations"] = {
    plan:
      async () =>
      async (_, { cluster }) => {
        did.push(`plan ${cluster.name}`);
        return { cluster: cluster.name, forecast: "computed", changes };
      },
    launch:
      async () =>
      async (context, { cluster }) => {
        const nodes = cluster.groups.reduce((sum, group) => sum + group.count, 0);
        did.push(`launch ${cluster.name} ${nodes}`);
        const [first] = recordedEvents();
        if (first?.name === "operation.started")
          context.emit(first.name, { operation: first.operation, cluster: cluster.name });
        return { changes: changes.length, seconds: 1, status, settled: [] };
      },
    preview: async () => async () => changes,
    cleanup:
      async () =>
      async (_, { cluster }) => {
        did.push(`cleanup ${cluster}`);
        return { removed: changes.length, left: [] };
      },
  };
  return { did, setting: { operations, files } };
}

describe("launch", () => {
  it("takes ./cluster.yml, another file, another name", async () => {
    const { did, setting } = world();
    await run(["launch", "--yes"], setting);
    await run(["launch", "sub/other.yml", "--yes"], setting);
    await run(["launch", "--name", "third", "--yes"], setting);
    expect(did).toEqual(["launch demo 5", "launch other 5", "launch third 5"]);
  });

  it("says at the end how the cluster is, on standard output", async () => {
    const { stdout, stderr } = await run(["launch", "--yes"], world().setting);
    expect(stdout).toContain("http://127.0.0.1:8080");
    expect(stderr).toBe("2026-11-21T12:00:00Z launch demo\n");
  });

  it("gives events only with --json", async () => {
    const { stdout } = await run(["launch", "--yes", "--json"], world().setting);
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).name),
    ).toEqual(["operation.started"]);
  });

  it("refuses a bad file before it looks at anything", async () => {
    const { did, setting } = world();
    const { code, stderr } = await run(["launch", "--yes"], {
      ...setting,
      files: { "cluster.yml": "name: demo\ngroups: {}\n" },
    });
    expect([code, did]).toEqual([2, []]);
    expect(stderr).toMatch(/^cluster\.yml:\d+:\d+: error: /);
  });

  it("needs no answer for a plan that only adds", async () => {
    const { did, setting } = world([change("create", "demo-worker-3")]);
    expect((await run(["launch"], setting)).code).toBe(0);
    expect(did).toEqual(["plan demo", "launch demo 5"]);
  });

  it("wants a yes for a plan that takes away", async () => {
    const { did, setting } = world([change("delete", "demo-worker-2")]);
    const { code, stderr } = await run(["launch"], setting);
    expect([code, did]).toEqual([2, ["plan demo"]]);
    expect(stderr).toContain("- delete  node demo-worker-2");
    expect(stderr).toContain("next: bin/slipway launch --yes");
    const asked = await run(["launch"], {
      ...setting,
      terminal: true,
      prompts: { confirm: async () => true },
    });
    expect([asked.code, did.at(-1)]).toEqual([0, "launch demo 5"]);
  });

  it("reads secrets from beside the file", async () => {
    const read: string[] = [];
    const { setting } = world();
    const operations: Setting["operations"] = {
      ...setting.operations,
      launch: async () => async (context) => {
        read.push(await context.readFile("secret.txt").then(String, (error: Error) => error.message));
        return { changes: 0, seconds: 0, status, settled: [] };
      },
    };
    await run(["launch", "sub/other.yml", "--yes"], { ...setting, operations });
    expect(read).toEqual([expect.stringMatching(/no such file: .*\/sub\/secret\.txt$/)]);
  });
});

describe("plan", () => {
  it("ends with 3 only when asked, and only when there are changes", async () => {
    const some = world([change("create", "demo-worker-3")]).setting;
    expect((await run(["plan"], some)).code).toBe(0);
    expect((await run(["plan", "--exit-code"], some)).code).toBe(3);
    expect((await run(["plan", "--exit-code"], world().setting)).code).toBe(0);
  });

  it("is one document with --json", async () => {
    const { stdout } = await run(["plan", "--json"], world([change("create", "demo-worker-3")]).setting);
    expect(JSON.parse(stdout)).toEqual({
      cluster: "demo",
      forecast: "computed",
      changes: [change("create", "demo-worker-3")],
    });
  });
});

describe("cleanup", () => {
  it("needs a yes where nobody can be asked", async () => {
    const { did, setting } = world([change("delete", "demo-control-1")]);
    const { code, stderr } = await run(["cleanup", "demo"], setting);
    expect([code, did]).toEqual([2, []]);
    expect(stderr).toContain("--yes");
  });

  it("says that nothing is left", async () => {
    const { did, setting } = world([change("delete", "demo-control-1")]);
    const { code, stdout } = await run(["cleanup", "demo", "--yes"], setting);
    expect([code, did]).toEqual([0, ["cleanup demo"]]);
    expect(stdout).toBe("removed 1 object; nothing is left of demo\n");
  });

  it("takes the file's cluster", async () => {
    const { did, setting } = world();
    await run(["cleanup", "sub/other.yml", "--yes"], setting);
    await run(["cleanup", "--yes"], setting);
    expect(did).toEqual(["cleanup other", "cleanup demo"]);
  });
});

it("status --watch goes on until it is interrupted, and shows what changed", async () => {
  const interrupt = new AbortController();
  let looks = 0;
  const { code, stdout } = await run(["status", "demo", "--watch", "--json"], {
    signal: interrupt.signal,
    operations: {
      status: async () => async () => {
        looks++;
        if (looks === 4) interrupt.abort();
        return {
          ...status,
          cluster: "demo" as ClusterName,
          state: looks < 3 ? "starting" : "ready",
        };
      },
    },
  });
  expect(
    stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).state),
  ).toEqual(["starting", "ready"]);
  expect([code, looks]).toEqual([130, 4]);
});
