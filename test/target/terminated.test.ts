import { expect, test } from "vitest";
import { status } from "../../src/operations/status.ts";
import { terminate } from "../../src/operations/terminate.ts";
import { complete, killEverywhere, type Command } from "./kill.ts";
import { launched, launching } from "./launched.ts";
import { demo, demoCluster, operator, until, type MemoryWorld } from "./memory-target.ts";

const all = { cluster: demo, nodes: [], force: false, grace: 5 };
const ending: Command = ({ context }) => terminate(context, all);

const base = launched(demoCluster(3, 1));

async function seen(world: MemoryWorld) {
  const one = operator(world);
  const end = await until(world, one, status(one.context, { cluster: demo }));
  if (end.kind !== "done") throw new Error(end.kind === "failed" ? String(end.error) : end.kind);
  return end.value;
}

test("containers go, workers first, volumes stay, and a launch brings the same instances back", async () => {
  const world = await base();
  const before = await seen(world);
  const volumes = [...world.engine.volumes.keys()];
  const one = await complete(world, ending);
  expect([...world.engine.containers.keys()]).toHaveLength(1);
  expect([...world.engine.volumes.keys()]).toEqual(volumes);
  const steps = one.events.flatMap((event) => (event.name === "step.finished" ? [event.subject] : []));
  expect(steps[0]).toBe("demo-worker-1");
  const ended = await seen(world);
  expect(ended.state).toBe("stopped");
  expect(ended.nodes.map(({ state }) => state)).toEqual(["absent", "absent", "absent", "absent"]);
  await complete(world, launching(demoCluster(3, 1)));
  const after = await seen(world);
  expect(after.state).toBe("ready");
  expect(after.nodes.map(({ name, instance }) => [name, instance])).toEqual(
    before.nodes.map(({ name, instance }) => [name, instance]),
  );
  expect(after.etcd.members.map(({ id }) => id)).toEqual(before.etcd.members.map(({ id }) => id));
});

test("one control node of three goes, and the second is refused", async () => {
  const world = await base();
  await complete(world, ({ context }) => terminate(context, { ...all, nodes: ["demo-control-1"] }));
  const one = operator(world);
  const end = await until(world, one, terminate(one.context, { ...all, nodes: ["demo-control-2"] }));
  expect(end).toMatchObject({ kind: "failed", error: { message: expect.stringMatching(/^demo-control-2 must stay/) } });
  // Named again, it is gone already.
  await complete(world, async ({ context }) =>
    expect((await terminate(context, { ...all, nodes: ["demo-control-1"] })).nodes).toEqual([]),
  );
});

test("killed at any call, it is completed by the same command, and a launch brings all back", async () => {
  const again: Command = async (one) => {
    await ending(one);
    await launching(demoCluster(3, 1))(one);
  };
  const points = await killEverywhere({ base, command: ending, again, ignoreQuorum: true });
  expect(points).toBeGreaterThan(10);
}, 300_000);
