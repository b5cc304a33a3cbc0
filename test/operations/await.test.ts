import { describe, expect, it } from "vitest";
import type { NodeName } from "../../src/cluster/cluster.ts";
import { awaitNodes } from "../../src/operations/await.ts";
import { readRecord } from "../../src/records/access.ts";
import { memoryStore } from "../../src/store/memory.ts";
import { seededRandom } from "../../src/host/virtual.ts";
import {
  demo,
  fakeTarget,
  nodeRecord,
  observedNode,
  put,
  rosterRecord,
  run,
  start,
  world,
  type World,
} from "./fake-target.ts";

const node = observedNode("worker", 1);
const names: readonly NodeName[] = [node.name];
const parts = { instance: node.instance };

/** Waits until the node is ready, or until then. */
const becomeReady = (
  { context, store }: World,
  deadline: number,
  more: Partial<Parameters<typeof awaitNodes>[1]> = {},
): Promise<void> => awaitNodes(context, { store, cluster: demo, nodes: names, until: "ready", deadline, ...more });

async function one(target = fakeTarget([node])): Promise<World> {
  const made = world(target);
  await put(made.store, "roster", parts, rosterRecord(node));
  return made;
}

describe("waiting for a node", () => {
  it("tells each phase once, and that it is ready", async () => {
    const made = await one();
    const { store, clock, events } = made;
    const waiting = becomeReady(made, start + 60_000);
    await clock.advance(2000);
    await put(store, "node", parts, nodeRecord(node, { state: "starting", phase: "docker", reason: "dockerd starts" }));
    await clock.advance(2000);
    await put(store, "node", parts, nodeRecord(node));
    await clock.advance(2000);
    await waiting;
    expect(events.map((event) => (event.name === "node.phase" ? `phase ${event.phase}` : event.name))).toEqual([
      "phase boot",
      "phase docker",
      "phase ready",
      "node.ready",
    ]);
    expect(events.at(-1)).toMatchObject({ node: node.name, seconds: expect.any(Number) });
  });

  it("does not take a record from before a restart for news", async () => {
    const made = await one();
    const { store, clock } = made;
    await put(store, "node", parts, nodeRecord(node));
    const before = new Map([[node.instance, (await readRecord(store, "node", parts))?.version ?? ""]]);
    let done = false;
    const waiting = becomeReady(made, start + 60_000, { before }).then(() => {
      done = true;
    });
    await clock.advance(5000);
    expect(done).toBe(false);
    await put(store, "node", parts, nodeRecord(node, { boot: "b2" }));
    await run(made, waiting);
    expect(done).toBe(true);
  });

  it("waits for the revision that is asked for", async () => {
    const made = await one();
    await put(made.store, "node", parts, nodeRecord(node, { revision: "r1" }));
    const waiting = becomeReady(made, start + 5000, { revision: "r2" });
    await expect(run(made, waiting)).rejects.toThrow("demo-worker-1 is not ready after 5 s");
  });

  it("gives a failure ten seconds to heal", async () => {
    const reason = "no disk";
    const failed = nodeRecord(node, { state: "failed", phase: "docker", reason, log: ["dockerd: no space"] });
    const made = await one();
    const { store, clock, events } = made;
    await put(store, "node", parts, failed);
    const healing = becomeReady(made, start + 60_000);
    await clock.advance(8000);
    await put(store, "node", parts, nodeRecord(node));
    await run(made, healing);

    await put(store, "node", parts, failed);
    const lasting = becomeReady(made, start + 120_000);
    await expect(run(made, lasting)).rejects.toMatchObject({
      message: "demo-worker-1 is failed; phase docker: no disk",
      next: "slipway logs demo-worker-1",
    });
    expect(events.at(-1)).toMatchObject({
      name: "node.failed",
      reason: "no disk",
      log: ["dockerd: no space"],
    });
    expect(clock.now()).toBeLessThan(start + 40_000);
  });

  it("shows the console of a node that never spoke", async () => {
    const made = await one();
    made.target.consoleText = "Booting\nKernel panic\n";
    const waiting = becomeReady(made, start + 3000);
    await expect(run(made, waiting)).rejects.toThrow("phase boot: it has said nothing yet");
    expect(made.events.at(-1)).toMatchObject({
      name: "node.failed",
      log: ["Booting", "Kernel panic"],
    });
  });

  it("gives up at once when the container has stopped", async () => {
    const made = await one();
    const waiting = becomeReady(made, start + 600_000);
    made.target.nodes = [{ ...node, state: "stopped" }];
    await expect(run(made, waiting)).rejects.toThrow("not running: its container has stopped");
    expect(made.clock.now()).toBeLessThan(start + 10_000);
  });

  it("bears a store that does not answer for a while", async () => {
    let down = false;
    const target = fakeTarget([node]);
    const store = memoryStore(seededRandom(1), () => (down ? "unreachable" : undefined));
    target.stores.set(demo, store);
    const made = await one(target);
    await put(store, "node", parts, nodeRecord(node));
    down = true;
    const waiting = becomeReady(made, start + 60_000);
    await made.clock.advance(5000);
    down = false;
    await run(made, waiting);
    expect(made.events.at(-1)).toMatchObject({ name: "node.ready" });

    down = true;
    const late = becomeReady(made, made.clock.now() + 2000);
    await expect(run(made, late)).rejects.toThrow("the cluster's store does not answer");
  });

  it("stops when it is interrupted", async () => {
    const made = await one();
    const waiting = becomeReady(made, start + 60_000);
    made.abort.abort(new Error("interrupted"));
    await expect(run(made, waiting)).rejects.toThrow("interrupted");
  });
});

describe("waiting until a node has left", () => {
  it("ends with the phase left, or with the container", async () => {
    const made = await one();
    await put(made.store, "node", parts, nodeRecord(node, { phase: "left", state: "stopped" }));
    const told = awaitNodes(made.context, {
      store: made.store,
      cluster: demo,
      nodes: names,
      until: "left",
      deadline: start + 60_000,
    });
    await run(made, told);

    await put(made.store, "node", parts, nodeRecord(node));
    made.target.nodes = [];
    const gone = awaitNodes(made.context, {
      store: made.store,
      cluster: demo,
      nodes: names,
      until: "left",
      deadline: made.clock.now() + 60_000,
    });
    await run(made, gone);
    expect(made.events.some((event) => event.name === "node.failed")).toBe(false);
  });
});
