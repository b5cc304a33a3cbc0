import { describe, expect, it } from "vitest";
import { restart } from "../../src/operations/restart.ts";
import { remove } from "../../src/operations/remove.ts";
import { start } from "../../src/operations/start.ts";
import { stop } from "../../src/operations/stop.ts";
import type { ObservedNode } from "../../src/plan/plan.ts";
import { listRecords, readRecord } from "../../src/records/access.ts";
import {
  controlRecord,
  demo,
  fakeTarget,
  fillReady,
  loseMajority,
  nodeRecord,
  observedNode,
  put,
  run,
  threeAndTwo,
  world,
  type World,
} from "./fake-target.ts";

async function readyWorld(nodes = threeAndTwo()): Promise<World> {
  const made = world(fakeTarget(nodes));
  await fillReady(made.store, nodes);
  made.target.onStart = async (node) => say(made, node);
  return made;
}

/** What a node's agent would write now. */
async function say(made: World, node: ObservedNode): Promise<void> {
  const fields = { seen: made.clock.now(), boot: `b${made.clock.now()}` };
  const value = node.role === "control" ? controlRecord(node, made.target.nodes, fields) : nodeRecord(node, fields);
  await put(made.store, "node", { instance: node.instance }, value);
}

const touched = (made: World): string[] => made.target.calls.filter((call) => /^(start|stop) /.test(call));
const all = { cluster: demo, nodes: [], force: false, grace: 30 };

describe("stop", () => {
  it("stops the whole cluster, workers before control nodes", async () => {
    const made = await readyWorld();
    const { nodes } = await run(made, stop(made.context, all));
    expect(nodes).toHaveLength(5);
    const calls = touched(made);
    expect(new Set(calls.slice(0, 2))).toEqual(new Set(["stop demo-worker-1", "stop demo-worker-2"]));
    expect(calls.slice(2)).toHaveLength(3);
  });

  it("does nothing the second time", async () => {
    const made = await readyWorld();
    await run(made, stop(made.context, all));
    made.target.calls.length = 0;
    expect((await run(made, stop(made.context, all))).nodes).toEqual([]);
    expect(touched(made)).toEqual([]);
    expect(made.events.findLast((event) => event.name === "operation.finished")).toMatchObject({
      changes: 0,
    });
  });

  it("stops one control node of three, and refuses the second", async () => {
    const made = await readyWorld();
    await run(made, stop(made.context, { ...all, nodes: ["demo-control-1"] }));
    expect(touched(made)).toEqual(["stop demo-control-1"]);
    await expect(run(made, stop(made.context, { ...all, nodes: ["demo-control-2"] }))).rejects.toThrow(
      /^demo-control-2 must stay: etcd: .*--force/,
    );
    expect(touched(made)).toEqual(["stop demo-control-1"]);
  });

  it("refuses two control nodes before anything is stopped", async () => {
    const made = await readyWorld();
    await expect(
      run(made, stop(made.context, { ...all, nodes: ["worker", "demo-control-1", "demo-control-2"] })),
    ).rejects.toThrow("demo-control-2 must stay");
    expect(touched(made)).toEqual([]);
  });

  it("stops them by force", async () => {
    const made = await readyWorld();
    await run(made, stop(made.context, { ...all, nodes: ["demo-control-1", "demo-control-2"], force: true }));
    expect(touched(made)).toHaveLength(2);
  });

  it("waits while a member is not in sight, and then gives up", async () => {
    const made = await readyWorld();
    await made.clock.advance(600_000);
    await expect(run(made, stop(made.context, { ...all, nodes: ["demo-control-1"] }))).rejects.toThrow(
      "demo-control-1 must stay",
    );
    expect(touched(made)).toEqual([]);
  });

  it("does not take members that nobody can see for none", async () => {
    const made = await readyWorld();
    await loseMajority(made.store, made.target.nodes);
    await expect(run(made, stop(made.context, { ...all, nodes: ["demo-control-1"] }))).rejects.toThrow(
      /^demo-control-1 must stay: etcd: cannot see the members/,
    );
    expect(touched(made)).toEqual([]);
  });

  it("stops what has formed nothing yet", async () => {
    const made = await readyWorld();
    await loseMajority(made.store, made.target.nodes);
    for (const [key, version] of await made.store.list("formation/")) await made.store.delete(key, version);
    await run(made, stop(made.context, { ...all, nodes: ["demo-control-1"] }));
    expect(touched(made)).toEqual(["stop demo-control-1"]);
  });

  it("asks the guard again before each control node", async () => {
    const five = [...Array(5).keys()].map((n) => observedNode("control", n + 1));
    const made = await readyWorld([...five, observedNode("worker", 1)]);
    // Another one dies by itself while the first is being stopped.
    made.target.fail = (call) => {
      if (call === "stop demo-control-1")
        made.target.nodes = made.target.nodes.map((node) =>
          node.name === "demo-control-5" ? { ...node, state: "stopped" } : node,
        );
      return undefined;
    };
    await expect(
      run(made, stop(made.context, { ...all, nodes: ["demo-control-1", "demo-control-2"] })),
    ).rejects.toThrow("demo-control-2 must stay");
    expect(touched(made)).toEqual(["stop demo-control-1"]);
  });

  it("fails with the node's error, gives the lock back and writes the journal", async () => {
    const made = await readyWorld();
    made.target.fail = (call) => (call === "stop demo-worker-1" ? new Error("engine is gone") : undefined);
    await expect(run(made, stop(made.context, all))).rejects.toThrow("engine is gone");
    expect((await readRecord(made.store, "lock"))?.value.holder).toBeNull();
    const [entry] = await listRecords(made.store, "journal");
    expect(entry?.value).toMatchObject({ operation: "stop" });
    expect(entry?.value.events.at(-1)).toMatchObject({
      name: "operation.failed",
      cause: "engine is gone",
    });
  });

  it("says which cluster there is", async () => {
    const made = await readyWorld();
    await expect(stop(made.context, { ...all, cluster: "dmeo" as typeof demo })).rejects.toThrow(
      "there is no cluster dmeo on docker; there is demo",
    );
  });
});

