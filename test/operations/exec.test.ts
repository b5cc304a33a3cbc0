import { describe, expect, it } from "vitest";
import { exec, terminal } from "../../src/operations/exec.ts";
import { logs, type LogsInput } from "../../src/operations/logs.ts";
import { demo, fillReady, observedNode, world, type World } from "./fake-target.ts";

type Line = readonly [node: string, stream: string, text: string];
function collector(): {
  readonly lines: Line[];
  readonly output: (node: string, stream: "stdout" | "stderr", chunk: Uint8Array) => void;
} {
  const lines: Line[] = [];
  return {
    lines,
    output: (node, stream, chunk) => lines.push([node, stream, new TextDecoder().decode(chunk)]),
  };
}
const command = ["hostname"] as const;

describe("exec", () => {
  it("gives back the command's own code for one node", async () => {
    const made = world();
    const { lines, output } = collector();
    made.target.exec = (node) => ({ code: 7, stdout: `I am ${node}\n`, stderr: "oops\n" });
    const result = await exec(made.context, {
      cluster: demo,
      nodes: ["demo-worker-1"],
      command,
      output,
    });
    expect(result).toEqual({ nodes: [{ node: "demo-worker-1", code: 7 }], code: 7 });
    expect(lines).toEqual([
      ["demo-worker-1", "stdout", "I am demo-worker-1\n"],
      ["demo-worker-1", "stderr", "oops\n"],
    ]);
  });

  it("gives 0 for many only when all gave 0, and goes on past one that fails", async () => {
    const made = world();
    const { output } = collector();
    expect((await exec(made.context, { cluster: demo, nodes: ["all"], command, output })).code).toBe(0);
    made.target.nodes = made.target.nodes.map((node) =>
      node.name === "demo-worker-1" ? { ...node, state: "stopped" } : node,
    );
    made.target.exec = (node) => ({
      code: node === "demo-control-2" ? 3 : 0,
      stdout: "",
      stderr: "",
    });
    const { nodes, code } = await exec(made.context, { cluster: demo, nodes: [], command, output });
    expect(code).toBe(1);
    expect(nodes.filter((node) => node.code !== 0)).toEqual([
      { node: "demo-control-2", code: 3 },
      { node: "demo-worker-1", code: 125, error: "demo-worker-1 is stopped, not running" },
    ]);
  });

  it("works on at most sixteen nodes at a time", async () => {
    const made = world();
    made.target.nodes = [...Array(40).keys()].map((n) => observedNode("worker", n + 1));
    let [now, most] = [0, 0];
    made.target.exec = async () => {
      now++;
      most = Math.max(most, now);
      await Promise.resolve();
      now--;
      return { code: 0, stdout: "", stderr: "" };
    };
    const { nodes } = await exec(made.context, {
      cluster: demo,
      nodes: ["worker"],
      command,
      output: () => {},
    });
    expect(nodes).toHaveLength(40);
    expect(most).toBeLessThanOrEqual(16);
    expect(most).toBeGreaterThan(1);
  });

  it("says what to do about one node that does not run", async () => {
    const made = world();
    made.target.nodes = [observedNode("worker", 1, { state: "stopped" })];
    const input = { cluster: demo, nodes: ["worker"], command, output: () => {} };
    await expect(exec(made.context, input)).rejects.toMatchObject({
      message: "demo-worker-1 is stopped, not running",
      next: "slipway start demo-worker-1",
    });
  });

  it("opens a terminal on one node", async () => {
    const made = world();
    expect(await terminal(made.context, { cluster: demo, node: "demo-worker-1", command: ["bash"] })).toEqual([
      "docker",
      "exec",
      "-it",
      "demo-worker-1",
      "bash",
    ]);
    await expect(terminal(made.context, { cluster: demo, node: "worker", command: [] })).rejects.toThrow(
      "names 2 nodes, one is needed",
    );
  });
});

describe("logs", () => {
  const base: Omit<LogsInput, "output"> = {
    cluster: demo,
    of: { kind: "nodes", nodes: ["demo-worker-1"] },
    lines: 50,
    follow: false,
  };
  const asked = (made: World): string[] => made.target.calls.filter((call) => call.startsWith("exec"));

  it("asks the journal, each option as one word", async () => {
    const made = world();
    const { sources } = await logs(made.context, {
      ...base,
      unit: "--evil",
      since: "10m",
      follow: true,
      output: () => {},
    });
    expect(sources).toEqual([{ name: "demo-worker-1", from: "journal", code: 0 }]);
    expect(asked(made)).toEqual([
      "exec demo-worker-1 journalctl --no-pager --quiet --output=short-iso --lines=50 --unit=--evil --since=@1699999400 --follow",
    ]);
  });

  it("falls back to the console of a node that cannot be asked, and says why", async () => {
    const made = world();
    made.target.consoleText = "last words";
    made.target.nodes = [observedNode("worker", 1, { state: "stopped" }), observedNode("worker", 2)];
    made.target.fail = (call) => (call.startsWith("exec demo-worker-2") ? new Error("runc is broken") : undefined);
    const { lines, output } = collector();
    const { sources } = await logs(made.context, {
      ...base,
      of: { kind: "nodes", nodes: ["worker"] },
      output,
    });
    expect(sources).toEqual([
      { name: "demo-worker-1", from: "console", note: "demo-worker-1 is stopped", code: 0 },
      { name: "demo-worker-2", from: "console", note: "runc is broken", code: 0 },
    ]);
    expect(lines.map((line) => line[2])).toEqual(["last words", "last words"]);
  });

  it("asks a ready control node for a service", async () => {
    const made = world();
    await fillReady(made.store);
    made.target.nodes = made.target.nodes.map((node) =>
      node.name === "demo-control-1" ? { ...node, state: "stopped" } : node,
    );
    const { sources } = await logs(made.context, {
      ...base,
      of: { kind: "service", name: "web" },
      output: () => {},
    });
    expect(sources).toEqual([{ name: "web", from: "service", code: 0 }]);
    expect(asked(made)).toEqual(["exec demo-control-2 docker service logs --timestamps --tail=50 -- web"]);
  });

  it("refuses what is neither a service nor a time", async () => {
    const made = world();
    await fillReady(made.store);
    await expect(
      logs(made.context, { ...base, of: { kind: "service", name: "wbe" }, output: () => {} }),
    ).rejects.toThrow("did you mean web?");
    await expect(logs(made.context, { ...base, since: "yesterday", output: () => {} })).rejects.toThrow(
      '"yesterday" is not a time',
    );
  });
});
