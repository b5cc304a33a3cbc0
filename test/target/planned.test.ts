import { describe, expect, test } from "vitest";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { plan } from "../../src/operations/plan.ts";
import { readRecord } from "../../src/records/access.ts";
import { complete, settling } from "./kill.ts";
import { launched, launching } from "./launched.ts";
import { clusterOf, demoCluster, memoryWorld, operator, pass, until, type MemoryWorld } from "./memory-target.ts";

const base = launched(demoCluster(1, 2));

/** The changes of a plan without ids, and that making it changed nothing. */
async function changes(world: MemoryWorld, cluster: Cluster): Promise<readonly string[]> {
  const one = operator(world);
  const end = await until(world, one, plan(one.context, { cluster }));
  if (end.kind !== "done") throw new Error(end.kind === "failed" ? String(end.error) : end.kind);
  expect(one.process.calls.filter((call) => !call.startsWith("nudge "))).toEqual([]);
  expect(new Set(end.value.changes.map((change) => change.id)).size).toBe(end.value.changes.length);
  return end.value.changes.map((change) => `${change.action} ${change.kind} ${change.name}: ${change.reason}`);
}

describe("a plan", () => {
  test("is empty after a launch", async () => {
    expect(await changes(await base(), demoCluster(1, 2))).toEqual([]);
  });

  test("of nothing names everything that a launch makes", async () => {
    expect(await changes(memoryWorld(), demoCluster(1, 1))).toEqual([
      "create gateway demo-gateway: it is not there",
      "create node demo-control-1: control has 1 nodes",
      "create node demo-worker-1: worker has 1 nodes",
      "create service web: 2 replicas of demo/hello",
    ]);
  });

  const cases: readonly [string, Cluster, readonly string[]][] = [
    ["a new node", demoCluster(1, 3), ["create node demo-worker-3: worker has 3 nodes"]],
    ["a node that goes", demoCluster(1, 1), ["delete node demo-worker-2: the file no longer has it"]],
    ["a changed label", demoCluster(1, 2, { labels: "{ disk: hdd }" }), ["update config worker: labels and settings"]],
    [
      "a new file",
      demoCluster(1, 2, { files: '[{ path: /etc/motd, content: "hello" }]' }),
      ["update config worker: /etc/motd"],
    ],
    ["more replicas", demoCluster(1, 2, { replicas: 4 }), ["update service web: replicas changed"]],
    ["another image", demoCluster(1, 2, { image: "nginx:1.29" }), ["update service web: image, imageId changed"]],
    [
      "another port",
      demoCluster(1, 2, { port: 9090 }),
      ["update gateway demo-gateway: published ports or programs changed", "update service web: ports changed"],
    ],
  ];
  test.each(cases)("names %s", async (_, cluster, expected) => {
    const world = await base();
    expect(await changes(world, cluster)).toEqual(expected);
    await complete(world, launching(cluster));
    await pass(world, settling);
    expect(await changes(world, cluster)).toEqual([]);
  });

  test("names a lost container, and lost data", async () => {
    const world = await base();
    world.engine.containers.delete("demo-worker-2");
    world.engine.changed("a loss");
    expect(await changes(world, demoCluster(1, 2))).toEqual([
      "create node demo-worker-2: its container is gone, its data is there",
    ]);
    for (const volume of ["demo-worker-2-data", "demo-worker-2-docker"]) world.engine.volumes.delete(volume);
    expect(await changes(world, demoCluster(1, 2))).toEqual(["create node demo-worker-2: worker has 2 nodes"]);
  });

  test("names what was changed on a node, and a launch raises `apply` so that it is put back", async () => {
    const world = await base();
    const container = world.engine.containers.get("demo-worker-1");
    clusterOf(world, "demo").drift.set(container?.id ?? "", ["/etc/motd: was edited", "tidy.timer: is stopped"]);
    expect(await changes(world, demoCluster(1, 2))).toEqual([
      "update node demo-worker-1: /etc/motd: was edited; tidy.timer: is stopped",
    ]);
    const store = world.engine.store("demo")!;
    const before = (await readRecord(store, "pointer"))?.value;
    const launched = await complete(world, launching(demoCluster(1, 2)));
    // The launch ends when it is put back, not before.
    expect(await changes(world, demoCluster(1, 2))).toEqual([]);
    const after = (await readRecord(store, "pointer"))?.value;
    expect([after?.revision, after?.apply]).toEqual([before?.revision, (before?.apply ?? 0) + 1]);
    expect(launched.process.calls.filter((call) => /^(DELETE|POST|PUT) /.test(call))).toEqual([]);
  });

  test("names a service that was scaled behind our back, and a launch puts it back", async () => {
    const world = await base();
    const deployed = clusterOf(world, "demo").services.get("web");
    if (deployed === undefined) throw new Error("web is not deployed");
    deployed.spec = { ...deployed.spec, Mode: { Replicated: { Replicas: 7 } } };
    await pass(world, settling);
    expect(await changes(world, demoCluster(1, 2))).toEqual([
      "update service web: Mode.Replicated.Replicas: 2 became 7",
    ]);
    await complete(world, launching(demoCluster(1, 2)));
    expect(await changes(world, demoCluster(1, 2))).toEqual([]);
    expect((await readRecord(world.engine.store("demo")!, "service", { name: "web" }))?.value).toMatchObject({
      desired: 2,
      running: 2,
      drift: [],
    });
  });
});