describe("start", () => {
  it("starts control nodes first and waits until all are ready", async () => {
    const made = await readyWorld();
    await run(made, stop(made.context, all));
    made.target.calls.length = 0;
    const { nodes } = await run(made, start(made.context, { cluster: demo, nodes: [], timeout: 60_000 }));
    expect(nodes).toHaveLength(5);
    expect(
      touched(made)
        .slice(0, 3)
        .every((call) => call.startsWith("start demo-control")),
    ).toBe(true);
    expect(made.events.filter((event) => event.name === "node.ready")).toHaveLength(5);
  });

  it("does not believe what a node said before it stopped", async () => {
    const made = await readyWorld();
    await run(made, stop(made.context, all));
    made.target.onStart = async () => {};
    await expect(run(made, start(made.context, { cluster: demo, nodes: [], timeout: 10_000 }))).rejects.toThrow(
      "demo-control-1 is not ready after 10 s; phase boot",
    );
  });

  it("touches nothing that runs, and warns of what only a launch can make", async () => {
    const nodes = [observedNode("control", 1), observedNode("worker", 1, { state: "missing" })];
    const made = await readyWorld(nodes);
    const { nodes: started } = await run(made, start(made.context, { cluster: demo, nodes: [], timeout: 10_000 }));
    expect(started).toEqual([]);
    expect(touched(made)).toEqual([]);
    expect(made.events).toContainEqual(
      expect.objectContaining({
        name: "warning",
        message: "demo-worker-1 has no container; slipway launch makes it again",
      }),
    );
  });
});

