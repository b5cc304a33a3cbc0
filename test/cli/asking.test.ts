import { describe, expect, it } from "vitest";
import type { ClusterName } from "../../src/cluster/cluster.ts";
import { clusterFile, run, type Setting } from "./fakeWorld.ts";

function stopping(): { readonly stopped: string[]; readonly setting: Setting } {
  const stopped: string[] = [];
  const operations: Setting["operations"] = {
    stop:
      async () =>
      async (context, { cluster }) => {
        stopped.push(cluster);
        context.emit("operation.started", { operation: "stop", cluster });
        context.emit("operation.finished", {
          operation: "stop",
          cluster,
          seconds: 1.5,
          changes: 1,
        });
        return { cluster: "demo" as ClusterName, nodes: [] };
      },
  };
  return { stopped, setting: { operations } };
}

describe("without a terminal", () => {
  it("nothing is asked; the flag that answers is named", async () => {
    const { stopped, setting } = stopping();
    const { code, stderr } = await run(["stop", "demo"], setting);
    expect(code).toBe(2);
    expect(stderr).toContain("next: bin/slipway stop demo --yes");
    expect(stopped).toEqual([]);
  });

  it("init takes its defaults and flags", async () => {
    const { code, files } = await run(["init", "--name", "shop", "--control", "1", "--workers", "4"]);
    expect(code).toBe(0);
    expect(files.get("cluster.yml")).toContain("name: shop");
    expect(JSON.parse(files.get("cluster.schema.json") ?? "")).toMatchObject({ type: "object" });
    const again = await run(["check"], { files: Object.fromEntries(files) });
    expect(again.stdout).toBe("cluster.yml: good: shop on docker, 5 nodes, 1 service\n");
  });

  it("init writes over nothing unless forced", async () => {
    const there = { files: { "cluster.yml": clusterFile } };
    const { code, stderr, files } = await run(["init"], there);
    expect([code, files.get("cluster.yml")]).toEqual([2, clusterFile]);
    expect(stderr).toContain("slipway init --force cluster.yml");
    expect((await run(["init", "--force"], there)).files.get("cluster.yml")).not.toBe(clusterFile);
  });

  it("init refuses what would not be a cluster", async () => {
    expect((await run(["init", "--control", "2"])).stderr).toContain("1, 3 or 5");
    expect((await run(["init", "--workers", "-1"])).code).toBe(2);
    expect((await run(["init", "--name", "Shop!"])).code).toBe(2);
  });
});

describe("on a terminal", () => {
  it("asks, and does nothing on no", async () => {
    const { stopped, setting } = stopping();
    const { code } = await run(["stop", "demo"], {
      ...setting,
      terminal: true,
      prompts: { confirm: async () => false },
    });
    expect([code, stopped]).toEqual([1, []]);
  });

  it("asks, and acts on yes", async () => {
    const { stopped, setting } = stopping();
    const { code } = await run(["stop", "demo"], {
      ...setting,
      terminal: true,
      prompts: { confirm: async () => true },
    });
    expect([code, stopped]).toEqual([0, ["demo"]]);
  });

  it("asks nothing with --json", async () => {
    const { setting } = stopping();
    expect((await run(["stop", "demo", "--json"], { ...setting, terminal: true })).code).toBe(2);
  });

  it("terminate asks for the cluster's name, and another one is no yes", async () => {
    const called: unknown[] = [];
    const asked: string[] = [];
    const answers = ["", "demo"];
    const setting = {
      terminal: true,
      prompts: { text: async (question: string) => (asked.push(question), answers.shift()) },
      operations: {
        terminate: async () => async (_: unknown, input: unknown) => {
          called.push(input);
          return { cluster: "demo" as ClusterName, nodes: [] };
        },
      },
    };
    expect((await run(["terminate", "demo"], setting)).code).toBe(1);
    expect(called).toEqual([]);
    expect((await run(["terminate", "demo"], setting)).code).toBe(0);
    expect(called).toHaveLength(1);
    expect(asked[0]).toBe("End all machines of demo? Data stays. Its name, to agree:");
    const { code, stderr } = await run(["terminate", "demo"], { ...setting, terminal: false });
    expect([code, stderr]).toEqual([2, expect.stringContaining("slipway terminate demo --yes")]);
  });

  it("init asks for what the flags leave open", async () => {
    const asked: string[] = [];
    const { files } = await run(["init", "--workers", "0"], {
      terminal: true,
      prompts: {
        text: async (question) => (asked.push(question), "shop"),
        choose: async (question, options) => (asked.push(question), options[0]),
      },
    });
    expect(asked).toEqual(["Name of the cluster?", "What runs services?", "How many control nodes?"]);
    expect(files.get("cluster.yml")).toContain("name: shop");
  });

  it("init writes nothing when it is broken off", async () => {
    const { code, files } = await run(["init"], {
      terminal: true,
      prompts: { text: async () => undefined },
    });
    expect([code, [...files]]).toEqual([1, []]);
  });

  it("ssh hands the terminal over and ends with the command's code", async () => {
    let ran: readonly string[] = [];
    const { code } = await run(["ssh", "demo-worker-1", "--", "top"], {
      terminal: true,
      operations: {
        terminal:
          async () =>
          async (_, { node, command }) => ["docker", "exec", "-it", node, ...command],
      },
      interactive: async (command) => ((ran = command), 7),
    });
    expect([code, ran]).toEqual([7, ["docker", "exec", "-it", "demo-worker-1", "top"]]);
  });
});

