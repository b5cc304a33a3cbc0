import { expect, test } from "vitest";
import { launch } from "../../src/operations/launch.ts";
import { cleanup } from "../../src/operations/cleanup.ts";
import { complete } from "./kill.ts";
import { clusterFrom, demo, demoCluster, memoryWorld, operator, until, type MemoryWorld } from "./memory-target.ts";

const workers = (count: number) => demoCluster(1, count, { orchestrator: "none" });

type Counted = { readonly changes: number; readonly looks: number; readonly lists: number };

async function counted(
  count: number,
): Promise<{ readonly first: Counted; readonly second: Counted; readonly cleaned: Counted }> {
  const world = memoryWorld();
  const run = async (work: (one: ReturnType<typeof operator>) => Promise<unknown>): Promise<Counted> => {
    const lists = world.engine.lists;
    const one = await complete(world, work);
    return { changes: one.process.calls.length, looks: one.process.looks.count, lists: world.engine.lists - lists };
  };
  const first = await run(({ context }) => launch(context, { cluster: workers(count) }));
  const second = await run(({ context }) => launch(context, { cluster: workers(count) }));
  const cleaned = await run(({ context }) => cleanup(context, { cluster: demo }));
  return { first, second, cleaned };
}

test("the calls of a launch and of a cleanup grow with the nodes and no faster", async () => {
  const small = await counted(100);
  const large = await counted(400);
  for (const run of ["first", "second", "cleaned"] as const) {
    // Four times the nodes: four times the calls, with a little room for what waits longer.
    expect(large[run].changes, `changes of ${run}`).toBeLessThan(small[run].changes * 4.2);
    expect(large[run].looks, `looks of ${run}`).toBeLessThan(small[run].looks * 5);
    expect(large[run].lists, `lists of ${run}`).toBeLessThan(small[run].lists + 20);
  }
  expect(large.first.changes / 400).toBeLessThan(10);
}, 300_000);

test("5,000 workers are planned and made with as many calls per node as 500", async () => {
  const perNode = async (count: number): Promise<number> => {
    const world = memoryWorld();
    const one = await complete(world, ({ context }) => launch(context, { cluster: workers(count) }));
    expect([...world.engine.containers.values()].filter(({ state }) => state === "running")).toHaveLength(count + 2);
    return one.process.calls.length / count;
  };
  const few = await perNode(500);
  expect(await perNode(5_000)).toBeLessThan(few * 1.1);
}, 600_000);

test("a hundred clusters beside each other do not see each other", async () => {
  const world: MemoryWorld = memoryWorld();
  const named = (n: number) => clusterFrom(`name: c${n}\norchestrator: none\ngroups: { control: {} }\n`);
  const calls: number[] = [];
  for (let n = 0; n < 100; n++)
    calls.push((await complete(world, ({ context }) => launch(context, { cluster: named(n) }))).process.calls.length);
  expect(Math.max(...calls)).toBeLessThan(Math.min(...calls) + 10);
  const subnets = [...world.engine.networks.values()].map(({ subnet }) => subnet);
  expect(new Set(subnets).size).toBe(100);
  const one = operator(world);
  expect(await until(world, one, one.context.target.list())).toMatchObject({ kind: "done", value: { length: 100 } });
}, 300_000);
