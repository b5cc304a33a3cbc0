import { expect, it } from "vitest";
import { launch } from "/work/main/src/operations/launch.ts";
import { demoCluster, memoryWorld, operator, until } from "/work/main/test/target/memory-target.ts";
import { picture } from "/work/main/test/target/picture.ts";
it("x", async () => {
  const world = memoryWorld();
  for (let n = 0; n < 2; n++) {
  const one = operator(world);
  const t = performance.now();
  const end = await until(world, one, launch(one.context, { cluster: demoCluster(3, 2) }));
  console.log(performance.now() - t, world.clock.now(), one.process.calls.length, one.process.looks.count);
  if (end.kind === "failed") console.log(end.error, one.events.slice(-10));
  console.log(end.kind === "done" && JSON.stringify(end.value.status, null, 1).slice(0, 300), one.process.calls.join("\n"));
  }
  console.log(JSON.stringify(await picture(world), null, 1), clusterLost(world));
});
function clusterLost(w: any) { return w.clusters.get("demo").members.lost; }
