import { describe, expect, test } from "vitest";
import type { NodeName } from "../../src/cluster/cluster.ts";
import { dataVolume, dockerVolume } from "../../src/targets/docker/names.ts";
import { complete, settling } from "./kill.ts";
import { launched, launching } from "./launched.ts";
import { clusterOf, demoCluster, operator, pass, until, type MemoryWorld } from "./memory-target.ts";
import { picture } from "./picture.ts";

const three = launched(demoCluster(3, 1));

function down(world: MemoryWorld, node: string): void {
  const container = world.engine.containers.get(node);
  if (container === undefined) throw new Error(`there is no ${node}`);
  container.state = "exited";
  world.engine.changed(`the end of ${node}`);
}

const touching = /^(DELETE|POST|PUT) /;

describe("quorum", () => {
  test("from 3 to 1 it is there at every moment", async () => {
    const world = await three();
    await complete(world, launching(demoCluster(1, 1)));
    const { members } = clusterOf(world, "demo");
    expect(members.lost).toEqual([]);
    expect(members.etcd?.members.map(({ name }) => name)).toEqual(["demo-control-1"]);
  });

  test("a smaller control group is refused while the members that stay are not whole, and nothing is touched", async () => {
    const world = await three();
    // Frozen: its container runs, its etcd and its manager do not answer.
    const data = world.engine.volumes.get(dataVolume("demo-control-2" as NodeName))?.kept ?? {};
    const docker = world.engine.volumes.get(dockerVolume("demo-control-2" as NodeName))?.kept ?? {};
    data["member"] = "nobody";
    docker["swarm"] = "nobody";
    world.engine.changed("the freezing of demo-control-2");
    const container = world.engine.containers.get("demo-control-2");
    container?.files.delete("/etc/slipway/bootstrap.json");
    await pass(world, settling);
    const before = [...world.engine.containers.keys(), ...world.engine.volumes.keys()];
    // Removing one healthy voter of 2 healthy of 3 leaves 1 of 2.
    const one = operator(world);
    const end = await until(world, one, launching({ ...demoCluster(1, 1) })(one));
    expect(end.kind).toBe("failed");
    if (end.kind === "failed")
      expect(String(end.error)).toMatch(
        /demo-control-3 must stay: etcd: .*1 healthy of 2 voting members; 2 are needed/,
      );
    expect([...world.engine.containers.keys(), ...world.engine.volumes.keys()]).toEqual(before);
    expect(one.process.calls.filter((call) => touching.test(call))).toEqual([]);
    expect(clusterOf(world, "demo").members.lost).toEqual([]);
  });

  test("a stopped manager that stays is started before one leaves", async () => {
    const world = await three();
    down(world, "demo-control-1");
    await complete(world, launching(demoCluster(1, 1)));
    await pass(world, settling);
    expect(clusterOf(world, "demo").members.lost).toEqual([]);
    const whole = await three();
    await complete(whole, launching(demoCluster(1, 1)));
    await pass(whole, settling);
    expect(await picture(world)).toEqual(await picture(whole));
  });

  test("a dead manager that the file no longer has goes first, and quorum stays", async () => {
    const world = await three();
    down(world, "demo-control-2");
    await pass(world, settling);
    await complete(world, launching(demoCluster(1, 1)));
    await pass(world, settling);
    expect(clusterOf(world, "demo").members.lost).toEqual([]);
    expect(clusterOf(world, "demo").members.etcd?.members.map(({ name }) => name)).toEqual(["demo-control-1"]);
    expect([...world.engine.containers.keys()].filter((name) => name.includes("control"))).toEqual(["demo-control-1"]);
  });
});