describe("progress", () => {
  const words = ["stop", "demo", "--yes"];
  // oxlint-disable-next-line no-control-regex -- a terminal's own words
  const escape = /\u001b/;

  it("is plain lines with the time where there is no terminal", async () => {
    const { stderr } = await run(words, stopping().setting);
    expect(stderr).toBe(
      "2026-11-21T12:00:00Z stop demo\n2026-11-21T12:00:00Z stop demo: done in 1.5 s, 1 change\nnothing to do\n",
    );
  });

  it("is drawn on a terminal, and gives the cursor back", async () => {
    const { stderr } = await run(words, { ...stopping().setting, terminal: true });
    expect(stderr).toMatch(escape);
    expect(stderr.lastIndexOf("\u001b[?25h")).toBeGreaterThan(stderr.lastIndexOf("\u001b[?25l"));
  });

  it.each([{ NO_COLOR: "1" }, { CI: "true" }, { TERM: "dumb" }])(
    "is plain on a terminal with %o",
    async (environment) => {
      const { stderr } = await run(words, { ...stopping().setting, terminal: true, environment });
      expect(stderr).toContain("stop demo: done in 1.5 s");
      expect(stderr).not.toContain("\u001b[?25l");
      if (!("CI" in environment)) expect(stderr).not.toMatch(escape);
    },
  );

  it("has no colour with --no-color", async () => {
    const list: Setting = {
      operations: {
        list: async () => async () => [{ cluster: "demo" as ClusterName, state: "ready", nodes: 5 }],
      },
      terminal: true,
    };
    expect((await run(["list"], list)).stdout).toMatch(escape);
    expect((await run(["list", "--no-color"], list)).stdout).not.toMatch(escape);
    expect((await run(["list"], { ...list, terminal: false })).stdout).not.toMatch(escape);
  });

  it("is one JSON object a line with --json", async () => {
    const { stdout, stderr } = await run([...words, "--json"], stopping().setting);
    const events = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(events.map((event) => event.name)).toEqual(["operation.started", "operation.finished"]);
    expect(events[0]).toEqual({
      time: Date.UTC(2026, 10, 21, 12),
      name: "operation.started",
      level: "info",
      operation: "stop",
      cluster: "demo",
    });
    expect(stderr).toBe("");
  });

  it("is silent with --quiet, but for what must be seen", async () => {
    const operations: Setting["operations"] = {
      stop: async () => async (context) => {
        context.emit("operation.started", { operation: "stop", cluster: "demo" });
        context.emit("root.recoveryKey", { key: "AGE-SECRET-KEY-1" });
        return { cluster: "demo" as ClusterName, nodes: [] };
      },
    };
    const { stderr, stdout } = await run([...words, "--quiet"], { operations });
    expect(stderr).toMatch(/^\S+ recovery key .*AGE-SECRET-KEY-1.*\n$/);
    expect(stdout).toBe("");
  });
});