describe("restart", () => {
  const input = { ...all, timeout: 60_000 };
  it("goes through the nodes one by one, workers first", async () => {
    const made = await readyWorld();
    await run(made, restart(made.context, input));
    const names = ["demo-worker-1", "demo-worker-2", "demo-control-1", "demo-control-2", "demo-control-3"];
    expect(touched(made)).toEqual(names.flatMap((name) => [`stop ${name}`, `start ${name}`]));
  });

  it("stops where a node does not come back", async () => {
    const made = await readyWorld();
    made.target.onStart = async (node) => (node.name === "demo-control-1" ? undefined : say(made, node));
    await expect(run(made, restart(made.context, input))).rejects.toThrow("demo-control-1 is not ready after 60 s");
    expect(touched(made)).not.toContain("stop demo-control-2");
  });

  it("refuses a control node when another one is down", async () => {
    const nodes = threeAndTwo().map((node) =>
      node.name === "demo-control-3" ? { ...node, state: "stopped" as const } : node,
    );
    const made = await readyWorld(nodes);
    await expect(run(made, restart(made.context, input))).rejects.toThrow(/demo-control-1 must stay/);
    expect(touched(made)).toEqual([]);
  });

  it("restarts a lone control node only with the whole cluster", async () => {
    const made = await readyWorld([observedNode("control", 1), observedNode("worker", 1)]);
    await expect(run(made, restart(made.context, { ...input, nodes: ["control"] }))).rejects.toThrow(
      "demo-control-1 must stay",
    );
    expect((await run(made, restart(made.context, input))).nodes).toHaveLength(2);
  });
});

describe("remove", () => {
  it("has the node retired and says what the file still asks for", async () => {
    const made = await readyWorld();
    const retired: string[] = [];
    const retire = async (_: unknown, __: unknown, node: string): Promise<void> => void retired.push(node);
    const { note } = await run(
      made,
      remove(made.context, { cluster: demo, node: "demo-worker-2", force: false }, retire),
    );
    expect(retired).toEqual(["demo-worker-2"]);
    expect(note).toBe(
      "cluster.yml still asks for 2 in group worker: the next launch would make demo-worker-2 again; write count: 1 to keep it away",
    );
  });

  it("says where the machine is somebody else's that it stays", async () => {
    const made = await readyWorld();
    const target = { ...made.target, userData: { sums: () => Promise.reject(new Error("not asked for")) } };
    const context = { ...made.context, target };
    const { note } = await run(
      made,
      remove(context, { cluster: demo, node: "demo-worker-2", force: false }, async () => undefined),
    );
    expect(note.split("\n")).toEqual([
      "its machine is yours to take away, with what is on its disks; its agent has ended",
      "cluster.yml still asks for 2 in group worker: the next launch would write a token for another machine; write count: 1 to keep it away",
    ]);
  });

  it("waits until the node has left, then takes away its container and its place in the roster", async () => {
    const made = await readyWorld();
    made.target.nudge = async (name) => {
      const node = made.target.nodes.find((candidate) => candidate.name === name);
      if (node === undefined) throw new Error(`no such node: ${name}`);
      const value = nodeRecord(node, { phase: "left", state: "stopped" });
      await put(made.store, "node", { instance: node.instance }, value);
    };
    await run(made, remove(made.context, { cluster: demo, node: "demo-worker-2", force: false }));
    expect(made.target.nodes.map((node) => node.name)).not.toContain("demo-worker-2");
    const entry = await readRecord(made.store, "roster", { instance: "i-worker-2" });
    expect(entry?.value.state).toBe("gone");
    expect(made.events.map((event) => event.name)).toContain("node.removed");
  });

  it("keeps a control node that quorum needs", async () => {
    const made = await readyWorld();
    const retired: string[] = [];
    const retire = async (_: unknown, __: unknown, node: string): Promise<void> => void retired.push(node);
    await run(made, stop(made.context, { ...all, nodes: ["demo-control-3"] }));
    await expect(
      run(made, remove(made.context, { cluster: demo, node: "demo-control-2", force: false }, retire)),
    ).rejects.toThrow("demo-control-2 must stay");
    expect(retired).toEqual([]);
    await run(made, remove(made.context, { cluster: demo, node: "demo-control-2", force: true }, retire));
    expect(retired).toEqual(["demo-control-2"]);
  });
});
